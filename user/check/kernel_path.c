// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about what else the kernel does with a packet between the tunnel and a LAN, apart from netfilter: what mode
 * fast bypasses, and what lets packets bypass the firewall in mode stack.
 */
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "check/finding.h"
#include "plan/kernel_path.h"

static bool is_fast(const struct examined *examined)
{
	return examined->plan.state.mode == WGVIA_FAST;
}

/* --- IPsec --- */

static void say_policy(struct examined *examined, enum severity severity, const struct xfrm_policy *policy,
		       size_t count, const char *remedy, const char *effect)
{
	char from[PREFIX_TEXT_LEN], to[PREFIX_TEXT_LEN], more[MORE_TEXT_LEN];

	finding_add(examined, severity, "ipsec", remedy, "IPsec policy from '%s' to '%s'%s: %s",
		    prefix_text(&policy->from, from), prefix_text(&policy->to, to), more_text(count, more), effect);
}

static void check_policies(struct examined *examined, enum severity severity, enum policy_effect effect,
			   const char *consequence)
{
	const struct xfrm_policy *first = NULL;
	size_t count = kernel_path_policies(&examined->plan.state, &examined->host->policies, effect, &first);
	char remedy[FINDING_REMEDY];

	if (!count)
		return;
	finding_up_words(examined, WGVIA_STACK, remedy);
	say_policy(examined, severity, first, count, is_fast(examined) ? remedy : "", consequence);
}

static void check_ipsec(struct examined *examined)
{
	if (!is_fast(examined)) {
		check_policies(examined, SEVERITY_WARNING, POLICY_LEADS_PAST,
			       "packets that it encrypts bypass the firewall, as ESP of this host's own");
		return;
	}
	check_policies(examined, SEVERITY_ERROR, POLICY_TRANSFORMS,
		       "mode fast bypasses it, and packets that it would encrypt leave unencrypted");
	check_policies(examined, SEVERITY_ERROR, POLICY_DROPS,
		       "mode fast bypasses it, and packets that it would drop pass");
}

/* --- rules and routes --- */

static bool stops(uint8_t action)
{
	return action == FR_ACT_BLACKHOLE || action == FR_ACT_UNREACHABLE || action == FR_ACT_PROHIBIT;
}

static const char *action_word(uint8_t action)
{
	switch (action) {
	case FR_ACT_BLACKHOLE:
		return "blackhole";
	case FR_ACT_UNREACHABLE:
		return "unreachable";
	default:
		return "prohibit";
	}
}

/* Rules that drop packets from a prefix. A rule for every source, or for another device, is not about prefixes. */
static void check_stopping_rules(struct examined *examined)
{
	char from[PREFIX_TEXT_LEN], to[PREFIX_TEXT_LEN], remedy[FINDING_REMEDY];

	finding_up_words(examined, WGVIA_STACK, remedy);
	for (size_t i = 0; i < examined->host->rules.count; i++) {
		const struct rule *rule = &examined->host->rules.all[i];
		bool ours = !strcmp(rule->iif, examined->tunnel);

		if (!stops(rule->action) || rule->invert || rule->mark || (rule->iif[0] && !ours) || rule->oif[0] ||
		    (rule->from.len ? !state_overlapping_gateway(&examined->plan.state, &rule->from) : !ours))
			continue;
		finding_add(examined, SEVERITY_ERROR, "bypassed_rule", remedy,
			    "ip %srule %u from '%s' to '%s' %s: mode fast bypasses it, and packets that it would stop "
			    "go to the firewall",
			    rule->from.ip.family == AF_INET6 ? "-6 " : "", rule->priority,
			    prefix_text(&rule->from, from), prefix_text(&rule->to, to), action_word(rule->action));
	}
}

/* For exempt destinations the kernel's routes apply in mode fast as well. */
static bool is_bypassed(const struct examined *examined, const struct route *route)
{
	const struct bypass_entry *entry = state_covering_bypass(&examined->plan.state, &route->to);

	return examined_has_family(examined, route->to.ip.family) &&
	       (!entry || entry->value.verdict == WGVIA_REDIRECTED);
}

static void check_stopping_routes(struct examined *examined)
{
	const struct routes *routes = &examined->host->routes;
	char to[PREFIX_TEXT_LEN], more[MORE_TEXT_LEN], remedy[FINDING_REMEDY];
	const struct route *first = NULL;
	size_t count = 0;

	for (size_t i = 0; i < routes->count; i++) {
		const struct route *route = &routes->all[i];

		if (route->table == examined->plan.table && route->to.len &&
		    (route->type == RTN_BLACKHOLE || route->type == RTN_UNREACHABLE || route->type == RTN_PROHIBIT) &&
		    is_bypassed(examined, route) && !count++)
			first = route;
	}
	if (!count)
		return;
	finding_up_words(examined, WGVIA_STACK, remedy);
	finding_add(
		examined, SEVERITY_WARNING, "bypassed_route", remedy,
		"a route stops packets to '%s'%s: mode fast bypasses it, and those of the prefixes go to the firewall",
		prefix_text(&first->to, to), more_text(count, more));
}

/* --- encapsulation after the routing decision --- */

static void check_encapsulation(struct examined *examined)
{
	const struct route *first = NULL;
	size_t count = kernel_path_encapsulating(&examined->host->routes, &first);
	char to[PREFIX_TEXT_LEN], more[MORE_TEXT_LEN], remedy[FINDING_REMEDY];

	if (!count)
		return;
	finding_up_words(examined, WGVIA_FAST, remedy);
	finding_add(examined, SEVERITY_WARNING, "encapsulation", remedy,
		    "the route to '%s'%s encapsulates packets before they get to a device: in mode stack those of the "
		    "prefixes bypass the firewall there",
		    prefix_text(&first->to, to), more_text(count, more));
}

static void check_multipoint(struct examined *examined)
{
	char remedy[FINDING_REMEDY];

	finding_up_words(examined, WGVIA_FAST, remedy);
	for (size_t i = 0; i < examined->plan.netdevs->count; i++) {
		const struct netdev *netdev = &examined->plan.netdevs->all[i];

		if (kernel_path_is_multipoint(netdev))
			finding_add(
				examined, SEVERITY_WARNING, "encapsulation", remedy,
				"dev %s is a multipoint tunnel, which encapsulates packets before the egress program "
				"sees them: in mode stack those of the prefixes bypass the firewall there",
				netdev->name);
	}
}

/* --- other programs and filters at the same devices --- */

static void check_behind(struct examined *examined)
{
	char text[IFNAMSIZ], remedy[FINDING_REMEDY];

	finding_up_words(examined, WGVIA_STACK, remedy);
	for (size_t i = 0; i < examined->instance->attachment_count; i++) {
		const struct attachment *attachment = &examined->instance->attachments[i];
		const char *name = netdev_name(examined->plan.netdevs, attachment->ifindex, text);
		struct attach_other others[16];
		size_t count;

		if (attachment->direction == WGVIA_EGRESS || !attachment->alive)
			continue;
		count = attach_list_others(attachment, ATTACH_AFTER, others, ARRAY_SIZE(others));
		for (size_t j = 0; j < count; j++)
			if (finding_is_foreign(examined, others, j))
				finding_add(
					examined, SEVERITY_WARNING, "program_behind", remedy,
					"%s '%s' at the ingress of dev %s does not see packets that wgvia redirects "
					"there in mode fast: a shaper, a policer or a counter",
					others[j].kind, others[j].name[0] ? others[j].name : "?", name);
	}
}

/* At the tunnel, and at every device where frames of LAN hosts arrive. */
static void check_xdp(struct examined *examined)
{
	char remedy[64];

	for (size_t i = 0; i < examined->plan.netdevs->count; i++) {
		const struct netdev *netdev = &examined->plan.netdevs->all[i];

		if (!netdev->xdp || (netdev->flags & IFF_LOOPBACK))
			continue;
		snprintf(remedy, sizeof(remedy), "bpftool prog show id %u", netdev->xdp);
		finding_add(examined, SEVERITY_INFO, "xdp", remedy,
			    "an XDP program runs at dev %s: packets that it drops or redirects do not reach wgvia",
			    netdev->name);
	}
}

void check_kernel_path(struct examined *examined)
{
	check_ipsec(examined);
	check_xdp(examined);
	if (is_fast(examined)) {
		check_stopping_rules(examined);
		check_stopping_routes(examined);
		if (examined->is_running)
			check_behind(examined);
	} else {
		check_encapsulation(examined);
		check_multipoint(examined);
	}
}
