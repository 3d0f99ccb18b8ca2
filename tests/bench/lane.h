/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A lane: a network namespace with a tun device "wg6" in the tunnel's place and a tap device "ens3" as the LAN. What is
 * written into one and leaves by the other is counted in that one's driver and dropped there, so that nothing behind
 * the gateway costs time, nor waits for its turn on another CPU. What forwards in between is set up by others.
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
 * Makes the devices in the namespace `netns`, which is there, and attaches the floor. Like everything here, ends the
 * process with a message where that fails.
 */
void lane_open(struct lane *lane, const char *netns);

/* With the sinks, what arrives is counted; without them, it can be read. */
void lane_set_sinks(struct lane *lane, bool on);

/* Packets that have arrived in a sink, or at the drop. */
uint64_t lane_count(const struct lane *lane);

/* The benchmark's next packet that has arrived at tap (or else tun), Ethernet header included; its length, 0: none. */
int lane_read(struct lane *lane, bool tap, uint8_t frame[LANE_FRAME_MAX]);

#endif
