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
