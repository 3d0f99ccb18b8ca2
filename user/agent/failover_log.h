/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log messages for prefixes that move from one gateway to another: thousands that move the same way are one line.
 */
#ifndef WGVIA_FAILOVER_LOG_H
#define WGVIA_FAILOVER_LOG_H

#include "agent/reconcile.h"

struct move {
	struct wgvia_gateway to;
	struct prefix first;
	size_t count; /* of prefixes */
};

struct failover_log {
	struct move *all;
	size_t count;
};

void failover_log_free(struct failover_log *moves); /* also for cleanup() */
void failover_log_add(struct failover_log *moves, const struct prefix *from, const struct wgvia_gateway *to);
/* Writes them to the log; `names` are those of the devices. */
void failover_log_write(const struct failover_log *moves, const struct device_names *names);

#endif
