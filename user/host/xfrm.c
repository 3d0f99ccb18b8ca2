// SPDX-License-Identifier: GPL-2.0-only
#include "host/xfrm.h"

#include <errno.h>
#include <linux/xfrm.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "host/attributes.h"
#include "host/netlink.h"

static struct prefix selector(uint16_t family, const xfrm_address_t *address, uint8_t len)
{
	struct ip ip = {.family = family};

	memcpy(ip.addr, address, ip_bits(family) / 8);
	return (struct prefix){ip_mask(ip, len), len};
}

/*
 * Whether packets without a mark, and not at an xfrm interface, match the policy (xfrm_policy_match()): route-based
 * IPsec has policies for all addresses that match nothing else.
 */
static bool is_met(const struct attributes *attributes)
{
	const struct nlattr *attribute = attributes->of[XFRMA_MARK];
	struct xfrm_mark mark = {};

	if (attribute && mnl_attr_get_payload_len(attribute) >= sizeof(mark))
		memcpy(&mark, mnl_attr_get_payload(attribute), sizeof(mark));
	return !mark.v && !attribute_u32(attributes->of[XFRMA_IF_ID], 0);
}

static int on_policy(const struct nlmsghdr *header, void *data)
{
	const struct xfrm_userpolicy_info *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = attributes_of(header, sizeof(*info));
	const struct xfrm_selector *sel = &info->sel;
	struct xfrm_policies *policies = data;
	struct xfrm_policy *policy;

	if ((sel->family != AF_INET && sel->family != AF_INET6) || info->dir >= XFRM_POLICY_MAX ||
	    sel->prefixlen_s > ip_bits(sel->family) || sel->prefixlen_d > ip_bits(sel->family) || !is_met(&attributes))
		return MNL_CB_OK;
	policy = array_grow(&policies->all, &policies->count, sizeof(*policy));
	if (!policy)
		return netlink_fail(ENOMEM);
	*policy = (struct xfrm_policy){
		.from = selector(sel->family, &sel->saddr, sel->prefixlen_s),
		.to = selector(sel->family, &sel->daddr, sel->prefixlen_d),
		.direction = info->dir,
		.drops = info->action == XFRM_POLICY_BLOCK,
		.transforms = attributes.of[XFRMA_TMPL] && mnl_attr_get_payload_len(attributes.of[XFRMA_TMPL]),
	};
	return MNL_CB_OK;
}

static int policies_once(struct netlink *netlink, void *data)
{
	struct nlmsghdr *header =
		netlink_request(netlink, XFRM_MSG_GETPOLICY, NLM_F_DUMP, sizeof(struct xfrm_userpolicy_info));

	return netlink_ask(netlink, header, on_policy, data);
}

static void policies_reset(void *data)
{
	struct xfrm_policies *policies = data;

	free(policies->all);
	*policies = (struct xfrm_policies){};
}

int xfrm_get_policies(struct xfrm_policies *policies)
{
	cleanup(netlink_close) struct netlink *netlink = NULL;
	struct xfrm_policies found = {};
	int ret = netlink_open(&netlink, NETLINK_XFRM);

	if (ret == -EPROTONOSUPPORT)
		return 0;
	if (!ret)
		ret = netlink_ask_again(netlink, policies_once, policies_reset, &found);
	if (ret)
		free(found.all);
	else
		*policies = found;
	return ret;
}
