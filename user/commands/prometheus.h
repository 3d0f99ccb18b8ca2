/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instances in Prometheus' text exposition format, version 0.0.4, for node_exporter's textfile collector.
 */
#ifndef WGVIA_PROMETHEUS_H
#define WGVIA_PROMETHEUS_H

#include <stdio.h>

#include "base/context.h"
#include "config/failover.h"
#include "datapath/lost.h"
#include "session/instance_view.h"

/* An instance that stays open until all metrics are printed: the format wants the samples of a metric together. */
struct exposed {
	struct instance instance;
	struct instance_view view;
	struct hops gateways; /* in use, and those that stand by */
	struct wgvia_counter counters[WGVIA_COUNTERS];
	struct lost_counts lost;
};

/*
 * Counters and gauges of the instance that `argv` names, or of all. 0, or negative with the error set; the instances
 * that can be read are printed in any case. The last line is "# EOF": without it something is missing.
 */
int prometheus_print(struct context *context, int argc, char **argv, FILE *out);

/* The gauges, and the counters of transitions; the instances of `damaged` are down. 0 or -ENOMEM. */
int gauges_print(const struct exposed *all, size_t count, const char (*damaged)[IFNAMSIZ], size_t damaged_count,
		 FILE *out);
/* A label's value: an interface name may hold any character but '/', ':' and white space. */
void prometheus_label(const char *value, FILE *out);

#endif
