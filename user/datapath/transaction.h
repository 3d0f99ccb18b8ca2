/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the present attachments to the planned ones: first everything new, which can be undone; then, once that is in
 * force, the removal of what is no longer wanted.
 */
#ifndef WGVIA_TRANSACTION_H
#define WGVIA_TRANSACTION_H

#include "datapath/instance.h"
#include "datapath/programs.h"
#include "plan/plan.h"

struct step;

struct transaction {
	const struct plan *plan;
	struct instance *running; /* where existing attachments are pinned */
	struct instance *next;	  /* where new ones are pinned; the same one if the maps are reused */
	struct step *steps;
	size_t step_count;
	uint32_t *qdiscs; /* ifindexes of devices where this change created a clsact */
	size_t qdisc_count;
	uint32_t *devices; /* added to the map by this change */
	size_t device_count;
	uint32_t tunnel; /* the previous one */
	bool is_final;	 /* transaction_undo() keeps some of the new programs */
};

/* Adds the devices to the map, and attaches programs, which must be held. 0, or negative with `error` set. */
int transaction_attach(struct transaction *transaction, const struct programs *programs, struct error *error);
/* Reverts what was attached and added. */
void transaction_undo(struct transaction *transaction);
/*
 * Detaches what the plan does not contain, after the change is in force, and then replaces the programs that had to
 * wait for that; transaction_attach() has received them. 0, or negative with `error` set: what could not be detached
 * keeps its pin.
 */
int transaction_detach(struct transaction *transaction, struct error *error);
void transaction_free(struct transaction *transaction);

#endif
