/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `check` finds: each with its severity, the evidence, and the command that mends it. The files that look
 * add findings; commands/check.c prints them.
 */
#ifndef WGVIA_FINDING_H
#define WGVIA_FINDING_H

#include <stddef.h>

#include "base/netdev.h"
#include "check/coverage.h"
#include "config/state.h"
#include "config/statement.h"
#include "datapath/instance.h"
#include "host/host_view.h"
#include "plan/plan.h"
#include "session/gateway_report.h"

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITY_COUNT };

#define FINDING_EVIDENCE 600
#define FINDING_REMEDY (STATEMENT_MAX + 200) /* a prefix with all gateways that it may have fits */

struct finding {
	enum severity severity;
	const char *name;		 /* a word for scripts: "neighbour", "rp_filter" ... */
	char evidence[FINDING_EVIDENCE]; /* what was seen, and what follows */
	char remedy[FINDING_REMEDY];	 /* a command; may be empty */
	const char *reason;		 /* why the administrator has accepted it; NULL: it is not accepted */
};

/* Everything that a check may look at, gathered once. */
struct examined {
	struct host_view *host;
	const char *tunnel;
	struct plan plan;		 /* what an `up` with the running words, or with none, would make */
	bool has_plan;			 /* it is complete; else it says nothing about what should be */
	const struct instance *instance; /* maps are -1 where there is none */
	const struct state *running;	 /* as read from the maps */
	bool is_running;
	struct gateway_report report; /* the agent's */
	struct coverage coverage;     /* of the finding "uncovered_peer" */
	uint32_t clamp;		      /* the `mss` that does what rules of this host do, which mode fast bypasses */
	struct finding *findings;
	size_t count;
};

void finding_add(struct examined *examined, enum severity severity, const char *name, const char *remedy,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The `up` that puts the instance as it is, or as it would be, in place anew; in words where that is too long. */
void finding_up_words(const struct examined *examined, enum wgvia_mode mode, char remedy[FINDING_REMEDY]);
/*
 * "wgvia route VERB IFACE from PREFIX via ..." with all gateways of the list that `value`, of `state`, was taken from, as
 * `save` prints them. In the place of one that cannot be used on this host stands "ADDRESS dev DEV".
 */
void finding_route_words(const struct examined *examined, const char *verb, const struct state *state,
			 const struct prefix *from, const struct wgvia_gateway *value, char remedy[FINDING_REMEDY]);
/*
 * The command that puts a prefix beside the others, by the gateways of another one of its family; false: it is in
 * words, and no command to run as it is.
 */
bool finding_cover_words(const struct examined *examined, const struct prefix *prefix, char remedy[FINDING_REMEDY]);
bool examined_has_family(const struct examined *examined, uint8_t family);
/* Whether others[i] is not of wgvia's own, and not a further part of the one before. */
bool finding_is_foreign(const struct examined *examined, const struct attach_other *others, size_t i);
/* Whether `outside drop` is in force and drops: it does not in a VRF. */
bool examined_drops_outside(const struct examined *examined);
/* What becomes of what comes out of the tunnel with a source in no prefix: "bypasses the firewall", or a drop. */
const char *examined_outside_fate(const struct examined *examined);
/* Whether the kernel forwards what comes out of the tunnel. */
bool examined_forwards(const struct examined *examined, uint8_t family);

/* Whether this process may make an instance with pins there. */
void check_permissions(struct examined *examined, const char *pin_dir);
/* The kernel, devices, neighbours, sysctls. */
void check_host(struct examined *examined);
/* Threads that WireGuard receives in. */
void check_threaded_napi(struct examined *examined);
/* Attachments, other people's programs, map values, the bypass list. */
void check_instance(struct examined *examined);
/* The gateways, as the agent sees them. */
void check_gateways(struct examined *examined);
/* Gateways that cannot be watched by the `health` that is asked for. */
void check_health(struct examined *examined);
/* Hosts of the LAN that answer by this host instead of by the firewall. */
void check_return(struct examined *examined);
/* Policy rules and routes that say something else about the same packets. */
void check_routes(struct examined *examined);
/* WireGuard's peers that may send from addresses in no prefix. */
void check_coverage(struct examined *examined);
/* Prefixes that overlap with this host's own LANs. */
void check_lans(struct examined *examined);
/* What else the kernel does with packets on their way: IPsec, routes that encapsulate, filters, XDP. */
void check_kernel_path(struct examined *examined);
/* This host's netfilter rules. */
void check_netfilter(struct examined *examined);
/* The firewalls, by packets that are sent to them. */
void check_probe(struct examined *examined);

#endif
