/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From where programs stand to where they shall stand: first all that is new, which can be undone, then, when it is in
 * force, what is not wanted any more.
 */
#ifndef WGVIA_TRANSACTION_H
#define WGVIA_TRANSACTION_H

#include "datapath/instance.h"
#include "datapath/programs.h"
#include "plan/plan.h"

struct step;

struct transaction {
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
	bool is_final;	 /* transaction_undo() leaves some of the new programs in place */
};

/* Adds the devices to the map, and puts programs, which have to be held, in place. 0, or negative with `error` set. */
int transaction_attach(struct transaction *transaction, const struct programs *programs, struct error *error);
/* Takes back what was attached and added. */
void transaction_undo(struct transaction *transaction);
/*
 * Detaches what the plan does not want, after a change that is in force, and replaces what had to wait for that, by
 * programs that transaction_attach() was given. 0, or negative with `error` set: what could not be detached keeps its
 * pin.
 */
int transaction_detach(struct transaction *transaction, struct error *error);
void transaction_free(struct transaction *transaction);

#endif
