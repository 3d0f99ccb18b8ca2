/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the maps of an instance and values: reading them whole, and making them what a state says. It attaches and
 * pins nothing.
 */
#ifndef WGVIA_STATE_MAPS_H
#define WGVIA_STATE_MAPS_H

#include "base/error.h"
#include "config/state.h"
#include "datapath/instance.h"

/* Entries of each kind that an instance may have. The maps have more room: see bpf/maps.h. */
#define TABLES_MAX 1000000

/* The state is the caller's to free. Values that a program cannot use are read as they are. */
int state_maps_read(const struct instance *instance, struct state *state, struct error *error);

/* Whether an instance can hold the state. */
int state_maps_check(const struct state *state, struct error *error);

/*
 * Makes the maps what the state says, entry by entry, and touches none that is right already. In between every packet
 * finds either the old or the new entry: new ones come before old ones go, and what keeps packets in the tunnel comes
 * before and goes after what sends them out. A failure takes everything back.
 */
int state_maps_write(const struct instance *instance, const struct state *state, struct error *error);

/* Sums over all CPUs, into counters[WGVIA_COUNTERS]. */
int state_maps_read_counters(const struct instance *instance, struct wgvia_counter *counters, struct error *error);

#endif
