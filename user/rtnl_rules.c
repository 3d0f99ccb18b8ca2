// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy rules, and the routes of the tables that they lead to.
 */
#include "rtnl.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "rtnl_ask.h"
#include "rtnl_message.h"
#include "util.h"

static const uint8_t families[] = {AF_INET, AF_INET6};

struct rules {
	uint8_t family;
	struct rule *all;
	size_t count;
};

static uint32_t number(const struct attributes *attributes, int type, uint32_t otherwise)
{
	return attributes->of[type] ? mnl_attr_get_u32(attributes->of[type]) : otherwise;
}

static struct prefix selector(const struct fib_rule_hdr *info, const struct nlattr *attribute, uint8_t len)
{
	struct ip any = {.family = info->family};

	return (struct prefix){attribute ? message_ip(info->family, attribute) : any, attribute ? len : 0};
}

static void copy_name(char name[IFNAMSIZ], const struct nlattr *attribute)
{
	if (attribute)
		strncpy(name, mnl_attr_get_str(attribute), IFNAMSIZ - 1);
}

/* Also those of newer kernels, whose attributes follow the ones that the headers know. */
static bool has_other_conditions(const struct fib_rule_hdr *info, const struct attributes *attributes)
{
	if (info->tos || attributes->of[FRA_TUN_ID] || attributes->of[FRA_UID_RANGE] ||
	    number(attributes, FRA_SUPPRESS_IFGROUP, UINT32_MAX) != UINT32_MAX)
		return true;
	for (size_t i = FRA_IP_PROTO; i < ARRAY_SIZE(attributes->of); i++)
		if (attributes->of[i])
			return true;
	return false;
}

static int on_rule(const struct nlmsghdr *header, void *data)
{
	const struct fib_rule_hdr *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = message_attributes(header, sizeof(*info));
	struct rules *rules = data;
	struct rule *rule;

	if (info->family != rules->family)
		return MNL_CB_OK;
	rule = array_grow(&rules->all, &rules->count, sizeof(*rule));
	if (!rule)
		return rtnl_fail(ENOMEM);
	rule->priority = number(&attributes, FRA_PRIORITY, 0);
	rule->action = info->action;
	rule->table = number(&attributes, FRA_TABLE, info->table);
	rule->target = number(&attributes, FRA_GOTO, 0);
	rule->invert = info->flags & FIB_RULE_INVERT;
	rule->from = selector(info, attributes.of[FRA_SRC], info->src_len);
	rule->to = selector(info, attributes.of[FRA_DST], info->dst_len);
	copy_name(rule->iif, attributes.of[FRA_IIFNAME]);
	copy_name(rule->oif, attributes.of[FRA_OIFNAME]);
	rule->mark = number(&attributes, FRA_FWMARK, 0);
	rule->mask = number(&attributes, FRA_FWMASK, rule->mark ? UINT32_MAX : 0);
	rule->l3mdev = attributes.of[FRA_L3MDEV] && mnl_attr_get_u8(attributes.of[FRA_L3MDEV]);
	rule->other = has_other_conditions(info, &attributes);
	rule->suppress = (int)number(&attributes, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
	return MNL_CB_OK;
}

static int rules_once(struct rtnl *rtnl, void *data)
{
	struct nlmsghdr *header = rtnl_request(rtnl, RTM_GETRULE, NLM_F_DUMP);
	struct fib_rule_hdr *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
	struct rules *rules = data;

	info->family = rules->family;
	return rtnl_ask(rtnl, header, on_rule, rules);
}

static void rules_reset(void *data)
{
	struct rules *rules = data;

	free(rules->all);
	rules->all = NULL;
	rules->count = 0;
}

/* `more` at the end of `all`. */
static int append(void *all_pointer, size_t *count, const void *more, size_t more_count, size_t size)
{
	for (size_t i = 0; i < more_count; i++) {
		void *element = array_grow(all_pointer, count, size);

		if (!element)
			return -ENOMEM;
		memcpy(element, (const char *)more + i * size, size);
	}
	return 0;
}

int rtnl_get_rules(struct rtnl *rtnl, struct rule **rules, size_t *count)
{
	struct rules found = {};

	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		struct rules some = {.family = families[f]};
		int ret = rtnl_ask_again(rtnl, rules_once, rules_reset, &some);

		ret = ret ? ret : append(&found.all, &found.count, some.all, some.count, sizeof(*some.all));
		free(some.all);
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
	uint8_t family;
	uint32_t table, through; /* 0: all */
	struct route *all;
	size_t count;
};

static int on_route(const struct nlmsghdr *header, void *data)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = message_attributes(header, sizeof(*info));
	struct ip any = {.family = info->rtm_family};
	struct routes *routes = data;
	struct route *route;

	if (info->rtm_family != routes->family || (info->rtm_flags & (RTM_F_CLONED | RTNH_F_DEAD)) || info->rtm_tos ||
	    info->rtm_src_len || (routes->table && message_table(info, &attributes) != routes->table))
		return MNL_CB_OK;
	route = array_grow(&routes->all, &routes->count, sizeof(*route));
	if (!route)
		return rtnl_fail(ENOMEM);
	if (attributes.of[RTA_DST])
		any = message_ip(info->rtm_family, attributes.of[RTA_DST]);
	route->to = (struct prefix){any, info->rtm_dst_len};
	route->table = message_table(info, &attributes);
	route->metric = number(&attributes, RTA_PRIORITY, 0);
	route->type = info->rtm_type;
	route->ifindex = number(&attributes, RTA_OIF, 0);
	route->through = routes->through && message_is_through(&attributes, routes->through);
	return MNL_CB_OK;
}

static int routes_once(struct rtnl *rtnl, void *data)
{
	struct nlmsghdr *header = rtnl_request(rtnl, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
	struct routes *routes = data;

	info->rtm_family = routes->family;
	if (routes->table)
		mnl_attr_put_u32(header, RTA_TABLE, routes->table);
	return rtnl_ask(rtnl, header, on_route, routes);
}

static void routes_reset(void *data)
{
	struct routes *routes = data;

	free(routes->all);
	routes->all = NULL;
	routes->count = 0;
}

static int get_routes(struct rtnl *rtnl, uint32_t table, uint32_t through, struct routes *routes)
{
	struct routes found = {};

	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		struct routes some = {.family = families[f], .table = table, .through = through};
		int ret = rtnl_ask_again(rtnl, routes_once, routes_reset, &some);

		if (ret == -ENOENT) /* strict dumps say so where a table was never used */
			ret = 0;
		ret = ret ? ret : append(&found.all, &found.count, some.all, some.count, sizeof(*some.all));
		free(some.all);
		if (ret) {
			free(found.all);
			return ret;
		}
	}
	*routes = found;
	return 0;
}

int rtnl_get_routes(struct rtnl *rtnl, uint32_t through, struct route **routes, size_t *count)
{
	struct routes found = {};
	int ret = get_routes(rtnl, 0, through, &found);

	if (ret)
		return ret;
	*routes = found.all;
	*count = found.count;
	return 0;
}

int rtnl_get_main_routes(struct rtnl *rtnl, struct route **routes, size_t *count)
{
	struct routes found = {};
	size_t kept = 0;
	int ret = get_routes(rtnl, RT_TABLE_MAIN, 0, &found);

	if (ret)
		return ret;
	for (size_t i = 0; i < found.count; i++)
		if (found.all[i].type == RTN_UNICAST && found.all[i].to.len && found.all[i].ifindex)
			found.all[kept++] = found.all[i];
	*routes = found.all;
	*count = kept;
	return 0;
}
