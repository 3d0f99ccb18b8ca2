/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packets that are injected: one frame for each family and direction, whose source alone changes from packet to
 * packet. Sources are drawn as they are sent, for a list of them would take the place in the caches of what is
 * measured.
 */
#ifndef WGVIA_BENCH_TRAFFIC_H
#define WGVIA_BENCH_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "packets.h"

struct traffic {
	struct frame frame;
	int family;
	bool ethernet;	   /* the link header is sent, too */
	uint32_t prefixes; /* from how many sources are drawn; 0: they are not */
	uint64_t state;	   /* of the drawing: the same in each run */
};

#define PREFIX4_LEN 28
#define PREFIX6_LEN 40

/* Prefix `number` of those that a lane with a list has: distinct, and spread over 10.0.0.0/8 or fd00::/8. */
void traffic_prefix(int family, uint32_t number, uint8_t addr[16]);

/*
 * `family` is 4 or 6, `back` the direction from the LAN, `mac` the LAN device's. `sources` is "one" (a VPN client, or
 * the service), "outside", or in decimal from how many of the prefixes they are drawn.
 */
void traffic_build(struct traffic *traffic, int family, bool back, const char *sources, const uint8_t mac[6]);

/* Writes `count` packets into a device. Ends the process where one is not taken. */
void traffic_send(struct traffic *traffic, int fd, uint32_t count);

#endif
