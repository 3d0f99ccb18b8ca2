/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the user's request and the kernel's data to the wanted state: gateways with their devices, the bypass list, the
 * devices to which programs are attached. It refuses what cannot work on this host (exit status 1), and changes
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

/* Words for a gateway, and their meaning on this host. */
struct resolved {
	struct route_words words; /* without the prefix */
	struct wgvia_gateway value;
	struct prefix first; /* of the prefixes with these words */
	size_t count;	     /* of such prefixes */
};

struct plan {
	struct state state;
	bool tunnel_is_l3;
	uint32_t table;	      /* the table of the tunnel's routes: its VRF's, or main */
	struct points points; /* in the order of attaching: the egress programs are the safety net under the others */
	const struct netdev **left_out; /* devices that the kernel could use, but that cannot have a program */
	size_t left_out_count;
	const struct netdevs *netdevs; /* owned by the view, which outlives the plan */
	struct netdev absent;	       /* placeholder for a tunnel that does not exist; see plan_tunnel() */
	struct resolved *resolved;     /* thousands of prefixes have a few gateways: each is resolved once */
	size_t resolved_count;
	uint32_t *devices; /* ifindexes of the gateways, each once, sorted */
	size_t device_count;
	struct lan_conflicts lans;
	char (*notes)[PLAN_NOTE]; /* messages for the user, in addition to `resolved` */
	size_t note_count;
	struct error problem;		   /* plan_running(): why prefixes do not follow the host */
	const struct route_words *refused; /* the request's route that caused the error; NULL: none */
};

void plan_free(struct plan *plan); /* also for cleanup() */
/* Adds a message for the user; truncated at PLAN_NOTE, and lost if out of memory. */
void plan_add_note(struct plan *plan, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The tunnel or, if there is no such interface, `absent`, which gets its name and ifindex 0. A plan for it has only the
 * egress programs: from the tunnel's first packet on, they redirect to the firewall what the kernel forwards.
 */
const struct netdev *plan_tunnel(const struct netdevs *netdevs, const char *name, struct netdev *absent);
/*
 * Everything that `up` needs. A tunnel that does not exist yet is refused only if the request names no prefix. The
 * caller frees the plan, on failure as well.
 */
int plan_up(struct host_view *host, const struct request *request, struct plan *plan, struct error *error);
/*
 * A plan for a running instance, from its state, which moves into the plan. It keeps the gateways and the
 * administrator's bypass entries, and determines everything that follows from the host again. The tunnel may be
 * missing.
 */
int plan_running(struct host_view *host, struct state *state, struct plan *plan, struct error *error);

#endif
