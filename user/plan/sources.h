/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prefixes that the user did not name: "from addresses" are those of the tunnel's addresses, "from allowed-ips" those
 * from which WireGuard's peers may send. They change with the host.
 */
#ifndef WGVIA_SOURCES_H
#define WGVIA_SOURCES_H

#include "plan/plan.h"

/*
 * Adds the request's sources to the plan's state, with their present prefixes on the host. The prefixes that the
 * request names must be in the state already, and take precedence. Messages for the user go to the plan's notes.
 */
int sources_take(struct host_view *host, struct plan *plan, const struct netdev *tunnel, const struct request *request,
		 struct error *error);
/*
 * For a request to a running instance: if the host has no prefix for a source now, keeps those in force. 0, or negative
 * with `error` set.
 */
int sources_keep(struct host_view *host, const struct state *running, struct plan *plan, struct error *error);
/* Adds "from addresses ..." or similar to the state, or replaces it, without its prefixes. */
int sources_set(struct host_view *host, struct state *state, const struct netdev *tunnel,
		const struct route_words *words, struct error *error);
/*
 * Makes the prefixes of the state's sources match the host. It keeps the present ones if the host has none, because the
 * tunnel was removed or just created, or if the host cannot be asked, which `problem` reports. It keeps the choice
 * among a list's gateways. The state is sorted, before and after. 0 or -ENOMEM.
 */
int sources_follow(struct host_view *host, struct state *state, const struct netdev *tunnel, struct error *problem);

#endif
