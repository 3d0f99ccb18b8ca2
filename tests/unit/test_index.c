// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an index can hold, and what not. prog/test_index checks that it matches its map.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/util.h"
#include "bpf/index/index_lines.h"
#include "datapath/index/index.h"

static void add(struct state *state, uint8_t family, uint64_t number, uint8_t len, uint32_t gateway)
{
	struct wgvia_gateway value = {.ifindex = 2, .family = family};
	struct prefix prefix = {.ip.family = family, .len = len};

	for (int i = 0; i < len && i < 64; i++)
		prefix.ip.addr[i / 8] |= (number >> i & 1) << (7 - i % 8);
	memcpy(value.addr, &gateway, sizeof(gateway));
	assert_int_equal(state_add_gateway(state, &prefix, &value), 0);
}

static int make(const struct state *state, uint8_t family, size_t *lines)
{
	struct index_image image;
	int ret = index_make(state, family, 5, &image);

	if (ret)
		return ret;
	assert_int_equal(((struct index_head *)image.lines)->changes, 5);
	*lines = image.count;
	free(image.lines);
	return 0;
}

static void holds_as_many_prefix_lengths_as_its_head_has_room_for(void **unused)
{
	struct state state = {};
	size_t lines;

	(void)unused;
	for (uint8_t len = 20; len < 20 + INDEX_TABLES; len++)
		add(&state, AF_INET, len, len, 1);
	assert_int_equal(make(&state, AF_INET, &lines), 0);
	add(&state, AF_INET, 1, 8, 1);
	assert_int_equal(make(&state, AF_INET, &lines), -E2BIG);
	/* the other family's are not this one's */
	assert_int_equal(make(&state, AF_INET6, &lines), 0);
	state_free(&state);
}

static void holds_65535_gateways(void **unused)
{
	struct state state = {};
	size_t lines;

	(void)unused;
	for (uint32_t i = 1; i <= 65535; i++)
		add(&state, AF_INET, i, 32, i);
	assert_int_equal(make(&state, AF_INET, &lines), 0);
	add(&state, AF_INET, 65536, 32, 65536);
	assert_int_equal(make(&state, AF_INET, &lines), -E2BIG);
	state_free(&state);
}

static void is_small(void **unused)
{
	static const struct {
		uint8_t family, len;
		size_t lines; /* for 100,000 prefixes: one line of 64 bytes has 10, 6 or 3 slots */
	} cases[] = {{AF_INET, 28, 13000}, {AF_INET6, 48, 22000}, {AF_INET6, 128, 45000}};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct state state = {};
		size_t lines;

		for (uint32_t number = 0; number < 100000; number++)
			add(&state, cases[i].family, number, cases[i].len, number % 10);
		assert_int_equal(make(&state, cases[i].family, &lines), 0);
		assert_true(lines < cases[i].lines);
		state_free(&state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_as_many_prefix_lengths_as_its_head_has_room_for),
		cmocka_unit_test(holds_65535_gateways),
		cmocka_unit_test(is_small),
	};

	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
