/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks whether an address on a link answers: sends an ARP request or a neighbour solicitation, and receives the
 * answers. Every host answers, idle or not, and rulesets do not forbid it. It keeps no record of requests.
 *
 * Requests are broadcast or multicast, not unicast to the known MAC address: if another host takes an address over,
 * that host answers, and its answer updates the kernel's neighbour entry as well.
 */
#ifndef WGVIA_NEIGHBOUR_PROBE_H
#define WGVIA_NEIGHBOUR_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

struct neighbour_probe;

/* 0 or -errno. A kernel without IPv6 is not an error: it has no IPv6 neighbours. */
int neighbour_probe_open(struct neighbour_probe **probe);
void neighbour_probe_close(struct neighbour_probe **probe); /* for cleanup(); *probe may be NULL */

/* The descriptors that become readable with an answer; poll() ignores a negative one. */
#define NEIGHBOUR_PROBE_FDS 2
void neighbour_probe_fds(const struct neighbour_probe *probe, int fds[NEIGHBOUR_PROBE_FDS]);

/* Sends one request. 0 or -errno, for example if the device was removed. */
int neighbour_probe_send(struct neighbour_probe *probe, uint32_t ifindex, const struct ip *ip);

struct neighbour_answer {
	uint32_t ifindex;
	struct ip ip;
	bool announced; /* unsolicited, to all hosts: sent by a host that took the address over */
	bool has_mac;
	uint8_t mac[6]; /* of the address, according to this answer */
};
/*
 * The next packet of that family. 1: an announcement, or any answer to this host; 0: something else; -1: nothing is
 * left. During a flood, the caller limits the calls per family, and continues later.
 */
int neighbour_probe_receive(struct neighbour_probe *probe, uint8_t family, struct neighbour_answer *answer);

/*
 * Parses an ARP packet, or a neighbour advertisement from its ICMPv6 header on, as received; `answer` gets no device.
 * False: something else, or truncated.
 */
bool neighbour_read_arp(const void *packet, size_t size, struct neighbour_answer *answer);
bool neighbour_read_advertisement(const void *packet, size_t size, struct neighbour_answer *answer);

#endif
