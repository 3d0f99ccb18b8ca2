/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packets that are injected: one frame for each family and direction, whose source alone changes from packet to
 * packet, and the sources, drawn before anything is timed.
 */
#ifndef WGVIA_BENCH_TRAFFIC_H
#define WGVIA_BENCH_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "packets.h"

struct source {
	uint8_t addr[16];
	uint16_t check; /* of the IPv4 header that it makes, network order */
};

/* A power of two of them, mask + 1. */
struct sources {
	struct source *list;
	uint32_t mask;
};

struct traffic {
	struct frame frame;
	const struct sources *sources;
	bool ethernet; /* the link header is sent, too */
	bool ipv4;
	uint32_t next; /* source */
};

#define PREFIX4_LEN 28
#define PREFIX6_LEN 40

/* Prefix `number` of those that a lane with a list has: distinct, and spread over 10.0.0.0/8 or fd00::/8. */
void traffic_prefix(int family, uint32_t number, uint8_t addr[16]);

/*
 * `family` is 4 or 6, `back` the direction from the LAN, `destination` its far end, `mac` the LAN device's. `sources`
 * is "one" (a VPN client, or the service), "outside", or in decimal from how many of the prefixes they are drawn.
 */
void traffic_build(struct traffic *traffic, int family, bool back, const char *sources, const uint8_t mac[6]);

/* Writes `count` packets into a device. Ends the process where one is not taken. */
void traffic_send(struct traffic *traffic, int fd, uint32_t count);

#endif
