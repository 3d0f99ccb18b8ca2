/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An instance and the host's data for it, read once, without a lock, for commands that only read. Also whether the
 * instance works now, judged by maps, links, neighbour entries and the agent's report, without sending or waiting.
 */
#ifndef WGVIA_INSTANCE_VIEW_H
#define WGVIA_INSTANCE_VIEW_H

#include "config/state.h"
#include "datapath/instance.h"
#include "host/host_view.h"
#include "session/gateway_report.h"

struct instance_view {
	const struct instance *instance; /* owned by the caller */
	struct state state;
	struct points points;  /* to which programs are attached */
	struct points missing; /* to which they should be attached: instance_missing() */
	struct host_view host; /* empty for an orphan: its ifindexes mean other devices here */
	struct gateway_report report;
};

/* 0, or negative with `error` set. The caller frees the view in either case. */
int instance_view_read(const struct instance *instance, struct instance_view *view, struct error *error);
/* The same for instance_is_healthy() only: without the prefixes and the bypass list, which may be long. */
int instance_view_read_health(const struct instance *instance, struct instance_view *view, struct error *error);
void instance_view_free(struct instance_view *view); /* also for cleanup() */

/* Why no packets come out of the tunnel, or why programs do not see them; NULL: no problem is known. */
const char *instance_tunnel_fault(const struct instance_view *view);
/*
 * Why a prefix's gateway does not work; NULL: no problem is known. Without an agent, a gateway whose neighbour entry is
 * old counts as alive.
 */
const char *instance_gateway_fault(const struct instance_view *view, const struct gateway_entry *entry,
				   char text[GATEWAY_REPORT_TEXT]);
/* Number of prefixes of a family whose gateway does not work. */
size_t instance_count_unserved(const struct instance_view *view, uint8_t family);
/*
 * Whether it works: the tunnel exists, no program is missing, there are prefixes, and each of their families has a
 * gateway that is alive. `tell`, if not NULL, gets each reason why not. It reads the prefixes from the maps until it
 * has found such a gateway.
 */
bool instance_is_healthy(const struct instance_view *view, void (*tell)(void *data, const char *reason), void *data);

#endif
