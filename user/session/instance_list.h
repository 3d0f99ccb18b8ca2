/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instances that a command is for, one after the other.
 */
#ifndef WGVIA_INSTANCE_LIST_H
#define WGVIA_INSTANCE_LIST_H

#include "base/context.h"
#include "datapath/instance.h"

struct instance_list {
	char (*names)[IFNAMSIZ];
	size_t count, next;
	bool is_named;	      /* by the user: it has to be there */
	bool with_orphans;    /* set by the caller: those, too, whose network namespace no longer exists */
	size_t broken;	      /* that could not be read */
	struct error problem; /* of the first of them */
	size_t damaged; /* of these: pins that are damaged, or of another version; names[0] and so on, at the end */
};

/* The one that `argv` names, or without a name all of this network namespace. More words are refused. */
int instance_list_read(struct context *context, int argc, char **argv, struct instance_list *list);
/*
 * Opens the next one that is there, the caller's to close: 1; 0: there are no more; negative with the error set. An
 * instance that cannot be opened does not hide the others; instance_list_end() reports it.
 */
int instance_list_next(struct context *context, struct instance_list *list, struct instance *instance);
/* Notes that the one just opened could not be read, with the error set. 0, or negative where it is the only one. */
int instance_list_fail(struct context *context, struct instance_list *list, int err);
/* Behind the last one: negative with the error set where one could not be read. */
int instance_list_end(struct context *context, const struct instance_list *list);
void instance_list_free(struct instance_list *list); /* for cleanup() */

#endif
