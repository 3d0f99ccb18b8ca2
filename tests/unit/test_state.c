// SPDX-License-Identifier: GPL-2.0-only
/*
 * An instance's content as a value: order, merging of entries for one prefix, finding, removing; and the location of
 * its pins.
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
#include "config/state.h"
#include "datapath/pins.h"

static struct prefix ten(uint8_t second, uint8_t len)
{
	return (struct prefix){{AF_INET, {10, second}}, len};
}

static void of_two_reasons_for_one_destination_the_first_in_the_table_stays(void **unused)
{
	static const enum wgvia_verdict verdicts[] = {WGVIA_BYPASS, WGVIA_TUNNEL, WGVIA_LOCAL, WGVIA_SCOPE};
	struct prefix prefix = ten(0, 8);

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		for (size_t j = 0; j < ARRAY_SIZE(verdicts); j++) {
			cleanup(state_free) struct state state = {};
			enum wgvia_verdict first = verdicts[i] < verdicts[j] ? verdicts[i] : verdicts[j];

			state_add_bypass(&state, &prefix, verdicts[i], 0);
			state_add_bypass(&state, &prefix, verdicts[j], WGVIA_BYPASS_ADMIN);
			state_sort(&state);
			assert_int_equal(state.bypass_count, 1);
			assert_int_equal(state.bypass[0].value.verdict, first);
			/* the administrator's entry is remembered under the other reason */
			assert_int_equal(state.bypass[0].value.flags, WGVIA_BYPASS_ADMIN);
		}
}

static void entries_are_found_among_many_and_removed_alone(void **unused)
{
	struct wgvia_gateway value = {.ifindex = 2, .family = AF_INET, .addr = {192, 0, 2, 1}};
	cleanup(state_free) struct state state = {};
	struct prefix prefix;

	(void)unused;
	for (int i = 200; i >= 0; i--) {
		prefix = ten(i, 16);
		assert_int_equal(state_add_gateway(&state, &prefix, &value), 0);
	}
	state_sort(&state);
	assert_int_equal(state.gateway_count, 201);
	prefix = ten(100, 16);
	assert_non_null(state_find_gateway(&state, &prefix));
	state_remove_gateway(&state, state_find_gateway(&state, &prefix));
	assert_null(state_find_gateway(&state, &prefix));
	assert_int_equal(state.gateway_count, 200);
	prefix = ten(200, 16);
	assert_non_null(state_find_gateway(&state, &prefix));
	prefix = ten(200, 17);
	assert_null(state_find_gateway(&state, &prefix));
}

static void nothing_is_found_in_nothing(void **unused)
{
	struct state state = {};
	struct prefix prefix = ten(0, 8);

	(void)unused;
	state_sort(&state);
	assert_null(state_find_gateway(&state, &prefix));
	assert_null(state_find_bypass(&state, &prefix));
}

static void a_gateway_goes_into_the_map_and_comes_back(void **unused)
{
	struct ip four = {AF_INET, {192, 0, 2, 1}}, six = {AF_INET6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}, back;
	struct wgvia_gateway value = gateway_value(&four, 7);

	(void)unused;
	assert_int_equal(value.ifindex, 7);
	assert_int_equal(value.family, 2);
	assert_int_equal(value.flags, 0);
	back = gateway_ip(&value);
	assert_true(ip_equal(&back, &four));
	value = gateway_value(&six, 8);
	assert_int_equal(value.family, 10);
	back = gateway_ip(&value);
	assert_true(ip_equal(&back, &six));
}

static void pins_of_any_interface_name_have_a_name_that_a_bpffs_takes(void **unused)
{
	static const struct {
		const char *tunnel, *path;
	} rows[] = {
		{"wg6", "/r/wg6"},	     {"wg.home", "/r/wg%2ehome"},
		{"...", "/r/%2e%2e%2e"},     {"a%2eb", "/r/a%252eb"},
		{"wg6%new", "/r/wg6%25new"}, {"...............", "/r/%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e"},
	};
	char path[PINS_PATH_MAX], folder[PINS_PATH_MAX];

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(pins_path(path, "/r", rows[i].tunnel, PINS_CURRENT, NULL), 0);
		assert_string_equal(path, rows[i].path);
	}
	pins_path(path, "/r", "wg6", PINS_NEW, "meta");
	assert_string_equal(path, "/r/wg6%new/meta");
	memset(folder, 'x', sizeof(folder));
	folder[sizeof(folder) - 1] = '\0';
	assert_int_equal(pins_path(path, folder, "wg6", PINS_CURRENT, NULL), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_two_reasons_for_one_destination_the_first_in_the_table_stays),
		cmocka_unit_test(entries_are_found_among_many_and_removed_alone),
		cmocka_unit_test(nothing_is_found_in_nothing),
		cmocka_unit_test(a_gateway_goes_into_the_map_and_comes_back),
		cmocka_unit_test(pins_of_any_interface_name_have_a_name_that_a_bpffs_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
