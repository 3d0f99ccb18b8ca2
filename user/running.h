/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What commands do to instances, in one sequence each: lock, open, read, change, write. The commands give the words
 * and the output.
 */
#ifndef WGVIA_RUNNING_H
#define WGVIA_RUNNING_H

#include "context.h"
#include "instance.h"
#include "programs.h"
#include "resolve.h"
#include "state.h"

/*
 * Looks at what is running, NULL where nothing is, and at the plan that is to replace it, which it may change. 0, or
 * negative with context->error set and nothing done.
 */
typedef int (*running_review)(struct context *context, const struct state *running, struct plan *plan, void *data);
/* resolve_up() or its sister. */
typedef int (*running_resolve)(struct rtnl *rtnl, const struct request *request, struct plan *plan,
			       struct error *error);
/*
 * Makes the plan and puts it into force on a running instance or a new one, after a review where there is one. The plan
 * is the caller's to free, on failure too. `held`: programs that the process holds, and then those of the instance;
 * NULL: it holds none. `*changed`: see dataplane_apply().
 */
int running_apply(struct context *context, const struct request *request, running_resolve resolve, struct plan *plan,
		  running_review review, void *data, struct programs *held, bool *changed);
/*
 * The review alone, and what can be refused without doing it. Not even what a killed command left half done is mended,
 * nor the folder of pins made.
 */
int running_try(struct context *context, struct plan *plan, running_review review, void *data);
/* What is running, with nobody changing it meanwhile. Both are the caller's to close and free, on failure too. */
int running_read(struct context *context, const char *tunnel, struct instance *instance, struct state *state);

/* Changes `state`, which is the running one's; 0, or negative with context->error set and nothing done. */
typedef int (*running_change)(struct context *context, struct rtnl *rtnl, struct state *state, void *data);
/* Reads a running instance, lets `change` at it, and puts the outcome into force. */
int running_edit(struct context *context, const char *tunnel, running_change change, void *data);

/*
 * What an agent does when the host has changed: running_edit() with a review. -ENOENT: nothing is running.
 */
int running_follow(struct context *context, const char *tunnel, running_change change, running_review review,
		   void *data, struct programs *held, bool *changed);
/*
 * A change of prefixes among devices that the instance knows: nothing is asked of the host (`rtnl` is NULL) and nothing
 * attached. Where `change` returns 1, there is nothing to write.
 */
int running_rewrite(struct context *context, const char *tunnel, running_change change, void *data);

/* Adds what a command wants of one instance to `data`. */
typedef int (*running_describe)(struct context *context, const struct instance *instance, void *data);
/*
 * For the instance `argv` names, or without one for all of this network namespace in turn. More words are refused.
 */
int running_each(struct context *context, int argc, char **argv, running_describe describe, void *data);

#endif
