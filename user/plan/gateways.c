// SPDX-License-Identifier: GPL-2.0-only
/*
 * From words to a gateway of this host.
 */
#include "plan/gateways.h"

#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "config/failover.h"
#include "config/statement.h"
#include "config/watch.h"

/* The VRF whose routes lead to the gateway: the device's or, without a device, the tunnel's. NULL: none. */
static const struct netdev *find_vrf(const struct host_view *host, const struct netdev *tunnel,
				     const struct netdev *dev)
{
	return netdev_vrf(&host->netdevs, dev ? dev : tunnel);
}

/* The device to pass to the kernel in a lookup; 0: none. */
static uint32_t lookup_device(const struct host_view *host, const struct netdev *tunnel, const struct netdev *dev)
{
	const struct netdev *vrf = find_vrf(host, tunnel, dev);

	return dev ? dev->ifindex : vrf ? vrf->ifindex : 0;
}

/* An address that a client may have: not the first of the prefix, which is often this host's, and not the last. */
static struct ip client_of(const struct prefix *prefix)
{
	struct ip ip = prefix->ip;
	unsigned int bits = ip_bits(ip.family);

	for (unsigned int bit = prefix->len; bit + 1 < bits && bits - prefix->len > 1; bit++)
		ip.addr[bit / 8] |= 0x80 >> bit % 8;
	return ip;
}

/*
 * Whether a gateway may be that next hop: at that device or, without one, at any device with neighbours except the
 * tunnel.
 */
static bool may_be_gateway(const struct host_view *host, const struct netdev *tunnel, const struct netdev *dev,
			   const struct nexthop *nexthop)
{
	const struct netdev *found = netdev_by_index(&host->netdevs, nexthop->ifindex);

	if (!nexthop->via.family || !found)
		return false;
	return dev ? found == dev : found->ifindex != tunnel->ifindex && netdev_is_ethernet(found);
}

/*
 * The next hop of the default route that the kernel uses for the prefix. If that cannot be a gateway, or more specific
 * routes hide it, the table's first other one.
 */
static int find_default(struct host_view *host, const struct netdev *tunnel, const struct netdev *dev,
			const struct prefix *prefix, struct nexthop *nexthop)
{
	const struct netdev *vrf = find_vrf(host, tunnel, dev);
	const struct ip client = client_of(prefix);
	uint8_t family = prefix->ip.family;
	int ret =
		host_view_default(host, &client, dev ? 0 : tunnel->ifindex, lookup_device(host, tunnel, dev), nexthop);

	if (!ret && may_be_gateway(host, tunnel, dev, nexthop))
		return 0;
	return routes_default(&host->routes, family, vrf ? vrf->table : RT_TABLE_MAIN, dev ? dev->ifindex : 0,
			      tunnel->ifindex, nexthop);
}

/* Whether a default route of that family leads into the tunnel: there can be no firewall. */
static bool has_default_by(const struct host_view *host, const struct netdev *tunnel, uint8_t family)
{
	for (size_t i = 0; i < host->routes.default_count && tunnel->ifindex; i++)
		if (host->routes.defaults[i].family == family &&
		    host->routes.defaults[i].nexthop.ifindex == tunnel->ifindex)
			return true;
	return false;
}

static void refuse_no_default(const struct host_view *host, const struct netdev *tunnel, const struct netdev *dev,
			      const struct prefix *prefix, struct error *error)
{
	const char *family = prefix->ip.family == AF_INET ? "IPv4" : "IPv6";
	char from[PREFIX_TEXT_LEN];

	prefix_text(prefix, from);
	if (!dev && has_default_by(host, tunnel, prefix->ip.family)) {
		error_refuse(error, "no gateway for '%s': the %s default route leads to '%s' itself", from, family,
			     tunnel->name);
		error_hint(error, "IFACE is the tunnel, not the LAN device; if '%s' is it: from %s via ADDRESS",
			   tunnel->name, from);
		return;
	}
	error_refuse(error, "no gateway for '%s': there is no %s default route%s%s%s", from, family,
		     dev ? " through '" : "", dev ? dev->name : "", dev ? "'" : "");
	error_hint(error, "name the firewall: from %s via ADDRESS", from);
}

/* Without `via`: the next hop of the default route, in the prefix's family. */
static int take_default(struct host_view *host, const struct netdev *tunnel, const struct netdev *dev,
			const struct prefix *prefix, struct nexthop *nexthop, struct error *error)
{
	const char *family = prefix->ip.family == AF_INET ? "IPv4" : "IPv6";
	char from[PREFIX_TEXT_LEN];
	int ret = find_default(host, tunnel, dev, prefix, nexthop);

	if (!ret)
		return 0;
	if (ret == -ENOENT) {
		refuse_no_default(host, tunnel, dev, prefix, error);
		return -EINVAL;
	}
	prefix_text(prefix, from);
	error_refuse(error, "no gateway for '%s': the %s default route has no next hop", from, family);
	error_hint(error, "name the firewall: from %s via ADDRESS", from);
	return -EINVAL;
}

/*
 * Whether a route names the address as its next hop at that device: an `onlink` next hop, common on hosters with /32
 * addresses, is reached directly.
 */
static bool is_next_hop(const struct host_view *host, const struct ip *via, const struct nexthop *found)
{
	for (size_t i = 0; i < host->routes.default_count; i++) {
		const struct nexthop *nexthop = &host->routes.defaults[i].nexthop;

		if (nexthop->ifindex == found->ifindex && ip_equal(&nexthop->via, via))
			return true;
	}
	return ip_equal(&found->via, via);
}

static int check_on_link(struct host_view *host, const struct ip *via, const struct netdev *tunnel,
			 const struct netdev *dev, struct nexthop *nexthop, struct error *error)
{
	char text[IP_TEXT_LEN], other[IP_TEXT_LEN];
	const struct netdev *found;
	int ret;

	ip_text(via, text);
	ret = host_view_route_to(host, via, lookup_device(host, tunnel, dev), nexthop);
	if (ret == -EAFNOSUPPORT)
		return error_refuse(error, "via '%s' cannot be used: this kernel has no IPv6", text);
	if (dev && via->family == AF_INET6 && ip_is_link_local(via)) {
		*nexthop = (struct nexthop){*via, dev->ifindex};
		return 0;
	}
	if (ret == -ENETUNREACH || ret == -EHOSTUNREACH || ret == -EADDRNOTAVAIL || ret == -EACCES || ret == -EINVAL)
		return dev ? error_refuse(error, "via '%s' is not on-link on '%s': there is no route to it", text,
					  dev->name)
			   : error_refuse(error, "via '%s' is not on-link: this host has no route to it", text);
	if (ret)
		return error_system(error, -ret, "cannot look up the route to '%s'", text);
	found = netdev_by_index(&host->netdevs, nexthop->ifindex);
	if ((nexthop->via.family && !is_next_hop(host, via, nexthop)) || (dev && nexthop->ifindex != dev->ifindex)) {
		error_refuse(error, "via '%s' is not on-link%s%s%s: it is reached %s%s dev %s", text,
			     dev ? " on '" : "", dev ? dev->name : "", dev ? "'" : "",
			     nexthop->via.family ? "via " : "directly",
			     nexthop->via.family ? ip_text(&nexthop->via, other) : "", found ? found->name : "?");
		return -EINVAL;
	}
	nexthop->via = *via;
	return 0;
}

static bool is_local_route(const struct route *route)
{
	return route->type == RTN_LOCAL || route->type == RTN_BROADCAST || route->type == RTN_ANYCAST;
}

/* In a VRF, its own table contains the local addresses. */
static bool is_own(const struct host_view *host, const struct netdev *vrf, const struct ip *via)
{
	if (!vrf)
		return host_view_is_local(host, via);
	for (size_t i = 0; i < host->routes.count; i++) {
		const struct route *route = &host->routes.all[i];

		if (route->table == vrf->table && is_local_route(route) && prefix_contains(&route->to, via))
			return true;
	}
	return false;
}

/*
 * Refuses the first address of a network on this host's links: for IPv4, hosts long treated it as a broadcast address
 * (RFC 1122, 3.3.6); for IPv6, every router has it (RFC 4291, 2.6.1).
 */
static int check_not_network(const struct host_view *host, const struct ip *via, struct error *error)
{
	char text[IP_TEXT_LEN], network[PREFIX_TEXT_LEN];

	for (size_t i = 0; i < host->addresses.count; i++) {
		const struct address *address = &host->addresses.all[i];
		struct prefix prefix = address_prefix(address);

		if (address->ip.family != via->family || prefix.len + 1u >= ip_bits(via->family) ||
		    !ip_equal(&prefix.ip, via) || ip_equal(&address->ip, via))
			continue;
		return error_refuse(error, "via '%s' is the network address of '%s', not the firewall's address",
				    ip_text(via, text), prefix_text(&prefix, network));
	}
	return 0;
}

static int check_not_own(const struct host_view *host, const struct netdev *vrf, const struct ip *via,
			 struct error *error)
{
	char text[IP_TEXT_LEN];

	if (!is_own(host, vrf, via))
		return 0;
	return error_refuse(error, "via '%s' is an address of this host or a broadcast address, not the firewall's",
			    ip_text(via, text));
}

int gateway_resolve(struct host_view *host, const struct netdev *tunnel, const struct prefix *from,
		    const struct hop_words *words, struct wgvia_hop *hop, struct error *error)
{
	const struct netdev *dev = NULL;
	struct nexthop nexthop = {};
	struct wgvia_gateway value;
	char via[IP_TEXT_LEN];
	int ret;

	if (words->dev[0]) {
		dev = netdev_by_name(&host->netdevs, words->dev);
		if (!dev)
			return error_system(error, ENODEV, "cannot use '%s'", words->dev);
	}
	if (words->via.family) {
		ret = check_not_network(host, &words->via, error);
		if (!ret)
			ret = check_not_own(host, find_vrf(host, tunnel, dev), &words->via, error);
		if (!ret)
			ret = check_on_link(host, &words->via, tunnel, dev, &nexthop, error);
	} else {
		ret = take_default(host, tunnel, dev, from, &nexthop, error);
	}
	if (ret)
		return ret;

	ip_text(&nexthop.via, via);
	dev = netdev_by_index(&host->netdevs, nexthop.ifindex);
	if (!dev)
		return error_system(error, ENODEV, "cannot use via '%s'", via);
	if (dev->ifindex == tunnel->ifindex)
		return error_refuse(error,
				    "via '%s' is reached through '%s', the tunnel itself, not through a LAN device",
				    via, tunnel->name);
	if (dev->table)
		return error_refuse(error, "dev '%s' is a VRF: name one of its devices instead", dev->name);
	if (!netdev_is_ethernet(dev) || (dev->flags & IFF_LOOPBACK))
		return error_refuse(error, "dev '%s' is not an Ethernet device, which a gateway needs", dev->name);
	value = gateway_value(&nexthop.via, nexthop.ifindex);
	*hop = hop_of(&value);
	return 0;
}

/* Once devices are known, two gateways of a list may turn out to be the same. */
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

/* A packet to an address of this host ends here, so it does not test a gateway. */
static int check_watch(const struct host_view *host, const struct netdev *tunnel, const struct wgvia_watch *watch,
		       struct error *error)
{
	char text[WATCH_TEXT_LEN];
	struct ip ip = watch_ip(watch);

	if (!ip.family || !is_own(host, find_vrf(host, tunnel, NULL), &ip))
		return 0;
	error_refuse(error, "'health %s' is an address of this host", watch_text(watch, text));
	error_hint(error, "'health forward' probes the path through the gateway and back to this host");
	return -EINVAL;
}

int gateways_check_watch(const struct state *state, const struct netdevs *netdevs, struct error *error)
{
	char gateway[STATEMENT_MAX], ways[2][WATCH_TEXT_LEN];
	struct wgvia_watch watches[2];
	struct wgvia_hop hop;
	int ret = watch_find_conflict(state, &hop, watches);

	if (ret < 0)
		return error_system(error, ENOMEM, "cannot process the gateways");
	if (!ret)
		return 0;
	return error_refuse(error,
			    "gateway '%.100s' is on two lists, with 'health %s' and 'health %s': a gateway has one "
			    "kind of health",
			    statement_of_hop(&hop, netdevs, gateway), watch_text(&watches[0], ways[0]),
			    watch_text(&watches[1], ways[1]));
}

int gateways_resolve(struct host_view *host, const struct netdev *tunnel, const struct route_words *words,
		     struct state *state, struct wgvia_gateway *value, struct error *error)
{
	struct hop_words first = {.via = words->via};
	struct wgvia_failover list = {.count = 1 + words->other_count, .watch = words->watch};
	uint32_t number = 0;
	int ret;

	memcpy(first.dev, words->dev, sizeof(first.dev));
	ret = gateway_resolve(host, tunnel, &words->from, &first, &list.hops[0], error);
	for (size_t i = 0; i < words->other_count && !ret; i++)
		ret = gateway_resolve(host, tunnel, &words->from, &words->others[i], &list.hops[i + 1], error);
	if (!ret)
		ret = check_hops(words, &list, error);
	if (!ret)
		ret = check_watch(host, tunnel, &list.watch, error);
	if (ret)
		return ret;
	if (list.count > 1 || list.watch.kind) {
		ret = failover_add(state, &list, &number);
		if (ret == -ENOSPC)
			return error_refuse(error, "cannot hold more than %u lists of gateways", WGVIA_FAILOVER_LISTS);
		if (ret)
			return error_system(error, -ret, "cannot process the gateways");
	}
	*value = hop_value(&list.hops[0], number);
	if (!words->via.family)
		value->flags |= WGVIA_GATEWAY_DEFAULT;
	return 0;
}

const char *gateway_problem(const struct host_view *host, const struct points *points,
			    const struct gateway_entry *entry)
{
	const struct wgvia_gateway *value = &entry->value;
	struct ip via = gateway_ip(value);

	if (value->flags & WGVIA_GATEWAY_DOWN)
		return "marked down";
	if (value->flags & WGVIA_GATEWAY_UNUSABLE)
		return "unknown flags";
	if (!value->ifindex)
		return "no device";
	if (!netdev_by_index(&host->netdevs, value->ifindex))
		return "device no longer exists";
	if (value->family != AF_INET && value->family != AF_INET6)
		return "unknown address family";
	if (value->family == AF_INET && entry->from.ip.family == AF_INET6)
		return "IPv6 prefix with an IPv4 next hop";
	if (ip_is_multicast(&via) || (value->family == AF_INET && via.addr[0] >= 240))
		return "next hop is multicast or broadcast";
	if (ip_is_unspecified(&via) || ip_is_loopback(&via) || (value->family == AF_INET && !via.addr[0]) ||
	    (value->family == AF_INET6 && !memcmp(via.addr, (uint8_t[4]){}, 4)))
		return "next hop is not a gateway address";
	if (is_own(host, netdev_vrf(&host->netdevs, netdev_by_index(&host->netdevs, value->ifindex)), &via))
		return "next hop is this host's own or a broadcast address";
	for (size_t i = 0; i < points->count; i++)
		if (points->all[i].direction == WGVIA_EGRESS && points->all[i].ifindex == value->ifindex &&
		    !points->all[i].l3)
			return NULL;
	return "wgvia is not attached to this device";
}
