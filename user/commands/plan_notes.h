/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The messages of `up` and `apply` about a plan that was put into force: what was taken from the host, and what is
 * missing.
 */
#ifndef WGVIA_PLAN_NOTES_H
#define WGVIA_PLAN_NOTES_H

#include "commands/output.h"
#include "plan/plan.h"

/* What the words omitted and this host provided: an array of texts, one per gateway. */
json *notes_of_taken(const struct plan *plan);
/* Adds the rest. `changed`: see dataplane_apply(). */
void notes_of_plan(json *notes, const struct plan *plan, bool changed);
/*
 * Adds notes about prefixes that overlap with this host's own LANs; with `from`, only about conflicts that involve this
 * prefix.
 */
void notes_of_lans(json *notes, const struct plan *plan, const struct prefix *from);
/* The text form of an object with the members "interface" and "notes", also for print_instances(). */
void notes_print(const struct context *context, const json *value);

#endif
