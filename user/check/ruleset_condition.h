/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The meaning of a netfilter rule's condition for redirected packets: which directions may match it (its scope), and
 * whether the packets of a new TCP connection from a prefix match it. Pure.
 */
#ifndef WGVIA_RULESET_CONDITION_H
#define WGVIA_RULESET_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/traffic.h"

/* A connection works if all three pass: the SYN in by the tunnel, the reply in by a gateway's device, and the rest. */
enum packet_kind { PACKET_SYN, PACKET_SYN_ACK, PACKET_ACK, PACKET_KINDS };
/* For both families: index = packet_of(family, kind). */
#define PACKETS ((size_t)2 * PACKET_KINDS)
size_t packet_of(uint8_t family, enum packet_kind kind);

enum met { MET_NO, MET_MAYBE, MET_YES };

/*
 * Connections differ in destination, ports, and source within the prefixes. The usual one is a connection that no rule
 * names. If `some` is set, some connections match the condition and some do not, and `usual` is the result for the
 * usual one.
 */
struct meets {
	uint8_t usual; /* enum met; MET_MAYBE: it cannot be evaluated */
	bool some;
	bool is_unread; /* part of it cannot be evaluated */
};

struct condition {
	struct scope scope;
	struct meets of[PACKETS];
};

struct condition condition_always(void);
struct condition condition_never(void); /* matches only packets that are never redirected */
/* Matches traffic of the prefixes other than TCP connections. */
struct condition condition_other_traffic(void);
/* Not understood; treated as matching all redirected packets. */
struct condition condition_unread(void);
/* Some connections match it, but not the usual one. */
struct condition condition_some(void);
/* These kinds of packets match it; a bit mask of the kinds. */
struct condition condition_kinds(unsigned int kinds);
/* "ip" or "ip6", or another family that is never redirected. */
struct condition condition_family(const struct traffic *traffic, const char *family);
/* The device, or devices, are on these sides of the host. */
struct condition condition_device(const struct traffic *traffic, enum scope_field field, struct sides sides);
/* The same for addresses of a family ("ip" or "ip6"). */
struct condition condition_address(const struct traffic *traffic, enum scope_field field, const char *family,
				   struct sides sides);
/* Words of rules; unknown words make the condition unread. States of connection tracking: "new", "established" ... */
struct condition condition_state(const char *word);
struct condition condition_direction(const char *word); /* "original", "reply" */
struct condition condition_status(const char *word);	/* "dnat" ... */
struct condition condition_protocol(const char *word);	/* "tcp", "udp", "6" ... */
struct condition condition_ports(unsigned int low, unsigned int high);
/* The TCP flags under the mask are equal to these. */
struct condition condition_flags(unsigned int mask, unsigned int flags);
/* At least one of these TCP flags is set. */
struct condition condition_any_flag(unsigned int flags);
unsigned int tcp_flag(const char *word); /* "syn" or "SYN"; 0: none */

struct condition condition_both(struct condition a, struct condition b);
struct condition condition_any(struct condition a, struct condition b);
/* The scope of the result is everything. */
struct condition condition_not(struct condition condition);

#endif
