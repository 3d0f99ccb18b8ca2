// SPDX-License-Identifier: GPL-2.0-only
/*
 * A short sorted array, and two bits of a value.
 */
#include "config/source.h"

#include <string.h>
#include <sys/socket.h>

#include "config/failover.h"

enum wgvia_source source_of(const struct wgvia_gateway *value)
{
	uint32_t source = (value->flags & WGVIA_GATEWAY_SOURCE) >> WGVIA_GATEWAY_SOURCE_SHIFT;

	return source < WGVIA_SOURCE_COUNT ? source : WGVIA_SOURCE_NAMED;
}

void source_mark(struct wgvia_gateway *value, enum wgvia_source source)
{
	value->flags = (value->flags & ~WGVIA_GATEWAY_SOURCE) | (uint32_t)source << WGVIA_GATEWAY_SOURCE_SHIFT;
}

bool source_is_default(const struct wgvia_gateway *value)
{
	return (value->flags & WGVIA_GATEWAY_SOURCE) == WGVIA_GATEWAY_DEFAULT;
}

struct source_entry *source_find(const struct state *state, enum wgvia_source source, uint8_t family)
{
	for (size_t i = 0; i < state->source_count; i++)
		if (state->sources[i].source == source && state->sources[i].family == family)
			return (struct source_entry *)&state->sources[i];
	return NULL;
}

bool source_is_used(const struct state *state, enum wgvia_source source)
{
	return source_find(state, source, AF_INET) || source_find(state, source, AF_INET6);
}

/* AF_INET is less than AF_INET6. */
static bool is_before(const struct source_entry *a, enum wgvia_source source, uint8_t family)
{
	return a->source != source ? a->source < source : a->family < family;
}

void source_set(struct state *state, enum wgvia_source source, uint8_t family, const struct wgvia_gateway *value)
{
	struct source_entry *entry = source_find(state, source, family);
	size_t at = 0;

	if (!entry) {
		while (at < state->source_count && is_before(&state->sources[at], source, family))
			at++;
		entry = &state->sources[at];
		memmove(entry + 1, entry, (state->source_count++ - at) * sizeof(*entry));
	}
	*entry = (struct source_entry){source, family, *value};
}

void source_remove(struct state *state, struct source_entry *entry)
{
	memmove(entry, entry + 1, (--state->source_count - (entry - state->sources)) * sizeof(*entry));
}

bool source_same(const struct state *a_state, const struct source_entry *a, const struct state *b_state,
		 const struct source_entry *b)
{
	return a->source == b->source && a->family == b->family &&
	       failover_same(a_state, &a->value, b_state, &b->value);
}
