// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lookups: the route to an address, the kernel's handling of a packet, a neighbour.
 */
#include "host/rtnl.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/util.h"
#include "host/netlink.h"
#include "host/rtnl_message.h"

struct way {
	uint8_t prefix_len; /* of the route, with RTM_F_FIB_MATCH */
	struct nexthop nexthop;
};

static int on_way(const struct nlmsghdr *header, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(header);
	struct attributes attributes = attributes_of(header, sizeof(*route));
	struct way *way = data;

	if (route->rtm_type != RTN_UNICAST)
		return netlink_fail(EADDRNOTAVAIL);
	way->prefix_len = route->rtm_dst_len;
	way->nexthop.via = message_via(route->rtm_family, &attributes);
	way->nexthop.ifindex = attribute_u32(attributes.of[RTA_OIF], 0);
	return MNL_CB_OK;
}

/* The input of a route lookup. */
struct way_query {
	const struct ip *to, *from; /* `from` may be NULL: a packet of this host */
	uint32_t iif;		    /* with `from` */
	uint32_t oif;		    /* or of a VRF; 0: any */
};

/* -EAFNOSUPPORT: the kernel lacks that address family. */
static int ask_way(struct netlink *netlink, const struct way_query *query, uint32_t flags, struct way *way)
{
	const struct ip *ip = query->to;
	struct nlmsghdr *header = netlink_request(netlink, RTM_GETROUTE, 0, sizeof(struct rtmsg));
	struct rtmsg *route = mnl_nlmsg_get_payload(header);
	int ret;

	route->rtm_family = ip->family;
	route->rtm_dst_len = ip_bits(ip->family);
	route->rtm_flags = flags;
	mnl_attr_put(header, RTA_DST, ip_bits(ip->family) / 8, ip->addr);
	if (query->from) {
		route->rtm_src_len = ip_bits(ip->family);
		mnl_attr_put(header, RTA_SRC, ip_bits(ip->family) / 8, query->from->addr);
		mnl_attr_put_u32(header, RTA_IIF, query->iif);
	} else if (query->oif) {
		mnl_attr_put_u32(header, RTA_OIF, query->oif);
	}
	ret = netlink_ask(netlink, header, on_way, way);
	return netlink_lacks_family(ret) ? -EAFNOSUPPORT : ret;
}

/*
 * Two lookups. The first one returns the table's entry; without it, an IPv4 lookup with a device treats every address
 * as on-link. The second one returns a single next hop, if the entry has several or names a nexthop object.
 */
static int find_way(struct netlink *netlink, const struct way_query *query, struct way *way)
{
	struct way chosen = {};
	int ret = ask_way(netlink, query, RTM_F_FIB_MATCH, way);

	if (ret || way->nexthop.ifindex)
		return ret;
	ret = ask_way(netlink, query, 0, &chosen);
	way->nexthop = chosen.nexthop;
	return ret;
}

int rtnl_get_route_to(struct netlink *netlink, const struct ip *ip, uint32_t ifindex, struct nexthop *nexthop)
{
	const struct way_query query = {.to = ip, .oif = ifindex};
	struct way way = {};
	int ret = find_way(netlink, &query, &way);

	if (!ret)
		*nexthop = way.nexthop;
	return ret;
}

int rtnl_get_default(struct netlink *netlink, const struct ip *from, uint32_t iif, uint32_t ifindex,
		     struct nexthop *nexthop)
{
	/* spread over the address space; an address with a more specific route is inconclusive */
	static const struct ip everywhere[] = {
		{AF_INET, {8, 0, 0, 1}},	{AF_INET, {101, 0, 0, 1}},	{AF_INET, {151, 0, 0, 1}},
		{AF_INET, {201, 0, 0, 1}},	{AF_INET6, {0x20, 1, 4, 0, 1}}, {AF_INET6, {0x24, 0, 1, 0, 1}},
		{AF_INET6, {0x26, 0, 1, 0, 1}}, {AF_INET6, {0x2a, 0, 1, 0, 1}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(everywhere); i++) {
		struct way_query query = {.to = &everywhere[i], .from = iif ? from : NULL, .iif = iif, .oif = ifindex};
		struct way way = {};
		int ret;

		if (everywhere[i].family != from->family)
			continue;
		ret = find_way(netlink, &query, &way);
		if (ret || way.prefix_len)
			continue;
		*nexthop = way.nexthop;
		return 0;
	}
	return -ENOENT;
}

static int on_forward(const struct nlmsghdr *header, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(header);
	struct attributes attributes = attributes_of(header, sizeof(*route));
	struct forward *forward = data;

	forward->type = route->rtm_type;
	forward->nexthop.via = message_via(route->rtm_family, &attributes);
	forward->nexthop.ifindex = attribute_u32(attributes.of[RTA_OIF], 0);
	return MNL_CB_OK;
}

int rtnl_get_forward(struct netlink *netlink, const struct ip *from, const struct ip *to, uint32_t ifindex,
		     struct forward *forward)
{
	struct nlmsghdr *header = netlink_request(netlink, RTM_GETROUTE, 0, sizeof(struct rtmsg));
	struct rtmsg *route = mnl_nlmsg_get_payload(header);
	struct forward found = {};
	int ret;

	route->rtm_family = to->family;
	route->rtm_dst_len = ip_bits(to->family);
	mnl_attr_put(header, RTA_DST, ip_bits(to->family) / 8, to->addr);
	if (from->family == to->family) {
		route->rtm_src_len = ip_bits(from->family);
		mnl_attr_put(header, RTA_SRC, ip_bits(from->family) / 8, from->addr);
	}
	if (ifindex)
		mnl_attr_put_u32(header, RTA_IIF, ifindex);
	ret = netlink_ask(netlink, header, on_forward, &found);
	ret = netlink_lacks_family(ret) ? -EAFNOSUPPORT : ret;
	switch (ret) {
	case -EAFNOSUPPORT:
	case -EHOSTUNREACH:
	case -ENETUNREACH:
	case -EACCES:
	case -EINVAL: /* a blackhole, or a martian source */
		found = (struct forward){.error = -ret};
		ret = 0;
		break;
	}
	if (!ret)
		*forward = found;
	return ret;
}

static int on_neighbour(const struct nlmsghdr *header, void *data)
{
	*(struct neighbour *)data = message_neighbour(header);
	return MNL_CB_OK;
}

int rtnl_get_neighbour(struct netlink *netlink, uint32_t ifindex, const struct ip *ip, struct neighbour *neighbour)
{
	struct nlmsghdr *header = netlink_request(netlink, RTM_GETNEIGH, 0, sizeof(struct ndmsg));
	struct ndmsg *entry = mnl_nlmsg_get_payload(header);
	struct neighbour found = {};
	int ret;

	entry->ndm_family = ip->family;
	entry->ndm_ifindex = (int)ifindex;
	mnl_attr_put(header, NDA_DST, ip_bits(ip->family) / 8, ip->addr);
	ret = netlink_ask(netlink, header, on_neighbour, &found);
	if (ret && ret != -ENOENT && !netlink_lacks_family(ret))
		return ret;
	*neighbour = found;
	return 0;
}

int rtnl_ask_neighbour(struct netlink *netlink, uint32_t ifindex, const struct ip *ip,
		       const struct neighbour *neighbour)
{
	struct nlmsghdr *header = netlink_request(netlink, RTM_NEWNEIGH,
						  NLM_F_ACK | (neighbour->has_lladdr ? NLM_F_REPLACE : NLM_F_CREATE),
						  sizeof(struct ndmsg));
	struct ndmsg *entry = mnl_nlmsg_get_payload(header);

	entry->ndm_family = ip->family;
	entry->ndm_ifindex = (int)ifindex;
	if (neighbour->has_lladdr)
		entry->ndm_state = NUD_PROBE;
	else
		entry->ndm_flags = NTF_USE; /* neigh_event_send() */
	mnl_attr_put(header, NDA_DST, ip_bits(ip->family) / 8, ip->addr);
	return netlink_ask(netlink, header, NULL, NULL);
}

/* iproute2's words */
static const struct {
	uint16_t state;
	const char *word;
} neighbour_states[] = {
	{NUD_INCOMPLETE, "INCOMPLETE"}, {NUD_REACHABLE, "REACHABLE"}, {NUD_STALE, "STALE"},
	{NUD_DELAY, "DELAY"},		{NUD_PROBE, "PROBE"},	      {NUD_FAILED, "FAILED"},
	{NUD_NOARP, "NOARP"},		{NUD_PERMANENT, "PERMANENT"},
};

const char *neighbour_word(const struct neighbour *neighbour)
{
	for (size_t i = 0; i < ARRAY_SIZE(neighbour_states); i++)
		if (neighbour->known && neighbour->state & neighbour_states[i].state)
			return neighbour_states[i].word;
	return "NONE";
}
