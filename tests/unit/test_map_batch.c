// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many entries of a real LPM trie at a time: all of them are written, and after a failure in the middle the remainder
 * is reported; with batches, and entry by entry. Needs permission to create a map; skips without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datapath/map_batch.h"
#include "wgvia_abi.h"

#define COUNT 3000 /* some batches, and a rest */

static struct map_layout map = {-1, sizeof(struct wgvia_key4), sizeof(struct wgvia_bypass)};
static struct wgvia_key4 keys[COUNT];
static struct wgvia_bypass values[COUNT];

/* 10.x.y.0/24, with flags 0 for the first, 1 for the second ... */
static int fill_keys(void **unused)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);

	(void)unused;
	for (unsigned int i = 0; i < COUNT; i++) {
		keys[i] = (struct wgvia_key4){24, {10, i >> 8, i}};
		values[i] = (struct wgvia_bypass){WGVIA_BYPASS, i};
	}
	map.fd = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "test", map.key_size, map.value_size, COUNT, &opts);
	return 0;
}

static int close_map(void **unused)
{
	(void)unused;
	if (map.fd >= 0)
		close(map.fd);
	return 0;
}

static void need_map(void)
{
	if (map.fd < 0)
		skip();
}

struct found {
	size_t count;
	bool is[COUNT];
};

static int find(void *data, const void *key, const void *value)
{
	const struct wgvia_key4 *found_key = key;
	const struct wgvia_bypass *found_value = value;
	struct found *found = data;
	unsigned int index = found_key->addr[1] << 8 | found_key->addr[2];

	assert_memory_equal(found_key, &keys[index], sizeof(*found_key));
	assert_memory_equal(found_value, &values[index], sizeof(*found_value));
	assert_false(found->is[index]);
	found->is[index] = true;
	found->count++;
	return 0;
}

/* The map contains exactly those from `first` to before `end`, without `except`. */
static void holds(size_t first, size_t end, size_t except)
{
	struct found found = {};

	assert_int_equal(map_batch_read(&map, find, &found), 0);
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(found.is[i], i >= first && i < end && i != except);
}

static void what_is_written_is_read(void **unused)
{
	size_t done;

	(void)unused;
	need_map();
	holds(0, 0, 0);
	assert_int_equal(map_batch_update(&map, keys, values, 1, &done), 0);
	assert_int_equal(done, 1);
	holds(0, 1, COUNT);
	assert_int_equal(map_batch_update(&map, keys, values, COUNT, &done), 0);
	assert_int_equal(done, COUNT);
	holds(0, COUNT, COUNT);
	/* a number of whole batches */
	assert_int_equal(map_batch_delete(&map, keys + 2048, COUNT - 2048, &done), 0);
	holds(0, 2048, COUNT);
	assert_int_equal(map_batch_update(&map, keys, values, 0, &done), 0);
	assert_int_equal(done, 0);
	holds(0, 2048, COUNT);
}

static void what_is_gone_already_is_no_failure(void **unused)
{
	size_t done;

	(void)unused;
	need_map();
	map_batch_update(&map, keys, values, COUNT, &done);
	for (size_t i = 0; i < COUNT; i += 500) /* the first entry of a batch, and one in the middle */
		assert_int_equal(bpf_map_delete_elem(map.fd, &keys[i]), 0);
	assert_int_equal(bpf_map_delete_elem(map.fd, &keys[COUNT - 1]), 0);
	assert_int_equal(map_batch_delete(&map, keys, COUNT, &done), 0);
	assert_int_equal(done, COUNT);
	holds(0, 0, 0);
}

static void a_failure_in_the_middle_tells_how_far_it_got(void **unused)
{
	static const size_t places[] = {0, 1, 700, 1023, 1024, 2500, COUNT - 1};
	size_t done;

	(void)unused;
	need_map();
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		size_t place = places[i];

		map_batch_delete(&map, keys, COUNT, &done);
		keys[place].prefixlen = 99;
		assert_int_equal(map_batch_update(&map, keys, values, COUNT, &done), -EINVAL);
		assert_int_equal(done, place);
		assert_int_equal(map_batch_update(&map, keys + place, values + place, 1, &done), -EINVAL);
		assert_int_equal(done, 0);
		keys[place].prefixlen = 24;
		holds(0, place, COUNT);
	}
	map_batch_delete(&map, keys, COUNT, &done);
	map_batch_update(&map, keys, values, COUNT, &done);
	keys[1500].prefixlen = 99;
	assert_int_equal(map_batch_delete(&map, keys, COUNT, &done), -EINVAL);
	assert_int_equal(done, 1500);
	keys[1500].prefixlen = 24;
	holds(1500, COUNT, COUNT);
}

static int stop(void *data, const void *key, const void *value)
{
	(void)key;
	(void)value;
	return --*(int *)data ? 0 : -ENOMEM;
}

static void a_reader_ends_the_reading(void **unused)
{
	int left = 1500;
	size_t done;

	(void)unused;
	need_map();
	map_batch_update(&map, keys, values, COUNT, &done);
	assert_int_equal(map_batch_read(&map, stop, &left), -ENOMEM);
	assert_int_equal(left, 0);
}

static void what_is_no_map_is_an_error(void **unused)
{
	struct map_layout none = {-1, map.key_size, map.value_size};
	struct found found = {};
	size_t done = 7;

	(void)unused;
	assert_int_equal(map_batch_update(&none, keys, values, COUNT, &done), -EBADF);
	assert_int_equal(done, 0);
	assert_int_equal(map_batch_read(&none, find, &found), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, fill_keys, close_map),
		cmocka_unit_test_setup_teardown(what_is_gone_already_is_no_failure, fill_keys, close_map),
		cmocka_unit_test_setup_teardown(a_failure_in_the_middle_tells_how_far_it_got, fill_keys, close_map),
		cmocka_unit_test_setup_teardown(a_reader_ends_the_reading, fill_keys, close_map),
		cmocka_unit_test_setup_teardown(what_is_no_map_is_an_error, fill_keys, close_map),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (!failed && !getenv("WGVIA_BATCH")) { /* the choice is per process: once more, entry by entry */
		setenv("WGVIA_BATCH", "no", 1);
		execl("/proc/self/exe", "test_map_batch", NULL);
		failed = 1;
	}
	return failed;
}
