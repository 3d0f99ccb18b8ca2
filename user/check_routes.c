// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about routing: rules of the second-table recipe that are left over, and destinations that the prefixes reach
 * by the firewall now.
 */
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/socket.h>

#include "finding.h"
#include "util.h"

static const struct prefix *overlapping(const struct examined *examined, const struct prefix *prefix)
{
	const struct state *state = &examined->plan.state;

	for (size_t i = 0; i < state->gateway_count; i++)
		if (prefix_overlaps(&state->gateways[i].from, prefix))
			return &state->gateways[i].from;
	return NULL;
}

static void check_rules(struct examined *examined)
{
	cleanup_free struct rule *rules = NULL;
	size_t count = 0;

	if (rtnl_get_rules(examined->rtnl, &rules, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		const struct prefix *prefix = overlapping(examined, &rules[i].from);
		const char *family = rules[i].from.ip.family == AF_INET6 ? "-6 " : "";
		char from[PREFIX_TEXT_LEN], own[PREFIX_TEXT_LEN], remedy[200];
		struct stat st;

		if (!prefix || !rules[i].from.len || rules[i].table == RT_TABLE_LOCAL)
			continue;
		prefix_text(&rules[i].from, from);
		snprintf(remedy, sizeof(remedy), "ip %srule del from %s priority %u && ip %sroute flush table %u",
			 family, from, rules[i].priority, family, rules[i].table);
		finding_add(examined, SEVERITY_WARNING, "rule", remedy,
			    "a rule sends what comes from '%s' to table %u, beside wgvia's prefix '%s'%s", from,
			    rules[i].table, prefix_text(prefix, own),
			    stat("/run/systemd/netif/state", &st)
				    ? ""
				    : "; systemd-networkd, which runs here, deletes such rules when it restarts");
	}
}

static void check_reach(struct examined *examined)
{
	const struct state *state = &examined->plan.state;
	cleanup_free struct route *routes = NULL;
	size_t count = 0;

	if (rtnl_get_main_routes(examined->rtnl, &routes, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		const struct link *dev = link_by_index(&examined->plan.links, routes[i].ifindex);
		char to[PREFIX_TEXT_LEN], remedy[128];
		bool family = false, gateway = false;

		for (size_t j = 0; j < state->gateway_count; j++) {
			family |= state->gateways[j].from.ip.family == routes[i].to.ip.family;
			gateway |= state->gateways[j].value.ifindex == routes[i].ifindex;
		}
		if (!dev || !family || gateway || routes[i].ifindex == state->tunnel_ifindex ||
		    (dev->flags & IFF_LOOPBACK) || ip_is_link_local(&routes[i].to.ip) ||
		    ip_is_multicast(&routes[i].to.ip) || state_find_bypass(state, &routes[i].to))
			continue;
		prefix_text(&routes[i].to, to);
		snprintf(remedy, sizeof(remedy), "wgvia bypass add %s %s", examined->tunnel, to);
		finding_add(examined, SEVERITY_INFO, "reach", remedy,
			    "'%s' is behind dev %s of this host: the prefixes reach it by the firewall, not directly",
			    to, dev->name);
	}
}

void check_routes(struct examined *examined)
{
	check_rules(examined);
	check_reach(examined);
}
