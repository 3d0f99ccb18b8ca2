/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Making, changing and removing an instance. It knows no prefix and no gateway (state_maps.c fills the maps), and
 * prints nothing.
 */
#ifndef WGVIA_DATAPLANE_H
#define WGVIA_DATAPLANE_H

#include <stdbool.h>

#include "base/error.h"
#include "datapath/instance.h"
#include "plan/plan.h"

struct programs;

/*
 * Makes the instance what the plan says, all or nothing: programs are put in place of the old ones, maps are reused
 * where they fit and filled anew where not, then what is not wanted any more is detached. `running` is what
 * instance_open() found, or empty. `programs` is what the caller holds, and then holds of this instance; they are
 * loaded only where the plan needs one that neither it nor a device has. `*changed` tells whether a program or an
 * attachment changed, and `*in_force` whether the plan is in force: then only the detaching has failed, if anything.
 */
int dataplane_apply(const char *root, const struct plan *plan, struct instance *running, struct programs *programs,
		    bool *changed, bool *in_force, struct error *error);

/* Ends what a command that was killed left half done. The lock is held. */
int dataplane_recover(const char *root, const char *tunnel, struct error *error);

/* Detaches and unpins everything of an instance. The lock is held. */
int dataplane_remove(const char *root, const char *tunnel, struct error *error);

#endif
