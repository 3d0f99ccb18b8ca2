/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMP as probes speak it, of both families: echo packets as bytes and back, and what an ICMP error or a redirect says
 * about one. Pure: it sends nothing.
 */
#ifndef WGVIA_ICMP_H
#define WGVIA_ICMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

/*
 * An echo request or reply. `token` is in the payload: a NAT may change addresses and `id`, but not that; and nobody
 * can know it who has not seen the packet.
 */
struct icmp_echo {
	struct ip from, to; /* of one family */
	uint8_t hop_limit;
	bool reply;
	uint16_t id, seq; /* host order */
	uint64_t token;
};

#define ICMP_ECHO_HEADER 8
#define ICMP_ECHO_PAYLOAD 16
#define ICMP_ECHO_MAX (40 + ICMP_ECHO_HEADER + ICMP_ECHO_PAYLOAD)

/* Writes the whole packet, IP header first. Returns its length. */
size_t icmp_make_echo(const struct icmp_echo *echo, uint8_t packet[ICMP_ECHO_MAX]);

/* Why a packet went no further. */
enum refusal {
	REFUSAL_NO_ROUTE,
	REFUSAL_NO_HOST,    /* its neighbour does not answer */
	REFUSAL_PROHIBITED, /* by a rule */
	REFUSAL_EXPIRED,    /* the hop limit is used up */
	REFUSAL_OTHER,
	REFUSAL_COUNT,
};
extern const char *const refusal_words[REFUSAL_COUNT];

struct icmp_message {
	bool refused;	 /* an ICMP error: `by` says `refusal` of `echo`, whose token is not known */
	bool redirected; /* `by` says that `better` is the next hop for `echo`, whose token is not known */
	struct ip by;	 /* who sent it */
	enum refusal refusal;
	struct ip better;
	struct icmp_echo echo;
};

/*
 * Reads a packet that begins with its IP header; an error quotes the header of what it is about, and 8 bytes more (RFC
 * 792) or as much as fits (RFC 4443). False: it is neither an echo packet with our payload's length nor an error or
 * a redirect about an echo packet.
 */
bool icmp_read(uint8_t family, const uint8_t *packet, size_t len, struct icmp_message *message);

#endif
