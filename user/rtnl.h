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

#include "ip.h"
#include "netdev.h"

struct rtnl; /* a socket */

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
	uint8_t len; /* of its prefix */
};

int rtnl_open(struct rtnl **rtnl);
void rtnl_close(struct rtnl **rtnl); /* for cleanup(); NULL inside is fine */

/* All interfaces. The array is the caller's to free. */
int rtnl_get_links(struct rtnl *rtnl, struct links *links);
/*
 * What the kernel delivers to this host itself: local, anycast and broadcast routes of the `local` table, which is what
 * decides it, with all interfaces' addresses in both families. The array is the caller's to free.
 */
int rtnl_get_local(struct rtnl *rtnl, struct prefixes *prefixes);
/* Prefixes of the interface's addresses, link-local ones left out. The array is the caller's to free. */
int rtnl_get_addresses(struct rtnl *rtnl, uint32_t ifindex, struct prefixes *prefixes);
/* All interfaces' addresses that can be used: tentative and duplicate ones are left out. The array is the caller's. */
int rtnl_get_own(struct rtnl *rtnl, struct address **addresses, size_t *count);
/*
 * The next hop of the default route of the main table with the lowest metric, through `ifindex` or, where that is 0,
 * through any device but `except`. -ENOENT: there is none; -EDESTADDRREQ: the only ones have no next hop.
 */
int rtnl_get_default(struct rtnl *rtnl, uint8_t family, uint32_t ifindex, uint32_t except, struct nexthop *nexthop);
/* By what the kernel would reach the address, through `ifindex` where that is not 0. -errno is the kernel's. */
int rtnl_get_route_to(struct rtnl *rtnl, const struct ip *ip, uint32_t ifindex, struct nexthop *nexthop);

/* What the kernel does with a packet by itself. */
struct forward {
	int error;    /* errno of the route lookup (EHOSTUNREACH, EACCES for prohibit ...); 0: there is a route */
	uint8_t type; /* RTN_* */
	struct nexthop nexthop;
};
/* For a packet from `from` to `to` that came in by `ifindex`, or with 0 was made here. `from` may be of family 0. */
int rtnl_get_forward(struct rtnl *rtnl, const struct ip *from, const struct ip *to, uint32_t ifindex,
		     struct forward *forward);
/* iproute2's words for a neighbour's state: REACHABLE, STALE, FAILED ...; NONE where the kernel has no entry. */
const char *neighbour_word(const struct neighbour *neighbour);
int rtnl_get_neighbour(struct rtnl *rtnl, uint32_t ifindex, const struct ip *ip, struct neighbour *neighbour);
/*
 * The one function that has an effect: makes the kernel ask for the neighbour now, as it would for a packet.
 * `neighbour` is what it knows: a link-layer address is asked for by unicast whether it still holds (state PROBE), else
 * all are asked (INCOMPLETE). What becomes of it is the kernel's own state, which ages as any other. Not for `kept`
 * ones.
 */
int rtnl_ask_neighbour(struct rtnl *rtnl, uint32_t ifindex, const struct ip *ip, const struct neighbour *neighbour);

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
/* All of both families, in the order in which the kernel asks them. The array is the caller's to free. */
int rtnl_get_rules(struct rtnl *rtnl, struct rule **rules, size_t *count);

struct route {
	struct prefix to; /* length 0: a default route */
	uint32_t table, metric;
	uint8_t type;	  /* RTN_* */
	uint32_t ifindex; /* of the device that it leads out of; 0: it has several, or none */
	bool through;	  /* one of its devices is the one that was asked about */
};
/*
 * The routes of all tables, for packets of every TOS and source; what is only cached, and dead, is left out. The array
 * is the caller's to free.
 */
int rtnl_get_routes(struct rtnl *rtnl, uint32_t through, struct route **routes, size_t *count);
/* Unicast routes of the main table with one device, default routes left out. The array is the caller's to free. */
int rtnl_get_main_routes(struct rtnl *rtnl, struct route **routes, size_t *count);

/* Whether the device has a clsact qdisc. */
int rtnl_has_clsact(struct rtnl *rtnl, uint32_t ifindex, bool *has);

/* A TC filter at a clsact qdisc. */
struct filter {
	bool egress;
	uint16_t priority;
	char kind[16];	  /* "bpf", "matchall" ... */
	uint32_t prog_id; /* of a bpf filter, where the kernel tells it */
	char name[64];	  /* of its program */
};
/* Those at the device, ingress and egress. The array is the caller's to free. */
int rtnl_get_filters(struct rtnl *rtnl, uint32_t ifindex, struct filter **filters, size_t *count);

#endif
