/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Preference lists ("via A or B or C") in a state: which one a prefix follows, which of its gateways is in force, and
 * what number it has in the map. Pure: it asks nobody.
 */
#ifndef WGVIA_FAILOVER_H
#define WGVIA_FAILOVER_H

#include <stdbool.h>

#include "config/state.h"

/* The list that the value was taken from; NULL: none, or one that the state does not know. */
const struct gateway_list *failover_find(const struct state *state, const struct wgvia_gateway *value);
/*
 * Number of the list with this content, which is added where it is new. -ENOMEM, or -ENOSPC where there is not a number
 * left.
 */
int failover_add(struct state *state, const struct wgvia_failover *content, uint32_t *number);
/* Whether any prefix follows a list. */
bool failover_in_use(const struct state *state);
/* Takes out lists that no prefix follows, and from prefixes numbers that mean no list. 0 or -ENOMEM. */
int failover_prune(struct state *state);
/*
 * Gives the lists numbers that go with what is running: those of the running lists with the same content, else numbers
 * that neither a running list nor a running prefix uses. 0, -ENOMEM, or -ENOSPC where there are too few.
 */
int failover_number(struct state *state, const struct state *running);
/* Whether two values have the same list, whichever of its gateways is in force, or with no list the same gateway. */
bool failover_same_way(const struct state *a_state, const struct wgvia_gateway *a, const struct state *b_state,
		       const struct wgvia_gateway *b);
/*
 * Whether two values say the same in words: the same way and source, and with no list the same condition.
 */
bool failover_same(const struct state *a_state, const struct wgvia_gateway *a, const struct state *b_state,
		   const struct wgvia_gateway *b);
/* Where a prefix has a list of the same gateways in both states, the one that is in force in `running` stays so. */
void failover_keep_choice(struct state *state, const struct state *running);

/* What is to be said of preference lists that nobody watches; NULL: nothing. `agent`: one is alive. */
const char *failover_problem(const struct state *state, bool agent);

/* Gateways, each once. */
struct hops {
	struct wgvia_hop *all;
	size_t count;
};

void hops_free(struct hops *hops); /* for cleanup(), too */
/* All gateways of a state, those that stand by included. The array is the caller's to free. 0 or -ENOMEM. */
int failover_hops(const struct state *state, struct hops *hops);
/* How many prefixes the gateway is in force for; 0: it stands by. */
size_t failover_users(const struct state *state, const struct wgvia_hop *hop);

struct wgvia_hop hop_of(const struct wgvia_gateway *value);
/* The value for a gateway of the list `number`, or of none with 0. */
struct wgvia_gateway hop_value(const struct wgvia_hop *hop, uint32_t number);
/* Makes the value that for another gateway of its list: the list and the source stay, marks go. */
void failover_take(struct wgvia_gateway *value, const struct wgvia_hop *hop);
bool hop_equal(const struct wgvia_hop *a, const struct wgvia_hop *b);
/* The index of the value's gateway on the list; -1: it is not on it, as it was written by somebody else. */
int failover_current(const struct gateway_list *list, const struct wgvia_gateway *value);

#endif
