/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * This host's netfilter rules, as far as `check` needs them: which rules would see packets between a prefix and the
 * gateways' devices, at which hook, and what they would do to them. They are read from nft, from iptables-nft-save for
 * what nft does not translate, and from iptables-legacy-save. It changes nothing and judges nothing.
 */
#ifndef WGVIA_RULESET_H
#define WGVIA_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "check/ruleset_condition.h"
#include "check/traffic.h"

enum rule_flag {
	RULE_NAT = 1 << 0,
	RULE_CLAMP = 1 << 1,   /* of the MSS */
	RULE_INVALID = 1 << 2, /* it applies only to packets that connection tracking finds invalid */
	RULE_DROPS = 1 << 3,   /* or rejects; also if it may, but cannot be read completely */
	RULE_ACCEPTS = 1 << 4,
	RULE_ACTS = 1 << 5, /* it does more than jump, return, count or accept */
};
/* The high half of the flags, with RULE_CLAMP: the new MSS; 0: what fits the MTU of the route. */
#define RULE_MSS_SHIFT 16

/* In the order in which a packet passes them. The first and the last one belong to a device. */
enum hook { HOOK_INGRESS, HOOK_PREROUTING, HOOK_FORWARD, HOOK_POSTROUTING, HOOK_EGRESS, HOOK_COUNT };

struct chain {
	char *family, *table, *name; /* the family is "iptables-legacy" or "ip6tables-legacy" for those tables */
	struct scope at[HOOK_COUNT]; /* which redirected packets would reach it from this hook */
	bool is_base;		     /* it is at a hook itself */
	enum hook hook;		     /* of a base chain */
	bool drops;		     /* its policy is drop */
	bool is_queued;		     /* for ruleset_follow_jumps() */
	bool has_extensions;	     /* of iptables-nft, which nft's JSON does not describe */
	bool is_read;		     /* by ruleset_read_iptables_nft() */
};

/* What happens to a packet that matches a rule's conditions. */
enum rule_verdict {
	VERDICT_CONTINUE,
	VERDICT_ACCEPT,
	VERDICT_DROP,
	VERDICT_UNKNOWN, /* one of these, decided elsewhere */
	VERDICT_RETURN,
	VERDICT_JUMP,
	VERDICT_GOTO,
};

/* A rule, or an element of a verdict map, that decides on packets. */
struct step {
	size_t chain;
	struct meets of[PACKETS];
	enum rule_verdict verdict;
	size_t target; /* the chain of a jump */
	char *text;    /* how a user finds the rule, if part of it cannot be evaluated; else NULL */
};

/* A rule that would see some of the redirected packets. */
struct rule_seen {
	size_t chain;
	struct scope scope;
	unsigned int flags; /* enum rule_flag, and RULE_MSS_SHIFT */
	char *undo;	    /* a command that deletes it; only for translating rules, else NULL */
};

struct jump {
	size_t from, to;
	struct scope scope; /* the condition of the rule that jumps */
};

/* Forwards packets of connections that rules put into it, if they arrive by one of its devices. */
struct flowtable {
	char *name;    /* "inet TABLE NAME" */
	char *devices; /* each between two spaces; " " if it has none */
};

/* A rule that puts connections into a flowtable. */
struct flow_rule {
	size_t chain, flowtable;
	struct scope scope;
};

struct ruleset {
	struct chain *chains;
	size_t chain_count;
	size_t *slots; /* a hash of the chains' names: index plus 1; 0: free */
	size_t slot_count;
	struct rule_seen *rules;
	size_t rule_count;
	struct jump *jumps;
	size_t jump_count;
	struct step *steps; /* steps of the same chain are in its order */
	size_t step_count;
	struct flowtable *flowtables;
	size_t flowtable_count;
	struct flow_rule *flows;
	size_t flow_count;
	bool extensions_unread; /* there are rules of iptables-nft, but no iptables-nft-save to read them */
	bool nft_unread;	/* there are chains of nftables, but no nft to read them */
	bool legacy_unread;	/* the same for iptables-legacy */
};

/* Each adds what it can read to an empty ruleset or to the other's. The flags above show what cannot be read. */
void ruleset_read_nft(struct ruleset *ruleset, const struct traffic *traffic);
void ruleset_read_iptables(struct ruleset *ruleset, const struct traffic *traffic);
/* Reads and marks the chains with extensions of iptables-nft. */
void ruleset_read_iptables_nft(struct ruleset *ruleset, const struct traffic *traffic, const char *family);
/* Gives each chain the hooks of the chains that jump to it. Call it after all reading. 0 or -ENOMEM. */
int ruleset_follow_jumps(struct ruleset *ruleset);
void ruleset_free(struct ruleset *ruleset); /* also for cleanup() */

/* Reads the output of nft -j; false: there is none. */
struct json_object;
bool ruleset_add_nft(struct ruleset *ruleset, const struct traffic *traffic, struct json_object *all);

/* A program that prints rules in the format of iptables-save. */
struct iptables {
	const char *family;  /* "ip" or "ip6" */
	const char *program; /* deletes a rule */
	bool is_nft;	     /* nft has listed the chains: only rules of chains with extensions are read */
};

/* Reads the output of iptables-save; false: there is none. */
bool ruleset_add_iptables(struct ruleset *ruleset, const struct traffic *traffic, const struct iptables *iptables,
			  FILE *save);

/* --- for the readers, ruleset_*.c --- */

/* The chain's index; SIZE_MAX: unknown. ruleset_chain() adds an unknown one, and returns SIZE_MAX if out of memory. */
size_t ruleset_find_chain(const struct ruleset *ruleset, const char *family, const char *table, const char *name);
size_t ruleset_chain(struct ruleset *ruleset, const char *family, const char *table, const char *name);
/* Registers the chain at this hook ("forward" ...), with this policy and scope. Other hooks are ignored. */
void ruleset_hook(struct chain *chain, const char *hook, struct scope scope, bool drop);
void ruleset_add_jump(struct ruleset *ruleset, size_t from, size_t to, struct scope scope);
/*
 * Adds a rule's verdict; `target` is for jumps, and `text` identifies the rule. It ignores rules that no packet of a
 * connection can match, and those that continue.
 */
void ruleset_add_step(struct ruleset *ruleset, size_t chain, const struct condition *condition,
		      enum rule_verdict verdict, size_t target, const char *text);
/* Takes ownership of `devices`, which may be NULL: then it has none. */
void ruleset_add_flowtable(struct ruleset *ruleset, const char *name, char *devices);
/* Ignores a rule for an unknown flowtable. */
void ruleset_add_flow(struct ruleset *ruleset, size_t chain, const char *flowtable, struct scope scope);
/* Takes ownership of `undo`, which may be NULL. Ignores a rule with an empty scope. */
void ruleset_add_rule(struct ruleset *ruleset, size_t chain, struct scope scope, unsigned int flags, char *undo);

#endif
