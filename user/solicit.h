/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asking an address on a link whether it is there: an ARP request or a neighbour solicitation, and their answers. Every
 * host gives one, idle or not, and no ruleset forbids it. It keeps no record of who was asked.
 *
 * A broadcast or multicast is sent, not a unicast to the address that the kernel knows: where another host takes an
 * address over, that one answers, and its answer brings the kernel's neighbour entry up to date as well.
 */
#ifndef WGVIA_SOLICIT_H
#define WGVIA_SOLICIT_H

#include <stdbool.h>
#include <stdint.h>

#include "ip.h"

struct solicit;

/* 0 or -errno. */
int solicit_open(struct solicit **solicit);
void solicit_close(struct solicit **solicit); /* for cleanup(); NULL inside is fine */

/* The descriptors that become readable with an answer. */
#define SOLICIT_FDS 2
void solicit_fds(const struct solicit *solicit, int fds[SOLICIT_FDS]);

/* Asks once. 0 or -errno, as where the device has gone. */
int solicit_send(struct solicit *solicit, uint32_t ifindex, const struct ip *ip);

struct solicit_answer {
	uint32_t ifindex;
	struct ip ip;
	bool announced; /* unasked, to all: whoever has taken the address over does so */
	bool has_mac;
	uint8_t mac[6]; /* that the address has, by this answer */
};
/* The next answer that has come in, of anybody to anybody on this host, or announcement; false: there is none left. */
bool solicit_receive(struct solicit *solicit, struct solicit_answer *answer);

#endif
