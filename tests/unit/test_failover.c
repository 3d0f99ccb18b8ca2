// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preference lists in a state: their numbers compared with those of running ones, and the choice that is kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "config/failover.h"

static struct prefix ten(uint8_t second)
{
	return (struct prefix){{AF_INET, {10, second}}, 16};
}

static struct wgvia_hop hop(uint8_t last)
{
	return (struct wgvia_hop){2, AF_INET, {192, 0, 2, last}};
}

/* "via A or B", each the last byte of an address. */
static struct wgvia_failover list(uint8_t a, uint8_t b)
{
	return (struct wgvia_failover){.count = 2, .hops = {hop(a), hop(b)}};
}

/* 10.`second`.0.0/16 via the gateway `current` of a list. */
static void add(struct state *state, uint8_t second, uint8_t a, uint8_t b, uint8_t current)
{
	struct wgvia_failover content = list(a, b);
	struct wgvia_hop in_force = hop(current);
	struct prefix prefix = ten(second);
	struct wgvia_gateway value;
	uint32_t number;

	assert_int_equal(failover_add(state, &content, &number), 0);
	value = hop_value(&in_force, number);
	assert_int_equal(state_add_gateway(state, &prefix, &value), 0);
}

static void add_single(struct state *state, uint8_t second, uint8_t gateway, uint32_t number)
{
	struct wgvia_hop in_force = hop(gateway);
	struct wgvia_gateway value = hop_value(&in_force, number);
	struct prefix prefix = ten(second);

	assert_int_equal(state_add_gateway(state, &prefix, &value), 0);
}

static uint32_t number(const struct state *state, size_t i)
{
	return state->gateways[i].value.flags >> WGVIA_GATEWAY_LIST_SHIFT;
}

static void follows(const struct state *state, size_t i, uint8_t a, uint8_t b)
{
	const struct gateway_list *found = failover_find(state, &state->gateways[i].value);
	struct wgvia_failover content = list(a, b);

	assert_non_null(found);
	assert_memory_equal(&found->content, &content, sizeof(content));
}

static void the_same_list_is_held_once(void **unused)
{
	cleanup(state_free) struct state state = {};

	(void)unused;
	add(&state, 1, 1, 2, 1);
	add(&state, 2, 2, 1, 2);
	add(&state, 3, 1, 2, 1);
	assert_int_equal(state.list_count, 2);
	assert_int_equal(number(&state, 0), number(&state, 2));
	assert_int_not_equal(number(&state, 0), number(&state, 1));
	assert_true(failover_in_use(&state));
}

static void lists_that_nobody_follows_go_and_so_do_numbers_of_no_list(void **unused)
{
	cleanup(state_free) struct state state = {};

	(void)unused;
	add(&state, 1, 1, 2, 1);
	add(&state, 2, 2, 1, 2);
	add_single(&state, 3, 1, 77);
	state.gateways[2].value.flags |= WGVIA_GATEWAY_DOWN;
	state_remove_gateway(&state, &state.gateways[0]);
	assert_int_equal(failover_prune(&state), 0);
	assert_int_equal(state.list_count, 1);
	follows(&state, 0, 2, 1);
	assert_int_equal(number(&state, 1), 0);
	assert_int_equal(state.gateways[1].value.flags, WGVIA_GATEWAY_DOWN);
}

static void a_list_that_runs_keeps_its_number_and_a_new_one_takes_nobodys(void **unused)
{
	cleanup(state_free) struct state running = {}, state = {};

	(void)unused;
	add(&running, 1, 1, 2, 1);     /* number 1 */
	add(&running, 2, 3, 4, 3);     /* number 2 */
	add_single(&running, 3, 1, 3); /* of a list that is missing, due to an accident */
	/* in the opposite order, so that the numbers do not match by chance */
	add(&state, 2, 5, 6, 5);
	add(&state, 1, 3, 4, 3);
	add_single(&state, 4, 9, 0);
	assert_int_equal(failover_number(&state, &running), 0);
	assert_int_equal(number(&state, 0), 4);
	assert_int_equal(number(&state, 1), 2);
	assert_int_equal(number(&state, 2), 0);
	follows(&state, 0, 5, 6);
	follows(&state, 1, 3, 4);
}

static void there_are_no_more_numbers_than_a_value_has_room_for(void **unused)
{
	cleanup(state_free) struct state running = {}, state = {};

	(void)unused;
	for (uint32_t i = 1; i <= WGVIA_FAILOVER_LISTS; i++)
		add_single(&running, 0, 1, i);
	add(&state, 1, 1, 2, 1);
	assert_int_equal(failover_number(&state, &running), -ENOSPC);
}

static void the_choice_stays_where_the_list_stays(void **unused)
{
	cleanup(state_free) struct state running = {}, state = {};

	(void)unused;
	add(&running, 1, 1, 2, 2);
	running.gateways[0].value.flags |= WGVIA_GATEWAY_DOWN;
	add(&running, 2, 1, 2, 2);
	add(&running, 3, 1, 2, 7); /* by hand, not on the list */
	add(&state, 1, 1, 2, 1);
	add(&state, 2, 2, 1, 2);
	add(&state, 3, 1, 2, 1);
	add(&state, 4, 1, 2, 1);
	failover_keep_choice(&state, &running);
	assert_int_equal(state.gateways[0].value.addr[3], 2);
	assert_true(state.gateways[0].value.flags & WGVIA_GATEWAY_DOWN);
	follows(&state, 0, 1, 2);
	assert_int_equal(state.gateways[1].value.addr[3], 2); /* another list: its own first */
	follows(&state, 1, 2, 1);
	assert_int_equal(state.gateways[2].value.addr[3], 1);
	assert_int_equal(state.gateways[3].value.addr[3], 1);
}

static void the_choice_stays_where_the_gateways_are_watched_in_another_way(void **unused)
{
	cleanup(state_free) struct state running = {}, state = {};

	(void)unused;
	add(&running, 1, 1, 2, 2);
	add(&state, 1, 1, 2, 1);
	state.lists[0].content.watch.kind = WGVIA_WATCH_FORWARD;
	assert_false(failover_same(&state, &state.gateways[0].value, &running, &running.gateways[0].value));
	failover_keep_choice(&state, &running);
	assert_int_equal(state.gateways[0].value.addr[3], 2);
	/* and if the lists differ, the choice is not kept */
	state_free(&state);
	add(&state, 1, 1, 3, 1);
	failover_keep_choice(&state, &running);
	assert_int_equal(state.gateways[0].value.addr[3], 1);
}

static void whether_the_gateway_was_named_is_no_difference(void **unused)
{
	cleanup(state_free) struct state running = {}, state = {};

	(void)unused;
	add_single(&running, 1, 1, 0);
	add_single(&state, 1, 1, 0);
	state.gateways[0].value.flags |= WGVIA_GATEWAY_DEFAULT;
	assert_true(failover_same(&state, &state.gateways[0].value, &running, &running.gateways[0].value));
	assert_true(failover_same(&running, &running.gateways[0].value, &state, &state.gateways[0].value));
}

static void gateways_that_stand_by_count_too(void **unused)
{
	cleanup(state_free) struct state state = {};
	struct hops hops;

	(void)unused;
	add(&state, 1, 1, 2, 1);
	add(&state, 2, 2, 3, 2);
	add_single(&state, 3, 4, 0);
	assert_int_equal(failover_hops(&state, &hops), 0);
	assert_int_equal(hops.count, 4);
	free(hops.all);
}

static void what_nobody_watches_is_said(void **unused)
{
	cleanup(state_free) struct state single = {}, first = {}, second = {};

	(void)unused;
	add_single(&single, 1, 1, 0);
	assert_null(failover_problem(&single, false));
	add(&first, 1, 1, 2, 1);
	assert_null(failover_problem(&first, true));
	assert_non_null(strstr(failover_problem(&first, false), "the first gateway is used"));
	add(&second, 1, 1, 2, 2);
	assert_non_null(strstr(failover_problem(&second, false), "as the last agent left them"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_list_is_held_once),
		cmocka_unit_test(lists_that_nobody_follows_go_and_so_do_numbers_of_no_list),
		cmocka_unit_test(a_list_that_runs_keeps_its_number_and_a_new_one_takes_nobodys),
		cmocka_unit_test(there_are_no_more_numbers_than_a_value_has_room_for),
		cmocka_unit_test(the_choice_stays_where_the_list_stays),
		cmocka_unit_test(the_choice_stays_where_the_gateways_are_watched_in_another_way),
		cmocka_unit_test(whether_the_gateway_was_named_is_no_difference),
		cmocka_unit_test(gateways_that_stand_by_count_too),
		cmocka_unit_test(what_nobody_watches_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
