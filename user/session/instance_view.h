/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An instance and what this host has for it, read once, without a lock: for commands that look. And whether it does its
 * job now, told by maps, links, neighbour entries and what the agent has seen: nothing is sent, and nobody waited for.
 */
#ifndef WGVIA_INSTANCE_VIEW_H
#define WGVIA_INSTANCE_VIEW_H

#include "config/state.h"
#include "datapath/instance.h"
#include "host/host_view.h"
#include "session/gateway_report.h"

struct instance_view {
	const struct instance *instance; /* the caller's */
	struct state state;
	struct points points;  /* where programs stand */
	struct host_view host; /* of an orphan nothing: its ifindexes mean other devices here */
	struct gateway_report report;
};

/* 0, or negative with `error` set; the view is the caller's to free in either case. */
int instance_view_read(const struct instance *instance, struct instance_view *view, struct error *error);
void instance_view_free(struct instance_view *view); /* for cleanup(), too */

/* Why nothing comes out of the tunnel, or is not seen there; NULL: nothing says so. */
const char *instance_tunnel_fault(const struct instance_view *view);
/*
 * Why a prefix's gateway cannot do its job; NULL: nothing says so. Without an agent one that nobody has asked for long
 * is taken for alive.
 */
const char *instance_gateway_fault(const struct instance_view *view, const struct gateway_entry *entry,
				   char text[GATEWAY_REPORT_TEXT]);
/*
 * Whether it does its job: tunnel and programs are there, there are prefixes, and of each family that has some a
 * gateway is alive. `tell`, if not NULL, gets each reason why not.
 */
bool instance_is_healthy(const struct instance_view *view, void (*tell)(void *data, const char *reason), void *data);

#endif
