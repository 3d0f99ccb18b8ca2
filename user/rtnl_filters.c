// SPDX-License-Identifier: GPL-2.0-only
/*
 * A clsact qdisc, and the TC filters at it.
 */
#include "rtnl.h"

#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "rtnl_ask.h"
#include "rtnl_message.h"
#include "util.h"

struct clsact {
	uint32_t ifindex;
	bool found;
};

static int on_qdisc(const struct nlmsghdr *header, void *data)
{
	const struct tcmsg *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = message_attributes(header, sizeof(*info));
	struct clsact *clsact = data;

	if ((uint32_t)info->tcm_ifindex == clsact->ifindex && attributes.of[TCA_KIND] &&
	    !strcmp(mnl_attr_get_str(attributes.of[TCA_KIND]), "clsact"))
		clsact->found = true;
	return MNL_CB_OK;
}

int rtnl_has_clsact(struct rtnl *rtnl, uint32_t ifindex, bool *has)
{
	struct nlmsghdr *header = rtnl_request(rtnl, RTM_GETQDISC, NLM_F_DUMP);
	struct tcmsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
	struct clsact clsact = {.ifindex = ifindex};
	int ret;

	info->tcm_ifindex = (int)ifindex;
	ret = rtnl_ask(rtnl, header, on_qdisc, &clsact);
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
	struct attributes attributes = message_attributes(header, sizeof(*info)), options = {};
	struct filters *filters = data;
	struct filter *filter;

	if (!info->tcm_handle) /* a message without one tells of the chain or the priority as such */
		return MNL_CB_OK;
	filter = array_grow(&filters->all, &filters->count, sizeof(*filter));
	if (!filter)
		return rtnl_fail(ENOMEM);
	filter->egress = filters->egress;
	filter->priority = TC_H_MAJ(info->tcm_info) >> 16;
	if (attributes.of[TCA_KIND])
		strncpy(filter->kind, mnl_attr_get_str(attributes.of[TCA_KIND]), sizeof(filter->kind) - 1);
	if (strcmp(filter->kind, "bpf") != 0 || !attributes.of[TCA_OPTIONS])
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
		struct nlmsghdr *header = rtnl_request(rtnl, RTM_GETTFILTER, NLM_F_DUMP);
		struct tcmsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
		int ret;

		found.egress = egress;
		info->tcm_ifindex = (int)ifindex;
		info->tcm_parent = TC_H_MAKE(TC_H_CLSACT, egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
		ret = rtnl_ask(rtnl, header, on_filter, &found);
		if (ret) {
			free(found.all);
			return ret;
		}
	}
	*filters = found.all;
	*count = found.count;
	return 0;
}
