/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a condition of a netfilter rule means for what is redirected: which directions may meet it (its scope), and
 * whether the packets of a new TCP connection from a prefix do. Pure.
 */
#ifndef WGVIA_RULESET_CONDITION_H
#define WGVIA_RULESET_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/traffic.h"

/* A connection is one that works if all three pass: in by the tunnel, the reply in by a gateway's device, the rest. */
enum packet_kind { PACKET_SYN, PACKET_SYN_ACK, PACKET_ACK, PACKET_KINDS };
/* Of both families: index = packet_of(family, kind). */
#define PACKETS ((size_t)2 * PACKET_KINDS)
size_t packet_of(uint8_t family, enum packet_kind kind);

enum met { MET_NO, MET_MAYBE, MET_YES };

/*
 * Connections differ in their destination, ports and source within the prefixes. The usual one is a connection that no
 * rule names; where `some` is set, some meet the condition and some do not, and `usual` is about that one.
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
struct condition condition_never(void); /* it is about what is never redirected */
/* It is about other traffic of the prefixes than TCP connections. */
struct condition condition_other_traffic(void);
/* It is not understood, and taken for met in what is redirected. */
struct condition condition_unread(void);
/* Some connections meet it, and the usual one does not. */
struct condition condition_some(void);
/* These kinds of packets meet it, of the kinds' bits. */
struct condition condition_kinds(unsigned int kinds);
/* "ip" or "ip6", or another one that is never redirected. */
struct condition condition_family(const struct traffic *traffic, const char *family);
/* A device is, or devices are, in these sides of the host. */
struct condition condition_device(const struct traffic *traffic, enum scope_field field, struct sides sides);
/* The same of addresses of a family ("ip" or "ip6"). */
struct condition condition_address(const struct traffic *traffic, enum scope_field field, const char *family,
				   struct sides sides);
/* Words of rules; those that mean nothing here are unread. Of connection tracking: "new", "established" ... */
struct condition condition_state(const char *word);
struct condition condition_direction(const char *word); /* "original", "reply" */
struct condition condition_status(const char *word);	/* "dnat" ... */
struct condition condition_protocol(const char *word);	/* "tcp", "udp", "6" ... */
struct condition condition_ports(unsigned int low, unsigned int high);
/* TCP flags under the mask are equal to these. */
struct condition condition_flags(unsigned int mask, unsigned int flags);
/* One of these TCP flags is set. */
struct condition condition_any_flag(unsigned int flags);
unsigned int tcp_flag(const char *word); /* "syn" or "SYN"; 0: none */

struct condition condition_both(struct condition a, struct condition b);
struct condition condition_any(struct condition a, struct condition b);
/* Its scope is everything. */
struct condition condition_not(struct condition condition);

#endif
