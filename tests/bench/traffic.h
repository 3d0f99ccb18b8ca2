/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packets that are injected: one frame for each family and direction; only its source changes from packet to
 * packet. Sources are drawn while sending, because a list of them would displace the measured code from the caches.
 */
#ifndef WGVIA_BENCH_TRAFFIC_H
#define WGVIA_BENCH_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "packets.h"

struct traffic {
	struct frame frame;
	int family;
	bool ethernet;	   /* the link header is sent as well */
	uint32_t prefixes; /* number of prefixes from which sources are drawn; 0: one fixed source */
	uint64_t state;	   /* of the random generator: the same in each run */
};

#define PREFIX4_LEN 28
#define PREFIX6_LEN 40

/* Prefix `number` of a lane with a list: distinct, and spread over 10.0.0.0/8 or fd00::/8. */
void traffic_prefix(int family, uint32_t number, uint8_t addr[16]);

/*
 * `family` is 4 or 6, `back` the direction from the LAN, `mac` the LAN device's. `sources` is "one" (a VPN client, or
 * the service), "outside", or the decimal number of prefixes from which they are drawn.
 */
void traffic_build(struct traffic *traffic, int family, bool back, const char *sources, const uint8_t mac[6]);

/* Writes `count` packets into a device. Ends the process if one is not accepted. */
void traffic_send(struct traffic *traffic, int fd, uint32_t count);

#endif
