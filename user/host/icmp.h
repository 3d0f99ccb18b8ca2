/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ICMP that probes use, of both families: echo packets to bytes and back, and the content of an ICMP error or a
 * redirect about an echo packet. Pure: it sends nothing.
 */
#ifndef WGVIA_ICMP_H
#define WGVIA_ICMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

/*
 * An echo request or reply. `token` is in the payload: a NAT may change addresses and `id`, but not the token, and only
 * those who saw the packet know it.
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

/* Why a packet was not forwarded. */
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
	bool refused;	 /* an ICMP error: `by` reports `refusal` for `echo`, whose token is unknown */
	bool redirected; /* `by` reports `better` as the next hop for `echo`, whose token is unknown */
	struct ip by;	 /* the sender */
	enum refusal refusal;
	struct ip better;
	struct icmp_echo echo;
};

/*
 * Reads a packet that begins with its IP header. An error quotes the header of the packet that it is about, and 8 more
 * bytes (RFC 792) or as much as fits (RFC 4443). False: it is neither an echo packet with our payload's length, nor an
 * error or a redirect about an echo packet.
 */
bool icmp_read(uint8_t family, const uint8_t *packet, size_t len, struct icmp_message *message);

#endif
