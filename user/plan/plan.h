/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From what the user asked for and what the kernel knows to what shall be: gateways with their devices, the bypass
 * list, the devices where programs stand. It refuses what cannot work on this host (exit status 1), and changes
 * nothing. No I/O, except that the view of the host reads tables when they are first needed.
 */
#ifndef WGVIA_PLAN_H
#define WGVIA_PLAN_H

#include "base/error.h"
#include "config/parse.h"
#include "config/state.h"
#include "host/host_view.h"
#include "plan/lan.h"
#include "plan/point.h"

#define PLAN_NOTE 700

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
	uint32_t table;	      /* that the tunnel is routed by: its VRF's, or main */
	struct points points; /* in the order in which to attach: the egress programs are the net under the others */
	const struct netdev **left_out; /* devices that the kernel could use and where no program can stand */
	size_t left_out_count;
	const struct netdevs *netdevs; /* the view's, which outlives the plan */
	struct netdev absent;	       /* stands for a tunnel that does not exist; see plan_tunnel() */
	struct resolved *resolved;     /* prefixes by the thousand have a few gateways: each is asked for once */
	size_t resolved_count;
	uint32_t *devices; /* ifindexes of the gateways, each once, in order */
	size_t device_count;
	struct lan_conflicts lans;
	char (*notes)[PLAN_NOTE]; /* what the user should hear beside `resolved` */
	size_t note_count;
	struct error problem;		   /* plan_running(): why prefixes do not follow the host */
	const struct route_words *refused; /* the request's route that an error is about; NULL: none */
};

void plan_free(struct plan *plan); /* for cleanup(), too */
/* Something that the user should hear; cut at PLAN_NOTE, and lost where there is no memory. */
void plan_add_note(struct plan *plan, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The tunnel, or, where there is no such interface, `absent`, which has its name and ifindex 0. A plan for it has the
 * egress programs alone: they send what the kernel forwards via the firewall, from the tunnel's first packet on.
 */
const struct netdev *plan_tunnel(const struct netdevs *netdevs, const char *name, struct netdev *absent);
/*
 * Everything that `up` needs. A tunnel that does not exist yet is refused only where the request names no prefix. The
 * plan is the caller's to free, on failure too.
 */
int plan_up(struct host_view *host, const struct request *request, struct plan *plan, struct error *error);
/*
 * A plan for a running instance, from its state, which moves into the plan. Its gateways and the administrator's
 * bypass entries stay, everything that follows from the host is made anew. The tunnel may be missing.
 */
int plan_running(struct host_view *host, struct state *state, struct plan *plan, struct error *error);

#endif
