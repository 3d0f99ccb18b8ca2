/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * This host as a value: devices, addresses, rules, routes. Each of the kernel's tables is read once, when it is first
 * needed, and each route lookup is made once. Tests fill in the values themselves and never ask the kernel.
 */
#ifndef WGVIA_HOST_VIEW_H
#define WGVIA_HOST_VIEW_H

#include "host/rtnl.h"
#include "host/wireguard.h"
#include "host/xfrm.h"

enum host_part {
	HOST_NETDEVS = 1 << 0,
	HOST_ADDRESSES = 1 << 1,
	HOST_LOCAL = 1 << 2, /* the table `local` */
	HOST_RULES = 1 << 3,
	HOST_ROUTES = 1 << 4,	/* all tables; includes HOST_NETDEVS and HOST_LOCAL */
	HOST_POLICIES = 1 << 5, /* of IPsec */
};

/* The result of rtnl_get_route_to() or, with an unspecified address, of rtnl_get_default(). */
struct host_way {
	struct ip ip;
	uint32_t ifindex;
	int ret;
	struct nexthop nexthop;
};

struct host_view {
	char tunnel[IFNAMSIZ]; /* routes through it are distinguished from others */
	struct netlink *rtnl;  /* for single lookups; NULL before the first host_view_read() */
	unsigned int parts;    /* enum host_part: the parts that were read */
	struct netdevs netdevs;
	struct addresses addresses;
	struct prefixes local; /* see struct routes */
	struct rules rules;
	struct routes routes;	       /* without `local` */
	struct xfrm_policies policies; /* empty if they cannot be read */
	struct wireguard wireguard;    /* see host_view_wireguard() */
	struct error wireguard_error;
	int wireguard_ret;
	bool wireguard_asked;
	struct host_way *ways;
	size_t way_count;
};

void host_view_free(struct host_view *host); /* also for cleanup() */

/* Reads those of the parts (enum host_part) that were not read yet. 0 or -errno. */
int host_view_read(struct host_view *host, unsigned int parts);
/* Like rtnl_get_route_to(), asked once for each address and device. */
int host_view_route_to(struct host_view *host, const struct ip *ip, uint32_t ifindex, struct nexthop *nexthop);
/* Like rtnl_get_default(), asked once for each family and device. */
int host_view_default(struct host_view *host, const struct ip *from, uint32_t iif, uint32_t ifindex,
		      struct nexthop *nexthop);
/*
 * Like wireguard_read() for the tunnel, asked once; its peers are in `wireguard`. It waits at most HOST_WIREGUARD_MS
 * for a WireGuard in user space.
 */
#define HOST_WIREGUARD_MS 2000
int host_view_wireguard(struct host_view *host, const struct netdev *tunnel, struct error *error);
/*
 * Whether the address belongs to this host, or is a broadcast address, outside of VRFs. HOST_LOCAL must have been read.
 */
bool host_view_is_local(const struct host_view *host, const struct ip *ip);

#endif
