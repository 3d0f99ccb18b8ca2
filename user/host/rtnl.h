/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel knows about this network namespace, asked over rtnetlink. It judges nothing, and but for
 * rtnl_ask_neighbour() it only reads.
 *
 * Every function returns 0 or -errno and leaves its out-parameters untouched on failure, unless said otherwise.
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
	bool kept; /* permanent, or somebody else's: the kernel does not ask by itself whether it is still there */
};

/* An address of an interface of this host. */
struct address {
	uint32_t ifindex;
	struct ip ip;
	struct ip peer; /* at the other end, with its own prefix (ip address add ... peer); family 0: there is none */
	uint8_t len;	/* of the prefix */
	bool is_usable; /* neither tentative nor a duplicate */
};

struct addresses {
	struct address *all;
	size_t count;
};

/* What is on the address's link. */
struct prefix address_prefix(const struct address *address);

/* A socket of rtnetlink; netlink_close() closes it. */
int rtnl_open(struct netlink **netlink);

/* All interfaces. The array is the caller's to free. */
int rtnl_get_links(struct netlink *netlink, struct netdevs *netdevs);
/* All interfaces' addresses, of both families. The array is the caller's to free. */
int rtnl_get_addresses(struct netlink *netlink, struct addresses *addresses);
/*
 * By what the kernel would reach the address, through `ifindex`, a device's or a VRF's, where that is not 0. -errno is
 * the kernel's; -EAFNOSUPPORT: it does not have that address family.
 */
int rtnl_get_route_to(struct netlink *netlink, const struct ip *ip, uint32_t ifindex, struct nexthop *nexthop);
/*
 * The next hop of the default route that the kernel uses for packets from `from` that come in by `iif`; where there is
 * no such device (0), or `ifindex` is a device's, for packets of this host's own, through `ifindex` as above. -ENOENT:
 * there is none, or more specific routes hide it.
 */
int rtnl_get_default(struct netlink *netlink, const struct ip *from, uint32_t iif, uint32_t ifindex,
		     struct nexthop *nexthop);

/* What the kernel does with a packet by itself. */
struct forward {
	int error;    /* errno of the route lookup (EHOSTUNREACH, EACCES for prohibit ...); 0: there is a route */
	uint8_t type; /* RTN_* */
	struct nexthop nexthop;
};
/* For a packet from `from` to `to` that came in by `ifindex`, or with 0 was made here. `from` may be of family 0. */
int rtnl_get_forward(struct netlink *netlink, const struct ip *from, const struct ip *to, uint32_t ifindex,
		     struct forward *forward);
/* iproute2's words for a neighbour's state: REACHABLE, STALE, FAILED ...; NONE where the kernel has no entry. */
const char *neighbour_word(const struct neighbour *neighbour);
int rtnl_get_neighbour(struct netlink *netlink, uint32_t ifindex, const struct ip *ip, struct neighbour *neighbour);
/*
 * The one function that has an effect: makes the kernel ask for the neighbour now, as it would for a packet.
 * `neighbour` is what it knows: a link-layer address is asked for by unicast whether it still holds (state PROBE), else
 * all are asked (INCOMPLETE). What becomes of it is the kernel's own state, which ages as any other. Not for `kept`
 * ones.
 */
int rtnl_ask_neighbour(struct netlink *netlink, uint32_t ifindex, const struct ip *ip,
		       const struct neighbour *neighbour);

/* A policy rule ("ip rule"). */
struct rule {
	uint32_t priority;
	uint8_t action;		/* FR_ACT_* */
	uint32_t table, target; /* of FR_ACT_TO_TBL; of FR_ACT_GOTO */
	bool invert;		/* "not" */
	struct prefix from, to; /* of the rule's family in any case; length 0: every address */
	char iif[IFNAMSIZ], oif[IFNAMSIZ];
	uint32_t mark, mask;
	bool l3mdev;
	bool other;   /* has further conditions: protocol, ports, user, TOS ... */
	int suppress; /* routes with at most this prefix length do not count; -1: all do */
};

struct rules {
	struct rule *all;
	size_t count;
};

/* All of both families, in the order in which the kernel asks them. The array is the caller's to free. */
int rtnl_get_rules(struct netlink *netlink, struct rules *rules);

struct route {
	struct prefix to; /* length 0: a default route */
	uint32_t table, metric;
	uint8_t type;	   /* RTN_* */
	uint32_t ifindex;  /* of the device that it leads out of; 0: it has several, or none */
	bool through;	   /* one of its devices is the one that was asked about */
	bool encapsulates; /* by itself, before the packet gets to a device (lwtunnel) */
};

/* One next hop of a default route. */
struct default_route {
	uint8_t family;
	uint32_t table, metric;
	uint8_t preference; /* of the router (RFC 4191), 0 is the best */
	bool is_dead;	    /* or has expired */
	struct nexthop nexthop;
};

struct routes {
	struct route *all; /* for packets of every TOS and source; what is only cached, and dead, is left out */
	size_t count;
	struct default_route *defaults;
	size_t default_count;
	/* what the kernel delivers to this host itself: local, anycast and broadcast routes of the table `local` */
	struct prefixes local;
};

void routes_free(struct routes *routes);
/* The routes of all tables and both families; `through`: an ifindex. They are the caller's to free. */
int rtnl_get_routes(struct netlink *netlink, uint32_t through, struct routes *routes);
/* routes.local alone, for who needs no more: the other tables may be long. The array is the caller's to free. */
int rtnl_get_local(struct netlink *netlink, struct prefixes *local);

/* A unicast route of that table with one device that is not a default route. */
bool route_is_specific(const struct route *route, uint32_t table);
/*
 * The next hop of the table's default route that is the first by life, metric and preference, through `ifindex` or,
 * where that is 0, through any device but `except`. -ENOENT: there is none; -EDESTADDRREQ: the only ones have no next
 * hop.
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
	uint32_t prog_id; /* of a bpf filter, where the kernel tells it */
	char name[64];	  /* of its program */
};
/* Those at the device, ingress and egress. The array is the caller's to free. */
int rtnl_get_filters(struct netlink *netlink, uint32_t ifindex, struct filter **filters, size_t *count);

#endif
