// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy rules.
 */
#include "host/rtnl.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/util.h"
#include "host/netlink.h"
#include "host/rtnl_message.h"

struct rules_query {
	uint8_t family;
	struct rules found;
};

static uint32_t number(const struct attributes *attributes, int type, uint32_t otherwise)
{
	return attributes->of[type] ? attribute_u32(attributes->of[type], 0) : otherwise;
}

static struct prefix selector(const struct fib_rule_hdr *info, const struct nlattr *attribute, uint8_t len)
{
	struct ip any = {.family = info->family};

	return (struct prefix){attribute ? attribute_ip(attribute, info->family) : any, attribute ? len : 0};
}

/* Includes conditions of newer kernels: their attributes have higher numbers than the headers know. */
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
	struct attributes attributes = attributes_of(header, sizeof(*info));
	struct rules_query *query = data;
	struct rule *rule;

	if (info->family != query->family)
		return MNL_CB_OK;
	rule = array_grow(&query->found.all, &query->found.count, sizeof(*rule));
	if (!rule)
		return netlink_fail(ENOMEM);
	rule->priority = number(&attributes, FRA_PRIORITY, 0);
	rule->action = info->action;
	rule->table = number(&attributes, FRA_TABLE, info->table);
	rule->target = number(&attributes, FRA_GOTO, 0);
	rule->invert = info->flags & FIB_RULE_INVERT;
	rule->from = selector(info, attributes.of[FRA_SRC], info->src_len);
	rule->to = selector(info, attributes.of[FRA_DST], info->dst_len);
	attribute_text(attributes.of[FRA_IIFNAME], rule->iif, sizeof(rule->iif));
	attribute_text(attributes.of[FRA_OIFNAME], rule->oif, sizeof(rule->oif));
	rule->mark = number(&attributes, FRA_FWMARK, 0);
	rule->mask = number(&attributes, FRA_FWMASK, rule->mark ? UINT32_MAX : 0);
	rule->l3mdev = attribute_u8(attributes.of[FRA_L3MDEV], 0);
	rule->other = has_other_conditions(info, &attributes);
	rule->suppress = (int)number(&attributes, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
	return MNL_CB_OK;
}

static int rules_once(struct netlink *netlink, void *data)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct rules_query *query = data;

	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		struct nlmsghdr *header =
			netlink_request(netlink, RTM_GETRULE, NLM_F_DUMP, sizeof(struct fib_rule_hdr));
		struct fib_rule_hdr *info = mnl_nlmsg_get_payload(header);
		int ret;

		query->family = info->family = families[f];
		ret = netlink_ask(netlink, header, on_rule, query);
		if (ret && !netlink_lacks_family(ret))
			return ret;
	}
	return 0;
}

static void rules_reset(void *data)
{
	struct rules_query *query = data;

	free(query->found.all);
	query->found = (struct rules){};
}

int rtnl_get_rules(struct netlink *netlink, struct rules *rules)
{
	struct rules_query query = {};
	int ret = netlink_ask_again(netlink, rules_once, rules_reset, &query);

	if (!ret)
		*rules = query.found;
	return ret;
}
