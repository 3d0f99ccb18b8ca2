// SPDX-License-Identifier: GPL-2.0-only
/*
 * The socket, and the interfaces.
 */
#include "host/rtnl.h"

#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/util.h"
#include "host/netlink.h"
#include "host/rtnl_message.h"

int rtnl_open(struct netlink **netlink)
{
	return netlink_open(netlink, NETLINK_ROUTE);
}

static int on_link(const struct nlmsghdr *header, void *data)
{
	struct netdevs *netdevs = data;
	struct netdev *netdev;

	netdev = array_grow(&netdevs->all, &netdevs->count, sizeof(*netdev));
	if (!netdev)
		return netlink_fail(ENOMEM);
	*netdev = message_link(header);
	return MNL_CB_OK;
}

static int links_once(struct netlink *netlink, void *data)
{
	struct nlmsghdr *header = netlink_request(netlink, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));

	return netlink_ask(netlink, header, on_link, data);
}

static void links_reset(void *data)
{
	struct netdevs *netdevs = data;

	free(netdevs->all);
	*netdevs = (struct netdevs){};
}

int rtnl_get_links(struct netlink *netlink, struct netdevs *netdevs)
{
	struct netdevs found = {};
	int ret = netlink_ask_again(netlink, links_once, links_reset, &found);

	if (ret)
		return ret;
	netdevs_sort(&found); /* before Linux 6.9 the kernel reports them in hash order */
	*netdevs = found;
	return 0;
}
