// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks from the base chains of a hook through all chains that a packet may come to. Where a condition cannot be
 * evaluated, it goes both ways.
 */
#include "check/ruleset_fate.h"

#include <string.h>
#include <sys/socket.h>

#include "base/util.h"

/* Which connections may come here: the usual one, and some that a rule has told apart. See struct meets. */
struct flow {
	bool usual, special;
};

struct outcome {
	struct flow accepted, dropped, returned;
};

/* What a chain makes of a flow, so that a chain that many rules jump to is walked through once. */
struct known {
	size_t walk; /* the number of the walk that has found it */
	struct outcome outcome;
};

#define FLOWS 4 /* values of a flow */
/* A chain is not deeper: nftables allows 16. */
#define MAX_DEPTH 128

struct walker {
	const struct ruleset *ruleset;
	size_t *begin; /* where each chain's steps begin in `order` */
	size_t *order; /* steps, by chain */
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

/* Adds to the outcome of the step's chain; what of the flow comes to the next step. */
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
	/* until it is known; chains that jump in a circle are none of the kernel's */
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

/* Into ->begin and ->order. */
static void order_steps(struct walker *walker)
{
	const struct ruleset *ruleset = walker->ruleset;
	size_t *begin = walker->begin;

	/* counted two places further on, so that filling them in moves them to their own */
	for (size_t i = 0; i < ruleset->step_count; i++)
		begin[ruleset->steps[i].chain + 2]++;
	for (size_t i = 2; i < ruleset->chain_count + 2; i++)
		begin[i] += begin[i - 1];
	for (size_t i = 0; i < ruleset->step_count; i++)
		walker->order[begin[ruleset->steps[i].chain + 1]++] = i;
}

/* "ip6" and "ip6tables-legacy"; "ip" and "iptables-legacy" */
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
