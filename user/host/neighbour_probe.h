/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asking an address on a link whether it is there: an ARP request or a neighbour solicitation, and their answers. Every
 * host gives one, idle or not, and no ruleset forbids it. It keeps no record of who was asked.
 *
 * A broadcast or multicast is sent, not a unicast to the address that the kernel knows: where another host takes an
 * address over, that one answers, and its answer brings the kernel's neighbour entry up to date as well.
 */
#ifndef WGVIA_NEIGHBOUR_PROBE_H
#define WGVIA_NEIGHBOUR_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

struct neighbour_probe;

/* 0 or -errno. A kernel without IPv6 is no error: it has no neighbours to ask there. */
int neighbour_probe_open(struct neighbour_probe **probe);
void neighbour_probe_close(struct neighbour_probe **probe); /* for cleanup(); NULL inside is fine */

/* The descriptors that become readable with an answer; poll() ignores a negative one. */
#define NEIGHBOUR_PROBE_FDS 2
void neighbour_probe_fds(const struct neighbour_probe *probe, int fds[NEIGHBOUR_PROBE_FDS]);

/* Asks once. 0 or -errno, as where the device has gone. */
int neighbour_probe_send(struct neighbour_probe *probe, uint32_t ifindex, const struct ip *ip);

struct neighbour_answer {
	uint32_t ifindex;
	struct ip ip;
	bool announced; /* unasked, to all: whoever has taken the address over does so */
	bool has_mac;
	uint8_t mac[6]; /* that the address has, by this answer */
};
/*
 * The next packet of that family that has come in. 1: an answer, of anybody to anybody on this host, or announcement;
 * 0: something else; -1: nothing is left. Who is flooded with them stops somewhere, in each family, and comes back.
 */
int neighbour_probe_receive(struct neighbour_probe *probe, uint8_t family, struct neighbour_answer *answer);

/*
 * An ARP packet, a neighbour advertisement from its ICMPv6 header on, as they came in; the device is not in them.
 * False: it is something else, or cut short.
 */
bool neighbour_read_arp(const void *packet, size_t size, struct neighbour_answer *answer);
bool neighbour_read_advertisement(const void *packet, size_t size, struct neighbour_answer *answer);

#endif
