/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The changes of a plan, as events: collected before the plan is put into force, published afterwards.
 */
#ifndef WGVIA_CHANGE_LIST_H
#define WGVIA_CHANGE_LIST_H

#include "base/event.h"
#include "datapath/instance.h"
#include "plan/plan.h"

#define CHANGES_MAX 16 /* of each kind; further ones are only counted */

struct change_list {
	const char *tunnel; /* owned by the caller */
	/* owned by the caller: for names of devices that no longer exist; NULL: none */
	const struct netdevs *known, *also_known;
	struct event *events;
	size_t count;
	size_t counts[EVENT_KIND_COUNT]; /* including those that are only counted */
};

void change_list_free(struct change_list *list); /* also for cleanup() */

/*
 * The difference between the plan and what is running (NULL: nothing): the tunnel, attachments, settings, prefixes, and
 * both parts of the bypass list.
 */
void change_list_plan(struct change_list *list, const struct instance *instance, const struct state *running,
		      const struct plan *plan);
/*
 * After a failure to detach: takes out of the list what the instance's folder still has attached. It is reported when
 * it is detached.
 */
void change_list_keep_attached(struct change_list *list, const struct instance *instance, const struct plan *plan);
/* A program that was "attached", "re-attached" or "detached". The caller frees it. */
struct event change_list_attachment(const char *tunnel, const char *state, const char *dev, uint32_t ifindex,
				    enum wgvia_direction direction);
/* Passes on one event after the other, and for each kind with too many of them a summary of the rest. */
void change_list_visit(const struct change_list *list, void (*visit)(const struct event *event));

#endif
