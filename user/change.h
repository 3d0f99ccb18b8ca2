/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From where programs stand to where they shall stand: first all that is new, which can be undone, then, when it is in
 * force, what is not wanted any more.
 */
#ifndef WGVIA_CHANGE_H
#define WGVIA_CHANGE_H

#include "instance.h"
#include "programs.h"
#include "resolve.h"

struct step;

struct change {
	const struct plan *plan;
	struct instance *running; /* where attachments that exist are pinned */
	struct instance *next;	  /* where new ones go; the same one where the maps are reused */
	struct step *steps;
	size_t step_count;
	uint32_t *qdiscs; /* ifindexes where this change made a clsact */
	size_t qdisc_count;
	uint32_t *devices; /* which this change has added to the map */
	size_t device_count;
	uint32_t tunnel; /* of before */
	bool is_final;	 /* change_undo() leaves some of the new programs in place */
};

/* Adds the devices to the map, and puts programs, which have to be held, in place. 0, or negative with `error` set. */
int change_attach(struct change *change, const struct programs *programs, struct error *error);
/* Takes back what was attached and added. */
void change_undo(struct change *change);
/*
 * Detaches what the plan does not want, after a change that is in force, and replaces what had to wait for that, by
 * programs that change_attach() was given. 0, or negative with `error` set: what could not be detached keeps its pin.
 */
int change_detach(struct change *change, struct error *error);
void change_free(struct change *change);

#endif
