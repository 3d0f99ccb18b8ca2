/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Creating, changing and removing an instance. This file knows no prefix and no gateway (state_maps.c fills the maps),
 * and prints nothing.
 */
#ifndef WGVIA_DATAPLANE_H
#define WGVIA_DATAPLANE_H

#include <stdbool.h>

#include "base/error.h"
#include "datapath/instance.h"
#include "plan/plan.h"

struct programs;

/*
 * Makes the instance match the plan, all or nothing: replaces programs, reuses maps if they fit or else fills new ones,
 * then detaches what is no longer wanted. `running` is what instance_open() found, or empty. `programs` is what the
 * caller holds, and afterwards the programs of this instance; they are loaded only if the plan needs one that neither
 * `programs` nor a device has. `*changed` is set if a program or an attachment changed, `*in_force` if the plan is in
 * force: on an error then, only the detaching failed.
 */
int dataplane_apply(const char *root, const struct plan *plan, struct instance *running, struct programs *programs,
		    bool *changed, bool *in_force, struct error *error);

/* Completes or undoes what a killed command left unfinished. The lock must be held. */
int dataplane_recover(const char *root, const char *tunnel, struct error *error);

/* Detaches and unpins everything of an instance. The lock must be held. */
int dataplane_remove(const char *root, const char *tunnel, struct error *error);

#endif
