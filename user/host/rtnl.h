/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's knowledge about this network namespace, over rtnetlink. It judges nothing, and only reads, except for
 * rtnl_ask_neighbour().
 *
 * Unless stated otherwise, functions return 0 or -errno, and leave their out-parameters untouched on failure.
 */
#ifndef WGVIA_RTNL_H
#define WGVIA_RTNL_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/netdev.h"
#include "host/netlink.h"

struct nexthop {
	struct ip via; /* family 0: on-link */
	uint32_t ifindex;
};

struct neighbour {
	bool known;	/* the kernel has an entry */
	uint16_t state; /* NUD_* */
	uint8_t lladdr[6];
	bool has_lladdr;
	bool kept; /* permanent, or managed by another program: the kernel does not check whether it is valid */
};

/* An address of an interface of this host. */
struct address {
	uint32_t ifindex;
	struct ip ip;
	struct ip peer; /* remote end, with its own prefix (ip address add ... peer); family 0: none */
	uint8_t len;	/* of the prefix */
	bool is_usable; /* neither tentative nor a duplicate */
};

struct addresses {
	struct address *all;
	size_t count;
};

/* The addresses on the link of this address. */
struct prefix address_prefix(const struct address *address);

/* A socket of rtnetlink; netlink_close() closes it. */
int rtnl_open(struct netlink **netlink);

/* All interfaces. The caller frees the array. */
int rtnl_get_links(struct netlink *netlink, struct netdevs *netdevs);
/* Addresses of all interfaces, of both families. The caller frees the array. */
int rtnl_get_addresses(struct netlink *netlink, struct addresses *addresses);
/*
 * The next hop by which the kernel would reach the address; if `ifindex` is not 0, only through that device or VRF.
 * Errors are the kernel's; -EAFNOSUPPORT: it lacks that address family.
 */
int rtnl_get_route_to(struct netlink *netlink, const struct ip *ip, uint32_t ifindex, struct nexthop *nexthop);
/*
 * The next hop of the default route that the kernel uses for packets from `from` that come in by `iif`. If `iif` is 0,
 * or `ifindex` is that of a device, the route is for this host's own packets, through `ifindex` as above. -ENOENT:
 * there is none, or more specific routes hide it.
 */
int rtnl_get_default(struct netlink *netlink, const struct ip *from, uint32_t iif, uint32_t ifindex,
		     struct nexthop *nexthop);

/* What the kernel itself does with a packet. */
struct forward {
	int error;    /* errno of the route lookup (EHOSTUNREACH, EACCES for prohibit ...); 0: there is a route */
	uint8_t type; /* RTN_* */
	struct nexthop nexthop;
};
/* For a packet from `from` to `to` that came in by `ifindex`; 0: sent by this host. `from` may have family 0. */
int rtnl_get_forward(struct netlink *netlink, const struct ip *from, const struct ip *to, uint32_t ifindex,
		     struct forward *forward);
/* iproute2's word for a neighbour's state: REACHABLE, STALE, FAILED ...; NONE if the kernel has no entry. */
const char *neighbour_word(const struct neighbour *neighbour);
int rtnl_get_neighbour(struct netlink *netlink, uint32_t ifindex, const struct ip *ip, struct neighbour *neighbour);
/*
 * The only function with an effect: makes the kernel ask for the neighbour now, as for a packet. `neighbour` is the
 * present entry: with a link-layer address, the kernel verifies that by unicast (state PROBE), otherwise it asks all
 * hosts (INCOMPLETE). The resulting entry ages like any other. Not for `kept` ones.
 */
int rtnl_ask_neighbour(struct netlink *netlink, uint32_t ifindex, const struct ip *ip,
		       const struct neighbour *neighbour);

/* A policy rule ("ip rule"). */
struct rule {
	uint32_t priority;
	uint8_t action;		/* FR_ACT_* */
	uint32_t table, target; /* of FR_ACT_TO_TBL; of FR_ACT_GOTO */
	bool invert;		/* "not" */
	struct prefix from, to; /* always of the rule's family; length 0: every address */
	char iif[IFNAMSIZ], oif[IFNAMSIZ];
	uint32_t mark, mask;
	bool l3mdev;
	bool other;   /* it has further conditions: protocol, ports, user, TOS ... */
	int suppress; /* routes with at most this prefix length do not count; -1: all count */
};

struct rules {
	struct rule *all;
	size_t count;
};

/* All rules of both families, in the kernel's order of evaluation. The caller frees the array. */
int rtnl_get_rules(struct netlink *netlink, struct rules *rules);

struct route {
	struct prefix to; /* length 0: a default route */
	uint32_t table, metric;
	uint8_t type;	   /* RTN_* */
	uint32_t ifindex;  /* of its only device; 0: it has several, or none */
	bool through;	   /* one of its devices is the requested one */
	bool encapsulates; /* encapsulates packets before they reach a device (lwtunnel) */
};

/* One next hop of a default route. */
struct default_route {
	uint8_t family;
	uint32_t table, metric;
	uint8_t preference; /* the router's (RFC 4191); 0 is the highest */
	bool is_dead;	    /* or expired */
	struct nexthop nexthop;
};

struct routes {
	struct route *all; /* for packets of every TOS and source; excludes cached and dead ones */
	size_t count;
	struct default_route *defaults;
	size_t default_count;
	/* what the kernel delivers locally: local, anycast and broadcast routes of the table `local` */
	struct prefixes local;
};

void routes_free(struct routes *routes);
/* The routes of all tables and both families; `through`: an ifindex. The caller frees them. */
int rtnl_get_routes(struct netlink *netlink, uint32_t through, struct routes *routes);
/* Only routes.local, because the other tables may be long. The caller frees the array. */
int rtnl_get_local(struct netlink *netlink, struct prefixes *local);

/* Whether it is a unicast route of that table with exactly one device, and not a default route. */
bool route_is_specific(const struct route *route, uint32_t table);
/*
 * The next hop of the table's best default route, by liveness, metric and preference, through `ifindex` or, if that is
 * 0, through any device but `except`. -ENOENT: there is none; -EDESTADDRREQ: none has a next hop.
 */
int routes_default(const struct routes *routes, uint8_t family, uint32_t table, uint32_t ifindex, uint32_t except,
		   struct nexthop *nexthop);

/* Whether the device has a clsact qdisc. */
int rtnl_has_clsact(struct netlink *netlink, uint32_t ifindex, bool *has);

/* A TC filter at a clsact qdisc. */
struct filter {
	bool egress;
	uint16_t priority;
	char kind[16];	  /* "bpf", "matchall" ... */
	uint32_t prog_id; /* of a bpf filter, if the kernel reports it */
	char name[64];	  /* of its program */
};
/* The filters at the device, ingress and egress. The caller frees the array. */
int rtnl_get_filters(struct netlink *netlink, uint32_t ifindex, struct filter **filters, size_t *count);

#endif
