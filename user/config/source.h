/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sources in a state: "from addresses" and "from allowed-ips", whose prefixes follow the host. Pure.
 */
#ifndef WGVIA_SOURCE_H
#define WGVIA_SOURCE_H

#include "config/state.h"

/* Why the prefix with this value exists; an invalid source counts as WGVIA_SOURCE_NAMED. */
enum wgvia_source source_of(const struct wgvia_gateway *value);
void source_mark(struct wgvia_gateway *value, enum wgvia_source source);
/* Whether the prefix was named without a gateway, which is therefore that of the default route. */
bool source_is_default(const struct wgvia_gateway *value);

/* NULL if the state does not have it. */
struct source_entry *source_find(const struct state *state, enum wgvia_source source, uint8_t family);
/* Whether the state has this source for any family. */
bool source_is_used(const struct state *state, enum wgvia_source source);
/* Adds it, or replaces its value. */
void source_set(struct state *state, enum wgvia_source source, uint8_t family, const struct wgvia_gateway *value);
void source_remove(struct state *state, struct source_entry *entry);
/* Whether both states have the same sources, in the user's words. */
bool source_same(const struct state *a_state, const struct source_entry *a, const struct state *b_state,
		 const struct source_entry *b);

#endif
