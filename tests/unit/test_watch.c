// SPDX-License-Identifier: GPL-2.0-only
/*
 * "health ...": words and values, the faults of a dead gateway, and which list determines how it is watched.
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
#include "config/watch.h"

/* Parses "health ..." without other words. */
static int take(const char *line, struct wgvia_watch *watch, struct error *error)
{
	static char copy[128];
	char *words[8], *rest = copy, *word;
	struct cursor cursor = {words, words};

	*error = (struct error){};
	strcpy(copy, line);
	while ((word = strsep(&rest, " ")))
		*cursor.end++ = word;
	return watch_take(&cursor, watch, error) ? -1 : cursor.word == cursor.end ? 0 : 1;
}

static void kinds_are_taken_and_printed_as_they_are_given(void **unused)
{
	static const struct {
		const char *line;
		const char *text; /* NULL: the same */
		enum wgvia_watch_kind kind;
		uint8_t family;
		unsigned int port;
	} rows[] = {
		{"health neighbour", NULL, WGVIA_WATCH_NEIGHBOUR, 0, 0},
		{"health forward", NULL, WGVIA_WATCH_FORWARD, 0, 0},
		{"health ping 192.0.2.3", NULL, WGVIA_WATCH_PING, AF_INET, 0},
		{"health ping 2001:db8:0::3", "health ping 2001:db8::3", WGVIA_WATCH_PING, AF_INET6, 0},
		{"health tcp 192.0.2.3:1", NULL, WGVIA_WATCH_TCP, AF_INET, 1},
		{"health tcp 192.0.2.3:65535", NULL, WGVIA_WATCH_TCP, AF_INET, 65535},
		{"health tcp [2001:db8::3]:443", NULL, WGVIA_WATCH_TCP, AF_INET6, 443},
		{"health tcp [2001:db8:1111:2222:3333:4444:5555:6666]:65535", NULL, WGVIA_WATCH_TCP, AF_INET6, 65535},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wgvia_watch watch, clean = {};
		char text[WATCH_TEXT_LEN];
		struct error error;

		if (take(rows[i].line, &watch, &error))
			fail_msg("'%s': %s", rows[i].line, error.text);
		assert_int_equal(watch.kind, rows[i].kind);
		assert_int_equal(watch.family, rows[i].family);
		assert_int_equal(watch.port, rows[i].port);
		assert_true(watch_is_valid(&watch));
		assert_int_equal(watch_equal(&watch, &clean), rows[i].kind == WGVIA_WATCH_NEIGHBOUR);
		assert_string_equal(watch_text(&watch, text), (rows[i].text ?: rows[i].line) + strlen("health "));
	}
}

static void what_is_no_kind_is_refused_with_a_reason(void **unused)
{
	static const struct {
		const char *line, *reason;
	} rows[] = {
		{"health", "'health' needs a value"},
		{"health good", "neighbour, forward, ping ADDRESS or tcp ADDRESS:PORT"},
		{"health ping", "'health ping' needs an ADDRESS"},
		{"health tcp", "'health tcp' needs ADDRESS:PORT"},
		{"health ping host", "not an IPv4 or IPv6 address"},
		{"health ping 192.0.2.3/32", "prefix length"},
		{"health ping 224.0.0.1", "cannot be reached through a gateway"},
		{"health ping 127.0.0.1", "cannot be reached through a gateway"},
		{"health ping 0.0.0.0", "cannot be reached through a gateway"},
		{"health ping fe80::1", "cannot be reached through a gateway"},
		{"health ping ::1", "cannot be reached through a gateway"},
		{"health tcp 192.0.2.3", "192.0.2.3:443 or [2001:db8::3]:443"},
		{"health tcp 192.0.2.3:", "port '' is not a number from 1 to 65535"},
		{"health tcp 192.0.2.3:0", "port '0' is not a number from 1 to 65535"},
		{"health tcp 192.0.2.3:65536", "port '65536' is not a number from 1 to 65535"},
		{"health tcp 192.0.2.3:http", "is not a number from 1 to 65535"},
		{"health tcp 2001:db8::3:443", "192.0.2.3:443 or [2001:db8::3]:443"},
		{"health tcp [2001:db8::3]", "192.0.2.3:443 or [2001:db8::3]:443"},
		{"health tcp [2001:db8::3:443", "192.0.2.3:443 or [2001:db8::3]:443"},
		{"health tcp [192.0.2.3]:443", "192.0.2.3:443 or [2001:db8::3]:443"},
		{"health tcp []:443", "192.0.2.3:443 or [2001:db8::3]:443"},
		{"health tcp :443", "192.0.2.3:443 or [2001:db8::3]:443"},
		{"health tcp [2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999]:65535", "is not ADDRESS:PORT"},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wgvia_watch watch;
		struct error error;

		if (take(rows[i].line, &watch, &error) >= 0)
			fail_msg("'%s' is taken", rows[i].line);
		if (!strstr(error.text, rows[i].reason))
			fail_msg("'%s': '%s'", rows[i].line, error.text);
	}
}

static void what_a_map_may_hold_and_words_cannot_say_is_not_valid(void **unused)
{
	static const struct wgvia_watch rows[] = {
		{.kind = WGVIA_WATCH_COUNT},
		{.kind = UINT32_MAX},
		{.kind = WGVIA_WATCH_NEIGHBOUR, .family = AF_INET},
		{.kind = WGVIA_WATCH_FORWARD, .port = 1},
		{.kind = WGVIA_WATCH_FORWARD, .addr = {1}},
		{.kind = WGVIA_WATCH_PING},
		{.kind = WGVIA_WATCH_PING, .family = 99, .addr = {192, 0, 2, 3}},
		{.kind = WGVIA_WATCH_PING, .family = AF_INET, .addr = {192, 0, 2, 3, 1}},
		{.kind = WGVIA_WATCH_PING, .family = AF_INET, .addr = {192, 0, 2, 3}, .port = 80},
		{.kind = WGVIA_WATCH_TCP, .family = AF_INET, .addr = {192, 0, 2, 3}},
		{.kind = WGVIA_WATCH_TCP, .family = AF_INET6, .addr = {32, 1}, .port = 65536},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (watch_is_valid(&rows[i]))
			fail_msg("row %zu is valid", i);
}

static void a_fault_names_the_address_where_it_is_about_one(void **unused)
{
	struct wgvia_watch none = {}, ping, tcp;
	char text[WATCH_FAULT_LEN];
	struct error error;

	(void)unused;
	assert_int_equal(take("health ping 192.0.2.3", &ping, &error), 0);
	assert_int_equal(take("health tcp [2001:db8::3]:443", &tcp, &error), 0);
	assert_string_equal(watch_fault(&ping, WGVIA_FAULT_PING, text),
			    "192.0.2.3 does not answer echo requests through it");
	assert_string_equal(watch_fault(&tcp, WGVIA_FAULT_REFUSED, text),
			    "[2001:db8::3]:443 refuses connections through it");
	assert_string_equal(watch_fault(&tcp, WGVIA_FAULT_DEVICE_DOWN, text), "its device is down");
	/* the list was changed, and the agent has not noticed yet */
	assert_string_equal(watch_fault(&none, WGVIA_FAULT_TCP, text),
			    "its target does not answer connection attempts through it");
}

/* --- lists --- */

static struct wgvia_hop hop(uint8_t last)
{
	return (struct wgvia_hop){2, AF_INET, {192, 0, 2, last}};
}

static void add_list(struct state *state, uint8_t a, uint8_t b, enum wgvia_watch_kind kind)
{
	struct wgvia_failover content = {.count = b ? 2 : 1, .hops = {hop(a)}, .watch.kind = kind};
	uint32_t number;

	if (b)
		content.hops[1] = hop(b);
	assert_int_equal(failover_add(state, &content, &number), 0);
}

static void a_gateway_is_watched_as_its_list_says(void **unused)
{
	cleanup(state_free) struct state state = {};
	struct wgvia_hop one = hop(1), two = hop(2), three = hop(3);

	(void)unused;
	assert_int_equal(watch_of(&state, &one).kind, WGVIA_WATCH_NEIGHBOUR);
	add_list(&state, 1, 4, WGVIA_WATCH_NEIGHBOUR);
	add_list(&state, 2, 3, WGVIA_WATCH_FORWARD);
	assert_int_equal(watch_of(&state, &one).kind, WGVIA_WATCH_NEIGHBOUR);
	assert_int_equal(watch_of(&state, &two).kind, WGVIA_WATCH_FORWARD);
	assert_int_equal(watch_of(&state, &three).kind, WGVIA_WATCH_FORWARD);
	/* if two lists differ, as bpftool can write them: the one that requires more */
	add_list(&state, 1, 5, WGVIA_WATCH_FORWARD);
	assert_int_equal(watch_of(&state, &one).kind, WGVIA_WATCH_FORWARD);
}

static void two_lists_that_watch_a_gateway_in_two_ways_are_found(void **unused)
{
	cleanup(state_free) struct state state = {};
	struct wgvia_hop found, three = hop(3);
	struct wgvia_watch ways[2];

	(void)unused;
	assert_int_equal(watch_find_conflict(&state, &found, ways), 0);
	add_list(&state, 1, 2, WGVIA_WATCH_NEIGHBOUR);
	add_list(&state, 2, 1, WGVIA_WATCH_NEIGHBOUR);
	add_list(&state, 3, 4, WGVIA_WATCH_FORWARD);
	add_list(&state, 4, 0, WGVIA_WATCH_FORWARD);
	assert_int_equal(watch_find_conflict(&state, &found, ways), 0);
	add_list(&state, 5, 3, WGVIA_WATCH_NEIGHBOUR);
	assert_int_equal(watch_find_conflict(&state, &found, ways), 1);
	assert_true(hop_equal(&found, &three));
	assert_int_equal(ways[0].kind + ways[1].kind, WGVIA_WATCH_FORWARD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_taken_and_printed_as_they_are_given),
		cmocka_unit_test(what_is_no_kind_is_refused_with_a_reason),
		cmocka_unit_test(what_a_map_may_hold_and_words_cannot_say_is_not_valid),
		cmocka_unit_test(a_fault_names_the_address_where_it_is_about_one),
		cmocka_unit_test(a_gateway_is_watched_as_its_list_says),
		cmocka_unit_test(two_lists_that_watch_a_gateway_in_two_ways_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
