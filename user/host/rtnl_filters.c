// SPDX-License-Identifier: GPL-2.0-only
/*
 * A clsact qdisc, and its TC filters.
 */
#include "host/rtnl.h"

#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/util.h"
#include "host/netlink.h"
#include "host/rtnl_message.h"

struct clsact {
	uint32_t ifindex;
	bool found;
};

static int on_qdisc(const struct nlmsghdr *header, void *data)
{
	const struct tcmsg *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = attributes_of(header, sizeof(*info));
	struct clsact *clsact = data;
	char kind[16] = "";

	attribute_text(attributes.of[TCA_KIND], kind, sizeof(kind));
	if ((uint32_t)info->tcm_ifindex == clsact->ifindex && !strcmp(kind, "clsact"))
		clsact->found = true;
	return MNL_CB_OK;
}

int rtnl_has_clsact(struct netlink *netlink, uint32_t ifindex, bool *has)
{
	struct nlmsghdr *header = netlink_request(netlink, RTM_GETQDISC, NLM_F_DUMP, sizeof(struct tcmsg));
	struct tcmsg *info = mnl_nlmsg_get_payload(header);
	struct clsact clsact = {.ifindex = ifindex};
	int ret;

	info->tcm_ifindex = (int)ifindex;
	ret = netlink_ask(netlink, header, on_qdisc, &clsact);
	if (!ret)
		*has = clsact.found;
	return ret;
}

struct filters {
	struct filter *all;
	size_t count;
	bool egress;
};

static int on_filter(const struct nlmsghdr *header, void *data)
{
	const struct tcmsg *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = attributes_of(header, sizeof(*info)), options;
	struct filters *filters = data;
	struct filter *filter;

	if (!info->tcm_handle) /* without a handle, the message is about the chain or the priority */
		return MNL_CB_OK;
	filter = array_grow(&filters->all, &filters->count, sizeof(*filter));
	if (!filter)
		return netlink_fail(ENOMEM);
	filter->egress = filters->egress;
	filter->priority = TC_H_MAJ(info->tcm_info) >> 16;
	attribute_text(attributes.of[TCA_KIND], filter->kind, sizeof(filter->kind));
	if (strcmp(filter->kind, "bpf") != 0)
		return MNL_CB_OK;
	options = attributes_in(attributes.of[TCA_OPTIONS]);
	filter->prog_id = attribute_u32(options.of[TCA_BPF_ID], 0);
	attribute_text(options.of[TCA_BPF_NAME], filter->name, sizeof(filter->name));
	return MNL_CB_OK;
}

int rtnl_get_filters(struct netlink *netlink, uint32_t ifindex, struct filter **filters, size_t *count)
{
	struct filters found = {};

	for (int egress = 0; egress < 2; egress++) {
		struct nlmsghdr *header = netlink_request(netlink, RTM_GETTFILTER, NLM_F_DUMP, sizeof(struct tcmsg));
		struct tcmsg *info = mnl_nlmsg_get_payload(header);
		int ret;

		found.egress = egress;
		info->tcm_ifindex = (int)ifindex;
		info->tcm_parent = TC_H_MAKE(TC_H_CLSACT, egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
		ret = netlink_ask(netlink, header, on_filter, &found);
		if (ret) {
			free(found.all);
			return ret;
		}
	}
	*filters = found.all;
	*count = found.count;
	return 0;
}
