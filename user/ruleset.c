// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains, rules and jumps, whoever tells of them; and what devices and addresses in a rule have to do with us.
 */
#include "ruleset.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "parse.h"
#include "util.h"

size_t ruleset_chain(struct ruleset *ruleset, const char *family, const char *table, const char *name)
{
	struct chain *chain;

	/* rules come chain by chain, the last ones first is the short way */
	for (size_t i = ruleset->chain_count; i-- > 0;) {
		chain = &ruleset->chains[i];
		if (!strcmp(chain->name, name) && !strcmp(chain->table, table) && !strcmp(chain->family, family))
			return i;
	}
	chain = array_grow(&ruleset->chains, &ruleset->chain_count, sizeof(*chain));
	if (!chain)
		return SIZE_MAX;
	chain->family = strdup(family);
	chain->table = strdup(table);
	chain->name = strdup(name);
	if (chain->family && chain->table && chain->name)
		return ruleset->chain_count - 1;
	free(chain->family);
	free(chain->table);
	free(chain->name);
	ruleset->chain_count--;
	return SIZE_MAX;
}

void ruleset_hook(struct chain *chain, const char *hook, bool drop)
{
	chain->filters = !strcmp(hook, "forward");
	chain->sees = chain->filters || !strcmp(hook, "prerouting") || !strcmp(hook, "postrouting");
	chain->drops = chain->filters && drop;
}

void ruleset_add_jump(struct ruleset *ruleset, size_t from, size_t to)
{
	struct jump *jump;

	if (from == SIZE_MAX || to == SIZE_MAX)
		return;
	jump = array_grow(&ruleset->jumps, &ruleset->jump_count, sizeof(*jump));
	if (jump)
		*jump = (struct jump){from, to};
}

void ruleset_add_rule(struct ruleset *ruleset, size_t chain, unsigned int flags, char *undo)
{
	struct rule_seen *rule =
		chain == SIZE_MAX ? NULL : array_grow(&ruleset->rules, &ruleset->rule_count, sizeof(*rule));

	if (rule)
		*rule = (struct rule_seen){chain, flags, undo};
	else
		free(undo);
}

/* A chain sees what those see that jump to it. */
void ruleset_follow_jumps(struct ruleset *ruleset)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < ruleset->jump_count; i++) {
			const struct chain *from = &ruleset->chains[ruleset->jumps[i].from];
			struct chain *to = &ruleset->chains[ruleset->jumps[i].to];

			changed |= (from->filters && !to->filters) || (from->sees && !to->sees);
			to->filters |= from->filters;
			to->sees |= from->sees;
		}
	}
}

void ruleset_free(struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->chain_count; i++) {
		free(ruleset->chains[i].family);
		free(ruleset->chains[i].table);
		free(ruleset->chains[i].name);
	}
	for (size_t i = 0; i < ruleset->rule_count; i++)
		free(ruleset->rules[i].undo);
	free(ruleset->chains);
	free(ruleset->rules);
	free(ruleset->jumps);
	*ruleset = (struct ruleset){};
}

/* --- what it has to do with us --- */

static bool is_gateway_device(const struct plan *plan, uint32_t ifindex)
{
	for (size_t i = 0; i < plan->state.gateway_count; i++)
		if (plan->state.gateways[i].value.ifindex == ifindex)
			return true;
	return false;
}

static bool is_named(const char *name, const char *pattern)
{
	size_t len = strlen(pattern);

	if (len && (pattern[len - 1] == '*' || pattern[len - 1] == '+'))
		return !strncmp(name, pattern, len - 1);
	return !strcmp(name, pattern);
}

struct sides traffic_device(const struct traffic *traffic, const char *name)
{
	const struct links *links = &traffic->plan->links;
	struct sides sides = {};

	for (size_t i = 0; i < links->count; i++) {
		const struct link *link = &links->all[i];

		if (!is_named(link->name, name))
			continue;
		sides.tunnel |= link->ifindex == traffic->plan->state.tunnel_ifindex;
		sides.lan |= is_gateway_device(traffic->plan, link->ifindex);
	}
	return sides;
}

/* Behind another device than the gateways'. */
static bool is_elsewhere(const struct traffic *traffic, const struct prefix *prefix)
{
	for (size_t i = 0; i < traffic->route_count; i++)
		if (prefix_covers(&traffic->routes[i].to, prefix) &&
		    !is_gateway_device(traffic->plan, traffic->routes[i].ifindex))
			return true;
	return false;
}

struct sides traffic_prefix(const struct traffic *traffic, const char *text)
{
	const struct state *state = &traffic->plan->state;
	struct sides sides = {.lan = true};
	struct error ignored = {};
	struct prefix prefix;

	if (parse_prefix(text, &prefix, &ignored)) /* a set, a range, a mask with holes */
		return (struct sides){true, true};
	for (size_t i = 0; i < state->gateway_count; i++)
		sides.tunnel |= prefix_overlaps(&state->gateways[i].from, &prefix);
	for (size_t i = 0; i < state->bypass_count && sides.lan; i++) /* what is left alone is not gone around */
		sides.lan = !prefix_covers(&state->bypass[i].to, &prefix);
	sides.lan = sides.lan && !is_elsewhere(traffic, &prefix);
	return sides;
}

void scope_narrow(struct scope *scope, enum scope_field field, struct sides sides)
{
	scope->out &= field == SCOPE_FROM ? sides.tunnel : sides.lan;
	scope->back &= field == SCOPE_FROM ? sides.lan : sides.tunnel;
}

struct scope scope_of_family(const struct traffic *traffic, const char *family)
{
	const struct state *state = &traffic->plan->state;
	bool all = !strcmp(family, "inet");
	uint8_t one = !strcmp(family, "ip") ? AF_INET : !strcmp(family, "ip6") ? AF_INET6 : 0;

	for (size_t i = 0; i < state->gateway_count; i++)
		if (all || state->gateways[i].from.ip.family == one)
			return (struct scope){true, true};
	return (struct scope){};
}
