/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nexthop objects (`ip nexthop`), which routes refer to by number. With the sysctl net.ipv4.nexthop_compat_mode=0, a
 * route contains only that number.
 */
#ifndef WGVIA_RTNL_NEXTHOPS_H
#define WGVIA_RTNL_NEXTHOPS_H

#include "host/rtnl.h"

/* One next hop of an object; a group has several. */
struct nexthop_member {
	uint32_t id; /* the object's */
	struct nexthop nexthop;
	bool encapsulates; /* as in a route */
};

struct nexthop_objects {
	struct nexthop_member *all;
	size_t count;
};

/* The objects of this network namespace. The caller frees the array. */
int rtnl_get_nexthops(struct netlink *netlink, struct nexthop_objects *objects);

#endif
