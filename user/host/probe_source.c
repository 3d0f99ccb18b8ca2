// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two walks.
 */
#include "host/probe_source.h"

#include "config/failover.h"

void probe_sources(const struct addresses *own, const struct state *state, probe_source_visit visit, void *data)
{
	for (size_t i = 0; i < own->count; i++) {
		const struct address *address = &own->all[i];
		const struct gateway_entry *entry;

		if (!address->is_usable || address->ifindex != state->tunnel_ifindex || ip_is_link_local(&address->ip))
			continue;
		entry = state_match_gateway(state, &address->ip);
		if (entry && !visit(data, entry, &address->ip))
			return;
	}
	for (size_t i = 0; i < state->gateway_count; i++)
		if (state->gateways[i].from.len && !visit(data, &state->gateways[i], &state->gateways[i].from.ip))
			return;
}

void probe_source_hops(const struct state *state, const struct gateway_entry *entry,
		       void (*visit)(void *data, const struct wgvia_hop *hop, const struct ip *from),
		       const struct ip *from, void *data)
{
	const struct gateway_list *list = failover_find(state, &entry->value);
	struct wgvia_hop hop = hop_of(&entry->value);

	visit(data, &hop, from);
	for (uint32_t i = 0; list && i < list->content.count; i++)
		visit(data, &list->content.hops[i], from);
}
