/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The addresses of the VPN prefixes from which a probe of a gateway may be sent: those of the tunnel, then the first
 * address of each prefix, which may belong to a client or to nobody.
 */
#ifndef WGVIA_PROBE_SOURCE_H
#define WGVIA_PROBE_SOURCE_H

#include "config/state.h"
#include "host/rtnl.h"

/* Called for each such address with its entry, in order of preference. False: stop. */
typedef bool (*probe_source_visit)(void *data, const struct gateway_entry *entry, const struct ip *from);
void probe_sources(const struct addresses *own, const struct state *state, probe_source_visit visit, void *data);

/* Calls it for the entry's gateway and for all others on its list. */
void probe_source_hops(const struct state *state, const struct gateway_entry *entry,
		       void (*visit)(void *data, const struct wgvia_hop *hop, const struct ip *from),
		       const struct ip *from, void *data);

#endif
