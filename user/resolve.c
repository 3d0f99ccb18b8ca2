// SPDX-License-Identifier: GPL-2.0-only
/*
 * What shall be, from what was asked for and what is.
 */
#include "resolve.h"

#include <linux/if_arp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "bypass.h"
#include "lists.h"
#include "statement.h"
#include "util.h"

void plan_free(struct plan *plan)
{
	state_free(&plan->state);
	free(plan->points);
	free(plan->left_out);
	free(plan->links.all);
	free(plan->resolved);
	free(plan->devices);
	free(plan->notes);
	*plan = (struct plan){};
}

static void __attribute__((format(printf, 2, 3))) add_note(struct plan *plan, const char *format, ...)
{
	char(*note)[RESOLVE_NOTE] = array_grow(&plan->notes, &plan->note_count, sizeof(*note));
	va_list args;

	if (!note)
		return;
	va_start(args, format);
	vsnprintf(*note, sizeof(*note), format, args);
	va_end(args);
}

/* --- gateways --- */

static int find_link(const struct links *links, const char *name, const struct link **link, struct error *error)
{
	*link = link_by_name(links, name);
	return *link ? 0 : error_system(error, ENODEV, "cannot use '%s'", name);
}

/* With no `via`: the default route's next hop, of the prefix's family. */
static int take_default(struct rtnl *rtnl, const struct link *tunnel, const struct link *dev,
			const struct prefix *prefix, struct nexthop *nexthop, struct error *error)
{
	const char *family = prefix->ip.family == AF_INET ? "IPv4" : "IPv6";
	char from[PREFIX_TEXT_LEN];
	int ret;

	ret = rtnl_get_default(rtnl, prefix->ip.family, dev ? dev->ifindex : 0, tunnel->ifindex, nexthop);
	if (!ret)
		return 0;
	prefix_text(prefix, from);
	if (ret == -ENOENT)
		error_refuse(error, "no gateway for '%s': there is no %s default route%s%s%s", from, family,
			     dev ? " through '" : "", dev ? dev->name : "", dev ? "'" : "");
	else if (ret == -EDESTADDRREQ)
		error_refuse(error, "no gateway for '%s': the %s default route has no next hop", from, family);
	else
		return error_system(error, -ret, "cannot read the %s default route", family);
	error_hint(error, "name the firewall: from %s via ADDRESS", from);
	return -EINVAL;
}

static int check_on_link(struct rtnl *rtnl, const struct links *links, const struct ip *via, const struct link *dev,
			 struct nexthop *nexthop, struct error *error)
{
	char text[IP_TEXT_LEN], other[IP_TEXT_LEN];
	const struct link *found;
	int ret;

	ip_text(via, text);
	if (dev && via->family == AF_INET6 && ip_is_link_local(via)) {
		*nexthop = (struct nexthop){*via, dev->ifindex};
		return 0;
	}
	ret = rtnl_get_route_to(rtnl, via, dev ? dev->ifindex : 0, nexthop);
	if (ret == -ENETUNREACH || ret == -EHOSTUNREACH || ret == -EADDRNOTAVAIL || ret == -EACCES || ret == -EINVAL)
		return dev ? error_refuse(error, "via '%s' is not on-link on '%s': there is no route to it", text,
					  dev->name)
			   : error_refuse(error, "via '%s' is not on-link on any device: there is no route to it",
					  text);
	if (ret)
		return error_system(error, -ret, "cannot look up the route to '%s'", text);
	found = link_by_index(links, nexthop->ifindex);
	if (nexthop->via.family || (dev && nexthop->ifindex != dev->ifindex)) {
		error_refuse(error, "via '%s' is not on-link%s%s%s: it is reached %s%s dev %s", text,
			     dev ? " on '" : "", dev ? dev->name : "", dev ? "'" : "",
			     nexthop->via.family ? "via " : "directly",
			     nexthop->via.family ? ip_text(&nexthop->via, other) : "", found ? found->name : "?");
		return -EINVAL;
	}
	nexthop->via = *via;
	return 0;
}

static int check_not_own(struct rtnl *rtnl, const struct ip *via, struct error *error)
{
	struct prefixes local = {};
	char text[IP_TEXT_LEN];
	int ret = rtnl_get_local(rtnl, &local);

	if (ret)
		return error_system(error, -ret, "cannot read this host's addresses");
	for (size_t i = 0; i < local.count && !ret; i++)
		if (prefix_contains(&local.all[i], via))
			ret = error_refuse(
				error,
				"via '%s' is this host's own address or a broadcast address: the firewall's is needed",
				ip_text(via, text));
	free(local.all);
	return ret;
}

/* One gateway of the prefix's. */
static int resolve_hop(struct rtnl *rtnl, const struct links *links, const struct link *tunnel,
		       const struct prefix *from, const struct hop_words *words, struct wgvia_hop *hop,
		       struct error *error)
{
	const struct link *dev = NULL;
	struct nexthop nexthop = {};
	struct wgvia_gateway value;
	char via[IP_TEXT_LEN];
	int ret = 0;

	if (words->dev[0])
		ret = find_link(links, words->dev, &dev, error);
	if (ret)
		return ret;
	if (words->via.family) {
		ret = check_not_own(rtnl, &words->via, error);
		ret = ret ? ret : check_on_link(rtnl, links, &words->via, dev, &nexthop, error);
	} else {
		ret = take_default(rtnl, tunnel, dev, from, &nexthop, error);
	}
	if (ret)
		return ret;

	ip_text(&nexthop.via, via);
	dev = link_by_index(links, nexthop.ifindex);
	if (!dev)
		return error_system(error, ENODEV, "cannot use via '%s'", via);
	if (dev->ifindex == tunnel->ifindex)
		return error_refuse(error,
				    "via '%s' is behind '%s', the tunnel itself: the firewall's device is needed", via,
				    tunnel->name);
	if (!link_is_ethernet(dev) || (dev->flags & IFF_LOOPBACK))
		return error_refuse(error, "dev '%s' has no neighbours: a gateway needs an Ethernet device", dev->name);
	value = gateway_value(&nexthop.via, nexthop.ifindex);
	*hop = hop_of(&value);
	return 0;
}

/* With devices found, two of a list's gateways may turn out to be one. */
static int check_hops(const struct route_words *words, const struct wgvia_failover *list, struct error *error)
{
	char from[PREFIX_TEXT_LEN], via[IP_TEXT_LEN];

	for (uint32_t i = 1; i < list->count; i++)
		for (uint32_t j = 0; j < i; j++)
			if (hop_equal(&list->hops[i], &list->hops[j]))
				return error_refuse(error, "'%s' is given twice for '%s'",
						    ip_text(&words->others[i - 1].via, via),
						    prefix_text(&words->from, from));
	return 0;
}

int resolve_route(struct rtnl *rtnl, const struct links *links, const struct link *tunnel,
		  const struct route_words *words, struct state *state, struct wgvia_gateway *value,
		  struct error *error)
{
	struct hop_words first = {.via = words->via};
	struct wgvia_failover list = {.count = 1 + words->other_count};
	uint32_t number = 0;
	int ret;

	memcpy(first.dev, words->dev, sizeof(first.dev));
	ret = resolve_hop(rtnl, links, tunnel, &words->from, &first, &list.hops[0], error);
	for (size_t i = 0; i < words->other_count && !ret; i++)
		ret = resolve_hop(rtnl, links, tunnel, &words->from, &words->others[i], &list.hops[i + 1], error);
	ret = ret ? ret : check_hops(words, &list, error);
	if (ret)
		return ret;
	if (list.count > 1) {
		ret = lists_add(state, &list, &number);
		if (ret == -ENOSPC)
			return error_refuse(error, "cannot hold more than %u lists of gateways", WGVIA_FAILOVER_LISTS);
		if (ret)
			return error_system(error, -ret, "cannot take the gateways");
	}
	*value = hop_value(&list.hops[0], number);
	return 0;
}

/* What tells one gateway from another: all of the words but the prefix, whose family matters with no `via`. */
static struct route_words gateway_words(const struct route_words *words)
{
	struct route_words gateway;

	memcpy(&gateway, words, sizeof(gateway));
	memset(&gateway.from, 0, sizeof(gateway.from));
	if (!words->via.family)
		gateway.from.ip.family = words->from.ip.family;
	gateway.line = 0;
	return gateway;
}

static bool is_same_gateway(const struct route_words *a, const struct route_words *b)
{
	return a->from.ip.family == b->from.ip.family && ip_equal(&a->via, &b->via) && !strcmp(a->dev, b->dev) &&
	       a->other_count == b->other_count &&
	       (!a->other_count || !memcmp(a->others, b->others, a->other_count * sizeof(*a->others)));
}

static struct resolved *find_resolved(const struct plan *plan, const struct route_words *gateway)
{
	for (size_t i = 0; i < plan->resolved_count; i++)
		if (is_same_gateway(&plan->resolved[i].words, gateway))
			return &plan->resolved[i];
	return NULL;
}

static int add_route(struct rtnl *rtnl, struct plan *plan, const struct link *tunnel, const struct route_words *words,
		     struct error *error)
{
	struct route_words gateway = gateway_words(words);
	struct resolved *resolved = find_resolved(plan, &gateway);
	struct wgvia_gateway value;
	int ret;

	if (!resolved) {
		ret = resolve_route(rtnl, &plan->links, tunnel, words, &plan->state, &value, error);
		if (ret)
			return ret;
		resolved = array_grow(&plan->resolved, &plan->resolved_count, sizeof(*resolved));
		if (!resolved)
			return error_system(error, ENOMEM, "cannot take the prefix");
		*resolved = (struct resolved){.value = value, .first = words->from};
		memcpy(&resolved->words, &gateway, sizeof(gateway));
	}
	resolved->count++;
	ret = state_add_gateway(&plan->state, &words->from, &resolved->value);
	return ret ? error_system(error, -ret, "cannot take the prefix") : 0;
}

/* `up IFACE` alone: each family that the tunnel has addresses of and the host a default route for. */
static int add_own_prefixes(struct rtnl *rtnl, struct plan *plan, const struct link *tunnel, struct error *error)
{
	struct prefixes addresses = {};
	char text[PREFIX_TEXT_LEN];
	struct error first = {};
	int ret = rtnl_get_addresses(rtnl, tunnel->ifindex, &addresses);

	if (ret)
		return error_system(error, -ret, "cannot read the addresses of '%s'", tunnel->name);
	for (size_t i = 0; i < addresses.count; i++) {
		struct route_words words = {.from = addresses.all[i]};

		if (words.from.len == ip_bits(words.from.ip.family))
			add_note(plan,
				 "%s is the gateway's own address alone: name the clients' prefix with 'from PREFIX'",
				 prefix_text(&words.from, text));
		ret = add_route(rtnl, plan, tunnel, &words, error);
		if (ret)
			add_note(plan, "%s left out: %s", prefix_text(&words.from, text), error->text);
		if (ret && !first.text[0])
			first = *error;
		*error = (struct error){};
	}
	free(addresses.all);
	if (plan->state.gateway_count)
		return 0;
	if (first.text[0]) {
		*error = first;
		return -EINVAL;
	}
	error_refuse(error, "no prefix for '%s': the interface has no address", tunnel->name);
	error_hint(error, "name the prefix: from PREFIX");
	return -EINVAL;
}

/* --- the bypass list --- */

static void note_unclear_rules(struct plan *plan, const struct fib *fib)
{
	const struct rule *rule;
	size_t next = 0;

	while ((rule = bypass_unclear_rule(fib, &plan->state, &next)))
		add_note(plan,
			 "ip %srule %u is not evaluated: it depends on more than the destination of a packet, or "
			 "on which prefix it is from",
			 rule->to.ip.family == AF_INET6 ? "-6 " : "", rule->priority);
}

/* AllowedIPs of 0.0.0.0/0, or of its halves. */
static void note_wide_tunnel(struct plan *plan, const struct link *tunnel)
{
	char text[PREFIX_TEXT_LEN];

	for (size_t i = 0; i < plan->state.bypass_count; i++) {
		const struct bypass_entry *entry = &plan->state.bypass[i];

		if (entry->value.verdict == WGVIA_TUNNEL && entry->to.len <= 1)
			add_note(plan,
				 "%s is routed into '%s': what no longer route leads elsewhere stays in the tunnel, "
				 "and does not reach the firewall",
				 prefix_text(&entry->to, text), tunnel->name);
	}
}

static int fill_bypass(struct rtnl *rtnl, struct plan *plan, const struct link *tunnel, struct error *error)
{
	const struct link *master = tunnel->master ? link_by_index(&plan->links, tunnel->master) : NULL;
	struct fib fib = {.iif = tunnel->name};
	int ret = rtnl_get_rules(rtnl, &fib.rules, &fib.rule_count);

	if (master && master->table) {
		fib.vrf = master->name;
		fib.vrf_table = master->table;
	}
	ret = ret ? ret : rtnl_get_routes(rtnl, tunnel->ifindex, &fib.routes, &fib.route_count);
	ret = ret ? ret : bypass_fill(&fib, &plan->state);
	if (!ret) {
		note_unclear_rules(plan, &fib);
		note_wide_tunnel(plan, tunnel);
	}
	free(fib.rules);
	free(fib.routes);
	return ret ? error_system(error, -ret, "cannot read this host's rules and routes") : 0;
}

/* --- the devices --- */

static bool is_gateway_device(const struct plan *plan, uint32_t ifindex)
{
	for (size_t i = 0; i < plan->device_count; i++)
		if (plan->devices[i] == ifindex)
			return true;
	return false;
}

static int add_gateway_device(struct plan *plan, uint32_t ifindex)
{
	uint32_t *device;

	if (is_gateway_device(plan, ifindex))
		return 0;
	device = array_grow(&plan->devices, &plan->device_count, sizeof(*device));
	if (!device)
		return -ENOMEM;
	*device = ifindex;
	return 0;
}

/* Also of gateways that stand by: a failover is to change nothing but the prefixes. */
static int find_gateway_devices(struct plan *plan)
{
	int ret = 0;

	for (size_t i = 0; i < plan->state.gateway_count && !ret; i++)
		ret = add_gateway_device(plan, plan->state.gateways[i].value.ifindex);
	for (size_t i = 0; i < plan->state.list_count; i++)
		for (uint32_t j = 0; j < plan->state.lists[i].content.count && !ret; j++)
			ret = add_gateway_device(plan, plan->state.lists[i].content.hops[j].ifindex);
	return ret;
}

/* A port of a bridge or a bond sends what its master sent, which has been looked at there; a VRF's port does not. */
static bool is_port(const struct links *links, const struct link *link)
{
	const struct link *master = link->master ? link_by_index(links, link->master) : NULL;

	return link->master && !(master && !strcmp(master->kind, "vrf"));
}

bool resolve_is_way_out(const struct links *links, const struct link *link)
{
	return (link->flags & IFF_UP) && !(link->flags & IFF_LOOPBACK) && !is_port(links, link);
}

static int add_point(struct plan *plan, enum wgvia_direction direction, const struct link *link)
{
	struct point *point = array_grow(&plan->points, &plan->point_count, sizeof(*point));

	if (!point)
		return -ENOMEM;
	*point = (struct point){direction, link->ifindex, link_is_l3(link)};
	return 0;
}

static int leave_out(struct plan *plan, const struct link *link)
{
	const struct link **entry = array_grow(&plan->left_out, &plan->left_out_count, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	*entry = link;
	return 0;
}

/* The gateways' devices first: they are the ones that packets ask for. */
static int add_egress_points(struct plan *plan, bool gateways)
{
	size_t ethernet = 0;
	int ret = 0;

	for (size_t i = 0; i < plan->point_count; i++)
		ethernet += !plan->points[i].l3;
	for (size_t i = 0; i < plan->links.count && !ret; i++) {
		const struct link *link = &plan->links.all[i];

		if (link->ifindex == plan->state.tunnel_ifindex || (link->flags & IFF_LOOPBACK) ||
		    is_gateway_device(plan, link->ifindex) != gateways)
			continue;
		if (!gateways && !resolve_is_way_out(&plan->links, link))
			continue;
		if (link_is_l3(link)) {
			ret = add_point(plan, WGVIA_EGRESS, link);
		} else if (link_is_ethernet(link) && ethernet < POINT_DEVICES) {
			ret = add_point(plan, WGVIA_EGRESS, link);
			ethernet++;
		} else {
			ret = leave_out(plan, link);
		}
	}
	return ret;
}

/* Wherever we look at what leaves, we look at what comes in: the same hosts are there. */
static int add_back_points(struct plan *plan)
{
	size_t egress = plan->point_count;
	int ret = 0;

	for (size_t i = 0; i < egress && !ret; i++) {
		struct point *point = array_grow(&plan->points, &plan->point_count, sizeof(*point));

		if (!point)
			return -ENOMEM;
		*point = plan->points[i];
		point->direction = WGVIA_BACK;
	}
	return ret;
}

static int find_points(struct plan *plan, const struct link *tunnel, struct error *error)
{
	int ret = find_gateway_devices(plan);

	ret = ret ? ret : add_egress_points(plan, true);
	ret = ret ? ret : add_egress_points(plan, false);
	ret = ret ? ret : add_back_points(plan);
	if (plan->state.mode == WGVIA_FAST && tunnel->ifindex)
		ret = ret ? ret : add_point(plan, WGVIA_OUT, tunnel);
	return ret ? error_system(error, -ret, "cannot list the devices") : 0;
}

/*
 * A packet that the kernel has found to fit its own device, and that is too big for the gateway's, is dropped: nobody
 * is left there to send Packet Too Big.
 */
static void note_narrow_gateways(struct plan *plan)
{
	for (size_t i = 0; i < plan->point_count; i++) {
		const struct link *wide = link_by_index(&plan->links, plan->points[i].ifindex);

		for (size_t j = 0; j < plan->point_count && plan->points[i].direction == WGVIA_EGRESS; j++) {
			const struct link *narrow = link_by_index(&plan->links, plan->points[j].ifindex);

			if (plan->points[j].direction == WGVIA_EGRESS && narrow->mtu < wide->mtu &&
			    is_gateway_device(plan, narrow->ifindex))
				add_note(plan,
					 "dev %s has mtu %u, less than dev %s (%u): what the kernel would "
					 "send by %s and is longer than that is dropped, counted as too_big",
					 narrow->name, narrow->mtu, wide->name, wide->mtu, wide->name);
		}
	}
}

const struct link *resolve_tunnel(const struct links *links, const char *name, struct link *absent)
{
	const struct link *found = link_by_name(links, name);

	*absent = (struct link){.type = ARPHRD_NONE};
	snprintf(absent->name, sizeof(absent->name), "%s", name);
	return found ? found : absent;
}

static int begin(struct rtnl *rtnl, const char *name, struct plan *plan, const struct link **tunnel,
		 struct error *error)
{
	int ret = rtnl_get_links(rtnl, &plan->links);

	if (ret)
		return error_system(error, -ret, "cannot list the devices");
	*tunnel = resolve_tunnel(&plan->links, name, &plan->absent);
	if ((*tunnel)->flags & IFF_LOOPBACK)
		return error_refuse(error, "cannot use '%s': it is the loopback device", name);
	if (!link_is_l3(*tunnel) && !link_is_ethernet(*tunnel))
		return error_refuse(error, "cannot use '%s': it is neither an IP tunnel nor an Ethernet device", name);
	plan->tunnel_is_l3 = link_is_l3(*tunnel);
	plan->state.tunnel_ifindex = (*tunnel)->ifindex;
	strcpy(plan->state.tunnel, (*tunnel)->name);
	return 0;
}

static int finish(struct rtnl *rtnl, struct plan *plan, const struct link *tunnel, struct error *error)
{
	int ret;

	state_sort(&plan->state);
	ret = fill_bypass(rtnl, plan, tunnel, error);
	if (!ret && lists_prune(&plan->state))
		ret = error_system(error, ENOMEM, "cannot take the gateways");
	ret = ret ? ret : find_points(plan, tunnel, error);
	if (!ret)
		note_narrow_gateways(plan);
	return ret;
}

/* "return ... also": a neighbour of this host's, as a gateway is. */
static int add_also(struct rtnl *rtnl, struct plan *plan, const struct link *tunnel, const struct also_words *words,
		    struct error *error)
{
	struct also *also = &plan->state.also;
	const struct prefix from = {.ip.family = words->hop.via.family};
	struct wgvia_hop hop = {};
	int ret;

	if (words->is_mac) {
		if (also_has_mac(also, words->mac))
			return 0;
		if (also->mac_count == ALSO_MACS)
			return error_refuse(error, "too many MAC addresses with 'also': %d at most", ALSO_MACS);
		memcpy(also->macs[also->mac_count++], words->mac, sizeof(words->mac));
		return 0;
	}
	ret = resolve_hop(rtnl, &plan->links, tunnel, &from, &words->hop, &hop, error);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < also->hops.count; i++)
		if (hop_equal(&also->hops.hops[i], &hop))
			return 0;
	if (also->hops.count == WGVIA_FAILOVER_HOPS)
		return error_refuse(error, "too many addresses with 'also': %d at most", WGVIA_FAILOVER_HOPS);
	also->hops.hops[also->hops.count++] = hop;
	return 0;
}

/* Where there is no such interface, there are only the words to know the prefixes by. */
static int check_absent(struct plan *plan, const struct request *request, struct error *error)
{
	if (request->route_count) {
		add_note(plan,
			 "interface '%s' does not exist yet: only the LAN side "
			 "is prepared; run the same command again when it exists",
			 request->tunnel);
		return 0;
	}
	error_system(error, ENODEV, "cannot use '%s'", request->tunnel);
	error_hint(error, "to prepare for an interface that does not exist yet, name the prefixes: from PREFIX");
	return -ENODEV;
}

int resolve_up(struct rtnl *rtnl, const struct request *request, struct plan *plan, struct error *error)
{
	const struct link *tunnel = &plan->absent;
	int ret;

	*plan = (struct plan){};
	ret = begin(rtnl, request->tunnel, plan, &tunnel, error);
	if (!ret && !tunnel->ifindex)
		ret = check_absent(plan, request, error);
	if (ret)
		return ret;
	plan->state.mode = request->mode;
	plan->state.on_fail = request->on_fail;
	plan->state.ret = request->ret;
	for (size_t i = 0; i < request->route_count && !ret; i++) {
		ret = add_route(rtnl, plan, tunnel, &request->routes[i], error);
		if (ret)
			plan->refused = &request->routes[i];
	}
	if (!ret && !request->route_count)
		ret = add_own_prefixes(rtnl, plan, tunnel, error);
	for (size_t i = 0; i < request->bypass_count && !ret; i++)
		if (state_add_bypass(&plan->state, &request->bypass[i], WGVIA_BYPASS, WGVIA_BYPASS_ADMIN))
			ret = error_system(error, ENOMEM, "cannot take the bypass list");
	for (size_t i = 0; i < request->also_count && !ret; i++)
		ret = add_also(rtnl, plan, tunnel, &request->also[i], error);
	also_sort(&plan->state.also);
	return ret ? ret : finish(rtnl, plan, tunnel, error);
}

int resolve_running(struct rtnl *rtnl, struct state *state, struct plan *plan, struct error *error)
{
	const struct link *tunnel = &plan->absent;
	size_t kept = 0;
	int ret;

	*plan = (struct plan){.state = *state};
	*state = (struct state){};
	for (size_t i = 0; i < plan->state.bypass_count; i++) {
		struct bypass_entry *entry = &plan->state.bypass[i];

		/* what an administrator wrote with bpftool and without the flag is on the list as well */
		if (bypass_is_admin(&entry->value))
			plan->state.bypass[kept++] =
				(struct bypass_entry){entry->to, {WGVIA_BYPASS, WGVIA_BYPASS_ADMIN}};
	}
	plan->state.bypass_count = kept;
	ret = begin(rtnl, plan->state.tunnel, plan, &tunnel, error);
	return ret ? ret : finish(rtnl, plan, tunnel, error);
}

const char *resolve_problem(const struct links *links, const struct prefixes *local, const struct point *points,
			    size_t point_count, const struct gateway_entry *entry)
{
	const struct wgvia_gateway *value = &entry->value;
	struct ip via = gateway_ip(value);

	if (value->flags & WGVIA_GATEWAY_DOWN)
		return "marked down";
	if (value->flags & WGVIA_GATEWAY_UNUSABLE)
		return "unknown flags";
	if (!value->ifindex)
		return "no device";
	if (!link_by_index(links, value->ifindex))
		return "device is gone";
	if (value->family != AF_INET && value->family != AF_INET6)
		return "unknown address family";
	if (value->family == AF_INET && entry->from.ip.family == AF_INET6)
		return "IPv6 prefix with an IPv4 next hop";
	if (ip_is_multicast(&via) || (value->family == AF_INET && via.addr[0] >= 240))
		return "next hop is multicast or broadcast";
	if (ip_is_unspecified(&via) || ip_is_loopback(&via) || (value->family == AF_INET && !via.addr[0]) ||
	    (value->family == AF_INET6 && !memcmp(via.addr, (uint8_t[4]){}, 4)))
		return "next hop is no address of a gateway";
	for (size_t i = 0; i < local->count; i++)
		if (prefix_contains(&local->all[i], &via))
			return "next hop is this host's own or a broadcast address";
	for (size_t i = 0; i < point_count; i++)
		if (points[i].direction == WGVIA_EGRESS && points[i].ifindex == value->ifindex && !points[i].l3)
			return NULL;
	return "wgvia does not stand at this device";
}
