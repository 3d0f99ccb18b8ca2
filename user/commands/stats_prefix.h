/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is counted by prefix ("counters prefix"), as `stats --prefix` shows it and as metrics.
 */
#ifndef WGVIA_STATS_PREFIX_H
#define WGVIA_STATS_PREFIX_H

#include <stddef.h>
#include <stdio.h>

#include "base/context.h"
#include "commands/prometheus.h"

/* Prefixes that have series of their own, unless the user says otherwise. */
#define PREFIX_SERIES 1000

/*
 * Of the instance that `argv` names, or of all: each prefix, or with `within` those inside that prefix alone. 0, or
 * negative with the error set.
 */
int stats_prefixes(struct context *context, int argc, char **argv, const char *within);
/* The metrics, of instances that count by prefix. */
void stats_prefix_metrics(const struct exposed *all, size_t count, FILE *out);

#endif
