/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a plan changes, as events: gathered before the plan is put into force, told once it is.
 */
#ifndef WGVIA_CHANGE_LIST_H
#define WGVIA_CHANGE_LIST_H

#include "base/event.h"
#include "datapath/instance.h"
#include "plan/plan.h"

#define CHANGES_MAX 16 /* of each kind; what is beyond is counted */

struct change_list {
	const char *tunnel;	     /* the caller's */
	const struct netdevs *known; /* the caller's: for the names of devices that no longer exist; NULL: none */
	struct event *events;
	size_t count;
	size_t counts[EVENT_KIND_COUNT]; /* those that are only counted included */
};

void change_list_free(struct change_list *list); /* for cleanup(), too */

/*
 * The difference that the plan makes to what is running (NULL: nothing is): the tunnel, attachments, settings,
 * prefixes, and both parts of the bypass list.
 */
void change_list_plan(struct change_list *list, const struct instance *instance, const struct state *running,
		      const struct plan *plan);
/* A program that was "attached", "re-attached" or "detached"; the caller's to free. */
struct event change_list_attachment(const char *tunnel, const char *state, const char *dev, uint32_t ifindex,
				    enum wgvia_direction direction);
/* Hands out one event after the other, and for each kind with too many of them one that says how many more. */
void change_list_visit(const struct change_list *list, void (*visit)(const struct event *event));

#endif
