/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * This host's netfilter rules, as far as `check` asks: which of them would see what goes between a prefix and the
 * gateways' devices, and what they would do to it. Read from nft (rules of iptables-nft are in there) and from
 * iptables-legacy. It changes nothing and judges nothing.
 */
#ifndef WGVIA_RULESET_H
#define WGVIA_RULESET_H

#include <stdbool.h>
#include <stddef.h>

#include "resolve.h"
#include "netdev.h"

/* What a rule is about is told from these. The pointers are the caller's. */
struct traffic {
	const struct plan *plan;
	const struct route *routes; /* of the main table */
	size_t route_count;
};

enum rule_flag {
	RULE_NAT = 1 << 0,
	RULE_CLAMP = 1 << 1,   /* of the MSS */
	RULE_INVALID = 1 << 2, /* it is about packets that connection tracking finds invalid */
	RULE_DROPS = 1 << 3,   /* or rejects */
	RULE_ACTS = 1 << 4,    /* it does more than jump, return or count */
	RULE_NOT_US = 1 << 5,  /* it sees nothing that wgvia redirects */
};

struct chain {
	char *family, *table, *name;
	bool filters; /* reached from the hook forward */
	bool sees;    /* reached from a hook that forwarded packets pass */
	bool drops;   /* it is at the hook forward, and its policy is drop */
};

struct rule_seen {
	size_t chain;
	unsigned int flags; /* enum rule_flag */
	char *undo;	    /* a command that takes it away; of translating rules alone, else NULL */
};

struct jump {
	size_t from, to;
};

struct ruleset {
	struct chain *chains;
	size_t chain_count;
	struct rule_seen *rules;
	size_t rule_count;
	struct jump *jumps;
	size_t jump_count;
	bool nft_unread;    /* there are chains of nftables, and nft is not there to tell of them */
	bool legacy_unread; /* the same of iptables-legacy */
};

/* Each adds what it can read, to an empty ruleset or to the other's. What cannot be read is told by the flags above. */
void ruleset_read_nft(struct ruleset *ruleset, const struct traffic *traffic);
void ruleset_read_iptables(struct ruleset *ruleset, const struct traffic *traffic);
/* Gives each chain the hooks of those that jump to it; to be called when all is read. */
void ruleset_follow_jumps(struct ruleset *ruleset);
void ruleset_free(struct ruleset *ruleset); /* for cleanup(), too */

/* --- for the readers, ruleset_*.c --- */

/* The chain's index; it is made where it is new. SIZE_MAX when out of memory. */
size_t ruleset_chain(struct ruleset *ruleset, const char *family, const char *table, const char *name);
/* Tells which hook the chain is at. */
void ruleset_hook(struct chain *chain, const char *hook, bool drop);
void ruleset_add_jump(struct ruleset *ruleset, size_t from, size_t to);
/* Takes `undo`, which may be NULL. */
void ruleset_add_rule(struct ruleset *ruleset, size_t chain, unsigned int flags, char *undo);

/* On which sides of this host something can stand. */
struct sides {
	bool tunnel, lan;
};
struct sides traffic_device(const struct traffic *traffic, const char *name); /* "eth*" and "eth+" as well */
struct sides traffic_prefix(const struct traffic *traffic, const char *text);

/* What a rule's conditions leave of the two directions. Both are true at first. */
struct scope {
	bool out, back;
};
enum scope_field { SCOPE_FROM, SCOPE_TO }; /* iif and saddr; oif and daddr */
void scope_narrow(struct scope *scope, enum scope_field field, struct sides sides);
/* All packets of this family: "ip", "ip6", "inet"; others are not for us. */
struct scope scope_of_family(const struct traffic *traffic, const char *family);

#endif
