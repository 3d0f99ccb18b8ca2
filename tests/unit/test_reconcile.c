// SPDX-License-Identifier: GPL-2.0-only
/*
 * An agent's changes to a state when devices, a file's meaning or gateways' health change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/reconcile.h"
#include "base/util.h"
#include "config/failover.h"
#include "config/source.h"

static struct netdev ens3 = {.ifindex = 2, .name = "ens3", .type = 1}, ens4 = {.ifindex = 3, .name = "ens4", .type = 1};

static struct prefix ten(uint8_t second)
{
	return (struct prefix){{AF_INET, {10, second}}, 16};
}

static struct wgvia_hop hop(uint32_t ifindex, uint8_t last)
{
	return (struct wgvia_hop){ifindex, AF_INET, {192, 0, 2, last}};
}

/* 10.`second`.0.0/16 via these gateways on ifindex 2, 0 ends the list; the first is in force. */
static void add(struct state *state, uint8_t second, uint8_t a, uint8_t b, uint8_t c)
{
	struct wgvia_failover list = {
		.hops = {hop(2, a), b ? hop(2, b) : (struct wgvia_hop){}, c ? hop(2, c) : (struct wgvia_hop){}},
		.count = 1 + !!b + !!c};
	struct prefix prefix = ten(second);
	struct wgvia_gateway value;
	uint32_t number = 0;

	if (list.count > 1)
		assert_int_equal(failover_add(state, &list, &number), 0);
	value = hop_value(&list.hops[0], number);
	assert_int_equal(state_add_gateway(state, &prefix, &value), 0);
	state_sort(state);
}

/*
 * "6:1,9 7:1": prefixes with their gateways; the one in force comes first in parentheses if it is not the list's first.
 */
static const char *told(const struct state *state)
{
	static char text[512];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < state->gateway_count; i++) {
		const struct wgvia_gateway *value = &state->gateways[i].value;
		const struct gateway_list *list = failover_find(state, value);

		len += sprintf(text + len, "%s%u:%u", i ? " " : "", state->gateways[i].from.ip.addr[1], value->addr[3]);
		for (uint32_t j = 0; list && j < list->content.count; j++)
			len += sprintf(text + len, "%c%u", j ? ',' : '/', list->content.hops[j].addr[3]);
		if (value->flags & WGVIA_GATEWAY_DOWN)
			len += sprintf(text + len, "!");
		if (value->ifindex != 2)
			len += sprintf(text + len, "@%u", value->ifindex);
	}
	return text;
}

/* --- devices --- */

static void a_device_created_again_is_the_one_with_its_name(void **unused)
{
	cleanup(state_free) struct state state = {};
	struct device_names names = {};
	struct netdev before[] = {ens3, ens4}, after[] = {ens4, ens3};
	struct netdevs old = {before, 2}, new = {after, 2}, without = {after, 1};

	(void)unused;
	add(&state, 6, 1, 0, 0);
	add(&state, 7, 1, 9, 0);
	state.gateways[0].value.ifindex = 3;
	assert_int_equal(reconcile_learn(&names, &old, &state), 0);
	assert_string_equal(reconcile_name(&names, 2), "ens3");
	assert_string_equal(reconcile_name(&names, 3), "ens4");
	assert_int_equal(reconcile_devices(&state, &names, &old), 0);
	/* removed, and not re-created */
	assert_int_equal(reconcile_devices(&state, &names, &without), 0);
	after[1].ifindex = 12;
	assert_int_equal(reconcile_devices(&state, &names, &new), 3);
	assert_string_equal(told(&state), "6:1@3 7:1/1,9@12");
	assert_int_equal(state.lists[0].content.hops[0].ifindex, 12);
	assert_int_equal(state.lists[0].content.hops[1].ifindex, 12);
	assert_int_equal(reconcile_devices(&state, &names, &new), 0);
	/* a device of that name without MAC addresses is not it */
	after[1].ifindex = 13;
	after[1].type = 65534;
	reconcile_learn_name(&names, 12, "ens3");
	assert_int_equal(reconcile_devices(&state, &names, &new), 0);
	free(names.all);
}

static void an_ifindex_that_was_used_again_has_its_new_name(void **unused)
{
	struct device_names names = {};

	(void)unused;
	assert_int_equal(reconcile_learn_name(&names, 7, "old"), 0);
	assert_int_equal(reconcile_learn_name(&names, 7, "new"), 0);
	assert_string_equal(reconcile_name(&names, 7), "new");
	assert_null(reconcile_name(&names, 8));
	free(names.all);
}

/* --- a file --- */

typedef void (*fill)(struct state *state);

static void fill_6(struct state *s)
{
	add(s, 6, 1, 0, 0);
}

static void fill_6_by_9(struct state *s)
{
	add(s, 6, 9, 0, 0);
}

static void fill_6_by_5(struct state *s)
{
	add(s, 6, 5, 0, 0);
}

static void fill_67(struct state *s)
{
	add(s, 6, 1, 0, 0);
	add(s, 7, 1, 0, 0);
}

static void fill_list(struct state *s)
{
	add(s, 6, 1, 9, 0);
	add(s, 8, 3, 0, 0);
}

static void fill_list_turned(struct state *s)
{
	add(s, 6, 9, 1, 0);
	add(s, 8, 3, 0, 0);
}

static void fill_none(struct state *s)
{
	(void)s;
}

static void what_a_file_means_is_followed_where_nobody_has_said_otherwise(void **unused)
{
	static const struct {
		fill state, base, fresh;
		const char *told;
	} rows[] = {
		{fill_6, fill_6, fill_6, "6:1"},
		{fill_6, fill_6, fill_6_by_9, "6:9"},
		{fill_6_by_5, fill_6, fill_6_by_9, "6:5"}, /* by hand */
		{fill_none, fill_6, fill_6_by_9, ""},	   /* removed by hand */
		{fill_67, fill_6, fill_6_by_9, "6:9 7:1"}, /* 7 was added by hand */
		{fill_6, fill_6, fill_67, "6:1 7:1"},
		{fill_67, fill_67, fill_6, "6:1"},
		{fill_67, fill_6, fill_6, "6:1 7:1"},
		{fill_6_by_5, fill_67, fill_6, "6:5"},
		{fill_list, fill_list, fill_list_turned, "6:9/9,1 8:3"},
		{fill_list, fill_list, fill_6, "6:1"},
		{fill_6, fill_6, fill_list, "6:1/1,9 8:3"},
		{fill_list_turned, fill_list, fill_6, "6:9/9,1"},
		{fill_none, fill_none, fill_67, "6:1 7:1"},
		{fill_6_by_5, fill_none, fill_67, "6:5 7:1"},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup(state_free) struct state state = {}, base = {}, fresh = {};

		rows[i].state(&state);
		rows[i].base(&base);
		rows[i].fresh(&fresh);
		/* which one of a list is in force, and which one is dead, is not a change by hand */
		if (state.list_count && state.gateways[0].value.addr[3] == 1)
			state.gateways[0].value = hop_value(&state.lists[0].content.hops[1], state.lists[0].number);
		if (state.gateway_count)
			state.gateways[0].value.flags |= WGVIA_GATEWAY_DOWN;
		assert_int_equal(reconcile_file(&state, &base, &fresh), 0);
		for (size_t j = 0; j < state.gateway_count; j++)
			state.gateways[j].value.flags &= ~WGVIA_GATEWAY_DOWN;
		assert_string_equal(told(&state), rows[i].told);
	}
}

/* Named without a gateway: the prefix 10.`second`.0.0/16, which has one already. */
static void set_default(struct state *state, uint8_t second)
{
	struct prefix prefix = ten(second);

	state_find_gateway(state, &prefix)->value.flags |= WGVIA_GATEWAY_DEFAULT;
}

static void the_default_route_is_followed_where_no_gateway_was_named(void **unused)
{
	static const struct {
		bool in_state, in_base, in_fresh; /* whether 6 has no gateway in the words there */
		fill base;
		const char *told;
	} rows[] = {
		{true, true, true, fill_6, "6:9"},
		{false, true, true, fill_6, "6:1"},	/* named by hand, although it had that gateway already */
		{true, false, false, fill_6, "6:1"},	/* the file names it, and by hand it was no longer named */
		{true, true, true, fill_6_by_9, "6:9"}, /* the file was read again after the route had changed */
		{false, true, true, fill_6_by_9, "6:1"},
		{true, false, false, fill_6_by_9, "6:1"},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup(state_free) struct state state = {}, base = {}, fresh = {};

		fill_6(&state);
		rows[i].base(&base);
		fill_6_by_9(&fresh);
		if (rows[i].in_state)
			set_default(&state, 6);
		if (rows[i].in_base)
			set_default(&base, 6);
		if (rows[i].in_fresh)
			set_default(&fresh, 6);
		assert_int_equal(reconcile_file(&state, &base, &fresh), 0);
		assert_string_equal(told(&state), rows[i].told);
		assert_int_equal(source_is_default(&state.gateways[0].value), rows[i].in_state);
	}
}

/* --- health --- */

static size_t moves;

static void moved(void *data, const struct gateway_entry *from, const struct wgvia_gateway *to)
{
	(void)data;
	(void)from;
	(void)to;
	moves++;
}

/* `data`: letters indexed by the address's last number. */
static enum health_state health_of(const void *data, const struct wgvia_hop *asked)
{
	static const char letters[] = "UDHG";

	return strchr(letters, ((const char *)data)[asked->addr[3]]) - letters;
}

static void prefixes_go_where_health_sends_them(void **unused)
{
	/* health of gateways 1, 2 and 3, step by step; 6 is via 1 or 2 or 3, 7 via 2 or 1, 8 only via 3 */
	static const struct {
		const char *health, *told;
		size_t moves;
	} rows[] = {
		{"-UUU", "6:1/1,2,3 7:2/2,1 8:3", 0},	 {"-GGG", "6:1/1,2,3 7:2/2,1 8:3", 0},
		{"-DGG", "6:2/1,2,3 7:2/2,1 8:3", 1},	 {"-DDG", "6:3/1,2,3 7:2/2,1! 8:3", 2},
		{"-DDD", "6:3/1,2,3! 7:2/2,1! 8:3!", 2}, {"-HDD", "6:1/1,2,3 7:1/2,1 8:3!", 2},
		{"-HHD", "6:1/1,2,3 7:1/2,1 8:3!", 0},	 {"-HGH", "6:1/1,2,3 7:2/2,1 8:3", 2},
		{"-UUU", "6:1/1,2,3 7:2/2,1 8:3", 0},
	};
	cleanup(state_free) struct state state = {};

	(void)unused;
	add(&state, 6, 1, 2, 3);
	add(&state, 7, 2, 1, 0);
	add(&state, 8, 3, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		moves = 0;
		assert_int_equal(reconcile_health(&state, health_of, moved, (void *)rows[i].health), rows[i].moves);
		assert_int_equal(moves, rows[i].moves);
		assert_string_equal(told(&state), rows[i].told);
	}
}

static void nothing_is_known_and_nothing_changes(void **unused)
{
	cleanup(state_free) struct state state = {};

	(void)unused;
	add(&state, 6, 1, 2, 0);
	add(&state, 7, 1, 0, 0);
	state.gateways[0].value.flags |= WGVIA_GATEWAY_DOWN; /* as left by a killed agent */
	state.gateways[1].value.flags |= WGVIA_GATEWAY_DOWN | 4;
	assert_int_equal(reconcile_health(&state, health_of, moved, "-UUU"), 0);
	assert_int_equal(reconcile_health(&state, health_of, moved, "-HHH"), 2);
	assert_string_equal(told(&state), "6:1/1,2 7:1");
	assert_int_equal(state.gateways[1].value.flags, 4); /* of another program */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_created_again_is_the_one_with_its_name),
		cmocka_unit_test(an_ifindex_that_was_used_again_has_its_new_name),
		cmocka_unit_test(what_a_file_means_is_followed_where_nobody_has_said_otherwise),
		cmocka_unit_test(the_default_route_is_followed_where_no_gateway_was_named),
		cmocka_unit_test(prefixes_go_where_health_sends_them),
		cmocka_unit_test(nothing_is_known_and_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
