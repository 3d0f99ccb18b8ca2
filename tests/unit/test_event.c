// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: their text is one line for a terminal, for any device name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/event.h"
#include "base/journal.h"
#include "base/util.h"

static void a_text_has_no_control_characters(void **state)
{
	cleanup(event_free) struct event event =
		event_make(EVENT_ATTACHMENT, JOURNAL_INFO, "wg6", "attached to dev %s\n", "a\033[2Jb");

	(void)state;
	assert_string_equal(event.text, "attached to dev a?[2Jb?");
}

static void a_field_is_found_by_its_name(void **state)
{
	cleanup(event_free) struct event event = event_make(EVENT_GATEWAY, JOURNAL_WARNING, "wg6", "%s", "x");

	(void)state;
	event_add_text(&event, "state", "dead");
	event_add_number(&event, "ifindex", 7);
	assert_string_equal(event_find_text(&event, "state"), "dead");
	assert_null(event_find_text(&event, "reason"));
	assert_string_equal(event_priority_word(event.priority), "warning");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_has_no_control_characters),
		cmocka_unit_test(a_field_is_found_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
