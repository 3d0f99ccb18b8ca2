/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `check` finds: each finding has a severity, the evidence, and the command that fixes it. The files that examine
 * something add findings; commands/check.c prints them.
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
#define FINDING_REMEDY (STATEMENT_MAX + 200) /* has room for a prefix with the maximum number of gateways */

struct finding {
	enum severity severity;
	const char *name;		 /* a word for scripts: "neighbour", "rp_filter" ... */
	char evidence[FINDING_EVIDENCE]; /* what was seen, and its effect */
	char remedy[FINDING_REMEDY];	 /* a command; may be empty */
	const char *reason;		 /* why the administrator accepted it; NULL: not accepted */
};

/* Everything that a check may examine, collected once. */
struct examined {
	struct host_view *host;
	const char *tunnel;
	struct plan plan;		 /* the result of an `up` with the running words, or without any */
	bool has_plan;			 /* it is complete; otherwise it does not show the wanted state */
	const struct instance *instance; /* without an instance, its maps are -1 */
	const struct state *running;	 /* as read from the maps */
	bool is_running;
	struct gateway_report report; /* from the agent */
	struct coverage coverage;     /* of the finding "uncovered_peer" */
	uint32_t clamp;		      /* the `mss` that replaces rules of this host which mode fast bypasses */
	struct finding *findings;
	size_t count;
};

void finding_add(struct examined *examined, enum severity severity, const char *name, const char *remedy,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The `up` command that creates the running or planned instance again; a description if the command is too long. */
void finding_up_words(const struct examined *examined, enum wgvia_mode mode, char remedy[FINDING_REMEDY]);
/*
 * "wgvia route VERB IFACE from PREFIX via ..." with all gateways of the list from which `value`, of `state`, was taken,
 * as `save` prints them. A gateway that cannot be used on this host becomes "ADDRESS dev DEV".
 */
void finding_route_words(const struct examined *examined, const char *verb, const struct state *state,
			 const struct prefix *from, const struct wgvia_gateway *value, char remedy[FINDING_REMEDY]);
/*
 * The command that adds a prefix via the gateways of another one of its family. False: it is a description, not a
 * command that can be run.
 */
bool finding_cover_words(const struct examined *examined, const struct prefix *prefix, char remedy[FINDING_REMEDY]);
bool examined_has_family(const struct examined *examined, uint8_t family);
/* Whether others[i] does not belong to wgvia, and is not another part of the one before. */
bool finding_is_foreign(const struct examined *examined, const struct attach_other *others, size_t i);
/* Whether `outside drop` is in force and has an effect, which it does not have in a VRF. */
bool examined_drops_outside(const struct examined *examined);
/* What happens to packets from the tunnel whose source is in no prefix: "bypasses the firewall", or a drop. */
const char *examined_outside_fate(const struct examined *examined);
/* Whether the kernel forwards packets from the tunnel. */
bool examined_forwards(const struct examined *examined, uint8_t family);

/* Whether this process may create an instance with pins in that folder. */
void check_permissions(struct examined *examined, const char *pin_dir);
/* The kernel, devices, neighbours, sysctls. */
void check_host(struct examined *examined);
/* Threads in which WireGuard receives. */
void check_threaded_napi(struct examined *examined);
/* Attachments, programs of others, map values, the bypass list. */
void check_instance(struct examined *examined);
/* The gateways, as the agent sees them. */
void check_gateways(struct examined *examined);
/* Gateways that cannot be probed by their `health`. */
void check_health(struct examined *examined);
/* Hosts of the LAN that send replies to this host instead of the firewall. */
void check_return(struct examined *examined);
/* Policy rules and routes that conflict with the instance. */
void check_routes(struct examined *examined);
/* WireGuard's peers that may send from addresses outside every prefix. */
void check_coverage(struct examined *examined);
/* Prefixes that overlap with this host's own LANs. */
void check_lans(struct examined *examined);
/* What else the kernel does with the packets: IPsec, routes that encapsulate, filters, XDP. */
void check_kernel_path(struct examined *examined);
/* This host's netfilter rules. */
void check_netfilter(struct examined *examined);
/* The firewalls, by packets that are sent to them. */
void check_probe(struct examined *examined);

#endif
