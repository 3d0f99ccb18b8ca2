// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about this host's netfilter. Mode fast bypasses it at every hook, in both directions. In mode stack it may
 * drop a prefix's connections, or translate their addresses before wgvia sees them. Rules that only name other devices
 * or networks, such as Docker's, do not matter.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/permissions.h"
#include "base/util.h"
#include "check/finding.h"
#include "check/flowtables.h"
#include "check/ruleset.h"
#include "check/ruleset_fate.h"
#include "check/ruleset_nft.h"
#include "datapath/programs.h"

/* Rules of one kind. */
struct found {
	unsigned int count;
	char where[256]; /* the first one's chain */
	const char *undo;
};

struct found_at_hook {
	struct found rules, accepts, drops;
	struct found policy; /* chains that drop by policy */
};

struct all_found {
	struct found_at_hook at[HOOK_COUNT];
	struct found nat, clamp, invalid;
	struct found nat_anywhere; /* including packets that leave by a device without a gateway */
	unsigned int mss;	   /* the smallest one that a rule sets; 0: no rule sets a number */
};

static void count(struct found *found, const struct chain *chain, const char *undo)
{
	if (found->count++)
		return;
	found->undo = undo ? undo : "";
	snprintf(found->where, sizeof(found->where), "%s %s %s", chain->family, chain->table, chain->name);
}

/* An acceptance only matters in FORWARD, where chains drop by policy, or at the end. */
static void count_at_hook(struct found_at_hook *found, enum hook hook, const struct rule_seen *rule,
			  const struct chain *chain)
{
	unsigned int counted = RULE_DROPS | RULE_ACTS | (hook == HOOK_FORWARD ? RULE_ACCEPTS : 0);

	if ((rule->flags & RULE_DROPS) && !(rule->flags & RULE_INVALID))
		count(&found->drops, chain, NULL);
	if (!(rule->flags & counted) || rule->flags & (RULE_NAT | RULE_CLAMP))
		return;
	count(&found->rules, chain, NULL);
	if (rule->flags & RULE_ACCEPTS)
		count(&found->accepts, chain, NULL);
}

static void count_clamp(const struct rule_seen *rule, const struct chain *chain, struct all_found *found)
{
	unsigned int mss = rule->flags >> RULE_MSS_SHIFT;

	count(&found->clamp, chain, NULL);
	if (mss && (!found->mss || mss < found->mss))
		found->mss = mss;
}

static void look_at_rule(const struct rule_seen *rule, const struct chain *chain, struct all_found *found)
{
	bool is_seen = false, is_anywhere = false;

	for (size_t i = 0; i < HOOK_COUNT; i++) {
		struct scope scope = scope_both(chain->at[i], rule->scope);

		is_anywhere |= !scope_is_empty(scope);
		if (!scope_is_redirected(scope))
			continue;
		is_seen = true;
		count_at_hook(&found->at[i], i, rule, chain);
	}
	if (is_anywhere && (rule->flags & RULE_NAT))
		count(&found->nat_anywhere, chain, rule->undo);
	if (!is_seen)
		return;
	if (rule->flags & RULE_NAT)
		count(&found->nat, chain, NULL);
	if (rule->flags & RULE_CLAMP)
		count_clamp(rule, chain, found);
	if ((rule->flags & (RULE_DROPS | RULE_INVALID)) == (RULE_DROPS | RULE_INVALID))
		count(&found->invalid, chain, NULL);
}

static void look_at(const struct ruleset *ruleset, struct all_found *found)
{
	for (size_t i = 0; i < ruleset->chain_count; i++)
		for (size_t hook = 0; ruleset->chains[i].drops && hook < HOOK_COUNT; hook++)
			if (scope_is_redirected(ruleset->chains[i].at[hook]))
				count(&found->at[hook].policy, &ruleset->chains[i], NULL);
	for (size_t i = 0; i < ruleset->rule_count; i++)
		look_at_rule(&ruleset->rules[i], &ruleset->chains[ruleset->rules[i].chain], found);
}

static const char *rules(const struct found *found)
{
	return found->count == 1 ? "rule" : "rules";
}

static const struct {
	const char *finding, *what; /* what the rules see */
} hooks[HOOK_COUNT] = {
	[HOOK_INGRESS] = {"ingress_rules", "packets that arrive by the tunnel or the LAN (hook ingress)"},
	[HOOK_PREROUTING] = {"prerouting_rules", "packets that arrive (hook prerouting)"},
	[HOOK_FORWARD] = {"forward_rules", "packets that it forwards"},
	[HOOK_POSTROUTING] = {"postrouting_rules", "packets that leave it (hook postrouting)"},
	[HOOK_EGRESS] = {"egress_rules", "packets that leave by the tunnel or the LAN (hook egress)"},
};

/* What is redirected at TC ingress passes no hook: see tests/net/hooks.bats. */
static void report_hook(struct examined *examined, enum hook hook, const struct found_at_hook *found, const char *stack)
{
	/* the hook of a device may see only one direction */
	const char *directions = hook == HOOK_INGRESS || hook == HOOK_EGRESS ? "" : " in both directions";

	if (found->policy.count || found->drops.count)
		finding_add(examined, SEVERITY_WARNING, hooks[hook].finding, stack,
			    "this host filters %s (%s%u %s, first in '%s'), and mode fast bypasses these rules%s",
			    hooks[hook].what, found->policy.count ? "policy drop, " : "", found->rules.count,
			    rules(&found->rules), found->policy.count ? found->policy.where : found->drops.where,
			    directions);
	else if (found->rules.count)
		finding_add(examined, SEVERITY_INFO, hooks[hook].finding, stack,
			    "this host has %u %s for %s, first in '%s', and mode fast bypasses them%s; they drop "
			    "only packets that connection tracking considers invalid",
			    found->rules.count, rules(&found->rules), hooks[hook].what, found->rules.where, directions);
}

/* `mss` replaces the rules. */
static void report_clamp(struct examined *examined, const struct all_found *found, const char *stack)
{
	struct examined mended = *examined;
	uint32_t *mss = &mended.plan.state.mss, asked = *mss;
	struct error ignored = {};
	char remedy[FINDING_REMEDY];
	bool works;

	if (!found->clamp.count)
		return;
	*mss = WGVIA_MSS_AUTO;
	if (found->mss)
		*mss = found->mss < WGVIA_MSS_MIN ? WGVIA_MSS_MIN : found->mss;
	works = !programs_check(&mended.plan.state, &ignored);
	examined->clamp = works ? *mss : WGVIA_MSS_OFF;
	if (asked != WGVIA_MSS_OFF)
		return;
	finding_up_words(&mended, WGVIA_FAST, remedy);
	finding_add(examined, SEVERITY_WARNING, "mss_clamp", works ? remedy : stack,
		    "this host has %u %s that clamp the MSS, first in '%s', and mode fast bypasses them: "
		    "large downloads may hang where Packet Too Big is filtered",
		    found->clamp.count, rules(&found->clamp), found->clamp.where);
}

static void report_fast(struct examined *examined, const struct all_found *found)
{
	char stack[FINDING_REMEDY];

	finding_up_words(examined, WGVIA_STACK, stack);
	for (size_t i = 0; i < HOOK_COUNT; i++)
		report_hook(examined, i, &found->at[i], stack);
	if (found->nat.count)
		finding_add(examined, SEVERITY_WARNING, "nat", stack,
			    "this host has %u %s that may translate addresses of the "
			    "prefixes, first in '%s', and mode fast bypasses them",
			    found->nat.count, rules(&found->nat), found->nat.where);
	report_clamp(examined, found, stack);
	if (found->invalid.count)
		finding_add(examined, SEVERITY_INFO, "ct_invalid", stack,
			    "'%s' drops packets that connection tracking considers invalid: this may drop packets "
			    "that mode fast leaves to the kernel, such as fragments of packets that are too big",
			    found->invalid.where);
}

/* "'A', 'B', and 3 more" */
static void list_unread(const struct fate *fate, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < fate->unread_count && i < FATE_UNREAD && used < size; i++)
		used += snprintf(text + used, size - used, "%s'%.100s'", i ? ", " : "", fate->unread[i]);
	if (fate->unread_count > FATE_UNREAD && used < size)
		snprintf(text + used, size - used, ", and %zu more", fate->unread_count - FATE_UNREAD);
}

static void report_fate(struct examined *examined, enum hook hook, const struct fate *fate, const char *families)
{
	static const char *const packets[PACKET_KINDS] = {
		[PACKET_SYN] = "new TCP connections from the prefixes",
		[PACKET_SYN_ACK] = "replies to TCP connections from the prefixes",
		[PACKET_ACK] = "later packets of TCP connections from the prefixes"};
	const char *packet = packets[fate->packet], *finding = hooks[hook].finding;
	char where[256], unread[400];

	if (fate->what == FATE_ACCEPTED)
		return;
	snprintf(where, sizeof(where), "%s %s %s", fate->chain->family, fate->chain->table, fate->chain->name);
	list_unread(fate, unread, sizeof(unread));
	if (fate->what == FATE_DROPPED)
		finding_add(examined, SEVERITY_WARNING, finding, "",
			    "'%s' drops %s (%s), and no rule there accepts them", where, packet, families);
	else if (fate->what == FATE_PARTLY)
		finding_add(examined, SEVERITY_INFO, finding, "",
			    "'%s' drops %s (%s), except for those that a rule accepts by address, device or port",
			    where, packet, families);
	else
		finding_add(examined, SEVERITY_INFO, finding, "", "'%s' may drop %s (%s): not evaluated: %s", where,
			    packet, families, unread);
}

/* At hooks other than FORWARD only certain results count: filters against spoofed sources there cannot be evaluated. */
static int find_fate(const struct ruleset *ruleset, enum hook hook, uint8_t family, struct fate *fate)
{
	int ret = ruleset_fate(ruleset, hook, family, fate);

	if (hook != HOOK_FORWARD && fate->what != FATE_DROPPED)
		*fate = (struct fate){};
	return ret;
}

/* One finding if one chain does the same to both families. */
static void report_fates(struct examined *examined, const struct ruleset *ruleset, enum hook hook)
{
	bool has_ip4 = examined_has_family(examined, AF_INET), has_ip6 = examined_has_family(examined, AF_INET6);
	struct fate ip4 = {}, ip6 = {};

	if ((has_ip4 && find_fate(ruleset, hook, AF_INET, &ip4)) ||
	    (has_ip6 && find_fate(ruleset, hook, AF_INET6, &ip6)))
		return;
	if (ip4.what == ip6.what && ip4.chain == ip6.chain && ip4.packet == ip6.packet) {
		report_fate(examined, hook, &ip4, "IPv4 and IPv6");
		return;
	}
	report_fate(examined, hook, &ip4, "IPv4");
	report_fate(examined, hook, &ip6, "IPv6");
}

static void report_stack(struct examined *examined, const struct ruleset *ruleset, const struct all_found *found)
{
	for (enum hook hook = HOOK_PREROUTING; hook <= HOOK_POSTROUTING; hook++)
		report_fates(examined, ruleset, hook);
	if (found->nat_anywhere.count)
		finding_add(examined, SEVERITY_WARNING, "nat", found->nat_anywhere.undo,
			    "this host has %u %s that may translate addresses of the prefixes, first in '%s': a packet "
			    "that gets an address outside of them %s",
			    found->nat_anywhere.count, rules(&found->nat_anywhere), found->nat_anywhere.where,
			    examined->plan.state.outside == WGVIA_OUTSIDE_DROP
				    ? "is dropped if it would leave this host ('outside drop')"
				    : "leaves as the kernel routes it, without the firewall");
}

static void report_unread(struct examined *examined, const struct ruleset *ruleset)
{
	if (ruleset->nft_unread)
		finding_add(examined, SEVERITY_WARNING, "netfilter", "apt-get install nftables",
			    "this host has chains of nftables, and they cannot be read: nft is not installed");
	if (ruleset->extensions_unread)
		finding_add(examined, SEVERITY_INFO, "netfilter", "apt-get install iptables",
			    "this host has rules of iptables-nft that nft does not show completely; they are not "
			    "evaluated, because iptables-nft-save is not installed");
	if (ruleset->legacy_unread)
		finding_add(examined, SEVERITY_INFO, "netfilter", "apt-get install iptables",
			    "this host has tables of iptables-legacy, and they cannot be read: "
			    "iptables-legacy-save is not installed");
}

static void report_refused(struct examined *examined)
{
	struct permissions own = permissions_own();
	char hint[PERMISSIONS_TEXT_MAX];

	finding_add(examined, SEVERITY_WARNING, "netfilter",
		    permissions_hint(&own, CAPABILITY(CAP_NET_ADMIN), EPERM, hint),
		    "this process may not read netfilter rules: they are not evaluated");
}

void check_netfilter(struct examined *examined)
{
	cleanup(ruleset_free) struct ruleset ruleset = {};
	cleanup(traffic_free) struct traffic traffic = {};
	struct all_found found = {};

	if (ruleset_nft_kernel_is_refused()) {
		report_refused(examined);
		return;
	}
	if (traffic_init(&traffic, &examined->plan, &examined->host->routes))
		return;
	ruleset_read_nft(&ruleset, &traffic);
	ruleset_read_iptables(&ruleset, &traffic);
	if (ruleset_follow_jumps(&ruleset))
		return;
	look_at(&ruleset, &found);
	if (examined->plan.state.mode == WGVIA_FAST) {
		report_fast(examined, &found);
	} else {
		report_stack(examined, &ruleset, &found);
		check_flowtables(examined, &ruleset, &traffic);
	}
	report_unread(examined, &ruleset);
}
