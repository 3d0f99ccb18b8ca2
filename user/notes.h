/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `up` and `apply` tell about a plan that was put into force: what was taken, what is left out.
 */
#ifndef WGVIA_NOTES_H
#define WGVIA_NOTES_H

#include "print.h"
#include "resolve.h"

/* What the words left out and this host gave: an array of texts, one a gateway. */
json *notes_of_taken(const struct plan *plan);
/* Adds the rest. `changed`: see dataplane_apply(). */
void notes_of_plan(json *notes, const struct plan *plan, bool changed);
/* The text form of an object with the members "interface" and "notes". */
void notes_print(const json *value);

#endif
