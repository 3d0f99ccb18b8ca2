// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses of this host, and their prefixes.
 */
#include "rtnl.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "rtnl_ask.h"
#include "rtnl_message.h"
#include "util.h"

struct prefix_query {
	struct prefixes found;
	uint16_t type; /* RTM_GETROUTE or RTM_GETADDR */
	uint8_t family;
	uint32_t table;	  /* 0: all */
	uint32_t ifindex; /* of RTM_GETADDR */
	bool (*wanted)(const struct rtmsg *route);
};

static int add_prefix(struct prefixes *prefixes, struct ip ip, unsigned int len)
{
	struct prefix *prefix = array_grow(&prefixes->all, &prefixes->count, sizeof(*prefix));

	if (!prefix)
		return rtnl_fail(ENOMEM);
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
	struct nlmsghdr *header = rtnl_request(rtnl, query->type, NLM_F_DUMP);

	if (query->type == RTM_GETADDR) {
		struct ifaddrmsg *address = mnl_nlmsg_put_extra_header(header, sizeof(*address));

		address->ifa_family = query->family;
		address->ifa_index = query->ifindex;
		return rtnl_ask(rtnl, header, on_address, query);
	} else {
		struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));

		route->rtm_family = query->family;
		if (query->table)
			mnl_attr_put_u32(header, RTA_TABLE, query->table);
		return rtnl_ask(rtnl, header, on_route_prefix, query);
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
		ret = rtnl_ask_again(rtnl, prefixes_once, prefixes_reset, &query);
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
		return rtnl_fail(ENOMEM);
	*address = (struct address){info->ifa_index, message_ip(info->ifa_family, local), info->ifa_prefixlen};
	return MNL_CB_OK;
}

static int own_once(struct rtnl *rtnl, void *data)
{
	struct nlmsghdr *header = rtnl_request(rtnl, RTM_GETADDR, NLM_F_DUMP);

	mnl_nlmsg_put_extra_header(header, sizeof(struct ifaddrmsg));
	return rtnl_ask(rtnl, header, on_own, data);
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
	int ret = rtnl_ask_again(rtnl, own_once, own_reset, &found);

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
