// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interfaces.
 */
#include "rtnl.h"

#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "rtnl_ask.h"
#include "rtnl_message.h"
#include "util.h"

static int on_link(const struct nlmsghdr *header, void *data)
{
	struct links *links = data;
	struct link *link = array_grow(&links->all, &links->count, sizeof(*link));

	if (!link)
		return rtnl_fail(ENOMEM);
	*link = message_link(header);
	return MNL_CB_OK;
}

static int links_once(struct rtnl *rtnl, void *data)
{
	struct nlmsghdr *header = rtnl_request(rtnl, RTM_GETLINK, NLM_F_DUMP);

	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	return rtnl_ask(rtnl, header, on_link, data);
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
	int ret = rtnl_ask_again(rtnl, links_once, links_reset, &found);

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

bool link_equal(const struct link *a, const struct link *b)
{
	return a->ifindex == b->ifindex && !strcmp(a->name, b->name) && !strcmp(a->kind, b->kind) &&
	       a->type == b->type && a->flags == b->flags && a->mtu == b->mtu && a->master == b->master &&
	       a->operstate == b->operstate && a->table == b->table;
}
