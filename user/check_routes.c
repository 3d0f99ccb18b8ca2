// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about routing: rules of the second-table recipe that are left over, destinations that the prefixes reach by
 * the firewall now, and where prefixes and the routes into the tunnel disagree.
 */
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/socket.h>

#include "bypass.h"
#include "finding.h"
#include "statement.h"
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

		if (!prefix || !rules[i].from.len || rules[i].action != FR_ACT_TO_TBL ||
		    rules[i].table == RT_TABLE_LOCAL || rules[i].table == RT_TABLE_MAIN)
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

/* Exempt, or not the prefixes' business: what check_reach() has nothing to say about. */
static bool is_reached_as_before(const struct examined *examined, const struct route *route)
{
	const struct state *state = &examined->plan.state;
	const struct link *dev = link_by_index(&examined->plan.links, route->ifindex);

	if (!dev || (dev->flags & IFF_LOOPBACK) || route->ifindex == state->tunnel_ifindex ||
	    examined_has_device(examined, route->ifindex) || !examined_has_family(examined, route->to.ip.family) ||
	    ip_is_link_local(&route->to.ip) || ip_is_multicast(&route->to.ip))
		return true;
	for (int len = route->to.len; len >= 0; len--) {
		struct prefix outer = {ip_mask(route->to.ip, len), len};
		const struct bypass_entry *entry = state_find_bypass(state, &outer);

		if (entry)
			return entry->value.verdict != WGVIA_REDIRECTED;
	}
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

/* A LAN inside: what this host itself sends there is not to go by the firewall. */
static bool has_hole(const struct state *state, const struct prefix *prefix)
{
	for (size_t i = 0; i < state->bypass_count; i++)
		if (state->bypass[i].value.verdict == WGVIA_REDIRECTED && prefix_covers(prefix, &state->bypass[i].to))
			return true;
	return false;
}

/* How to name the prefix: by the gateways of another of the family, where there is one. */
static void route_add_words(const struct examined *examined, const struct prefix *prefix, char remedy[FINDING_REMEDY])
{
	const struct state *state = &examined->plan.state;
	char from[PREFIX_TEXT_LEN], gateways[STATEMENT_MAX] = "";

	for (size_t i = 0; i < state->gateway_count && !gateways[0]; i++)
		if (state->gateways[i].from.ip.family == prefix->ip.family)
			statement_of_gateways(state, &state->gateways[i].value, &examined->plan.links, gateways);
	if (strlen(gateways) > FINDING_REMEDY / 2)
		snprintf(remedy, FINDING_REMEDY, "wgvia route add %s from %s, with the gateways of the other prefixes",
			 examined->tunnel, prefix_text(prefix, from));
	else if (has_hole(state, prefix))
		snprintf(remedy, FINDING_REMEDY,
			 "wgvia route add %s from PREFIX, for each network of '%s' in the tunnel", examined->tunnel,
			 prefix_text(prefix, from));
	else if (examined->is_running)
		snprintf(remedy, FINDING_REMEDY, "wgvia route add %s from %s%s%.200s", examined->tunnel,
			 prefix_text(prefix, from), gateways[0] ? " " : "", gateways);
	else
		snprintf(remedy, FINDING_REMEDY, "wgvia up %s, with 'from %s' beside the other prefixes",
			 examined->tunnel, prefix_text(prefix, from));
}

/* What may come out of the tunnel, or is sent from an address of it, and is in no prefix. */
static void check_outside(struct examined *examined)
{
	const struct state *state = &examined->plan.state;
	cleanup_free struct address *own = NULL;
	struct prefix first = {};
	size_t count = 0, own_count = 0;
	char text[PREFIX_TEXT_LEN], more[32] = "", remedy[FINDING_REMEDY];

	for (size_t i = 0; i < state->bypass_count; i++)
		if (state->bypass[i].value.verdict == WGVIA_TUNNEL && !bypass_is_covered(state, &state->bypass[i].to) &&
		    examined_forwards(examined, state->bypass[i].to.ip.family) && !count++)
			first = state->bypass[i].to;
	if (!state->tunnel_ifindex || rtnl_get_own(examined->rtnl, &own, &own_count))
		own_count = 0;
	for (size_t i = 0; i < own_count; i++) {
		struct prefix address = prefix_of_ip(&own[i].ip),
			      network = {ip_mask(own[i].ip, own[i].len), own[i].len};
		const struct bypass_entry *route = state_find_bypass(state, &network);

		/* an address whose network is routed into the tunnel has been looked at with it */
		if (own[i].ifindex == state->tunnel_ifindex && !ip_is_link_local(&own[i].ip) &&
		    examined_forwards(examined, own[i].ip.family) && !(route && route->value.verdict == WGVIA_TUNNEL) &&
		    !bypass_is_covered(state, &address) && examined_forwards(examined, own[i].ip.family) && !count++)
			first = address;
	}
	if (!count || !state->gateway_count) /* without any, `up` was refused, which says more */
		return;
	if (count > 1)
		snprintf(more, sizeof(more), " and %zu more", count - 1);
	route_add_words(examined, &first, remedy);
	finding_add(examined, SEVERITY_ERROR, "outside", remedy,
		    "reached through '%s' and in no prefix: '%s'%s; what comes from there bypasses the firewall",
		    examined->tunnel, prefix_text(&first, text), more);
}

/* A prefix that the kernel would not send into the tunnel. */
static void check_tunnel_routes(struct examined *examined)
{
	const struct state *state = &examined->plan.state;
	const struct gateway_entry *first = NULL;
	const struct link *tunnel = link_by_index(&examined->plan.links, state->tunnel_ifindex);
	struct prefixes ranges = {};
	char from[PREFIX_TEXT_LEN], more[32] = "", remedy[FINDING_REMEDY];
	size_t count = 0;

	if (!tunnel || bypass_tunnel_ranges(state, &ranges))
		return;
	for (size_t i = 0; i < state->gateway_count; i++) {
		const struct gateway_entry *entry = &state->gateways[i];
		const struct bypass_entry *own = state_match_bypass(state, &entry->from.ip);

		/* this host's own address alone is not a client; and the MTU has a finding of its own */
		if ((entry->from.ip.family == AF_INET || tunnel->mtu >= 1280) &&
		    !prefixes_overlap(&ranges, &entry->from) &&
		    !(own && own->value.verdict == WGVIA_LOCAL && prefix_covers(&own->to, &entry->from)) && !count++)
			first = entry;
	}
	free(ranges.all);
	if (!first)
		return;
	if (count > 1)
		snprintf(more, sizeof(more), " and %zu more", count - 1);
	prefix_text(&first->from, from);
	snprintf(remedy, sizeof(remedy), "ip route add %s dev %s", from, examined->tunnel);
	finding_add(examined, SEVERITY_WARNING, "no_route", remedy,
		    "no route into '%s' for '%s'%s: packets to these addresses do not enter the tunnel",
		    examined->tunnel, from, more);
}

void check_routes(struct examined *examined)
{
	check_rules(examined);
	check_reach(examined);
	check_outside(examined);
	check_tunnel_routes(examined);
}
