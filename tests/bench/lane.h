/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A lane: a network namespace with a tun device "wg6" instead of the tunnel, and a tap device "ens3" as the LAN. A
 * packet that is written into one and leaves by the other is counted in the other's driver and dropped there, so that
 * nothing after the gateway costs time, or waits for another CPU. Others set up what forwards in between.
 */
#ifndef WGVIA_BENCH_LANE_H
#define WGVIA_BENCH_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "floors.skel.h"

#define LANE_QUEUES 2
#define LANE_FRAME_MAX 2048

struct lane {
	char name[24];
	char floor[8]; /* "drop", "neigh", "neigh+", "macs", "empty", or "-" for none */
	int tun[LANE_QUEUES], tap[LANE_QUEUES];
	int queues;
	bool flows; /* forwards by a flowtable */
	struct floors_bpf *skel;
};

extern const uint8_t lane_mac[6], lane_firewall_mac[6], lane_service_mac[6];

/*
 * Creates the devices in the existing namespace `netns`, and attaches the floor. Like all functions here, it ends the
 * process with a message on failure.
 */
void lane_open(struct lane *lane, const char *netns);

/* With the sinks, what arrives is counted; without them, it can be read. */
void lane_set_sinks(struct lane *lane, bool on);

/* Number of packets that arrived in a sink, or at the drop. */
uint64_t lane_count(const struct lane *lane);

/*
 * The benchmark's next packet from the tap (or else the tun) device, with its Ethernet header. Returns its length; 0:
 * none.
 */
int lane_read(struct lane *lane, bool tap, uint8_t frame[LANE_FRAME_MAX]);

#endif
