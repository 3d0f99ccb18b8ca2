/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instances that a command applies to, one after the other.
 */
#ifndef WGVIA_INSTANCE_LIST_H
#define WGVIA_INSTANCE_LIST_H

#include "base/context.h"
#include "datapath/instance.h"

struct instance_list {
	char (*names)[IFNAMSIZ];
	size_t count, next;
	bool is_named;	      /* by the user: it must exist */
	bool with_orphans;    /* set by the caller: include those whose network namespace no longer exists */
	size_t broken;	      /* number of instances that could not be read */
	struct error problem; /* of the first of them */
	size_t damaged; /* pins are damaged or of another version, the tunnel exists; names[0] and so on, at the end */
};

/* The instance that `argv` names or, without a name, all of this network namespace. It refuses more words. */
int instance_list_read(struct context *context, int argc, char **argv, struct instance_list *list);
/*
 * Opens the next instance, which the caller closes. 1; 0: there are no more; negative with the error set. An instance
 * that cannot be opened does not hide the others; instance_list_end() reports it.
 */
int instance_list_next(struct context *context, struct instance_list *list, struct instance *instance);
/* Records that the instance just opened could not be read, with the error set. 0, or negative if it is the only one. */
int instance_list_fail(struct context *context, struct instance_list *list, int err);
/*
 * Reads the list, as instance_list_read() does, and calls `visit` with each instance, which is open only during the
 * call. If `visit` returns negative, with the error set, instance_list_fail() records it. 0, or negative with the error
 * set.
 */
int instance_list_visit(struct context *context, int argc, char **argv, struct instance_list *list,
			int (*visit)(struct context *context, const struct instance *instance, void *data), void *data);
/* After the last one: negative with the error set if one could not be read. */
int instance_list_end(struct context *context, const struct instance_list *list);
void instance_list_free(struct instance_list *list); /* for cleanup() */

#endif
