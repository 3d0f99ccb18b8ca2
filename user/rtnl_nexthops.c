// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where packets go: default routes, lookups, neighbours.
 */
#include "rtnl.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "rtnl_ask.h"
#include "rtnl_message.h"
#include "util.h"

/* RTA_VIA names its own family: an IPv4 route with an IPv6 next hop. */
static struct ip via_of(uint8_t family, const struct nlattr *gateway, const struct nlattr *via)
{
	if (gateway)
		return message_ip(family, gateway);
	if (via) {
		const struct rtvia *rtvia = mnl_attr_get_payload(via);

		return message_ip_from(rtvia->rtvia_family, rtvia->rtvia_addr,
				       mnl_attr_get_payload_len(via) - sizeof(rtvia->rtvia_family));
	}
	return (struct ip){};
}

struct default_query {
	uint8_t family;
	uint32_t ifindex, except;
	struct nexthop best;
	uint32_t metric;
	bool found, without_next_hop;
};

static void consider_default(struct default_query *query, struct nexthop nexthop, uint32_t metric)
{
	if (query->ifindex ? nexthop.ifindex != query->ifindex : nexthop.ifindex == query->except)
		return;
	if (!nexthop.via.family) {
		query->without_next_hop = true;
		return;
	}
	if (query->found && query->metric <= metric)
		return;
	query->found = true;
	query->metric = metric;
	query->best = nexthop;
}

static int on_default(const struct nlmsghdr *header, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(header);
	struct attributes attributes = message_attributes(header, sizeof(*route));
	struct default_query *query = data;
	uint32_t metric = 0;

	if (route->rtm_family != query->family || route->rtm_dst_len || route->rtm_type != RTN_UNICAST ||
	    message_table(route, &attributes) != RT_TABLE_MAIN || (route->rtm_flags & RTM_F_CLONED))
		return MNL_CB_OK;
	if (attributes.of[RTA_PRIORITY])
		metric = mnl_attr_get_u32(attributes.of[RTA_PRIORITY]);
	if (attributes.of[RTA_OIF]) {
		consider_default(
			query,
			(struct nexthop){via_of(route->rtm_family, attributes.of[RTA_GATEWAY], attributes.of[RTA_VIA]),
					 mnl_attr_get_u32(attributes.of[RTA_OIF])},
			metric);
	} else if (attributes.of[RTA_MULTIPATH]) {
		const struct rtnexthop *hop = mnl_attr_get_payload(attributes.of[RTA_MULTIPATH]);
		int len = mnl_attr_get_payload_len(attributes.of[RTA_MULTIPATH]);

		for (; RTNH_OK(hop, len); len -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
			struct attributes of_hop = {};

			mnl_attr_parse_payload(RTNH_DATA(hop), hop->rtnh_len - sizeof(*hop), message_gather, &of_hop);
			consider_default(
				query,
				(struct nexthop){via_of(route->rtm_family, of_hop.of[RTA_GATEWAY], of_hop.of[RTA_VIA]),
						 hop->rtnh_ifindex},
				metric);
		}
	}
	return MNL_CB_OK;
}

static int default_once(struct rtnl *rtnl, void *data)
{
	struct nlmsghdr *header = rtnl_request(rtnl, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));
	struct default_query *query = data;

	route->rtm_family = query->family;
	mnl_attr_put_u32(header, RTA_TABLE, RT_TABLE_MAIN);
	return rtnl_ask(rtnl, header, on_default, query);
}

static void default_reset(void *data)
{
	struct default_query *query = data;

	query->found = query->without_next_hop = false;
}

int rtnl_get_default(struct rtnl *rtnl, uint8_t family, uint32_t ifindex, uint32_t except, struct nexthop *nexthop)
{
	struct default_query query = {.family = family, .ifindex = ifindex, .except = except};
	int ret = rtnl_ask_again(rtnl, default_once, default_reset, &query);

	if (ret)
		return ret;
	if (!query.found)
		return query.without_next_hop ? -EDESTADDRREQ : -ENOENT;
	*nexthop = query.best;
	return 0;
}

static int on_route_to(const struct nlmsghdr *header, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(header);
	struct attributes attributes = message_attributes(header, sizeof(*route));
	struct nexthop *nexthop = data;

	if (route->rtm_type != RTN_UNICAST)
		return rtnl_fail(EADDRNOTAVAIL);
	nexthop->via = via_of(route->rtm_family, attributes.of[RTA_GATEWAY], attributes.of[RTA_VIA]);
	if (attributes.of[RTA_OIF])
		nexthop->ifindex = mnl_attr_get_u32(attributes.of[RTA_OIF]);
	return MNL_CB_OK;
}

int rtnl_get_route_to(struct rtnl *rtnl, const struct ip *ip, uint32_t ifindex, struct nexthop *nexthop)
{
	struct nlmsghdr *header = rtnl_request(rtnl, RTM_GETROUTE, 0);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));
	struct nexthop found = {};
	int ret;

	route->rtm_family = ip->family;
	route->rtm_dst_len = ip_bits(ip->family);
	/* the entry of the table: without it an IPv4 lookup with a device takes every address for on-link */
	route->rtm_flags = RTM_F_FIB_MATCH;
	mnl_attr_put(header, RTA_DST, ip_bits(ip->family) / 8, ip->addr);
	if (ifindex)
		mnl_attr_put_u32(header, RTA_OIF, ifindex);
	ret = rtnl_ask(rtnl, header, on_route_to, &found);
	if (!ret)
		*nexthop = found;
	return ret;
}

static int on_forward(const struct nlmsghdr *header, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(header);
	struct attributes attributes = message_attributes(header, sizeof(*route));
	struct forward *forward = data;

	forward->type = route->rtm_type;
	forward->nexthop.via = via_of(route->rtm_family, attributes.of[RTA_GATEWAY], attributes.of[RTA_VIA]);
	if (attributes.of[RTA_OIF])
		forward->nexthop.ifindex = mnl_attr_get_u32(attributes.of[RTA_OIF]);
	return MNL_CB_OK;
}

int rtnl_get_forward(struct rtnl *rtnl, const struct ip *from, const struct ip *to, uint32_t ifindex,
		     struct forward *forward)
{
	struct nlmsghdr *header = rtnl_request(rtnl, RTM_GETROUTE, 0);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));
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
	ret = rtnl_ask(rtnl, header, on_forward, &found);
	switch (ret) {
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

int rtnl_get_neighbour(struct rtnl *rtnl, uint32_t ifindex, const struct ip *ip, struct neighbour *neighbour)
{
	struct nlmsghdr *header = rtnl_request(rtnl, RTM_GETNEIGH, 0);
	struct ndmsg *entry = mnl_nlmsg_put_extra_header(header, sizeof(*entry));
	struct neighbour found = {};
	int ret;

	entry->ndm_family = ip->family;
	entry->ndm_ifindex = (int)ifindex;
	mnl_attr_put(header, NDA_DST, ip_bits(ip->family) / 8, ip->addr);
	ret = rtnl_ask(rtnl, header, on_neighbour, &found);
	if (ret && ret != -ENOENT)
		return ret;
	*neighbour = found;
	return 0;
}

int rtnl_ask_neighbour(struct rtnl *rtnl, uint32_t ifindex, const struct ip *ip, const struct neighbour *neighbour)
{
	struct nlmsghdr *header =
		rtnl_request(rtnl, RTM_NEWNEIGH, NLM_F_ACK | (neighbour->has_lladdr ? NLM_F_REPLACE : NLM_F_CREATE));
	struct ndmsg *entry = mnl_nlmsg_put_extra_header(header, sizeof(*entry));

	entry->ndm_family = ip->family;
	entry->ndm_ifindex = (int)ifindex;
	if (neighbour->has_lladdr)
		entry->ndm_state = NUD_PROBE;
	else
		entry->ndm_flags = NTF_USE; /* neigh_event_send() */
	mnl_attr_put(header, NDA_DST, ip_bits(ip->family) / 8, ip->addr);
	return rtnl_ask(rtnl, header, NULL, NULL);
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
