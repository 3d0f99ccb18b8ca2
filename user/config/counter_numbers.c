// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bit for each number.
 */
#include "config/counter_numbers.h"

#include "base/util.h"

struct numbers {
	uint8_t *taken, *kept; /* by a prefix of `running`; by one that keeps it */
	uint32_t next;	       /* those below are taken */
};

static bool has(const uint8_t *bits, uint32_t number)
{
	return bits[number / 8] & 1u << number % 8;
}

static void add(uint8_t *bits, uint32_t number)
{
	bits[number / 8] |= 1u << number % 8;
}

static uint32_t take_lowest(struct numbers *numbers)
{
	while (numbers->next < COUNTER_NUMBERS && has(numbers->taken, numbers->next))
		numbers->next++;
	return numbers->next < COUNTER_NUMBERS ? numbers->next++ : 0;
}

/* The number that the prefix has in `running`; 0: none, or one that another prefix has as well and keeps. */
static uint32_t keep(struct numbers *numbers, const struct state *running, const struct prefix *prefix)
{
	const struct gateway_entry *old = state_find_gateway(running, prefix);

	if (!old || old->counter >= COUNTER_NUMBERS || has(numbers->kept, old->counter))
		return 0;
	add(numbers->kept, old->counter);
	return old->counter;
}

static void give(struct numbers *numbers, const struct state *running, struct state *state)
{
	add(numbers->taken, 0);
	add(numbers->kept, 0);
	for (size_t i = 0; i < running->gateway_count; i++)
		if (running->gateways[i].counter < COUNTER_NUMBERS)
			add(numbers->taken, running->gateways[i].counter);
	for (size_t i = 0; i < state->gateway_count; i++)
		state->gateways[i].counter = keep(numbers, running, &state->gateways[i].from);
	for (size_t i = 0; i < state->gateway_count; i++)
		if (!state->gateways[i].counter)
			state->gateways[i].counter = take_lowest(numbers);
}

int counter_numbers_give(const struct state *running, struct state *state)
{
	struct numbers numbers = {};
	int ret = 0;

	if (state->counting != WGVIA_COUNT_PREFIXES) {
		for (size_t i = 0; i < state->gateway_count; i++)
			state->gateways[i].counter = 0;
		return 0;
	}
	numbers.taken = calloc(COUNTER_NUMBERS / 8, 1);
	numbers.kept = calloc(COUNTER_NUMBERS / 8, 1);
	if (numbers.taken && numbers.kept)
		give(&numbers, running, state);
	else
		ret = -ENOMEM;
	free(numbers.taken);
	free(numbers.kept);
	return ret;
}
