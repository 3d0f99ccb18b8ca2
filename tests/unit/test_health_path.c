// SPDX-License-Identifier: GPL-2.0-only
/*
 * How far a gateway got since it last answered, and what it lacks accordingly. With health.c: half of the packets are
 * lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "agent/health_path.h"
#include "base/util.h"

static const struct health well = {.state = HEALTH_GOOD, .link = true}, waiting = {.state = HEALTH_GOOD, .sent = 1},
			   dead = {.state = HEALTH_DEAD, .sent = 3};

static void each_kind_has_its_fault_by_the_stage(void **unused)
{
	static const enum wgvia_watch_kind kinds[] = {WGVIA_WATCH_FORWARD, WGVIA_WATCH_PING, WGVIA_WATCH_TCP};
	static const enum wgvia_fault faults[] = {WGVIA_FAULT_FORWARD, WGVIA_FAULT_PING, WGVIA_FAULT_TCP};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct health_path path = {};

		health_path_try(&path, &well);
		assert_int_equal(health_path_fault(&path, kinds[i]), WGVIA_FAULT_NONE);
		assert_true(health_path_neighbour(&path));
		assert_int_equal(health_path_fault(&path, kinds[i]), faults[i]);
	}
}

static void a_request_that_comes_back_is_not_an_answer(void **unused)
{
	struct health_path path = {};

	(void)unused;
	health_path_try(&path, &well);
	health_path_neighbour(&path);
	assert_false(health_path_event(&path, PATH_FORWARDED));
	assert_int_equal(health_path_fault(&path, WGVIA_WATCH_FORWARD), WGVIA_FAULT_RETURN);
	assert_true(health_path_event(&path, PATH_ANSWERED));
}

static void a_refusal_is_not_an_answer(void **unused)
{
	struct health_path path = {};

	(void)unused;
	health_path_try(&path, &well);
	health_path_neighbour(&path);
	assert_false(health_path_event(&path, PATH_REFUSED));
	assert_int_equal(health_path_fault(&path, WGVIA_WATCH_TCP), WGVIA_FAULT_REFUSED);
}

static void one_packet_is_sent_for_a_try_however_many_neighbour_answers_come(void **unused)
{
	struct health_path path = {};

	(void)unused;
	assert_false(health_path_neighbour(&path)); /* an announcement */
	health_path_try(&path, &well);
	assert_true(health_path_neighbour(&path));
	assert_false(health_path_neighbour(&path));
	health_path_try(&path, &waiting);
	assert_true(health_path_neighbour(&path));
}

static void the_furthest_stage_counts_until_the_next_answer_or_death(void **unused)
{
	struct health_path path = {};

	(void)unused;
	health_path_try(&path, &well);
	health_path_neighbour(&path);
	health_path_event(&path, PATH_FORWARDED);
	health_path_try(&path, &waiting);
	assert_int_equal(health_path_fault(&path, WGVIA_WATCH_FORWARD), WGVIA_FAULT_RETURN);
	health_path_neighbour(&path);
	assert_int_equal(health_path_fault(&path, WGVIA_WATCH_FORWARD), WGVIA_FAULT_RETURN);
	/* each try of a dead one has its own result */
	health_path_try(&path, &dead);
	assert_int_equal(health_path_fault(&path, WGVIA_WATCH_FORWARD), WGVIA_FAULT_NONE);
	health_path_neighbour(&path);
	assert_int_equal(health_path_fault(&path, WGVIA_WATCH_FORWARD), WGVIA_FAULT_FORWARD);
}

/*
 * Request and reply are each forwarded with probability one half, so that one try in four succeeds. With the agent's
 * defaults such a gateway is soon found dead, and hardly ever works for long enough to be preferred again.
 */
static void half_of_the_packets_lost_is_dead_once_and_not_preferred_again(void **unused)
{
	static const struct health_settings settings = {.interval = 1000, .retry = 200, .tries = 3, .hold = 10000};
	const uint64_t hour = 3600 * 1000;
	struct health health;
	uint64_t good = 0, dead_first = 0;

	(void)unused;
	srandom(1);
	health_begin(&health, true, 0);
	health_answered(&health, &settings, 0);
	health.state = HEALTH_GOOD;
	for (uint64_t now = 0; now < hour; now++) {
		bool was_dead = health.state == HEALTH_DEAD;

		if (health_tick(&health, &settings, now) && random() % 4 == 0)
			health_answered(&health, &settings, now);
		if (!was_dead && health.state == HEALTH_DEAD && !dead_first)
			dead_first = now;
		good += dead_first && health.state == HEALTH_GOOD;
	}
	assert_in_range(dead_first, 1, 30000);
	assert_true(good < hour / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_its_fault_by_the_stage),
		cmocka_unit_test(a_request_that_comes_back_is_not_an_answer),
		cmocka_unit_test(a_refusal_is_not_an_answer),
		cmocka_unit_test(one_packet_is_sent_for_a_try_however_many_neighbour_answers_come),
		cmocka_unit_test(the_furthest_stage_counts_until_the_next_answer_or_death),
		cmocka_unit_test(half_of_the_packets_lost_is_dead_once_and_not_preferred_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
