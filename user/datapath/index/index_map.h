/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `indexes`: an index (bpf/index/index_lines.h) of each large prefix map. Without an index the packet path
 * gives the same answers.
 */
#ifndef WGVIA_INDEX_MAP_H
#define WGVIA_INDEX_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/state.h"
#include "datapath/index/change_count.h"
#include "datapath/instance.h"

/* Number of prefixes of a family that makes an index worthwhile: with fewer, the trie is as fast. */
#define INDEX_MIN 256

/* Whether one of the state's families has that many prefixes. */
bool index_map_is_wanted(const struct state *state);
/* Whether exactly the families with that many prefixes have an index that matches these change counts. */
bool index_map_is_current(const struct instance *instance, const struct state *state,
			  const struct change_counts *changes);
/*
 * Builds the indexes that the state needs; the state must have been read after `changes`. Removes indexes that it does
 * not need, or that are not possible: see index_make(). 0 or -errno.
 */
int index_map_write(const struct instance *instance, const struct state *state, const struct change_counts *changes);
/*
 * Why a family that needs an index has none in force; NULL: it has one. `*count`: number of prefixes, 0 if it needs no
 * index. `*known` is false if it is unknown whether it has one.
 */
const char *index_map_problem(const struct instance *instance, const struct state *state, uint8_t family, size_t *count,
			      bool *known);
/*
 * For an agent, which calls it periodically, without the lock: whether an index is no longer in force and must be built
 * again. False while the maps are being changed. `seen` holds the counts of the previous call; this function updates
 * it.
 */
bool index_map_is_behind(const char *root, const char *tunnel, struct change_counts *seen);
/* Removes all of them. */
void index_map_clear(const struct instance *instance);
/* Removes the pins of the instance that this one replaced. */
void index_map_tidy(const struct instance *instance);

#endif
