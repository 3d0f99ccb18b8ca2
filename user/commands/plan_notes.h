/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `up` and `apply` tell about a plan that was put into force: what was taken, what is left out.
 */
#ifndef WGVIA_PLAN_NOTES_H
#define WGVIA_PLAN_NOTES_H

#include "commands/output.h"
#include "plan/plan.h"

/* What the words left out and this host gave: an array of texts, one a gateway. */
json *notes_of_taken(const struct plan *plan);
/* Adds the rest. `changed`: see dataplane_apply(). */
void notes_of_plan(json *notes, const struct plan *plan, bool changed);
/*
 * Adds what is to be known where the prefixes overlap with this host's own LANs; with `from` only of conflicts that
 * this prefix has a part in.
 */
void notes_of_lans(json *notes, const struct plan *plan, const struct prefix *from);
/* The text form of an object with the members "interface" and "notes", for print_instances(), too. */
void notes_print(const struct context *context, const json *value);

#endif
