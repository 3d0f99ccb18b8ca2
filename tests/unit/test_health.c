// SPDX-License-Identifier: GPL-2.0-only
/*
 * A gateway's health as a table of events and times, and the choice among several.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/health.h"
#include "base/util.h"

static const struct health_settings settings = {.interval = 1000, .retry = 200, .tries = 3, .hold = 10000};

/* The events; TICK and PROBE are the passing of time alone. */
enum event { TICK, PROBE, ANSWER, FAILED, DOWN, UP, ASK, ANEW };

struct step {
	uint64_t at;
	enum event event; /* TICK: no probe is sent then; PROBE: one is */
	enum health_state state;
	uint64_t next;
};

static const struct story {
	const char *name;
	bool without_link; /* at the beginning */
	struct step steps[16];
} stories[] = {
	{"an answer makes it held, the hold time good",
	 false,
	 {{0, PROBE, HEALTH_UNKNOWN, 200},
	  {1, ANSWER, HEALTH_HELD, 1001},
	  {1000, TICK, HEALTH_HELD, 1001},
	  {1001, PROBE, HEALTH_HELD, 1201},
	  {1003, ANSWER, HEALTH_HELD, 2003},
	  {10000, PROBE, HEALTH_HELD, 10001},
	  {10000, ANSWER, HEALTH_HELD, 10001},
	  {10001, TICK, HEALTH_GOOD, 11000},
	  {11000, PROBE, HEALTH_GOOD, 11200}}},
	{"three probes unanswered, and the time for the last, make it dead; it is asked on at the interval",
	 false,
	 {{0, PROBE, HEALTH_UNKNOWN, 200},
	  {199, TICK, HEALTH_UNKNOWN, 200},
	  {200, PROBE, HEALTH_UNKNOWN, 400},
	  {400, PROBE, HEALTH_UNKNOWN, 600},
	  {599, TICK, HEALTH_UNKNOWN, 600},
	  {600, PROBE, HEALTH_DEAD, 1600},
	  {1600, PROBE, HEALTH_DEAD, 2600},
	  {1601, ANSWER, HEALTH_HELD, 2601}}},
	{"an answer in between begins the count again",
	 false,
	 {{0, PROBE, HEALTH_UNKNOWN, 200},
	  {1, ANSWER, HEALTH_HELD, 1001},
	  {1001, PROBE, HEALTH_HELD, 1201},
	  {1201, PROBE, HEALTH_HELD, 1401},
	  {1401, PROBE, HEALTH_HELD, 1601},
	  {1600, ANSWER, HEALTH_HELD, 2600},
	  {2600, PROBE, HEALTH_HELD, 2800},
	  {2800, PROBE, HEALTH_HELD, 3000},
	  {3000, PROBE, HEALTH_HELD, 3200},
	  {3200, PROBE, HEALTH_DEAD, 4200}}},
	{"one that flaps is held again each time",
	 false,
	 {{0, ANSWER, HEALTH_HELD, 1000},
	  {9000, DOWN, HEALTH_DEAD, HEALTH_NEVER},
	  {9001, UP, HEALTH_DEAD, 9001},
	  {9002, PROBE, HEALTH_DEAD, 9202},
	  {9002, ANSWER, HEALTH_HELD, 10002},
	  {10002, PROBE, HEALTH_HELD, 10202},
	  {10003, ANSWER, HEALTH_HELD, 11003},
	  {19001, PROBE, HEALTH_HELD, 19002},
	  {19001, ANSWER, HEALTH_HELD, 19002},
	  {19002, TICK, HEALTH_GOOD, 20001}}},
	{"without a link it is dead, whatever is heard",
	 true,
	 {{0, TICK, HEALTH_DEAD, HEALTH_NEVER},
	  {1, ANSWER, HEALTH_DEAD, HEALTH_NEVER},
	  {2, FAILED, HEALTH_DEAD, HEALTH_NEVER},
	  {9999999, TICK, HEALTH_DEAD, HEALTH_NEVER},
	  {10000000, UP, HEALTH_DEAD, 10000000},
	  {10000000, PROBE, HEALTH_DEAD, 10000200}}},
	{"what the kernel says leaves one probe",
	 false,
	 {{0, ANSWER, HEALTH_HELD, 1000},
	  {500, FAILED, HEALTH_HELD, 500},
	  {500, PROBE, HEALTH_HELD, 700},
	  {600, FAILED, HEALTH_HELD, 700},
	  {700, PROBE, HEALTH_DEAD, 1700}}},
	{"an answer to that probe says more than the kernel",
	 false,
	 {{0, ANSWER, HEALTH_HELD, 1000},
	  {500, FAILED, HEALTH_HELD, 500},
	  {500, PROBE, HEALTH_HELD, 700},
	  {501, ANSWER, HEALTH_HELD, 1501},
	  {10000, PROBE, HEALTH_GOOD, 10200}}},
	{"one that is dead is asked at once when it seems to be back",
	 false,
	 {{0, DOWN, HEALTH_DEAD, HEALTH_NEVER},
	  {1, UP, HEALTH_DEAD, 1},
	  {1, PROBE, HEALTH_DEAD, 201},
	  {201, PROBE, HEALTH_DEAD, 401},
	  {401, PROBE, HEALTH_DEAD, 601},
	  {601, PROBE, HEALTH_DEAD, 1601},
	  {700, FAILED, HEALTH_DEAD, 1601},
	  {701, ASK, HEALTH_DEAD, 701},
	  {701, PROBE, HEALTH_DEAD, 1701},
	  {702, ASK, HEALTH_DEAD, 702},
	  {703, ANSWER, HEALTH_HELD, 1703}}},
	{"what could not be answered does not count",
	 false,
	 {{0, PROBE, HEALTH_UNKNOWN, 200},
	  {10, ANEW, HEALTH_UNKNOWN, 10},
	  {10, PROBE, HEALTH_UNKNOWN, 210},
	  {20, ANEW, HEALTH_UNKNOWN, 20},
	  {20, PROBE, HEALTH_UNKNOWN, 220},
	  {30, ANEW, HEALTH_UNKNOWN, 30},
	  {30, PROBE, HEALTH_UNKNOWN, 230},
	  {230, PROBE, HEALTH_UNKNOWN, 430},
	  {430, PROBE, HEALTH_UNKNOWN, 630},
	  {630, PROBE, HEALTH_DEAD, 1630},
	  {640, ANEW, HEALTH_DEAD, 640},
	  {640, PROBE, HEALTH_DEAD, 840},
	  {641, ANSWER, HEALTH_HELD, 1641},
	  {642, ANEW, HEALTH_HELD, 1641}}},
	{"without a link there is nobody to be asked again", true, {{5, ANEW, HEALTH_DEAD, HEALTH_NEVER}}},
};

static void take(struct health *health, const struct step *step, const char *name)
{
	bool sent = false;

	switch (step->event) {
	case TICK:
	case PROBE:
		sent = health_tick(health, &settings, step->at);
		break;
	case ANSWER:
		health_answered(health, &settings, step->at);
		break;
	case FAILED:
		health_failed(health, &settings, step->at);
		break;
	case DOWN:
	case UP:
		health_link(health, step->event == UP, step->at);
		break;
	case ASK:
		health_ask(health, step->at);
		break;
	case ANEW:
		health_ask_again(health, step->at);
		break;
	}
	if (sent != (step->event == PROBE) || health->state != step->state ||
	    health_next(health, &settings) != step->next)
		fail_msg("%s, at %lu: sent %d state %d next %lu", name, (unsigned long)step->at, sent, health->state,
			 (unsigned long)health_next(health, &settings));
}

static void health_follows_what_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stories); i++) {
		struct health health;

		health_begin(&health, !stories[i].without_link, 0);
		for (size_t j = 0; j < ARRAY_SIZE(stories[i].steps) && stories[i].steps[j].next; j++)
			take(&health, &stories[i].steps[j], stories[i].name);
	}
}

static void without_a_hold_time_an_answer_is_enough(void **state)
{
	struct health_settings now = settings;
	struct health health;

	(void)state;
	now.hold = 0;
	health_begin(&health, true, 0);
	health_answered(&health, &now, 1);
	assert_int_equal(health.state, HEALTH_GOOD);
}

static void one_try_is_enough_where_one_is_asked_for(void **state)
{
	struct health_settings one = settings;
	struct health health;

	(void)state;
	one.tries = 1;
	health_begin(&health, true, 0);
	assert_true(health_tick(&health, &one, 0));
	health_tick(&health, &one, 200);
	assert_int_equal(health.state, HEALTH_DEAD);
}

/* U unknown, D dead, H held, G good; `current` is the one in use. */
static void the_choice(void **unused)
{
	static const struct {
		const char *states;
		int current, chosen;
	} rows[] = {
		{"G", 0, 0},
		{"H", 0, 0},
		{"U", 0, HEALTH_KEEP},
		{"D", 0, HEALTH_NONE},
		{"DD", 1, HEALTH_NONE},
		{"GG", 0, 0},
		{"HG", 0, 0},
		{"UG", 0, HEALTH_KEEP},
		{"DG", 0, 1},
		{"DH", 0, 1},
		{"DU", 0, 1},
		{"DUHG", 0, 3},
		{"DUH", 0, 2},
		{"DHHG", 0, 3},
		{"GG", 1, 0},
		{"HG", 1, 1}, /* back, but not for long enough */
		{"HH", 1, 1},
		{"UG", 1, 1},
		{"UU", 1, HEALTH_KEEP},
		{"GU", 1, 0},
		{"HD", 1, 0}, /* no better one is left */
		{"DGGG", 2, 1},
		{"DHGG", 3, 2},
		{"GGD", -1, 0}, /* by hand, none of them */
		{"HG", -1, 1},
		{"UD", -1, 0},
		{"DD", -1, HEALTH_NONE},
	};
	static const char letters[] = "UDHG";

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum health_state states[8];
		int count = (int)strlen(rows[i].states), chosen;

		for (int j = 0; j < count; j++)
			states[j] = strchr(letters, rows[i].states[j]) - letters;
		chosen = health_choose(states, count, rows[i].current);
		if (chosen != rows[i].chosen)
			fail_msg("%s %d: %d", rows[i].states, rows[i].current, chosen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(health_follows_what_is_seen),
		cmocka_unit_test(without_a_hold_time_an_answer_is_enough),
		cmocka_unit_test(one_try_is_enough_where_one_is_asked_for),
		cmocka_unit_test(the_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
