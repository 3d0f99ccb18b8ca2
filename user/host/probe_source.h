/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which addresses of the VPN prefixes a probe of a gateway may be sent from: those of the tunnel, and after them the
 * first address of each prefix, which a client may have, or nobody.
 */
#ifndef WGVIA_PROBE_SOURCE_H
#define WGVIA_PROBE_SOURCE_H

#include "config/state.h"
#include "host/rtnl.h"

/* Called with the entry that such an address belongs to, in order of preference. False: that was enough. */
typedef bool (*probe_source_visit)(void *data, const struct gateway_entry *entry, const struct ip *from);
void probe_sources(const struct addresses *own, const struct state *state, probe_source_visit visit, void *data);

/* Calls it for the entry's gateway and for all others on its list. */
void probe_source_hops(const struct state *state, const struct gateway_entry *entry,
		       void (*visit)(void *data, const struct wgvia_hop *hop, const struct ip *from),
		       const struct ip *from, void *data);

#endif
