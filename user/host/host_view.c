// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading this host's tables, each one once.
 */
#include "host/host_view.h"

#include "base/util.h"

void host_view_free(struct host_view *host)
{
	netlink_close(&host->rtnl);
	free(host->netdevs.all);
	free(host->addresses.all);
	free(host->local.all);
	free(host->rules.all);
	routes_free(&host->routes);
	free(host->policies.all);
	wireguard_free(&host->wireguard);
	free(host->ways);
	*host = (struct host_view){};
}

static int read_routes(struct host_view *host)
{
	const struct netdev *tunnel = netdev_by_name(&host->netdevs, host->tunnel);
	int ret = rtnl_get_routes(host->rtnl, tunnel ? tunnel->ifindex : 0, &host->routes);

	if (ret)
		return ret;
	free(host->local.all);
	host->local = host->routes.local;
	host->routes.local = (struct prefixes){};
	host->parts |= HOST_LOCAL;
	return 0;
}

static int read_part(struct host_view *host, enum host_part part)
{
	switch (part) {
	case HOST_NETDEVS:
		return rtnl_get_links(host->rtnl, &host->netdevs);
	case HOST_ADDRESSES:
		return rtnl_get_addresses(host->rtnl, &host->addresses);
	case HOST_LOCAL:
		return rtnl_get_local(host->rtnl, &host->local);
	case HOST_RULES:
		return rtnl_get_rules(host->rtnl, &host->rules);
	case HOST_ROUTES:
		return read_routes(host);
	case HOST_POLICIES:
		xfrm_get_policies(&host->policies);
		return 0;
	}
	return -EINVAL;
}

int host_view_read(struct host_view *host, unsigned int parts)
{
	/* in this order, the local table is not read a second time with those that include it */
	static const enum host_part order[] = {HOST_NETDEVS, HOST_ADDRESSES, HOST_RULES,
					       HOST_ROUTES,  HOST_LOCAL,     HOST_POLICIES};

	if (parts & HOST_ROUTES)
		parts |= HOST_NETDEVS | HOST_LOCAL;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		int ret;

		if (!(parts & order[i]) || host->parts & order[i])
			continue;
		ret = host->rtnl ? 0 : rtnl_open(&host->rtnl);
		if (!ret)
			ret = read_part(host, order[i]);
		if (ret)
			return ret;
		host->parts |= order[i];
	}
	return 0;
}

int host_view_wireguard(struct host_view *host, const struct netdev *tunnel, struct error *error)
{
	if (!host->wireguard_asked)
		host->wireguard_ret =
			wireguard_read(tunnel, HOST_WIREGUARD_MS, &host->wireguard, &host->wireguard_error);
	host->wireguard_asked = true;
	if (host->wireguard_ret)
		*error = host->wireguard_error;
	return host->wireguard_ret;
}

static struct host_way *find_way(struct host_view *host, const struct ip *ip, uint32_t ifindex)
{
	for (size_t i = 0; i < host->way_count; i++)
		if (ip_equal(&host->ways[i].ip, ip) && host->ways[i].ifindex == ifindex)
			return &host->ways[i];
	return NULL;
}

/* Adds a lookup; NULL, with `*ret` set: not possible. */
static struct host_way *add_way(struct host_view *host, const struct ip *ip, uint32_t ifindex, int *ret)
{
	struct host_way *way;

	*ret = -ENETUNREACH;
	if (!host->rtnl)
		return NULL;
	*ret = -ENOMEM;
	way = array_grow(&host->ways, &host->way_count, sizeof(*way));
	if (way)
		*way = (struct host_way){.ip = *ip, .ifindex = ifindex};
	return way;
}

static int answer(const struct host_way *way, struct nexthop *nexthop)
{
	if (!way->ret)
		*nexthop = way->nexthop;
	return way->ret;
}

int host_view_route_to(struct host_view *host, const struct ip *ip, uint32_t ifindex, struct nexthop *nexthop)
{
	struct host_way *way = find_way(host, ip, ifindex);
	int ret;

	if (way)
		return answer(way, nexthop);
	way = add_way(host, ip, ifindex, &ret);
	if (!way)
		return ret;
	way->ret = rtnl_get_route_to(host->rtnl, ip, ifindex, &way->nexthop);
	return answer(way, nexthop);
}

int host_view_default(struct host_view *host, const struct ip *from, uint32_t iif, uint32_t ifindex,
		      struct nexthop *nexthop)
{
	const struct ip everywhere = {.family = from->family};
	struct host_way *way = find_way(host, &everywhere, ifindex);
	int ret;

	if (way)
		return answer(way, nexthop);
	way = add_way(host, &everywhere, ifindex, &ret);
	if (!way)
		return ret;
	way->ret = rtnl_get_default(host->rtnl, from, iif, ifindex, &way->nexthop);
	return answer(way, nexthop);
}

bool host_view_is_local(const struct host_view *host, const struct ip *ip)
{
	for (size_t i = 0; i < host->local.count; i++)
		if (prefix_contains(&host->local.all[i], ip))
			return true;
	return false;
}
