/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the gateway on this host for the words "via ADDRESS dev DEV", and checks whether a map's value can be used. No
 * I/O, except that the view of the host may ask for a route.
 */
#ifndef WGVIA_PLAN_GATEWAYS_H
#define WGVIA_PLAN_GATEWAYS_H

#include "base/error.h"
#include "config/parse.h"
#include "config/state.h"
#include "host/host_view.h"
#include "plan/point.h"

/* The parts of the host (enum host_part) that these functions need. */
#define GATEWAYS_READ (HOST_NETDEVS | HOST_LOCAL | HOST_ROUTES)

/*
 * Resolves one gateway. Omitted words come from the host: without `via`, the next hop of the default route of the
 * family of `from`. It refuses what cannot be a gateway, with `error` set.
 */
int gateway_resolve(struct host_view *host, const struct netdev *tunnel, const struct prefix *from,
		    const struct hop_words *words, struct wgvia_hop *hop, struct error *error);
/*
 * Resolves one "from ... via ... or ... health ..." to the value for the first gateway. A preference list is added to
 * `state`.
 */
int gateways_resolve(struct host_view *host, const struct netdev *tunnel, const struct route_words *words,
		     struct state *state, struct wgvia_gateway *value, struct error *error);

/* Refuses a gateway that two lists of the state watch in different ways. */
int gateways_check_watch(const struct state *state, const struct netdevs *netdevs, struct error *error);

/*
 * Why a map's value cannot be used on this host; NULL: it can. In addition to the packet path's rules, user space sees
 * that the device no longer exists or is not one of `points`, where programs are attached, or that the next hop is an
 * address of this host. HOST_NETDEVS and HOST_LOCAL must have been read.
 */
const char *gateway_problem(const struct host_view *host, const struct points *points,
			    const struct gateway_entry *entry);

#endif
