/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `indexes`: an index (bpf/index/index_lines.h) of each prefix map that is large. The packet path is right
 * without one.
 */
#ifndef WGVIA_INDEX_MAP_H
#define WGVIA_INDEX_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/state.h"
#include "datapath/index/change_count.h"
#include "datapath/instance.h"

/* Prefixes of a family from which on it has an index: with fewer, the trie is as fast. */
#define INDEX_MIN 256

/* Whether any of the state's families has so many prefixes. */
bool index_map_is_wanted(const struct state *state);
/* Whether each family that has so many, and no other, has an index made when the maps were changed so often. */
bool index_map_is_current(const struct instance *instance, const struct state *state,
			  const struct change_counts *changes);
/*
 * Makes the indexes what the state says, which was read after `changes`, and takes away what there shall not be, or
 * cannot: see index_make(). 0 or -errno.
 */
int index_map_write(const struct instance *instance, const struct state *state, const struct change_counts *changes);
/*
 * Why a family that has so many prefixes has no index that is in force; NULL: it has one. `*count`: how many prefixes,
 * 0 where it needs none. `*known` is false where it cannot be told whether it has one.
 */
const char *index_map_problem(const struct instance *instance, const struct state *state, uint8_t family, size_t *count,
			      bool *known);
/*
 * For an agent, which asks from time to time, without the lock: whether an index is not in force any more and should be
 * made anew. False while the maps are being changed: `seen` is what was seen when it was asked last, and is seen to.
 */
bool index_map_is_behind(const char *root, const char *tunnel, struct change_counts *seen);
/* Takes all of them away. */
void index_map_clear(const struct instance *instance);
/* Removes the pins of the instance that this one has replaced. */
void index_map_tidy(const struct instance *instance);

#endif
