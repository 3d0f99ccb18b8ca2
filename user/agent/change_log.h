/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an agent has changed, as lines for its log: gathered while a change is made, written once it is in force.
 */
#ifndef WGVIA_CHANGE_LOG_H
#define WGVIA_CHANGE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "plan/plan.h"

#define REPORT_LINES 16 /* what is beyond is counted */

struct change_log {
	char *lines[REPORT_LINES];
	size_t count; /* of lines, those that are counted alone included */
};

void change_log_free(struct change_log *log); /* for cleanup(), too */

/*
 * The difference that the plan makes to what is running (NULL: nothing is): the tunnel, settings, prefixes, and both
 * parts of the bypass list.
 */
void change_log_plan(struct change_log *log, const struct state *running, const struct plan *plan);
/* Into the log. */
void change_log_write(const struct change_log *log);

#endif
