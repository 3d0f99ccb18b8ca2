// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks from the base chains of a hook through all chains that a packet may reach. If a condition cannot be evaluated,
 * it takes both branches.
 */
#include "check/ruleset_fate.h"

#include <string.h>
#include <sys/socket.h>

#include "base/util.h"

/* Which connections may get here: the usual one, and some that a rule distinguished. See struct meets. */
struct flow {
	bool usual, special;
};

struct outcome {
	struct flow accepted, dropped, returned;
};

/* The result of a chain for a flow, so that a chain with many jumps to it is walked only once. */
struct known {
	size_t walk; /* the number of the walk that found it */
	struct outcome outcome;
};

#define FLOWS 4 /* number of flow values */
/* Maximum depth of chains: nftables allows 16. */
#define MAX_DEPTH 128

struct walker {
	const struct ruleset *ruleset;
	size_t *begin; /* index of each chain's first step in `order` */
	size_t *order; /* steps, sorted by chain */
	struct known *known;
	size_t walk, depth;
	size_t packet;
	struct fate fate; /* of this walk */
};

static bool is_empty(struct flow flow)
{
	return !flow.usual && !flow.special;
}

static struct flow join(struct flow a, struct flow b)
{
	return (struct flow){a.usual || b.usual, a.special || b.special};
}

static void split(struct flow flow, struct meets meets, struct flow *met, struct flow *rest)
{
	bool any = flow.usual || flow.special;

	met->usual = flow.usual && meets.usual != MET_NO;
	rest->usual = flow.usual && meets.usual != MET_YES;
	met->special = meets.some ? any : flow.special && meets.usual != MET_NO;
	rest->special = meets.some ? any : flow.special && meets.usual != MET_YES;
}

static void note_unread(struct walker *walker, const struct step *step, struct flow met)
{
	struct fate *fate = &walker->fate;
	bool is_certain = step->of[walker->packet].usual != MET_MAYBE && step->verdict != VERDICT_UNKNOWN;

	if (is_certain || !met.usual || !step->text)
		return;
	for (size_t i = 0; i < fate->unread_count && i < FATE_UNREAD; i++)
		if (!strcmp(fate->unread[i], step->text))
			return;
	if (fate->unread_count < FATE_UNREAD)
		fate->unread[fate->unread_count] = step->text;
	fate->unread_count++;
}

static struct outcome walk_chain(struct walker *walker, size_t chain, struct flow flow);

/* Adds the result of the step to the outcome of its chain, and returns the part of the flow that continues. */
static struct flow walk_step(struct walker *walker, const struct step *step, struct flow flow, struct outcome *outcome)
{
	struct flow met, rest;
	struct outcome target;

	split(flow, step->of[walker->packet], &met, &rest);
	if (is_empty(met))
		return rest;
	note_unread(walker, step, met);
	if (step->verdict == VERDICT_ACCEPT || step->verdict == VERDICT_UNKNOWN)
		outcome->accepted = join(outcome->accepted, met);
	if (step->verdict == VERDICT_DROP || step->verdict == VERDICT_UNKNOWN)
		outcome->dropped = join(outcome->dropped, met);
	if (step->verdict == VERDICT_RETURN)
		outcome->returned = join(outcome->returned, met);
	if (step->verdict != VERDICT_JUMP && step->verdict != VERDICT_GOTO)
		return rest;
	target = walk_chain(walker, step->target, met);
	outcome->accepted = join(outcome->accepted, target.accepted);
	outcome->dropped = join(outcome->dropped, target.dropped);
	if (step->verdict == VERDICT_JUMP)
		return join(rest, target.returned);
	outcome->returned = join(outcome->returned, target.returned);
	return rest;
}

static struct outcome walk_chain(struct walker *walker, size_t chain, struct flow flow)
{
	struct known *known = &walker->known[chain * FLOWS + (flow.usual ? 2 : 0) + flow.special];
	struct outcome outcome = {.accepted = flow, .dropped = flow};

	if (known->walk == walker->walk)
		return known->outcome;
	/* until the result is known; the kernel does not allow loops of chains */
	*known = (struct known){walker->walk, outcome};
	if (walker->depth == MAX_DEPTH)
		return outcome;
	walker->depth++;
	outcome = (struct outcome){};
	for (size_t i = walker->begin[chain]; i < walker->begin[chain + 1] && !is_empty(flow); i++)
		flow = walk_step(walker, &walker->ruleset->steps[walker->order[i]], flow, &outcome);
	outcome.returned = join(outcome.returned, flow);
	walker->depth--;
	known->outcome = outcome;
	return outcome;
}

static enum fate_kind judge(const struct outcome *outcome)
{
	if (!outcome->dropped.usual)
		return FATE_ACCEPTED;
	if (outcome->accepted.usual)
		return FATE_UNKNOWN;
	return outcome->accepted.special ? FATE_PARTLY : FATE_DROPPED;
}

static void walk_base(struct walker *walker, size_t chain, enum packet_kind kind, uint8_t family, struct fate *worst)
{
	const struct chain *base = &walker->ruleset->chains[chain];
	struct outcome outcome;

	walker->packet = packet_of(family, kind);
	walker->fate = (struct fate){.chain = base, .packet = kind};
	walker->walk++;
	outcome = walk_chain(walker, chain, (struct flow){.usual = true});
	if (base->drops)
		outcome.dropped = join(outcome.dropped, outcome.returned);
	else
		outcome.accepted = join(outcome.accepted, outcome.returned);
	walker->fate.what = judge(&outcome);
	if (walker->fate.what > worst->what)
		*worst = walker->fate;
}

/* Fills ->begin and ->order. */
static void order_steps(struct walker *walker)
{
	const struct ruleset *ruleset = walker->ruleset;
	size_t *begin = walker->begin;

	/* counts are stored two places further, so that filling in moves them to their own places */
	for (size_t i = 0; i < ruleset->step_count; i++)
		begin[ruleset->steps[i].chain + 2]++;
	for (size_t i = 2; i < ruleset->chain_count + 2; i++)
		begin[i] += begin[i - 1];
	for (size_t i = 0; i < ruleset->step_count; i++)
		walker->order[begin[ruleset->steps[i].chain + 1]++] = i;
}

/* "ip6" and "ip6tables-legacy" for IPv6; "ip" and "iptables-legacy" for IPv4 */
static bool is_of_family(const struct chain *chain, uint8_t family)
{
	return !strcmp(chain->family, "inet") ||
	       (!strncmp(chain->family, "ip", 2) && (chain->family[2] == '6') == (family == AF_INET6));
}

int ruleset_fate(const struct ruleset *ruleset, enum hook hook, uint8_t family, struct fate *fate)
{
	cleanup_free size_t *begin = calloc(ruleset->chain_count + 2, sizeof(*begin));
	cleanup_free size_t *order = calloc(ruleset->step_count + 1, sizeof(*order));
	cleanup_free struct known *known = calloc(ruleset->chain_count + 1, FLOWS * sizeof(*known));
	struct walker walker = {.ruleset = ruleset, .begin = begin, .order = order, .known = known};

	*fate = (struct fate){};
	if (!begin || !order || !known)
		return -ENOMEM;
	order_steps(&walker);
	for (size_t i = 0; i < ruleset->chain_count; i++) {
		const struct chain *chain = &ruleset->chains[i];

		if (!chain->is_base || chain->hook != hook || !is_of_family(chain, family))
			continue;
		for (enum packet_kind kind = 0; kind < PACKET_KINDS; kind++)
			walk_base(&walker, i, kind, family, fate);
	}
	return 0;
}
