// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses of this host.
 */
#include "host/rtnl.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "base/util.h"
#include "host/netlink.h"
#include "host/rtnl_message.h"

static int on_address(const struct nlmsghdr *header, void *data)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = attributes_of(header, sizeof(*info));
	const struct nlattr *local = attributes.of[IFA_LOCAL] ? attributes.of[IFA_LOCAL] : attributes.of[IFA_ADDRESS];
	uint32_t flags = attribute_u32(attributes.of[IFA_FLAGS], info->ifa_flags);
	struct addresses *addresses = data;
	struct address *address;

	if ((info->ifa_family != AF_INET && info->ifa_family != AF_INET6) || !local)
		return MNL_CB_OK;
	address = array_grow(&addresses->all, &addresses->count, sizeof(*address));
	if (!address)
		return netlink_fail(ENOMEM);
	*address = (struct address){.ifindex = info->ifa_index,
				    .ip = attribute_ip(local, info->ifa_family),
				    .len = info->ifa_prefixlen,
				    .is_usable = !(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))};
	/* the kernel's route is to the peer's prefix (fib_add_ifaddr(), addrconf_prefix_route()) */
	if (attributes.of[IFA_LOCAL] && attributes.of[IFA_ADDRESS])
		address->peer = attribute_ip(attributes.of[IFA_ADDRESS], info->ifa_family);
	return MNL_CB_OK;
}

static int addresses_once(struct netlink *netlink, void *data)
{
	struct nlmsghdr *header = netlink_request(netlink, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));

	return netlink_ask(netlink, header, on_address, data);
}

static void addresses_reset(void *data)
{
	struct addresses *addresses = data;

	free(addresses->all);
	*addresses = (struct addresses){};
}

struct prefix address_prefix(const struct address *address)
{
	const struct ip *ip = address->peer.family ? &address->peer : &address->ip;

	return (struct prefix){ip_mask(*ip, address->len), address->len};
}

int rtnl_get_addresses(struct netlink *netlink, struct addresses *addresses)
{
	struct addresses found = {};
	int ret = netlink_ask_again(netlink, addresses_once, addresses_reset, &found);

	if (!ret)
		*addresses = found;
	return ret;
}
