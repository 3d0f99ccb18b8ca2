/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which prefix is counted where (wgvia_gateway.counter). Pure: nothing is asked, and nothing is counted.
 */
#ifndef WGVIA_COUNTER_NUMBERS_H
#define WGVIA_COUNTER_NUMBERS_H

#include "config/state.h"

/* Number 0 is for all prefixes that have no number of their own. */
#define COUNTER_NUMBERS (WGVIA_PREFIX_CHUNK * WGVIA_PREFIX_CHUNKS)

/*
 * Sets the `counter` of each of the state's prefixes. A prefix keeps the number that it has in `running`. A new one
 * gets the lowest that no prefix has, neither in `running` nor in the state, or 0 where none is left: a number that
 * becomes free is not given to another prefix in the same change. All are 0 without WGVIA_COUNT_PREFIXES. Both states
 * are in order. 0 or -ENOMEM.
 */
int counter_numbers_give(const struct state *running, struct state *state);

#endif
