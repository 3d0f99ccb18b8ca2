/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From what the user asked for and what the kernel knows to what shall be: gateways with their devices, the bypass
 * list, the devices where programs stand. It refuses what cannot work on this host (exit status 1), and changes
 * nothing.
 */
#ifndef WGVIA_RESOLVE_H
#define WGVIA_RESOLVE_H

#include "error.h"
#include "parse.h"
#include "point.h"
#include "rtnl.h"
#include "state.h"

#define RESOLVE_NOTE 700

/* Words for a gateway, and what they stand for on this host. */
struct resolved {
	struct route_words words; /* without the prefix */
	struct wgvia_gateway value;
	struct prefix first; /* of the prefixes with these words */
	size_t count;	     /* of such prefixes */
};

struct plan {
	struct state state;
	bool tunnel_is_l3;
	struct point *points; /* in the order in which to attach: the egress programs are the net under the others */
	size_t point_count;
	const struct link **left_out; /* devices that the kernel could use and where no program can stand */
	size_t left_out_count;
	struct links links;	   /* this host's, as found */
	struct link absent;	   /* stands for a tunnel that does not exist; see resolve_tunnel() */
	struct resolved *resolved; /* prefixes by the thousand have a few gateways: each is asked for once */
	size_t resolved_count;
	uint32_t *devices; /* ifindexes of the gateways, each once */
	size_t device_count;
	char (*notes)[RESOLVE_NOTE]; /* what the user should hear beside `resolved` */
	size_t note_count;
	const struct route_words *refused; /* the request's route that an error is about; NULL: none */
};

void plan_free(struct plan *plan); /* for cleanup(), too */

/*
 * The tunnel, or, where there is no such interface, `absent`, which has its name and ifindex 0. A plan for it has the
 * egress programs alone: they send what the kernel forwards via the firewall, from the tunnel's first packet on.
 */
const struct link *resolve_tunnel(const struct links *links, const char *name, struct link *absent);
/*
 * Everything that `up` needs. A tunnel that does not exist yet is refused only where the request names no prefix. The
 * plan is the caller's to free, on failure too.
 */
int resolve_up(struct rtnl *rtnl, const struct request *request, struct plan *plan, struct error *error);
/*
 * A plan for a running instance, from its state, which moves into the plan. Its gateways and the administrator's
 * bypass entries stay, everything that follows from the host is made anew. The tunnel may be missing.
 */
int resolve_running(struct rtnl *rtnl, struct state *state, struct plan *plan, struct error *error);
/*
 * One "from ... via ... or ..." on this host, with what was left out: the value for the first gateway. A preference
 * list is added to `state`.
 */
int resolve_route(struct rtnl *rtnl, const struct links *links, const struct link *tunnel,
		  const struct route_words *words, struct state *state, struct wgvia_gateway *value,
		  struct error *error);

/* Whether what this host sends may leave by the device as it is now, a gateway's device or not. */
bool resolve_is_way_out(const struct links *links, const struct link *link);

/*
 * Why a map's value cannot be used on this host; NULL: it can. The packet path's rules, and what only user space sees:
 * the device is gone or none of `points`, which are where programs stand, or the next hop is one of `local`, this
 * host's own addresses.
 */
const char *resolve_problem(const struct links *links, const struct prefixes *local, const struct point *points,
			    size_t point_count, const struct gateway_entry *entry);

#endif
