/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an agent has changed, as lines for its log: gathered while a change is made, written once it is in force.
 */
#ifndef WGVIA_REPORT_H
#define WGVIA_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "resolve.h"

#define REPORT_LINES 16 /* what is beyond is counted */

struct report {
	char *lines[REPORT_LINES];
	size_t count; /* of lines, those that are counted alone included */
};

void report_free(struct report *report); /* for cleanup(), too */
void report_line(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
/*
 * The difference that the plan makes to what is running (NULL: nothing is): the tunnel, settings, prefixes, and both
 * parts of the bypass list.
 */
void report_plan(struct report *report, const struct state *running, const struct plan *plan);
/* Into the log. */
void report_write(const struct report *report);

#endif
