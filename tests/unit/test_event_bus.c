// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events that a listener's socket had no room for: they are counted, as long as the listener reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/journal.h"
#include "base/util.h"
#include "host/event_bus.h"

#define MANY 1100000 /* more than a file may contain that nobody reads */

static char folder[] = "/dev/shm/wgvia-events-XXXXXX"; /* a tmpfs, like /run */

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && !setenv("WGVIA_MONITOR", folder, 1) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void publish(unsigned int count)
{
	const struct event event = {
		.kind = EVENT_AGENT, .priority = JOURNAL_INFO, .tunnel = "wg6", .text = "something happened"};

	while (count--)
		event_bus_add(&event);
	event_bus_flush();
}

/* Publishes until the listener's socket is full. */
static void fill(struct event_listener *listener)
{
	while (!event_listener_lost(listener))
		publish(1);
}

/* The path of the listener's file. */
static char *find_file(void)
{
	char pattern[64], *path;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/*.lost", folder);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, 1);
	path = strdup(found.gl_pathv[0]);
	globfree(&found);
	return path;
}

/* As publishers do, faster. */
static void lose_many(void)
{
	static const char bytes[MANY];
	cleanup_free char *path = find_file();
	FILE *file = fopen(path, "a");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, sizeof(bytes), file), sizeof(bytes));
	assert_int_equal(fclose(file), 0);
}

/* A listener whose buffer has no more room. */
static struct event_listener *open_full(void)
{
	struct event_listener *listener = NULL;
	struct error error = {};

	assert_int_equal(event_listener_open(&listener, &error), 0);
	event_bus_begin("test", folder);
	fill(listener);
	return listener;
}

static void losses_are_counted_without_an_end(void **state)
{
	cleanup(event_listener_close) struct event_listener *listener = open_full();

	(void)state;
	for (int i = 0; i < 3; i++) {
		lose_many();
		assert_int_equal(event_listener_lost(listener), MANY);
		assert_int_equal(event_listener_lost(listener), 0);
		publish(7);
		assert_int_equal(event_listener_lost(listener), 7);
	}
}

static void the_file_of_a_listener_that_does_not_read_is_limited(void **state)
{
	cleanup(event_listener_close) struct event_listener *listener = open_full();

	(void)state;
	lose_many();
	publish(7);
	assert_int_equal(event_listener_lost(listener), MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(losses_are_counted_without_an_end),
		cmocka_unit_test(the_file_of_a_listener_that_does_not_read_is_limited),
	};

	return cmocka_run_group_tests_name("event_bus", tests, make_folder, remove_folder);
}
