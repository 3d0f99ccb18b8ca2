// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches, and their replacement. WGVIA_BATCH=no disables batches, for tests and benchmarks.
 *
 * The batch operations of an LPM trie are the kernel's generic ones (kernel/bpf/syscall.c): generic_map_update_batch()
 * and the like process one entry after the other, stop at the first failure, and return in `count` how many succeeded.
 */
#include "datapath/map_batch.h"

#include <bpf/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"

/* Entries per call. More entries give no measurable gain. */
#define BATCH 1024

/* Kernel-internal, not defined for user space: the map's type lacks the operation. */
#define ENOTSUPP 524

static bool refused; /* by the kernel */

/* Whether the kernel has batches, as far as is known. */
static bool has_batch(void)
{
	static bool asked, wanted;

	if (!asked) {
		const char *word = getenv("WGVIA_BATCH");

		wanted = !word || strcmp(word, "no") != 0;
		asked = true;
	}
	return wanted && !refused;
}

/*
 * Whether the kernel refused the operation itself: EINVAL if it does not know the command. In that case, and for any
 * refusal before the first entry, `count` is unchanged; once it has begun, `count` is less than `wanted`.
 */
static bool is_unknown(int err, __u32 count, size_t wanted)
{
	if (count < wanted || (err != ENOTSUPP && err != EINVAL))
		return false;
	refused = true;
	return true;
}

static const void *at(const void *entries, size_t size, size_t index)
{
	return (const uint8_t *)entries + size * index;
}

/* Runs a batch, and returns how much of it was done; `values` NULL: delete. Returns 0 or -errno. */
static int change_batch(const struct map_layout *map, const void *keys, const void *values, __u32 *count)
{
	if (values ? bpf_map_update_batch(map->fd, keys, values, count, NULL)
		   : bpf_map_delete_batch(map->fd, keys, count, NULL))
		return -errno;
	return 0;
}

static int change_one(const struct map_layout *map, const void *key, const void *value)
{
	if (value ? bpf_map_update_elem(map->fd, key, value, BPF_ANY) : bpf_map_delete_elem(map->fd, key))
		return -errno;
	return 0;
}

/* Changes as many of the entries as one call allows, and stores their number in *count. */
static int change_some(const struct map_layout *map, const void *keys, const void *values, size_t *count)
{
	size_t wanted = *count < BATCH ? *count : BATCH;
	__u32 done = wanted;
	int ret;

	if (wanted > 1 && has_batch()) {
		ret = change_batch(map, keys, values, &done);
		*count = ret && done == wanted ? 0 : done;
		if (!ret || !is_unknown(-ret, done, wanted))
			return ret;
	}
	ret = change_one(map, keys, values);
	*count = !ret;
	return ret;
}

/*
 * Whether to retry after a lack of memory. New kernels allocate entries from a stock that is refilled asynchronously
 * (bpf_mem_alloc). So a request may fail although memory is available again: it is repeated a few times, for 15 ms in
 * total.
 */
static bool wait_for_memory(int err, unsigned int *tries)
{
	struct timespec pause = {.tv_nsec = 1000000L << *tries};

	if (err != -ENOMEM || *tries == 4)
		return false;
	++*tries;
	nanosleep(&pause, NULL);
	return true;
}

static int change(const struct map_layout *map, const void *keys, const void *values, size_t count, size_t *done)
{
	unsigned int tries = 0;
	int ret = 0;

	for (*done = 0; *done < count && !ret;) {
		size_t some = count - *done;

		ret = change_some(map, at(keys, map->key_size, *done),
				  values ? at(values, map->value_size, *done) : NULL, &some);
		*done += some;
		if (some)
			tries = 0;
		if (wait_for_memory(ret, &tries))
			ret = 0;
		if (ret == -ENOENT && !values) { /* the next entry is missing, as wanted */
			++*done;
			ret = 0;
		}
	}
	return ret;
}

int map_batch_update(const struct map_layout *map, const void *keys, const void *values, size_t count, size_t *done)
{
	return change(map, keys, values, count, done);
}

int map_batch_delete(const struct map_layout *map, const void *keys, size_t count, size_t *done)
{
	return change(map, keys, NULL, count, done);
}

struct reading {
	const struct map_layout *map;
	map_batch_reader reader;
	void *data;
	uint8_t last[MAPS_KEY_MAX]; /* the key read last */
	bool has_last;
};

static int take_entry(struct reading *reading, const void *key, const void *value)
{
	memcpy(reading->last, key, reading->map->key_size);
	reading->has_last = true;
	return reading->reader(reading->data, key, value);
}

/* Reads as much as batches can. 1: everything was read; 0: the rest must be read in another way. */
static int read_batches(struct reading *reading, uint8_t *keys, uint8_t *values)
{
	const struct map_layout *map = reading->map;
	uint8_t cookie[MAPS_KEY_MAX];

	for (;;) {
		__u32 count = BATCH;
		int ret = 0, err = 0;

		if (bpf_map_lookup_batch(map->fd, reading->has_last ? reading->last : NULL, cookie, keys, values,
					 &count, NULL))
			err = errno;
		if (err && count == BATCH) { /* nothing was read */
			is_unknown(err, count, BATCH);
			return 0;
		}
		for (size_t i = 0; i < count && !ret; i++)
			ret = take_entry(reading, keys + i * map->key_size, values + i * map->value_size);
		if (ret || err)
			return ret ? ret : err == ENOENT; /* EINTR: the current entry was removed */
	}
}

static int read_each(struct reading *reading)
{
	uint8_t key[MAPS_KEY_MAX], value[MAPS_VALUE_MAX];
	int fd = reading->map->fd, ret;

	while (!bpf_map_get_next_key(fd, reading->has_last ? reading->last : NULL, key)) {
		if (!bpf_map_lookup_elem(fd, key, value)) {
			ret = take_entry(reading, key, value);
			if (ret)
				return ret;
		} else if (errno != ENOENT) {
			return -errno;
		} else { /* deleted meanwhile by another process */
			memcpy(reading->last, key, reading->map->key_size);
			reading->has_last = true;
		}
	}
	return errno == ENOENT ? 0 : -errno;
}

int map_batch_read(const struct map_layout *map, map_batch_reader reader, void *data)
{
	struct reading reading = {.map = map, .reader = reader, .data = data};
	cleanup_free uint8_t *keys = NULL, *values = NULL;
	int ret = 0;

	if (has_batch()) {
		keys = malloc(BATCH * map->key_size);
		values = malloc(BATCH * map->value_size);
		if (!keys || !values)
			return -ENOMEM;
		ret = read_batches(&reading, keys, values);
	}
	return ret > 0 ? 0 : ret < 0 ? ret : read_each(&reading);
}
