/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `prefix_counters`: packets and bytes by prefix, with "counters prefix". Its parts exist while they are used,
 * and have pins: opening them by the ids in the map takes CAP_SYS_ADMIN.
 */
#ifndef WGVIA_PREFIX_COUNTERS_H
#define WGVIA_PREFIX_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/state.h"
#include "datapath/instance.h"

/*
 * Makes room for the state's counters, and sets those to 0 that a prefix did not have before: call it before the state
 * is in the maps, where `running` still is. The lock is held. 0 or -errno.
 */
int prefix_counters_prepare(const struct instance *instance, const struct state *running, const struct state *state);
/* Removes the parts that are not used: after the state is in the maps. The lock is held. */
void prefix_counters_clean(const struct instance *instance, const struct state *state);
/* Removes the pins of the instance that this one has replaced. */
void prefix_counters_tidy(const struct instance *instance);

struct prefix_count {
	struct prefix prefix;
	uint32_t number; /* wgvia_gateway.counter: the lower, the longer it is counted, as a rule */
	struct wgvia_prefix_counter counter;
};

struct prefix_counts {
	bool counted;		  /* "counters prefix" */
	struct prefix_count *all; /* in the order of prefix_compare() */
	size_t count;
	struct wgvia_prefix_counter other; /* prefixes that have no counter of their own */
};

/* Sums over all CPUs. The array is the caller's, see prefix_counts_free(). 0, or negative with `error` set. */
int prefix_counters_read(const struct instance *instance, struct prefix_counts *counts, struct error *error);
void prefix_counts_free(struct prefix_counts *counts); /* for cleanup(), too */

void prefix_counter_add(struct wgvia_prefix_counter *sum, const struct wgvia_prefix_counter *counter);
/*
 * For metrics, whose series are limited: all but the `limit` with the lowest numbers are taken out and summed in
 * `other`. That order changes with no traffic, so a series does not come and go.
 */
void prefix_counts_limit(struct prefix_counts *counts, size_t limit);

#endif
