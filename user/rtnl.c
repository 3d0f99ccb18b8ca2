// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to rtnetlink by libmnl, one function per question.
 */
#include "rtnl.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <time.h>

#include "rtnl_message.h"
#include "util.h"

/* Room for a dump's datagram: libmnl's recommendation is smaller than what the kernel sends with many VFs. */
#define BUFFER_SIZE 32768

struct rtnl {
	struct mnl_socket *socket;
	uint32_t seq;
	char buffer[BUFFER_SIZE];
};

int rtnl_open(struct rtnl **rtnl)
{
	struct rtnl *opened = calloc(1, sizeof(*opened));
	int on = 1;

	if (!opened)
		return -ENOMEM;
	opened->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!opened->socket || mnl_socket_bind(opened->socket, 0, MNL_SOCKET_AUTOPID)) {
		int err = errno;

		rtnl_close(&opened);
		return -err;
	}
	/* dumps filtered by the kernel: with 1,000,000 routes it matters; without it we filter ourselves */
	mnl_socket_setsockopt(opened->socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	opened->seq = (uint32_t)time(NULL);
	*rtnl = opened;
	return 0;
}

void rtnl_close(struct rtnl **rtnl)
{
	if (!*rtnl)
		return;
	if ((*rtnl)->socket)
		mnl_socket_close((*rtnl)->socket);
	free(*rtnl);
	*rtnl = NULL;
}

static struct nlmsghdr *request(struct rtnl *rtnl, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(rtnl->buffer);

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_seq = ++rtnl->seq;
	return header;
}

/* Sends the request and calls back for each message of the answer. A callback's error is negative errno in errno. */
static int ask(struct rtnl *rtnl, const struct nlmsghdr *header, mnl_cb_t callback, void *data)
{
	unsigned int port = mnl_socket_get_portid(rtnl->socket);
	bool dump = header->nlmsg_flags & NLM_F_DUMP;
	uint32_t seq = header->nlmsg_seq;
	int ret = MNL_CB_OK;

	if (mnl_socket_sendto(rtnl->socket, header, header->nlmsg_len) < 0)
		return -errno;
	while (ret > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(rtnl->socket, rtnl->buffer, sizeof(rtnl->buffer));

		if (len < 0)
			return -errno;
		ret = mnl_cb_run(rtnl->buffer, len, seq, port, callback, data);
		if (!dump)
			break;
	}
	return ret < 0 ? -errno : 0;
}

/* Asks again where the kernel's tables changed in the middle of a dump; `reset` empties what was gathered. */
static int ask_again(struct rtnl *rtnl, int (*once)(struct rtnl *rtnl, void *data), void (*reset)(void *data),
		     void *data)
{
	for (int tries = 0;; tries++) {
		int ret = once(rtnl, data);

		if (ret != -EINTR || tries == 10) {
			if (ret)
				reset(data);
			return ret;
		}
		reset(data);
	}
}

static int fail(int err)
{
	errno = err;
	return MNL_CB_ERROR;
}

/* --- links --- */

static int on_link(const struct nlmsghdr *header, void *data)
{
	struct links *links = data;
	struct link *link = array_grow(&links->all, &links->count, sizeof(*link));

	if (!link)
		return fail(ENOMEM);
	*link = message_link(header);
	return MNL_CB_OK;
}

static int links_once(struct rtnl *rtnl, void *data)
{
	struct nlmsghdr *header = request(rtnl, RTM_GETLINK, NLM_F_DUMP);

	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	return ask(rtnl, header, on_link, data);
}

static void links_reset(void *data)
{
	struct links *links = data;

	free(links->all);
	*links = (struct links){};
}

int rtnl_get_links(struct rtnl *rtnl, struct links *links)
{
	struct links found = {};
	int ret = ask_again(rtnl, links_once, links_reset, &found);

	if (!ret)
		*links = found;
	return ret;
}

const struct link *link_by_index(const struct links *links, uint32_t ifindex)
{
	for (size_t i = 0; i < links->count; i++)
		if (links->all[i].ifindex == ifindex)
			return &links->all[i];
	return NULL;
}

const struct link *link_by_name(const struct links *links, const char *name)
{
	for (size_t i = 0; i < links->count; i++)
		if (!strcmp(links->all[i].name, name))
			return &links->all[i];
	return NULL;
}

bool link_is_l3(const struct link *link)
{
	switch (link->type) {
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case ARPHRD_IP6GRE:
	case ARPHRD_VOID:
	case ARPHRD_NONE:
	case ARPHRD_RAWIP:
	case ARPHRD_PPP:
		return true;
	default:
		return false;
	}
}

bool link_is_ethernet(const struct link *link)
{
	return link->type == ARPHRD_ETHER;
}

/* --- prefixes: addresses and routes --- */

struct prefix_query {
	struct prefixes found;
	uint16_t type; /* RTM_GETROUTE or RTM_GETADDR */
	uint8_t family;
	uint32_t table;	  /* 0: all */
	uint32_t ifindex; /* 0: all */
	bool (*wanted)(const struct rtmsg *route);
};

static int add_prefix(struct prefixes *prefixes, struct ip ip, unsigned int len)
{
	struct prefix *prefix = array_grow(&prefixes->all, &prefixes->count, sizeof(*prefix));

	if (!prefix)
		return fail(ENOMEM);
	*prefix = (struct prefix){ip_mask(ip, len), len};
	return MNL_CB_OK;
}

static int on_route_prefix(const struct nlmsghdr *header, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(header);
	struct attributes attributes = message_attributes(header, sizeof(*route));
	struct prefix_query *query = data;

	if (route->rtm_family != query->family || !attributes.of[RTA_DST] || !query->wanted(route))
		return MNL_CB_OK;
	if (query->table && message_table(route, &attributes) != query->table)
		return MNL_CB_OK;
	if (query->ifindex && !message_is_through(&attributes, query->ifindex))
		return MNL_CB_OK;
	return add_prefix(&query->found, message_ip(route->rtm_family, attributes.of[RTA_DST]), route->rtm_dst_len);
}

static int on_address(const struct nlmsghdr *header, void *data)
{
	const struct ifaddrmsg *address = mnl_nlmsg_get_payload(header);
	struct attributes attributes = message_attributes(header, sizeof(*address));
	struct prefix_query *query = data;
	const struct nlattr *local = attributes.of[IFA_LOCAL] ? attributes.of[IFA_LOCAL] : attributes.of[IFA_ADDRESS];
	struct ip ip;

	if (address->ifa_index != query->ifindex || !local)
		return MNL_CB_OK;
	ip = message_ip(address->ifa_family, local);
	return ip_is_link_local(&ip) ? MNL_CB_OK : add_prefix(&query->found, ip, address->ifa_prefixlen);
}

static int prefixes_once(struct rtnl *rtnl, void *data)
{
	struct prefix_query *query = data;
	struct nlmsghdr *header = request(rtnl, query->type, NLM_F_DUMP);

	if (query->type == RTM_GETADDR) {
		struct ifaddrmsg *address = mnl_nlmsg_put_extra_header(header, sizeof(*address));

		address->ifa_family = query->family;
		address->ifa_index = query->ifindex;
		return ask(rtnl, header, on_address, query);
	} else {
		struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));

		route->rtm_family = query->family;
		if (query->table)
			mnl_attr_put_u32(header, RTA_TABLE, query->table);
		return ask(rtnl, header, on_route_prefix, query);
	}
}

static void prefixes_reset(void *data)
{
	struct prefix_query *query = data;

	free(query->found.all);
	query->found = (struct prefixes){};
}

/* Both families into one array. */
static int get_prefixes(struct rtnl *rtnl, struct prefix_query query, struct prefixes *prefixes)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct prefixes found = {};

	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		int ret;

		query.family = families[f];
		query.found = (struct prefixes){};
		ret = ask_again(rtnl, prefixes_once, prefixes_reset, &query);
		if (ret == -ENOENT) /* strict dumps say so where a table was never used */
			ret = 0;
		for (size_t i = 0; !ret && i < query.found.count; i++)
			if (add_prefix(&found, query.found.all[i].ip, query.found.all[i].len) != MNL_CB_OK)
				ret = -ENOMEM;
		free(query.found.all);
		if (ret) {
			free(found.all);
			return ret;
		}
	}
	*prefixes = found;
	return 0;
}

struct addresses {
	struct address *all;
	size_t count;
};

static int on_own(const struct nlmsghdr *header, void *data)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = message_attributes(header, sizeof(*info));
	const struct nlattr *local = attributes.of[IFA_LOCAL] ? attributes.of[IFA_LOCAL] : attributes.of[IFA_ADDRESS];
	uint32_t flags = attributes.of[IFA_FLAGS] ? mnl_attr_get_u32(attributes.of[IFA_FLAGS]) : info->ifa_flags;
	struct addresses *addresses = data;
	struct address *address;

	if ((info->ifa_family != AF_INET && info->ifa_family != AF_INET6) || !local ||
	    flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))
		return MNL_CB_OK;
	address = array_grow(&addresses->all, &addresses->count, sizeof(*address));
	if (!address)
		return fail(ENOMEM);
	*address = (struct address){info->ifa_index, message_ip(info->ifa_family, local), info->ifa_prefixlen};
	return MNL_CB_OK;
}

static int own_once(struct rtnl *rtnl, void *data)
{
	struct nlmsghdr *header = request(rtnl, RTM_GETADDR, NLM_F_DUMP);

	mnl_nlmsg_put_extra_header(header, sizeof(struct ifaddrmsg));
	return ask(rtnl, header, on_own, data);
}

static void own_reset(void *data)
{
	struct addresses *addresses = data;

	free(addresses->all);
	*addresses = (struct addresses){};
}

int rtnl_get_own(struct rtnl *rtnl, struct address **addresses, size_t *count)
{
	struct addresses found = {};
	int ret = ask_again(rtnl, own_once, own_reset, &found);

	if (ret)
		return ret;
	*addresses = found.all;
	*count = found.count;
	return 0;
}

static bool is_local(const struct rtmsg *route)
{
	return route->rtm_type == RTN_LOCAL || route->rtm_type == RTN_BROADCAST || route->rtm_type == RTN_ANYCAST;
}

static bool is_unicast(const struct rtmsg *route)
{
	return route->rtm_type == RTN_UNICAST && route->rtm_dst_len && !(route->rtm_flags & RTM_F_CLONED);
}

int rtnl_get_local(struct rtnl *rtnl, struct prefixes *prefixes)
{
	return get_prefixes(rtnl,
			    (struct prefix_query){.type = RTM_GETROUTE, .table = RT_TABLE_LOCAL, .wanted = is_local},
			    prefixes);
}

int rtnl_get_addresses(struct rtnl *rtnl, uint32_t ifindex, struct prefixes *prefixes)
{
	return get_prefixes(rtnl, (struct prefix_query){.type = RTM_GETADDR, .ifindex = ifindex}, prefixes);
}

int rtnl_get_routes_through(struct rtnl *rtnl, uint32_t ifindex, struct prefixes *prefixes)
{
	return get_prefixes(rtnl, (struct prefix_query){.type = RTM_GETROUTE, .ifindex = ifindex, .wanted = is_unicast},
			    prefixes);
}

/* --- next hops --- */

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
	struct nlmsghdr *header = request(rtnl, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));
	struct default_query *query = data;

	route->rtm_family = query->family;
	mnl_attr_put_u32(header, RTA_TABLE, RT_TABLE_MAIN);
	return ask(rtnl, header, on_default, query);
}

static void default_reset(void *data)
{
	struct default_query *query = data;

	query->found = query->without_next_hop = false;
}

int rtnl_get_default(struct rtnl *rtnl, uint8_t family, uint32_t ifindex, uint32_t except, struct nexthop *nexthop)
{
	struct default_query query = {.family = family, .ifindex = ifindex, .except = except};
	int ret = ask_again(rtnl, default_once, default_reset, &query);

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
		return fail(EADDRNOTAVAIL);
	nexthop->via = via_of(route->rtm_family, attributes.of[RTA_GATEWAY], attributes.of[RTA_VIA]);
	if (attributes.of[RTA_OIF])
		nexthop->ifindex = mnl_attr_get_u32(attributes.of[RTA_OIF]);
	return MNL_CB_OK;
}

int rtnl_get_route_to(struct rtnl *rtnl, const struct ip *ip, uint32_t ifindex, struct nexthop *nexthop)
{
	struct nlmsghdr *header = request(rtnl, RTM_GETROUTE, 0);
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
	ret = ask(rtnl, header, on_route_to, &found);
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
	struct nlmsghdr *header = request(rtnl, RTM_GETROUTE, 0);
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
	ret = ask(rtnl, header, on_forward, &found);
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
	struct nlmsghdr *header = request(rtnl, RTM_GETNEIGH, 0);
	struct ndmsg *entry = mnl_nlmsg_put_extra_header(header, sizeof(*entry));
	struct neighbour found = {};
	int ret;

	entry->ndm_family = ip->family;
	entry->ndm_ifindex = (int)ifindex;
	mnl_attr_put(header, NDA_DST, ip_bits(ip->family) / 8, ip->addr);
	ret = ask(rtnl, header, on_neighbour, &found);
	if (ret && ret != -ENOENT)
		return ret;
	*neighbour = found;
	return 0;
}

int rtnl_ask_neighbour(struct rtnl *rtnl, uint32_t ifindex, const struct ip *ip, const struct neighbour *neighbour)
{
	struct nlmsghdr *header =
		request(rtnl, RTM_NEWNEIGH, NLM_F_ACK | (neighbour->has_lladdr ? NLM_F_REPLACE : NLM_F_CREATE));
	struct ndmsg *entry = mnl_nlmsg_put_extra_header(header, sizeof(*entry));

	entry->ndm_family = ip->family;
	entry->ndm_ifindex = (int)ifindex;
	if (neighbour->has_lladdr)
		entry->ndm_state = NUD_PROBE;
	else
		entry->ndm_flags = NTF_USE; /* neigh_event_send() */
	mnl_attr_put(header, NDA_DST, ip_bits(ip->family) / 8, ip->addr);
	return ask(rtnl, header, NULL, NULL);
}

/* --- rules and routes --- */

struct rules {
	struct rule *all;
	size_t count;
};

static int on_rule(const struct nlmsghdr *header, void *data)
{
	const struct fib_rule_hdr *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = message_attributes(header, sizeof(*info));
	struct rules *rules = data;
	struct rule *rule;

	if (!attributes.of[FRA_SRC] || info->action != FR_ACT_TO_TBL)
		return MNL_CB_OK;
	rule = array_grow(&rules->all, &rules->count, sizeof(*rule));
	if (!rule)
		return fail(ENOMEM);
	rule->from = (struct prefix){message_ip(info->family, attributes.of[FRA_SRC]), info->src_len};
	rule->table = attributes.of[FRA_TABLE] ? mnl_attr_get_u32(attributes.of[FRA_TABLE]) : info->table;
	if (attributes.of[FRA_PRIORITY])
		rule->priority = mnl_attr_get_u32(attributes.of[FRA_PRIORITY]);
	return MNL_CB_OK;
}

int rtnl_get_rules(struct rtnl *rtnl, struct rule **rules, size_t *count)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct rules found = {};

	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		struct nlmsghdr *header = request(rtnl, RTM_GETRULE, NLM_F_DUMP);
		struct fib_rule_hdr *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
		int ret;

		info->family = families[f];
		ret = ask(rtnl, header, on_rule, &found);
		if (ret) {
			free(found.all);
			return ret;
		}
	}
	*rules = found.all;
	*count = found.count;
	return 0;
}

struct routes {
	struct route *all;
	size_t count;
};

static int on_main_route(const struct nlmsghdr *header, void *data)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = message_attributes(header, sizeof(*info));
	struct routes *routes = data;
	struct route *route;

	if (!attributes.of[RTA_DST] || !attributes.of[RTA_OIF] || !is_unicast(info) ||
	    message_table(info, &attributes) != RT_TABLE_MAIN)
		return MNL_CB_OK;
	route = array_grow(&routes->all, &routes->count, sizeof(*route));
	if (!route)
		return fail(ENOMEM);
	route->to = (struct prefix){message_ip(info->rtm_family, attributes.of[RTA_DST]), info->rtm_dst_len};
	route->ifindex = mnl_attr_get_u32(attributes.of[RTA_OIF]);
	return MNL_CB_OK;
}

int rtnl_get_main_routes(struct rtnl *rtnl, struct route **routes, size_t *count)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct routes found = {};

	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		struct nlmsghdr *header = request(rtnl, RTM_GETROUTE, NLM_F_DUMP);
		struct rtmsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
		int ret;

		info->rtm_family = families[f];
		mnl_attr_put_u32(header, RTA_TABLE, RT_TABLE_MAIN);
		ret = ask(rtnl, header, on_main_route, &found);
		if (ret) {
			free(found.all);
			return ret;
		}
	}
	*routes = found.all;
	*count = found.count;
	return 0;
}

/* --- TC --- */

struct filters {
	struct filter *all;
	size_t count;
	bool egress;
};

static int on_filter(const struct nlmsghdr *header, void *data)
{
	const struct tcmsg *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = message_attributes(header, sizeof(*info)), options = {};
	struct filters *filters = data;
	struct filter *filter;

	if (!info->tcm_handle) /* a message without one tells of the chain or the priority as such */
		return MNL_CB_OK;
	filter = array_grow(&filters->all, &filters->count, sizeof(*filter));
	if (!filter)
		return fail(ENOMEM);
	filter->egress = filters->egress;
	filter->priority = TC_H_MAJ(info->tcm_info) >> 16;
	if (attributes.of[TCA_KIND])
		strncpy(filter->kind, mnl_attr_get_str(attributes.of[TCA_KIND]), sizeof(filter->kind) - 1);
	if (strcmp(filter->kind, "bpf") || !attributes.of[TCA_OPTIONS])
		return MNL_CB_OK;
	mnl_attr_parse_nested(attributes.of[TCA_OPTIONS], message_gather, &options);
	if (options.of[TCA_BPF_ID])
		filter->prog_id = mnl_attr_get_u32(options.of[TCA_BPF_ID]);
	if (options.of[TCA_BPF_NAME])
		strncpy(filter->name, mnl_attr_get_str(options.of[TCA_BPF_NAME]), sizeof(filter->name) - 1);
	return MNL_CB_OK;
}

int rtnl_get_filters(struct rtnl *rtnl, uint32_t ifindex, struct filter **filters, size_t *count)
{
	struct filters found = {};

	for (int egress = 0; egress < 2; egress++) {
		struct nlmsghdr *header = request(rtnl, RTM_GETTFILTER, NLM_F_DUMP);
		struct tcmsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
		int ret;

		found.egress = egress;
		info->tcm_ifindex = (int)ifindex;
		info->tcm_parent = TC_H_MAKE(TC_H_CLSACT, egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
		ret = ask(rtnl, header, on_filter, &found);
		if (ret) {
			free(found.all);
			return ret;
		}
	}
	*filters = found.all;
	*count = found.count;
	return 0;
}
