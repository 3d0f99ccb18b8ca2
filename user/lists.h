/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Preference lists ("via A or B or C") in a state: which one a prefix follows, which of its gateways is in force, and
 * what number it has in the map. Pure: it asks nobody.
 */
#ifndef WGVIA_LISTS_H
#define WGVIA_LISTS_H

#include <stdbool.h>

#include "state.h"

/* The list that the value was taken from; NULL: none, or one that the state does not know. */
const struct gateway_list *lists_find(const struct state *state, const struct wgvia_gateway *value);
/*
 * Number of the list with this content, which is added where it is new. -ENOMEM, or -ENOSPC where there is no number
 * left.
 */
int lists_add(struct state *state, const struct wgvia_failover *content, uint32_t *number);
/* Whether any prefix follows a list. */
bool lists_in_use(const struct state *state);
/* Takes out lists that no prefix follows, and from prefixes numbers that mean no list. 0 or -ENOMEM. */
int lists_prune(struct state *state);
/*
 * Gives the lists numbers that go with what is running: those of the running lists with the same content, else numbers
 * that neither a running list nor a running prefix uses. 0, -ENOMEM, or -ENOSPC where there are too few.
 */
int lists_number(struct state *state, const struct state *running);
/*
 * Whether two values say the same in words: the same list, whichever of its gateways is in force, or with no list the
 * same gateway in the same condition.
 */
bool lists_same(const struct state *a_state, const struct wgvia_gateway *a, const struct state *b_state,
		const struct wgvia_gateway *b);
/* Where a prefix follows the same list in both states, the gateway that is in force in `running` stays in force. */
void lists_keep_choice(struct state *state, const struct state *running);

/* What is to be said of preference lists that nobody watches; NULL: nothing. `agent`: one is alive. */
const char *lists_problem(const struct state *state, bool agent);

/* Gateways, each once. */
struct hops {
	struct wgvia_hop *all;
	size_t count;
};
/* All gateways of a state, those that stand by included. The array is the caller's to free. 0 or -ENOMEM. */
int lists_hops(const struct state *state, struct hops *hops);

struct wgvia_hop hop_of(const struct wgvia_gateway *value);
/* The value for a gateway of the list `number`, or of none with 0. */
struct wgvia_gateway hop_value(const struct wgvia_hop *hop, uint32_t number);
bool hop_equal(const struct wgvia_hop *a, const struct wgvia_hop *b);
/* The index of the value's gateway on the list; -1: it is not on it, as it was written by somebody else. */
int lists_current(const struct gateway_list *list, const struct wgvia_gateway *value);

#endif
