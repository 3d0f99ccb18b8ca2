/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the maps of an instance and values: reads all maps, and makes them match a state. It attaches and pins
 * nothing.
 */
#ifndef WGVIA_STATE_MAPS_H
#define WGVIA_STATE_MAPS_H

#include "base/error.h"
#include "config/state.h"
#include "datapath/instance.h"

/* Entries of each kind that an instance may have. The maps have room for more: see bpf/maps.h. */
#define TABLES_MAX 1000000

/* The caller frees the state. Values that a program cannot use are read unchanged. */
int state_maps_read(const struct instance *instance, struct state *state, struct error *error);

/* The same, without the prefixes and the bypass list, which may be long. */
int state_maps_read_settings(const struct instance *instance, struct state *state, struct error *error);
/* Receives one prefix; 0, or -errno, which ends the reading. */
typedef int (*state_maps_visit)(void *data, const struct gateway_entry *entry);
/* Passes on the prefixes of a family in the kernel's order. 0 or -errno. */
int state_maps_visit_gateways(const struct instance *instance, uint8_t family, state_maps_visit visit, void *data);

/* Checks that an instance can hold the state. */
int state_maps_check(const struct state *state, struct error *error);

/*
 * Makes the maps match the state, entry by entry, without touching entries that are already right. At any time a packet
 * finds either the old or the new entry: new entries are added before old ones are removed; entries that keep packets
 * in the tunnel are added before, and removed after, those that send packets out. A failure reverts everything.
 */
int state_maps_write(const struct instance *instance, const struct state *state, struct error *error);

/* Sums over all CPUs, into counters[WGVIA_COUNTERS]. */
int state_maps_read_counters(const struct instance *instance, struct wgvia_counter *counters, struct error *error);

#endif
