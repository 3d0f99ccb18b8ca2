/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prefixes that nobody has named: "from addresses" are those of the tunnel's addresses, "from allowed-ips" those that
 * WireGuard's peers may send from. They come and go with what they follow.
 */
#ifndef WGVIA_SOURCES_H
#define WGVIA_SOURCES_H

#include "plan/plan.h"

/*
 * Adds the sources of the request to the plan's state, and their prefixes as the host has them now; the prefixes that
 * the request names are in the state, and come first. What the user should hear is in the plan's notes.
 */
int sources_take(struct host_view *host, struct plan *plan, const struct netdev *tunnel, const struct request *request,
		 struct error *error);
/*
 * The plan of a request for an instance that is running: of a source for which the host has no prefix now, those that
 * are in force stay. 0, or negative with `error` set.
 */
int sources_keep(struct host_view *host, const struct state *running, struct plan *plan, struct error *error);
/* Adds "from addresses ..." or the like to the state, or replaces it, without its prefixes. */
int sources_set(struct host_view *host, struct state *state, const struct netdev *tunnel,
		const struct route_words *words, struct error *error);
/*
 * Makes the prefixes of the state's sources those that the host has now. Where it has none, as a tunnel that is
 * removed or was just made, or where it cannot be asked, which `problem` says then, those that are there stay. A
 * gateway that was chosen from a list stays chosen. The state is in order, before and after. 0 or -ENOMEM.
 */
int sources_follow(struct host_view *host, struct state *state, const struct netdev *tunnel, struct error *problem);

#endif
