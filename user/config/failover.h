/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Preference lists ("via A or B or C") in a state: the list that a prefix follows, which of its gateways is in force,
 * and the list's number in the map. Pure: no I/O.
 */
#ifndef WGVIA_FAILOVER_H
#define WGVIA_FAILOVER_H

#include <stdbool.h>

#include "config/state.h"

/* The list that the value was taken from; NULL: none, or one that is not in the state. */
const struct gateway_list *failover_find(const struct state *state, const struct wgvia_gateway *value);
/* Number of the list with this content, which is added if it is new. -ENOMEM, or -ENOSPC if all numbers are in use. */
int failover_add(struct state *state, const struct wgvia_failover *content, uint32_t *number);
/* Whether any prefix follows a list. */
bool failover_in_use(const struct state *state);
/* Removes lists that no prefix follows, and clears numbers of missing lists in prefixes. 0 or -ENOMEM. */
int failover_prune(struct state *state);
/*
 * Gives the lists numbers that are compatible with the running state: those of running lists with the same content,
 * else numbers that no running list or prefix uses. 0, -ENOMEM, or -ENOSPC if there are too few.
 */
int failover_number(struct state *state, const struct state *running);
/*
 * Whether two values have the same list, whichever gateway of it is in force; for values without a list, whether they
 * have the same gateway.
 */
bool failover_same_way(const struct state *a_state, const struct wgvia_gateway *a, const struct state *b_state,
		       const struct wgvia_gateway *b);
/* Whether two values are the same in words: the same way and source and, without a list, the same condition. */
bool failover_same(const struct state *a_state, const struct wgvia_gateway *a, const struct state *b_state,
		   const struct wgvia_gateway *b);
/* If a prefix has a list of the same gateways in both states, keeps the one that is in force in `running`. */
void failover_keep_choice(struct state *state, const struct state *running);

/* The warning about preference lists that no agent watches; NULL: none. `agent`: an agent is running. */
const char *failover_problem(const struct state *state, bool agent);

/* Gateways, each once. */
struct hops {
	struct wgvia_hop *all;
	size_t count;
};

void hops_free(struct hops *hops); /* also for cleanup() */
/* All gateways of a state, including those on standby. The caller frees the array. 0 or -ENOMEM. */
int failover_hops(const struct state *state, struct hops *hops);
/* How many prefixes use the gateway; 0: it is on standby. */
size_t failover_users(const struct state *state, const struct wgvia_hop *hop);

struct wgvia_hop hop_of(const struct wgvia_gateway *value);
/* The value for a gateway of the list `number`; 0: of no list. */
struct wgvia_gateway hop_value(const struct wgvia_hop *hop, uint32_t number);
/* Changes the value to another gateway of its list: keeps the list and the source, clears marks. */
void failover_take(struct wgvia_gateway *value, const struct wgvia_hop *hop);
bool hop_equal(const struct wgvia_hop *a, const struct wgvia_hop *b);
/* The index of the value's gateway on the list; -1: it is not on it, because another program wrote the value. */
int failover_current(const struct gateway_list *list, const struct wgvia_gateway *value);

#endif
