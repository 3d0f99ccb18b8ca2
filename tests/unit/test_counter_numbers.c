// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which prefix is counted where, and what is left of the counters where only so many may be shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "config/counter_numbers.h"
#include "datapath/prefix_counters.h"

static struct prefix prefix_number(uint32_t number)
{
	return (struct prefix){{AF_INET, {10, number >> 16, number >> 8, number}}, 32};
}

/* Of the prefixes `first` to `last`, with the counters that follow each other from `counter` on, or 0. */
static struct state state_of(uint32_t first, uint32_t last, uint32_t counter)
{
	struct state state = {.counting = WGVIA_COUNT_PREFIXES};

	for (uint32_t i = first; i <= last; i++) {
		struct wgvia_gateway value = {.ifindex = 2, .family = AF_INET, .counter = counter};
		struct prefix prefix = prefix_number(i);

		counter += counter != 0;
		assert_int_equal(state_add_gateway(&state, &prefix, &value), 0);
	}
	state_sort(&state);
	return state;
}

static void a_value_has_no_counter(void **unused)
{
	struct state state = state_of(1, 2, 7);

	(void)unused;
	assert_int_equal(state.gateways[0].value.counter, 0);
	assert_int_equal(state.gateways[1].counter, 8);
	assert_memory_equal(&state.gateways[0].value, &state.gateways[1].value, sizeof(state.gateways[0].value));
	state_free(&state);
}

static void new_prefixes_get_the_lowest_numbers(void **unused)
{
	struct state none = {}, state = state_of(1, 3, 0);

	(void)unused;
	assert_int_equal(counter_numbers_give(&none, &state), 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(state.gateways[i].counter, i + 1);
	state_free(&state);
}

static void a_prefix_keeps_its_number(void **unused)
{
	struct state running = state_of(1, 4, 10), state = state_of(3, 6, 0);

	(void)unused;
	assert_int_equal(counter_numbers_give(&running, &state), 0);
	assert_int_equal(state.gateways[0].counter, 12);
	assert_int_equal(state.gateways[1].counter, 13);
	assert_int_equal(state.gateways[2].counter, 1);
	assert_int_equal(state.gateways[3].counter, 2);
	state_free(&running);
	state_free(&state);
}

/* Packets on their way may still be counted there. */
static void a_number_that_becomes_free_is_not_given_in_the_same_change(void **unused)
{
	struct state running = state_of(1, 3, 1), state = state_of(4, 6, 0), none = {};

	(void)unused;
	assert_int_equal(counter_numbers_give(&running, &state), 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(state.gateways[i].counter, i + 4);
	assert_int_equal(counter_numbers_give(&none, &state), 0);
	assert_int_equal(state.gateways[0].counter, 1);
	state_free(&running);
	state_free(&state);
}

/* As an administrator with bpftool may write them. */
static void nonsense_is_replaced(void **unused)
{
	static const uint32_t written[] = {5, 5, 0, COUNTER_NUMBERS, UINT32_MAX, 1};
	static const uint32_t wanted[] = {5, 2, 3, 4, 6, 1};
	struct state running = state_of(1, 6, 0), state = state_of(1, 6, 0);

	(void)unused;
	for (size_t i = 0; i < 6; i++)
		running.gateways[i].counter = written[i];
	assert_int_equal(counter_numbers_give(&running, &state), 0);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(state.gateways[i].counter, wanted[i]);
	state_free(&running);
	state_free(&state);
}

static void off_there_are_no_numbers(void **unused)
{
	struct state running = state_of(1, 3, 1), state = state_of(1, 3, 1);

	(void)unused;
	state.counting = WGVIA_COUNT_VERDICTS;
	assert_int_equal(counter_numbers_give(&running, &state), 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(state.gateways[i].counter, 0);
	state_free(&running);
	state_free(&state);
}

static void where_no_number_is_left_prefixes_are_counted_together(void **unused)
{
	struct state running = state_of(1, 700000, 1), state = state_of(700001, 1400000, 0);
	size_t with = 0;

	(void)unused;
	assert_int_equal(counter_numbers_give(&running, &state), 0);
	for (size_t i = 0; i < state.gateway_count; i++)
		with += state.gateways[i].counter != 0;
	assert_int_equal(with, COUNTER_NUMBERS - 1 - 700000);
	assert_int_equal(state.gateways[with - 1].counter, COUNTER_NUMBERS - 1);
	state_free(&running);
	state_free(&state);
}

/* --- limit --- */

static struct prefix_counts counts_of(size_t count)
{
	struct prefix_counts counts = {.counted = true, .count = count, .other.out = {100, 1000}};

	counts.all = calloc(count, sizeof(*counts.all));
	assert_non_null(counts.all);
	for (size_t i = 0; i < count; i++) /* the last prefix has the lowest number */
		counts.all[i] = (struct prefix_count){prefix_number(i), count - i, {{1, 10}, {2, 20}}};
	return counts;
}

static void a_limit_leaves_the_lowest_numbers_in_order_and_sums_the_rest(void **unused)
{
	struct prefix_counts counts = counts_of(5);
	struct prefix first = prefix_number(3);

	(void)unused;
	prefix_counts_limit(&counts, 2);
	assert_int_equal(counts.count, 2);
	assert_int_equal(prefix_compare(&counts.all[0].prefix, &first), 0);
	assert_int_equal(counts.all[0].number, 2);
	assert_int_equal(counts.all[1].number, 1);
	assert_int_equal(counts.other.out.packets, 103);
	assert_int_equal(counts.other.out.bytes, 1030);
	assert_int_equal(counts.other.back.packets, 6);
	assert_int_equal(counts.other.back.bytes, 60);
	prefix_counts_free(&counts);
}

static void a_limit_that_is_not_reached_changes_nothing(void **unused)
{
	struct prefix_counts counts = counts_of(5);

	(void)unused;
	prefix_counts_limit(&counts, 5);
	assert_int_equal(counts.count, 5);
	assert_int_equal(counts.other.out.packets, 100);
	prefix_counts_free(&counts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_has_no_counter),
		cmocka_unit_test(new_prefixes_get_the_lowest_numbers),
		cmocka_unit_test(a_prefix_keeps_its_number),
		cmocka_unit_test(a_number_that_becomes_free_is_not_given_in_the_same_change),
		cmocka_unit_test(nonsense_is_replaced),
		cmocka_unit_test(off_there_are_no_numbers),
		cmocka_unit_test(where_no_number_is_left_prefixes_are_counted_together),
		cmocka_unit_test(a_limit_leaves_the_lowest_numbers_in_order_and_sums_the_rest),
		cmocka_unit_test(a_limit_that_is_not_reached_changes_nothing),
	};

	return cmocka_run_group_tests_name("counter numbers", tests, NULL, NULL);
}
