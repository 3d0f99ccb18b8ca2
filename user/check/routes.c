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

#include "base/util.h"
#include "check/finding.h"
#include "config/failover.h"
#include "plan/bypass.h"
#include "plan/points.h"

static void check_rules(struct examined *examined)
{
	const struct rule *rules = examined->host->rules.all;

	for (size_t i = 0; i < examined->host->rules.count; i++) {
		const struct gateway_entry *entry = state_overlapping_gateway(&examined->plan.state, &rules[i].from);
		const char *family = rules[i].from.ip.family == AF_INET6 ? "-6 " : "";
		char from[PREFIX_TEXT_LEN], own[PREFIX_TEXT_LEN], remedy[FINDING_REMEDY];
		struct stat st;

		if (!entry || !rules[i].from.len || rules[i].action != FR_ACT_TO_TBL ||
		    rules[i].table == RT_TABLE_LOCAL || rules[i].table == RT_TABLE_MAIN)
			continue;
		prefix_text(&rules[i].from, from);
		snprintf(remedy, sizeof(remedy), "ip %srule del from %s priority %u table %u", family, from,
			 rules[i].priority, rules[i].table);
		finding_add(examined, SEVERITY_WARNING, "rule", remedy,
			    "a rule sends what comes from '%s' to table %u, beside wgvia's prefix '%s'%s", from,
			    rules[i].table, prefix_text(&entry->from, own),
			    stat("/run/systemd/netif/state", &st)
				    ? ""
				    : "; systemd-networkd, which runs here, deletes such rules when it restarts");
	}
}

/* Exempt, or not the prefixes' business: what check_reach() has nothing to say about. */
static bool is_reached_as_before(const struct examined *examined, const struct netdev *dev, const struct route *route)
{
	const struct state *state = &examined->plan.state;
	const struct bypass_entry *entry;

	if ((dev->flags & IFF_LOOPBACK) || route->ifindex == state->tunnel_ifindex ||
	    points_is_gateway(&examined->plan, route->ifindex) || !examined_has_family(examined, route->to.ip.family) ||
	    prefix_stays_on_link(&route->to))
		return true;
	entry = state_covering_bypass(state, &route->to);
	return entry && entry->value.verdict != WGVIA_REDIRECTED;
}

/* The next hops of the instance, as prefixes in order; the array is the caller's. */
static void find_gateways(const struct state *state, struct prefixes *gateways)
{
	cleanup(hops_free) struct hops hops = {};

	if (failover_hops(state, &hops))
		return;
	for (size_t i = 0; i < hops.count; i++) {
		struct wgvia_gateway value = hop_value(&hops.all[i], 0);
		struct ip via = gateway_ip(&value);
		struct prefix *prefix = array_grow(&gateways->all, &gateways->count, sizeof(*prefix));

		if (prefix)
			*prefix = prefix_of_ip(&via);
	}
	prefixes_reduce(gateways);
}

/*
 * A gateway's own LAN, also where its device is another one now than the instance knows, or the plan knows none. To
 * exempt that would be to bypass the firewall for all that stands there.
 */
static bool is_gateways_lan(const struct prefixes *gateways, const struct prefix *to)
{
	size_t first;

	return prefix_inside(gateways->all, gateways->count, sizeof(*gateways->all), to, &first);
}

/* What check_reach() has found behind one device. */
struct reached {
	const struct route *first;
	size_t count;
};

static void add_reach(struct examined *examined, const struct netdev *dev, const struct reached *reached)
{
	char to[PREFIX_TEXT_LEN], more[MORE_TEXT_LEN], remedy[128];

	prefix_text(&reached->first->to, to);
	snprintf(remedy, sizeof(remedy), "wgvia bypass add %s %s", examined->tunnel, to);
	finding_add(
		examined, SEVERITY_INFO, "reach", examined->is_running ? remedy : "",
		"'%s'%s is reached by dev %s of this host: packets from the prefixes reach it via the firewall, not directly",
		to, more_text(reached->count, more), dev->name);
}

/* One finding for each device: a router's table may be long. */
static void check_reach(struct examined *examined)
{
	const struct netdevs *netdevs = examined->plan.netdevs;
	const struct routes *routes = &examined->host->routes;
	cleanup_free struct reached *reached = calloc(netdevs->count + 1, sizeof(*reached)); /* for each device */
	struct prefixes gateways = {};

	find_gateways(&examined->plan.state, &gateways);
	for (size_t i = 0; i < routes->count && reached; i++) {
		const struct route *route = &routes->all[i];
		const struct netdev *dev = netdev_by_index(netdevs, route->ifindex);

		if (dev && route_is_specific(route, examined->plan.table) &&
		    !is_reached_as_before(examined, dev, route) && !is_gateways_lan(&gateways, &route->to) &&
		    !reached[dev - netdevs->all].count++)
			reached[dev - netdevs->all].first = route;
	}
	free(gateways.all);
	for (size_t i = 0; i < netdevs->count && reached; i++)
		if (reached[i].count)
			add_reach(examined, &netdevs->all[i], &reached[i]);
}

/* `up` refuses it in a VRF, but the tunnel may have got there since. */
static void check_outside_drop(struct examined *examined)
{
	const struct plan *plan = &examined->plan;
	const struct netdev *tunnel = netdev_by_index(plan->netdevs, plan->state.tunnel_ifindex);
	char remedy[FINDING_REMEDY];

	if (plan->state.outside != WGVIA_OUTSIDE_DROP || examined_drops_outside(examined))
		return;
	snprintf(remedy, sizeof(remedy), "ip link set %s nomaster", tunnel->name);
	finding_add(
		examined, SEVERITY_ERROR, "outside", remedy,
		"'outside drop' does not work in a VRF, and '%s' is a device of VRF '%s': packets out of the tunnel "
		"with a source in no prefix bypass the firewall",
		tunnel->name, netdev_vrf(plan->netdevs, tunnel)->name);
}

/* What may come out of the tunnel, or is sent from an address of it, and is in no prefix. */
static void check_outside(struct examined *examined)
{
	const struct state *state = &examined->plan.state;
	const struct addresses *addresses = &examined->host->addresses;
	bool drops = examined_drops_outside(examined);
	struct prefix first = {};
	size_t count = 0;
	char text[PREFIX_TEXT_LEN], more[MORE_TEXT_LEN], remedy[FINDING_REMEDY];

	check_outside_drop(examined);
	for (size_t i = 0; i < state->bypass_count; i++)
		if (state->bypass[i].value.verdict == WGVIA_TUNNEL && !bypass_is_covered(state, &state->bypass[i].to) &&
		    examined_forwards(examined, state->bypass[i].to.ip.family) && !count++)
			first = state->bypass[i].to;
	for (size_t i = 0; i < addresses->count && state->tunnel_ifindex; i++) {
		const struct address *own = &addresses->all[i];
		struct prefix address = prefix_of_ip(&own->ip), network = {ip_mask(own->ip, own->len), own->len};
		const struct bypass_entry *route = state_find_bypass(state, &network);

		/* an address whose network is routed into the tunnel has been looked at with it */
		if (own->is_usable && own->ifindex == state->tunnel_ifindex && !ip_is_link_local(&own->ip) &&
		    examined_forwards(examined, own->ip.family) && !(route && route->value.verdict == WGVIA_TUNNEL) &&
		    !bypass_is_covered(state, &address) && !count++)
			first = address;
	}
	if (!count || !state->gateway_count) /* without any, `up` was refused, which says more */
		return;
	finding_cover_words(examined, &first, remedy);
	finding_add(examined, drops ? SEVERITY_WARNING : SEVERITY_ERROR, "outside", remedy,
		    "reached through '%s' and in no prefix: '%s'%s; what comes from there %s", examined->tunnel,
		    prefix_text(&first, text), more_text(count, more), examined_outside_fate(examined));
}

/* A prefix that the kernel would not send into the tunnel. */
static void check_tunnel_routes(struct examined *examined)
{
	const struct state *state = &examined->plan.state;
	const struct gateway_entry *first = NULL;
	const struct netdev *tunnel = netdev_by_index(examined->plan.netdevs, state->tunnel_ifindex);
	struct prefixes ranges = {};
	char from[PREFIX_TEXT_LEN], more[MORE_TEXT_LEN], remedy[FINDING_REMEDY];
	size_t count = 0;

	if (!tunnel || bypass_tunnel_ranges(state, &ranges))
		return;
	for (size_t i = 0; i < state->gateway_count; i++) {
		const struct gateway_entry *entry = &state->gateways[i];
		const struct bypass_entry *own = state_match_bypass(state, &entry->from.ip);

		/* this host's own address alone is not a client; and the MTU has a finding of its own */
		if ((entry->from.ip.family == AF_INET || tunnel->mtu >= IPV6_MIN_MTU) &&
		    !prefixes_overlap(&ranges, &entry->from) &&
		    !(own && own->value.verdict == WGVIA_LOCAL && prefix_covers(&own->to, &entry->from)) && !count++)
			first = entry;
	}
	free(ranges.all);
	if (!first)
		return;
	prefix_text(&first->from, from);
	snprintf(remedy, sizeof(remedy), "ip route add %s dev %s", from, examined->tunnel);
	finding_add(examined, SEVERITY_WARNING, "no_route", remedy,
		    "no route into '%s' for '%s'%s: packets to these addresses do not enter the tunnel",
		    examined->tunnel, from, more_text(count, more));
}

void check_routes(struct examined *examined)
{
	check_rules(examined);
	check_reach(examined);
	check_outside(examined);
	check_tunnel_routes(examined);
}
