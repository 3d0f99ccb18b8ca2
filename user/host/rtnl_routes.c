// SPDX-License-Identifier: GPL-2.0-only
/*
 * The routes of all tables.
 */
#include <linux/icmpv6.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/util.h"
#include "host/netlink.h"
#include "host/rtnl.h"
#include "host/rtnl_message.h"
#include "host/rtnl_nexthops.h"

struct routes_query {
	uint8_t family;
	uint32_t table;	  /* 0: all */
	uint32_t through; /* an ifindex; 0: none */
	struct routes found;
	struct object_route *by_object; /* routes that only have the number of a nexthop object */
	size_t by_object_count;
};

struct object_route {
	uint32_t id;
	size_t route;		       /* index of the route; SIZE_MAX: not among them */
	struct default_route default_; /* family 0: not a default route */
};

static int add_default(struct routes *routes, const struct default_route *like, const struct nexthop *nexthop)
{
	struct default_route *route = array_grow(&routes->defaults, &routes->default_count, sizeof(*route));

	if (!route)
		return netlink_fail(ENOMEM);
	*route = *like;
	route->nexthop = *nexthop;
	return MNL_CB_OK;
}

/* Adds each next hop of a default route. */
static int add_defaults(struct routes *routes, const struct default_route *like, const struct attributes *attributes)
{
	const struct nlattr *multipath = attributes->of[RTA_MULTIPATH];
	const struct rtnexthop *hop = NULL;
	int ret = MNL_CB_OK;

	if (attributes->of[RTA_OIF]) {
		struct nexthop nexthop = {message_via(like->family, attributes),
					  attribute_u32(attributes->of[RTA_OIF], 0)};

		return add_default(routes, like, &nexthop);
	}
	while (multipath && ret == MNL_CB_OK && (hop = message_next_hop(multipath, hop))) {
		struct attributes of_hop = attributes_at(RTNH_DATA(hop), hop->rtnh_len - sizeof(*hop));
		struct nexthop nexthop = {message_via(like->family, &of_hop), hop->rtnh_ifindex};
		struct default_route route = *like;

		route.is_dead |= !!(hop->rtnh_flags & RTNH_F_DEAD);
		ret = add_default(routes, &route, &nexthop);
	}
	return ret;
}

/* rt6_score_route(): high, medium and reserved, low */
static uint8_t rank(uint8_t preference)
{
	switch (preference) {
	case ICMPV6_ROUTER_PREF_HIGH:
		return 0;
	case ICMPV6_ROUTER_PREF_LOW:
		return 2;
	default:
		return 1;
	}
}

/* A route from a router advertisement remains for a while after it expires. */
static bool has_expired(const struct attributes *attributes)
{
	const struct nlattr *cacheinfo = attributes->of[RTA_CACHEINFO];
	struct rta_cacheinfo info;

	if (!cacheinfo || mnl_attr_get_payload_len(cacheinfo) < sizeof(info))
		return false;
	memcpy(&info, mnl_attr_get_payload(cacheinfo), sizeof(info));
	return info.rta_expires < 0;
}

static struct default_route default_of(const struct rtmsg *info, const struct attributes *attributes)
{
	return (struct default_route){
		.family = info->rtm_family,
		.table = message_table(info, attributes),
		.metric = attribute_u32(attributes->of[RTA_PRIORITY], 0),
		.preference = rank(attribute_u8(attributes->of[RTA_PREF], ICMPV6_ROUTER_PREF_MEDIUM)),
		.is_dead = info->rtm_flags & RTNH_F_DEAD || has_expired(attributes),
	};
}

static int add_by_object(struct routes_query *query, uint32_t id, size_t route, const struct default_route *like)
{
	struct object_route *entry = array_grow(&query->by_object, &query->by_object_count, sizeof(*entry));

	if (!entry)
		return netlink_fail(ENOMEM);
	*entry = (struct object_route){id, route, *like};
	return MNL_CB_OK;
}

static int add_local(struct prefixes *local, struct ip ip, unsigned int len)
{
	struct prefix *prefix = array_grow(&local->all, &local->count, sizeof(*prefix));

	if (!prefix)
		return netlink_fail(ENOMEM);
	*prefix = (struct prefix){ip_mask(ip, len), len};
	return MNL_CB_OK;
}

static bool is_local(const struct rtmsg *info)
{
	return info->rtm_type == RTN_LOCAL || info->rtm_type == RTN_BROADCAST || info->rtm_type == RTN_ANYCAST;
}

/* The number of the nexthop object, if the route does not contain its content; else 0. */
static uint32_t object_of(const struct attributes *attributes)
{
	if (attributes->of[RTA_OIF] || attributes->of[RTA_MULTIPATH])
		return 0;
	return attribute_u32(attributes->of[RTA_NH_ID], 0);
}

static bool counts(const struct rtmsg *info, const struct attributes *attributes)
{
	return !(info->rtm_flags & (RTM_F_CLONED | RTNH_F_DEAD)) && !info->rtm_tos && !info->rtm_src_len &&
	       !has_expired(attributes);
}

static bool encapsulates(const struct attributes *attributes)
{
	const struct nlattr *multipath = attributes->of[RTA_MULTIPATH];
	const struct rtnexthop *hop = NULL;

	if (message_encapsulates(attributes->of[RTA_ENCAP_TYPE]))
		return true;
	while (multipath && (hop = message_next_hop(multipath, hop)))
		if (message_encapsulates(
			    attributes_at(RTNH_DATA(hop), hop->rtnh_len - sizeof(*hop)).of[RTA_ENCAP_TYPE]))
			return true;
	return false;
}

static int add_route(struct routes_query *query, const struct rtmsg *info, const struct attributes *attributes,
		     const struct ip *to)
{
	struct routes *routes = &query->found;
	struct route *route = array_grow(&routes->all, &routes->count, sizeof(*route));

	if (!route)
		return netlink_fail(ENOMEM);
	*route = (struct route){.to = {*to, info->rtm_dst_len},
				.table = message_table(info, attributes),
				.metric = attribute_u32(attributes->of[RTA_PRIORITY], 0),
				.type = info->rtm_type,
				.ifindex = attribute_u32(attributes->of[RTA_OIF], 0),
				.through = query->through && message_is_through(attributes, query->through),
				.encapsulates = encapsulates(attributes)};
	return MNL_CB_OK;
}

static int on_route(const struct nlmsghdr *header, void *data)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = attributes_of(header, sizeof(*info));
	struct routes_query *query = data;
	struct ip to = {.family = info->rtm_family};
	uint32_t table = message_table(info, &attributes), object = object_of(&attributes);
	struct default_route like = {};
	size_t number = SIZE_MAX;
	int ret = MNL_CB_OK;

	if (info->rtm_family != query->family || info->rtm_dst_len > ip_bits(info->rtm_family) ||
	    (query->table && table != query->table))
		return MNL_CB_OK;
	if (attributes.of[RTA_DST])
		to = attribute_ip(attributes.of[RTA_DST], info->rtm_family);
	if (table == RT_TABLE_LOCAL && attributes.of[RTA_DST] && is_local(info))
		ret = add_local(&query->found.local, to, info->rtm_dst_len);
	if (!info->rtm_dst_len && info->rtm_type == RTN_UNICAST && !(info->rtm_flags & RTM_F_CLONED)) {
		like = default_of(info, &attributes);
		ret = add_defaults(&query->found, &like, &attributes);
	}
	if (ret == MNL_CB_OK && counts(info, &attributes)) {
		number = query->found.count;
		ret = add_route(query, info, &attributes, &to);
	}
	return ret == MNL_CB_OK && object ? add_by_object(query, object, number, &like) : ret;
}

static int routes_once(struct netlink *netlink, void *data)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct routes_query *query = data;

	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		struct nlmsghdr *header = netlink_request(netlink, RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
		struct rtmsg *info = mnl_nlmsg_get_payload(header);
		int ret;

		query->family = info->rtm_family = families[f];
		if (query->table)
			mnl_attr_put_u32(header, RTA_TABLE, query->table);
		ret = netlink_ask(netlink, header, on_route, query);
		/* ENOENT: strict dumps return it for a table that was never used */
		if (ret && ret != -ENOENT && !netlink_lacks_family(ret))
			return ret;
	}
	return 0;
}

static void routes_reset(void *data)
{
	struct routes_query *query = data;

	routes_free(&query->found);
	free(query->by_object);
	query->by_object = NULL;
	query->by_object_count = 0;
}

void routes_free(struct routes *routes)
{
	free(routes->all);
	free(routes->defaults);
	free(routes->local.all);
	*routes = (struct routes){};
}

/* One next hop of a route that named an object. */
static int resolve(struct routes_query *query, const struct object_route *named, const struct nexthop_member *member,
		   bool is_first)
{
	const struct nexthop *nexthop = &member->nexthop;
	struct route *route = named->route == SIZE_MAX ? NULL : &query->found.all[named->route];

	if (route) {
		route->ifindex = is_first ? nexthop->ifindex : 0; /* as for a route with several next hops */
		route->through |= query->through && nexthop->ifindex == query->through;
		route->encapsulates |= member->encapsulates;
	}
	if (named->default_.family && add_default(&query->found, &named->default_, nexthop) != MNL_CB_OK)
		return -ENOMEM;
	return 0;
}

static int resolve_objects(struct netlink *netlink, struct routes_query *query)
{
	struct nexthop_objects objects = {};
	int ret = query->by_object_count ? rtnl_get_nexthops(netlink, &objects) : 0;

	for (size_t i = 0; i < query->by_object_count && !ret; i++) {
		bool is_first = true;

		for (size_t j = 0; j < objects.count && !ret; j++)
			if (objects.all[j].id == query->by_object[i].id) {
				ret = resolve(query, &query->by_object[i], &objects.all[j], is_first);
				is_first = false;
			}
	}
	free(objects.all);
	return ret;
}

int rtnl_get_routes(struct netlink *netlink, uint32_t through, struct routes *routes)
{
	struct routes_query query = {.through = through};
	int ret = netlink_ask_again(netlink, routes_once, routes_reset, &query);

	if (!ret)
		ret = resolve_objects(netlink, &query);
	if (ret)
		routes_free(&query.found);
	else
		*routes = query.found;
	free(query.by_object);
	return ret;
}

int rtnl_get_local(struct netlink *netlink, struct prefixes *local)
{
	struct routes_query query = {.table = RT_TABLE_LOCAL};
	int ret = netlink_ask_again(netlink, routes_once, routes_reset, &query);

	free(query.by_object);
	if (ret)
		return ret;
	*local = query.found.local;
	query.found.local = (struct prefixes){};
	routes_free(&query.found);
	return 0;
}

bool route_is_specific(const struct route *route, uint32_t table)
{
	return route->table == table && route->type == RTN_UNICAST && route->to.len && route->ifindex;
}

/* Whether `a` comes before `b`. */
static bool is_before(const struct default_route *a, const struct default_route *b)
{
	if (a->is_dead != b->is_dead)
		return b->is_dead;
	if (a->metric != b->metric)
		return a->metric < b->metric;
	return a->preference < b->preference;
}

int routes_default(const struct routes *routes, uint8_t family, uint32_t table, uint32_t ifindex, uint32_t except,
		   struct nexthop *nexthop)
{
	const struct default_route *best = NULL;
	bool without_next_hop = false;

	for (size_t i = 0; i < routes->default_count; i++) {
		const struct default_route *route = &routes->defaults[i];

		if (route->family != family || route->table != table ||
		    (ifindex ? route->nexthop.ifindex != ifindex : route->nexthop.ifindex == except))
			continue;
		if (!route->nexthop.via.family)
			without_next_hop = true;
		else if (!best || is_before(route, best))
			best = route;
	}
	if (!best)
		return without_next_hop ? -EDESTADDRREQ : -ENOENT;
	*nexthop = best->nexthop;
	return 0;
}
