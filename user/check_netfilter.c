// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about this host's netfilter, which mode fast bypasses in both directions. Rules that name other devices
 * or other networks alone, such as Docker's, are none of our business.
 */
#include <stdio.h>
#include <string.h>

#include "finding.h"
#include "ruleset.h"
#include "util.h"

/* Rules of one sort. */
struct found {
	unsigned int count;
	char where[256]; /* the first one's chain */
	const char *undo;
};

struct all_found {
	struct found forward, accepts, drops, nat, clamp, invalid;
	struct found policy; /* chains that drop by policy */
};

static void count(struct found *found, const struct chain *chain, const char *undo)
{
	if (found->count++)
		return;
	found->undo = undo ? undo : "";
	snprintf(found->where, sizeof(found->where), "%s %s %s", chain->family, chain->table, chain->name);
}

static void look_at(const struct ruleset *ruleset, struct all_found *found)
{
	for (size_t i = 0; i < ruleset->chain_count; i++)
		if (ruleset->chains[i].drops)
			count(&found->policy, &ruleset->chains[i], NULL);
	for (size_t i = 0; i < ruleset->rule_count; i++) {
		const struct rule_seen *rule = &ruleset->rules[i];
		const struct chain *chain = &ruleset->chains[rule->chain];

		if (rule->flags & RULE_NOT_US || !chain->sees)
			continue;
		if (rule->flags & RULE_NAT)
			count(&found->nat, chain, rule->undo);
		if (rule->flags & RULE_CLAMP)
			count(&found->clamp, chain, NULL);
		if (!chain->filters)
			continue;
		if (rule->flags & RULE_DROPS)
			count(rule->flags & RULE_INVALID ? &found->invalid : &found->drops, chain, NULL);
		if (!(rule->flags & RULE_ACTS) || rule->flags & (RULE_NAT | RULE_CLAMP))
			continue;
		count(&found->forward, chain, NULL);
		if (!(rule->flags & RULE_DROPS))
			count(&found->accepts, chain, NULL);
	}
}

static const char *rules(const struct found *found)
{
	return found->count == 1 ? "rule" : "rules";
}

static void report_fast(struct examined *examined, const struct all_found *found)
{
	char stack[FINDING_REMEDY];

	finding_up_words(examined, WGVIA_STACK, stack);
	if (found->policy.count || found->drops.count)
		finding_add(examined, SEVERITY_WARNING, "forward_rules", stack,
			    "this host filters what it forwards (%s%u %s, first in '%s'), "
			    "and mode fast bypasses them in both directions",
			    found->policy.count ? "policy drop, " : "", found->forward.count, rules(&found->forward),
			    found->policy.count	 ? found->policy.where
			    : found->drops.count ? found->drops.where
						 : found->forward.where);
	else if (found->forward.count)
		finding_add(examined, SEVERITY_INFO, "forward_rules", stack,
			    "this host has %u %s for what it forwards, first in '%s', and mode fast bypasses them "
			    "in both directions; they drop at most what is invalid to connection tracking",
			    found->forward.count, rules(&found->forward), found->forward.where);
	if (found->nat.count)
		finding_add(examined, SEVERITY_WARNING, "nat", stack,
			    "this host has %u %s that may translate addresses of the "
			    "prefixes, first in '%s', and mode fast bypasses them",
			    found->nat.count, rules(&found->nat), found->nat.where);
	if (found->clamp.count)
		finding_add(examined, SEVERITY_WARNING, "mss_clamp", stack,
			    "this host has %u %s that clamp the MSS, first in '%s', and mode fast bypasses them: "
			    "large downloads may hang where Packet Too Big is filtered",
			    found->clamp.count, rules(&found->clamp), found->clamp.where);
	if (found->invalid.count)
		finding_add(examined, SEVERITY_INFO, "ct_invalid", stack,
			    "'%s' drops what is invalid to connection tracking: what mode fast leaves "
			    "to the kernel, such as fragments of packets that are too big, may meet that",
			    found->invalid.where);
}

static void report_stack(struct examined *examined, const struct all_found *found)
{
	if (found->policy.count && !found->accepts.count)
		finding_add(examined, SEVERITY_WARNING, "forward_rules", "",
			    "'%s' drops what it does not accept, and no rule there accepts anything of the prefixes",
			    found->policy.where);
	if (found->nat.count)
		finding_add(
			examined, SEVERITY_WARNING, "nat", found->nat.undo,
			"this host has %u %s that may translate addresses of the prefixes, first in '%s': what gets "
			"an address outside of them leaves as the kernel routes it, and not by the firewall",
			found->nat.count, rules(&found->nat), found->nat.where);
}

static void report_unread(struct examined *examined, const struct ruleset *ruleset)
{
	if (ruleset->nft_unread)
		finding_add(examined, SEVERITY_WARNING, "netfilter", "apt-get install nftables",
			    "this host has chains of nftables, and they cannot be read: nft is not installed");
	if (ruleset->legacy_unread)
		finding_add(examined, SEVERITY_INFO, "netfilter", "apt-get install iptables",
			    "this host has tables of iptables-legacy, and they cannot be read: "
			    "iptables-legacy-save is not installed");
}

void check_netfilter(struct examined *examined)
{
	cleanup(ruleset_free) struct ruleset ruleset = {};
	cleanup_free struct route *routes = NULL;
	struct traffic traffic = {.plan = &examined->plan};
	struct all_found found = {};

	if (rtnl_get_main_routes(examined->rtnl, &routes, &traffic.route_count))
		traffic.route_count = 0;
	traffic.routes = routes;
	ruleset_read_nft(&ruleset, &traffic);
	ruleset_read_iptables(&ruleset, &traffic);
	ruleset_follow_jumps(&ruleset);
	look_at(&ruleset, &found);
	if (examined->plan.state.mode == WGVIA_FAST)
		report_fast(examined, &found);
	else
		report_stack(examined, &found);
	report_unread(examined, &ruleset);
}
