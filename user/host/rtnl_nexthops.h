/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Next hops that are objects of their own (`ip nexthop`), which routes name by number. With the sysctl
 * net.ipv4.nexthop_compat_mode=0 a route shows that number alone.
 */
#ifndef WGVIA_RTNL_NEXTHOPS_H
#define WGVIA_RTNL_NEXTHOPS_H

#include "host/rtnl.h"

/* One next hop of an object; a group has several. */
struct nexthop_member {
	uint32_t id; /* the object's */
	struct nexthop nexthop;
	bool encapsulates; /* as of a route */
};

struct nexthop_objects {
	struct nexthop_member *all;
	size_t count;
};

/* The objects of this network namespace. The array is the caller's to free. */
int rtnl_get_nexthops(struct netlink *netlink, struct nexthop_objects *objects);

#endif
