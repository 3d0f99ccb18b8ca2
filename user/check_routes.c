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
		char from[PREFIX_TEXT_LEN], own[PREFIX_TEXT_LEN], remedy[FINDING_REMEDY];
		struct stat st;

		if (!prefix || !rules[i].from.len || rules[i].table == RT_TABLE_LOCAL ||
		    rules[i].table == RT_TABLE_MAIN)
			continue;
		prefix_text(&rules[i].from, from);
		snprintf(remedy, sizeof(remedy), "ip %srule del from %s priority %u table %u", family, from,
			 rules[i].priority, rules[i].table);
		finding_add(examined, SEVERITY_WARNING, "rule", remedy,
			    "a rule sends what comes from '%s' to table %u, beside wgvia's prefix '%s'%s", from,
			    rules[i].table, prefix_text(prefix, own),
			    stat("/run/systemd/netif/state", &st)
				    ? ""
				    : "; systemd-networkd, which runs here, deletes such rules when it restarts");
	}
}

/* Left alone, or not the prefixes' business: what check_reach() has nothing to say about. */
static bool is_reached_as_before(const struct examined *examined, const struct route *route)
{
	const struct state *state = &examined->plan.state;
	const struct link *dev = link_by_index(&examined->plan.links, route->ifindex);

	if (!dev || (dev->flags & IFF_LOOPBACK) || route->ifindex == state->tunnel_ifindex ||
	    examined_has_device(examined, route->ifindex) || !examined_has_family(examined, route->to.ip.family) ||
	    ip_is_link_local(&route->to.ip) || ip_is_multicast(&route->to.ip))
		return true;
	for (size_t i = 0; i < state->bypass_count; i++)
		if (prefix_covers(&state->bypass[i].to, &route->to))
			return true;
	return false;
}

/* One finding for each device: a router's table may be long. */
static void check_reach(struct examined *examined)
{
	const struct links *links = &examined->plan.links;
	cleanup_free struct route *routes = NULL;
	char to[PREFIX_TEXT_LEN], more[32], remedy[128];
	size_t count = 0;

	if (rtnl_get_main_routes(examined->rtnl, &routes, &count))
		return;
	for (size_t i = 0; i < links->count; i++) {
		const struct route *first = NULL;
		size_t number = 0;

		for (size_t j = 0; j < count; j++)
			if (routes[j].ifindex == links->all[i].ifindex && !is_reached_as_before(examined, &routes[j]) &&
			    !number++)
				first = &routes[j];
		if (!first)
			continue;
		prefix_text(&first->to, to);
		more[0] = '\0';
		if (number > 1)
			snprintf(more, sizeof(more), " and %zu more", number - 1);
		snprintf(remedy, sizeof(remedy), "wgvia bypass add %s %s", examined->tunnel, to);
		finding_add(examined, SEVERITY_INFO, "reach", examined->is_running ? remedy : "",
			    "'%s'%s behind dev %s of this host: the prefixes reach that by the firewall, not directly",
			    to, more, links->all[i].name);
	}
}

void check_routes(struct examined *examined)
{
	check_rules(examined);
	check_reach(examined);
}
