/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the maps of an instance and values: reading them whole, and making them what a state says. It attaches and
 * pins nothing.
 */
#ifndef WGVIA_TABLES_H
#define WGVIA_TABLES_H

#include "instance.h"
#include "error.h"
#include "state.h"

/* Entries of each kind that an instance may have. The maps have more room: see bpf/maps.h. */
#define TABLES_MAX 1000000

/* The state is the caller's to free. Values that a program cannot use are read as they are. */
int tables_read(const struct instance *instance, struct state *state, struct error *error);

/* Whether an instance can hold the state. */
int tables_check(const struct state *state, struct error *error);

/*
 * Makes the maps what the state says, entry by entry, and touches none that is right already. In between every packet
 * finds either the old or the new entry: new ones come before old ones go, and what keeps packets in the tunnel comes
 * before and goes after what sends them out. A failure takes everything back.
 */
int tables_write(const struct instance *instance, const struct state *state, struct error *error);

/*
 * Sees to it that large prefix maps have an index of what is in them now, where the kernel can tell when they change.
 * `state` is in the maps, as far as is known. The lock is held. What fails here costs time alone: the packet path asks
 * the maps.
 */
void tables_index(const struct instance *instance, const struct state *state);

/* Sums over all CPUs, into counters[WGVIA_COUNTERS]. */
int tables_read_counters(const struct instance *instance, struct wgvia_counter *counters, struct error *error);

#endif
