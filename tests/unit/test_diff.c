// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two states and their difference in words: which lines, in which order, and nothing about unchanged entries or the
 * host's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "config/diff.h"
#include "config/failover.h"
#include "config/parse.h"
#include "config/statement.h"

static struct netdev devices[] = {{.ifindex = 2, .name = "ens3"}, {.ifindex = 3, .name = "ens4"}};
static const struct netdevs netdevs = {devices, ARRAY_SIZE(devices)};

static char told[4096];

/* Adds a list with the value as its first gateway. */
static struct wgvia_gateway add_list(struct state *state, const struct route_words *route,
				     const struct wgvia_gateway *first)
{
	struct wgvia_failover list = {.count = 1 + route->other_count, .hops = {hop_of(first)}};
	uint32_t number;

	for (size_t i = 0; i < route->other_count; i++) {
		const struct netdev *dev = netdev_by_name(&netdevs, route->others[i].dev);
		struct wgvia_gateway other = gateway_value(&route->others[i].via, dev ? dev->ifindex : 99);

		list.hops[i + 1] = hop_of(&other);
	}
	assert_int_equal(failover_add(state, &list, &number), 0);
	return hop_value(&list.hops[0], number);
}

/* A state from statements: "from P via A dev D", "bypass P", "mode M" and "on-fail F", one per line. */
static struct state state_of(const char *text)
{
	struct state state = {.tunnel = "wg6"};
	struct request request = {.tunnel = "wg6"};
	char copy[2048], *rest = copy, *line;
	struct error error;

	strcpy(copy, text);
	while ((line = strsep(&rest, "\n"))) {
		char *words[16], *word;
		int count = 0;

		while ((word = strsep(&line, " ")))
			if (*word)
				words[count++] = word;
		if (count && parse_statement(count, words, &request, &error))
			fail_msg("%s", error.text);
	}
	for (size_t i = 0; i < request.route_count; i++) {
		const struct netdev *dev = netdev_by_name(&netdevs, request.routes[i].dev);
		struct wgvia_gateway value = gateway_value(&request.routes[i].via, dev ? dev->ifindex : 99);

		if (request.routes[i].other_count)
			value = add_list(&state, &request.routes[i], &value);
		state_add_gateway(&state, &request.routes[i].from, &value);
	}
	for (size_t i = 0; i < request.bypass_count; i++)
		state_add_bypass(&state, &request.bypass[i], WGVIA_BYPASS, WGVIA_BYPASS_ADMIN);
	if (accepted_copy(&request.accepted, &state.accepted))
		fail();
	state.mode = request.mode;
	state.on_fail = request.on_fail;
	state.outside = request.outside;
	state.mss = request.mss;
	state.counting = request.counting;
	request_free(&request);
	state_sort(&state);
	return state;
}

/* Appends the line to `told`; the entry that it is about must be in the state that it names. */
static void tell(const struct difference *difference, void *unused)
{
	const struct state *state = difference->state;
	size_t len = strlen(told);

	(void)unused;
	snprintf(told + len, sizeof(told) - len, "%c %s%s\n", difference->is_added ? '+' : '-', difference->statement,
		 difference->comment);
	assert_true(!difference->gateway || (difference->gateway >= state->gateways &&
					     difference->gateway < state->gateways + state->gateway_count));
	assert_true(!difference->bypass ||
		    (difference->bypass >= state->bypass && difference->bypass < state->bypass + state->bypass_count));
	assert_int_equal(!!difference->gateway, !strncmp(difference->statement, "from ", 5));
	assert_int_equal(!!difference->bypass, !strncmp(difference->statement, "bypass ", 7));
}

static const char *diff(const struct state *from, const struct state *to)
{
	told[0] = '\0';
	diff_states(from, to, &netdevs, tell, NULL);
	return told;
}

#define A "from 10.6.0.0/16 via 192.0.2.1 dev ens3\n"
#define A2 "from 10.6.0.0/16 via 192.0.2.9 dev ens3\n"
#define A3 "from 10.6.0.0/16 via 192.0.2.1 dev ens4\n"
#define A6 "from 10.6.0.0/16 via fe80::1 dev ens4\n"
#define L "from 10.6.0.0/16 via 192.0.2.1 dev ens3 or 192.0.2.9 dev ens3\n"
#define L2 "from 10.6.0.0/16 via 192.0.2.9 dev ens3 or 192.0.2.1 dev ens3\n"
#define M "from 10.7.0.0/16 via 192.0.2.9 dev ens3 or 192.0.2.1 dev ens3 or fe80::1 dev ens4\n"
#define B "from 10.7.0.0/16 via 192.0.2.1 dev ens3\n"
#define C "from 2001:db8:1::/50 via 2001:db8:2::1 dev ens3\n"
#define C2 "from 2001:db8:1::/51 via 2001:db8:2::1 dev ens3\n"
#define Y "bypass 198.18.0.0/15\n"
#define Z "bypass 2001:db8:ffff::/48\n"

static void two_states_differ_in_these_lines(void **unused)
{
	static const struct {
		const char *from, *to, *lines;
	} rows[] = {
		{A B C Y Z, Z Y C B A, ""},
		{A, A2, "- " A "+ " A2},
		{A, A3, "- " A "+ " A3},
		{A, A6, "- " A "+ " A6},
		{A B C, A2 B C, "- " A "+ " A2},
		{A B C, A C, "- " B},
		{A C, A B C, "+ " B},
		{A, C, "- " A "+ " C},
		{C, A, "+ " A "- " C},
		{A C, A C2, "- " C "+ " C2},
		{A C2, A C, "+ " C "- " C2},
		{A Y, A Z, "- " Y "+ " Z},
		{A Z, A Z Y, "+ " Y},
		{A "mode fast", A "mode stack", "- mode fast\n+ mode stack\n"},
		{A "on-fail pass", A, "- on-fail pass\n+ on-fail drop\n"},
		{A, A "outside drop", "- outside pass\n+ outside drop\n"},
		{A, A "mss auto", "- mss off\n+ mss auto\n"},
		{A "mss 536", A "mss 65495", "- mss 536\n+ mss 65495\n"},
		{A, A "counters prefix", "- counters off\n+ counters prefix\n"},
		{A "counters prefix", A "counters prefix", ""},
		{B Y, A "mode stack\non-fail pass\n" Z,
		 "- mode fast\n+ mode stack\n- on-fail drop\n+ on-fail pass\n+ " A "- " B "- " Y "+ " Z},
		{L M, M L, ""},
		{L, L2, "- " L "+ " L2},
		{A, L, "- " A "+ " L},
		{L, A, "- " L "+ " A},
		{M, L M, "+ " L},
		{A "accept mtu reason x y\naccept nat reason z\n", A "accept nat reason z\naccept mtu reason x y\n",
		 ""},
		{A "accept mtu reason x y\naccept nat reason z\n", A "accept mtu reason x\naccept reach reason z\n",
		 "- accept mtu reason x y\n+ accept mtu reason x\n- accept nat reason z\n+ accept reach reason z\n"},
		{"", A, "+ " A},
		{A, "", "- " A},
		{"", "", ""},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup(state_free) struct state from = state_of(rows[i].from), to = state_of(rows[i].to);

		assert_string_equal(diff(&from, &to), rows[i].lines);
	}
}

static void where_nothing_is_everything_comes(void **unused)
{
	cleanup(state_free) struct state to = state_of(C A Y "mode stack\n");

	(void)unused;
	assert_string_equal(
		diff(NULL, &to),
		"+ mode stack\n+ on-fail drop\n+ outside pass\n+ mss off\n+ counters off\n+ return via\n+ " A "+ " C
		"+ " Y);
}

static void what_the_host_is_left_alone_for_is_no_difference(void **unused)
{
	cleanup(state_free) struct state from = state_of(A Y), to = state_of(A Y);
	struct prefix own = {{AF_INET, {192, 0, 2, 2}}, 32}, other = {{AF_INET, {192, 0, 2, 3}}, 32};

	(void)unused;
	state_add_bypass(&from, &own, WGVIA_LOCAL, 0);
	state_add_bypass(&from, &other, WGVIA_TUNNEL, 0);
	state_sort(&from);
	assert_string_equal(diff(&from, &to), "");
	assert_string_equal(diff(&to, &from), "");
	/* on both lists: it counts as the administrator's */
	from.bypass[0].value.flags = WGVIA_BYPASS_ADMIN;
	assert_string_equal(diff(&to, &from), "+ bypass 192.0.2.2/32\n");
	assert_string_equal(diff(&from, &to), "- bypass 192.0.2.2/32\n");
}

static void what_no_words_can_tell_is_told_in_a_comment(void **unused)
{
	cleanup(state_free) struct state from = state_of(A C Y), to = state_of(A C Y);

	(void)unused;
	from.gateways[0].value.flags = 4;
	from.gateways[1].value.ifindex = 77;
	from.bypass[0].value = (struct wgvia_bypass){77, 0};
	assert_string_equal(diff(&from, &to), "- from 10.6.0.0/16 via 192.0.2.1 dev ens3 # flags 0x4\n+ " A
					      "- from 2001:db8:1::/50 via 2001:db8:2::1 dev ifindex:77\n+ " C
					      "- bypass 198.18.0.0/15 # verdict 77\n+ " Y);
	from.gateways[0].value.family = 99;
	assert_non_null(strstr(diff(&from, &to), "- from 10.6.0.0/16 via ? dev ens3 # flags 0x4\n"));
}

static void what_no_words_can_tell_and_does_no_harm_is_kept(void **unused)
{
	cleanup(state_free) struct state from = state_of(A B C Y), to = state_of(A2 B C Y);

	(void)unused;
	from.gateways[0].value.flags = WGVIA_GATEWAY_DOWN; /* another gateway in force: not mentioned */
	from.gateways[1].value.flags = WGVIA_GATEWAY_DOWN | WGVIA_GATEWAY_DEFAULT; /* not named, and named now */
	from.gateways[2].value.flags = WGVIA_GATEWAY_DOWN | 4;
	from.bypass[0].value.flags = 0; /* as bpftool may write it */
	diff_keep(&from, &to);
	assert_int_equal(to.gateways[0].value.flags, 0);
	assert_int_equal(to.gateways[1].value.flags, WGVIA_GATEWAY_DOWN);
	assert_int_equal(to.gateways[2].value.flags, 0);
	assert_int_equal(to.bypass[0].value.flags, 0);
	from.bypass[0].value = (struct wgvia_bypass){77, 0};
	to.bypass[0].value.flags = WGVIA_BYPASS_ADMIN;
	diff_keep(&from, &to);
	assert_int_equal(to.bypass[0].value.verdict, WGVIA_BYPASS);
	assert_int_equal(to.bypass[0].value.flags, WGVIA_BYPASS_ADMIN);
}

static void which_of_a_list_is_in_force_is_no_difference_and_is_kept(void **unused)
{
	cleanup(state_free) struct state from = state_of(L M), to = state_of(M L);

	(void)unused;
	from.gateways[0].value = hop_value(&from.lists[0].content.hops[1], from.lists[0].number);
	from.gateways[0].value.flags |= WGVIA_GATEWAY_DOWN;
	assert_string_equal(diff(&from, &to), "");
	diff_keep(&from, &to);
	assert_int_equal(to.gateways[0].value.addr[3], 9);
	assert_true(to.gateways[0].value.flags & WGVIA_GATEWAY_DOWN);
	assert_int_equal(to.gateways[1].value.addr[3], 9);
}

/* config/parse.c refuses what words cannot express, so that it cannot be lost in a file. */
static void what_cannot_be_said_is_refused_when_it_is_read(void **unused)
{
	static const struct {
		struct wgvia_gateway value;
		bool good;
	} rows[] = {
		{{.ifindex = 2, .family = AF_INET, .addr = {192, 0, 2, 1}}, true},
		{{.ifindex = 0, .family = AF_INET, .addr = {192, 0, 2, 1}}, false},
		{{.ifindex = 4000000000, .family = AF_INET, .addr = {192, 0, 2, 1}}, false},
		{{.ifindex = 2, .family = 0, .addr = {192, 0, 2, 1}}, false},
		{{.ifindex = 2, .family = AF_INET, .addr = {224, 0, 0, 1}}, false},
		{{.ifindex = 2, .family = AF_INET6}, false},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gateway_entry entry = {{{AF_INET, {10, 6}}, 16}, rows[i].value, 0};
		char text[STATEMENT_MAX], *words[16], *rest = text;
		struct request request = {.tunnel = "wg6"};
		const struct state none = {};
		struct error error;
		int count = 0;

		statement_of_gateway(&none, &entry, &netdevs, text);
		while (rest)
			words[count++] = strsep(&rest, " ");
		assert_int_equal(!parse_statement(count, words, &request, &error), rows[i].good);
		request_free(&request);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_states_differ_in_these_lines),
		cmocka_unit_test(where_nothing_is_everything_comes),
		cmocka_unit_test(what_the_host_is_left_alone_for_is_no_difference),
		cmocka_unit_test(what_no_words_can_tell_is_told_in_a_comment),
		cmocka_unit_test(what_no_words_can_tell_and_does_no_harm_is_kept),
		cmocka_unit_test(which_of_a_list_is_in_force_is_no_difference_and_is_kept),
		cmocka_unit_test(what_cannot_be_said_is_refused_when_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
