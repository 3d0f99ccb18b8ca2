/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters of instances at one moment, and the output formats of `stats`. All formats but one print one set of
 * samples; rates need two.
 */
#ifndef WGVIA_COUNTERS_H
#define WGVIA_COUNTERS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/context.h"
#include "commands/output.h"
#include "datapath/lost.h"
#include "wgvia_abi.h"

struct sample {
	char tunnel[IFNAMSIZ];
	struct wgvia_counter counters[WGVIA_COUNTERS];
	struct lost_counts lost; /* empty, unless requested */
};

struct samples {
	struct sample *all;
	size_t count;
	double time; /* CLOCK_MONOTONIC, in seconds */
};

/* {"packets": N, "bytes": N}; the caller owns it. */
json *counter_value(const struct wgvia_counter *counter);

void samples_free(struct samples *samples); /* also for cleanup() */

/*
 * Reads the instance that `argv` names, or all of them; see instance_list.h. `lost`: also the map `lost`, which takes
 * longer. The caller frees the samples.
 */
int samples_take(struct context *context, int argc, char **argv, bool lost, struct samples *samples);

/* A verdict's sum over the directions. */
struct wgvia_counter sample_sum(const struct sample *sample, enum wgvia_verdict verdict);

/* Rates every `seconds` until SIGINT or SIGTERM; redrawn in place on a terminal, otherwise a line for each. */
int samples_watch(struct context *context, int argc, char **argv, double seconds);

#endif
