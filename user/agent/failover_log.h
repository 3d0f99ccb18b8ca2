/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prefixes that go from one gateway to another, for the log: those by the thousand that go the same way are one line.
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

void failover_log_free(struct failover_log *moves); /* for cleanup(), too */
void failover_log_add(struct failover_log *moves, const struct prefix *from, const struct wgvia_gateway *to);
/* Into the log; `names` are those of the devices. */
void failover_log_write(const struct failover_log *moves, const struct device_names *names);

#endif
