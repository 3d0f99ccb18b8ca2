// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy rules and the routes of the main table.
 */
#include "rtnl.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "rtnl_ask.h"
#include "rtnl_message.h"
#include "util.h"

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
		return rtnl_fail(ENOMEM);
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
		struct nlmsghdr *header = rtnl_request(rtnl, RTM_GETRULE, NLM_F_DUMP);
		struct fib_rule_hdr *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
		int ret;

		info->family = families[f];
		ret = rtnl_ask(rtnl, header, on_rule, &found);
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

	if (!attributes.of[RTA_DST] || !attributes.of[RTA_OIF] || !message_is_unicast(info) ||
	    message_table(info, &attributes) != RT_TABLE_MAIN)
		return MNL_CB_OK;
	route = array_grow(&routes->all, &routes->count, sizeof(*route));
	if (!route)
		return rtnl_fail(ENOMEM);
	route->to = (struct prefix){message_ip(info->rtm_family, attributes.of[RTA_DST]), info->rtm_dst_len};
	route->ifindex = mnl_attr_get_u32(attributes.of[RTA_OIF]);
	return MNL_CB_OK;
}

int rtnl_get_main_routes(struct rtnl *rtnl, struct route **routes, size_t *count)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct routes found = {};

	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		struct nlmsghdr *header = rtnl_request(rtnl, RTM_GETROUTE, NLM_F_DUMP);
		struct rtmsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
		int ret;

		info->rtm_family = families[f];
		mnl_attr_put_u32(header, RTA_TABLE, RT_TABLE_MAIN);
		ret = rtnl_ask(rtnl, header, on_main_route, &found);
		if (ret) {
			free(found.all);
			return ret;
		}
	}
	*routes = found.all;
	*count = found.count;
	return 0;
}
