// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parts of WGVIA_PREFIX_CHUNK counters, made when the first prefix is counted there.
 */
#include "datapath/prefix_counters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "config/counter_numbers.h"
#include "datapath/bpf_object.h"
#include "datapath/index/change_count.h"
#include "datapath/pins.h"
#include "datapath/state_maps.h"

#define PIN_MAX (PINS_PATH_MAX + 32)
#define TRIES 5

/* The parts that were opened, by key. */
struct chunks {
	const struct instance *instance;
	struct wgvia_prefix_counter *values; /* of one counter, by CPU */
	int cpus;
	int fds[WGVIA_PREFIX_CHUNKS];	   /* -1: not opened */
	bool are_new[WGVIA_PREFIX_CHUNKS]; /* all zero */
};

static int chunks_open(struct chunks *chunks, const struct instance *instance)
{
	*chunks = (struct chunks){.instance = instance, .cpus = libbpf_num_possible_cpus()};
	for (int i = 0; i < WGVIA_PREFIX_CHUNKS; i++)
		chunks->fds[i] = -1;
	if (chunks->cpus < 0)
		return chunks->cpus;
	chunks->values = calloc(chunks->cpus, sizeof(*chunks->values));
	return chunks->values ? 0 : -ENOMEM;
}

static void chunks_close(struct chunks *chunks)
{
	for (int i = 0; i < WGVIA_PREFIX_CHUNKS; i++)
		if (chunks->fds[i] >= 0)
			close(chunks->fds[i]);
	free(chunks->values);
}

static const char *pin_of(const struct instance *instance, __u32 key, char path[PIN_MAX])
{
	snprintf(path, PIN_MAX, "%s/%s_%u", instance->folder, map_names[MAP_PREFIX_COUNTERS], key);
	return path;
}

/* The part's fd, or -errno; -ENOENT: there is none. */
static int open_chunk(const struct instance *instance, __u32 key)
{
	char path[PIN_MAX];
	__u32 id;
	int fd;

	if (bpf_map_lookup_elem(instance->maps[MAP_PREFIX_COUNTERS], &key, &id))
		return -errno;
	fd = bpf_obj_get(pin_of(instance, key, path));
	if (fd < 0 && errno != ENOENT)
		return -errno;
	if (fd >= 0 && bpf_object_id(fd) == id)
		return fd;
	if (fd >= 0)
		close(fd);
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

/* As declared in bpf/maps.h. */
static int make_chunk(const struct instance *instance, __u32 key)
{
	char path[PIN_MAX];
	cleanup_fd int fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "prefix_chunk", sizeof(__u32),
					   sizeof(struct wgvia_prefix_counter), WGVIA_PREFIX_CHUNK, NULL);

	if (fd < 0)
		return -errno;
	unlink(pin_of(instance, key, path));
	if (bpf_obj_pin(fd, path))
		return -errno;
	if (bpf_map_update_elem(instance->maps[MAP_PREFIX_COUNTERS], &key, &fd, BPF_ANY)) {
		int err = errno;

		unlink(path);
		return -err;
	}
	return take_fd(&fd);
}

static void remove_chunk(const struct instance *instance, __u32 key)
{
	char path[PIN_MAX];

	bpf_map_delete_elem(instance->maps[MAP_PREFIX_COUNTERS], &key);
	unlink(pin_of(instance, key, path));
}

static int find_chunk(struct chunks *chunks, __u32 key)
{
	if (chunks->fds[key] < 0)
		chunks->fds[key] = open_chunk(chunks->instance, key);
	return chunks->fds[key];
}

static int need_chunk(struct chunks *chunks, __u32 key)
{
	bool was_open = chunks->fds[key] >= 0;
	char path[PIN_MAX];

	/* EPERM: somebody has removed the pin, and what was counted there cannot be read any more */
	if (find_chunk(chunks, key) == -ENOENT || chunks->fds[key] == -EPERM) {
		chunks->fds[key] = make_chunk(chunks->instance, key);
		chunks->are_new[key] = true;
	} else if (!was_open && chunks->fds[key] >= 0) {
		/* with CAP_SYS_ADMIN it could be read: it gets its pin again. EEXIST: it has it */
		bpf_obj_pin(chunks->fds[key], pin_of(chunks->instance, key, path));
	}
	return chunks->fds[key] < 0 ? chunks->fds[key] : 0;
}

/* --- writing --- */

static int prepare_one(struct chunks *chunks, uint32_t number, bool is_new)
{
	__u32 key = number / WGVIA_PREFIX_CHUNK, index = number % WGVIA_PREFIX_CHUNK;
	int ret = need_chunk(chunks, key);

	if (ret || !is_new || chunks->are_new[key])
		return ret;
	return bpf_map_update_elem(chunks->fds[key], &index, chunks->values, BPF_ANY) ? -errno : 0;
}

int prefix_counters_prepare(const struct instance *instance, const struct state *running, const struct state *state)
{
	struct chunks chunks;
	int ret;

	if (state->counting != WGVIA_COUNT_PREFIXES)
		return 0;
	ret = chunks_open(&chunks, instance);
	ret = ret ? ret : prepare_one(&chunks, 0, false);
	for (size_t i = 0; i < state->gateway_count && !ret; i++) {
		const struct gateway_entry *entry = &state->gateways[i];
		const struct gateway_entry *old = state_find_gateway(running, &entry->from);

		if (entry->counter)
			ret = prepare_one(&chunks, entry->counter, !old || old->counter != entry->counter);
	}
	chunks_close(&chunks);
	return ret;
}

void prefix_counters_clean(const struct instance *instance, const struct state *state)
{
	__u32 used = state->counting == WGVIA_COUNT_PREFIXES, id;

	for (size_t i = 0; i < state->gateway_count; i++)
		if (state->gateways[i].counter / WGVIA_PREFIX_CHUNK >= used && state->gateways[i].counter)
			used = state->gateways[i].counter / WGVIA_PREFIX_CHUNK + 1;
	/* the lowest numbers are given out first: beyond a missing part, only somebody else's number can have one */
	for (__u32 key = used; key < WGVIA_PREFIX_CHUNKS; key++) {
		if (bpf_map_lookup_elem(instance->maps[MAP_PREFIX_COUNTERS], &key, &id))
			break;
		remove_chunk(instance, key);
	}
}

void prefix_counters_tidy(const struct instance *instance)
{
	char path[PIN_MAX];
	__u32 id;

	for (__u32 key = 0; key < WGVIA_PREFIX_CHUNKS; key++)
		if (bpf_map_lookup_elem(instance->maps[MAP_PREFIX_COUNTERS], &key, &id) &&
		    unlink(pin_of(instance, key, path)) && errno == ENOENT)
			break;
}

/* --- reading --- */

static void add_counter(struct wgvia_counter *sum, const struct wgvia_counter *counter)
{
	sum->packets += counter->packets;
	sum->bytes += counter->bytes;
}

void prefix_counter_add(struct wgvia_prefix_counter *sum, const struct wgvia_prefix_counter *counter)
{
	add_counter(&sum->out, &counter->out);
	add_counter(&sum->back, &counter->back);
}

/* 0, -ENOENT where the number has no counter, or another -errno. */
static int read_one(struct chunks *chunks, uint32_t number, struct wgvia_prefix_counter *sum)
{
	__u32 key = number / WGVIA_PREFIX_CHUNK, index = number % WGVIA_PREFIX_CHUNK;

	*sum = (struct wgvia_prefix_counter){};
	if (number >= COUNTER_NUMBERS)
		return -ENOENT;
	/* EPERM: somebody has removed the pin, and only CAP_SYS_ADMIN can read the part; the next change replaces it */
	if (find_chunk(chunks, key) < 0)
		return chunks->fds[key] == -EPERM ? -ENOENT : chunks->fds[key];
	if (bpf_map_lookup_elem(chunks->fds[key], &index, chunks->values))
		return -errno;
	for (int cpu = 0; cpu < chunks->cpus; cpu++)
		prefix_counter_add(sum, &chunks->values[cpu]);
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	const struct prefix_count *first = a, *second = b;

	return (first->number > second->number) - (first->number < second->number);
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct prefix_count *first = a, *second = b;

	return prefix_compare(&first->prefix, &second->prefix);
}

static void sort(struct prefix_counts *counts, int (*compare)(const void *a, const void *b))
{
	if (counts->count)
		qsort(counts->all, counts->count, sizeof(*counts->all), compare);
}

/* Somebody else may have written a number twice. What is counted there belongs to the first of these prefixes alone. */
static void drop_shared(struct prefix_counts *counts)
{
	size_t kept = 0;

	sort(counts, compare_numbers);
	for (size_t i = 0; i < counts->count; i++)
		if (!kept || counts->all[kept - 1].number != counts->all[i].number)
			counts->all[kept++] = counts->all[i];
	counts->count = kept;
	sort(counts, compare_prefixes);
}

static int read_all(struct chunks *chunks, const struct state *state, struct prefix_counts *counts)
{
	int ret = read_one(chunks, 0, &counts->other);

	counts->all = calloc(state->gateway_count + 1, sizeof(*counts->all));
	if (!counts->all)
		return -ENOMEM;
	for (size_t i = 0; i < state->gateway_count && (!ret || ret == -ENOENT); i++) {
		struct prefix_count *entry = &counts->all[counts->count];

		entry->prefix = state->gateways[i].from;
		entry->number = state->gateways[i].counter;
		if (!entry->number)
			continue;
		ret = read_one(chunks, entry->number, &entry->counter);
		counts->count += !ret;
	}
	drop_shared(counts);
	return ret == -ENOENT ? 0 : ret;
}

/* Once: what changes meanwhile may be counted for the wrong prefix. */
static int read_once(const struct instance *instance, struct prefix_counts *counts, struct error *error)
{
	cleanup(state_free) struct state state = {};
	struct chunks chunks;
	int ret = state_maps_read(instance, &state, error);

	if (ret)
		return ret;
	ret = chunks_open(&chunks, instance);
	ret = ret ? ret : read_all(&chunks, &state, counts);
	chunks_close(&chunks);
	return ret ? error_system(error, -ret, "cannot read the counters of the prefixes of '%s'", instance->tunnel)
		   : 0;
}

/* Whether the prefixes have changed: other prefixes may have the numbers now. */
static bool has_changed(const struct change_counts *before, const struct instance *instance)
{
	struct change_counts now;

	return change_count_read(instance, &now) || memcmp(before, &now, sizeof(now)) != 0;
}

int prefix_counters_read(const struct instance *instance, struct prefix_counts *counts, struct error *error)
{
	struct change_counts before = {};
	int ret;

	*counts = (struct prefix_counts){.counted = instance->meta.counting == WGVIA_COUNT_PREFIXES};
	if (!counts->counted)
		return 0;
	for (int i = 0;; i++) {
		if (change_count_read(instance, &before))
			i = TRIES;
		ret = read_once(instance, counts, error);
		if (ret)
			prefix_counts_free(counts);
		if (ret || i >= TRIES || !has_changed(&before, instance))
			return ret;
		prefix_counts_free(counts);
		counts->counted = true;
	}
}

void prefix_counts_free(struct prefix_counts *counts)
{
	free(counts->all);
	*counts = (struct prefix_counts){};
}

void prefix_counts_limit(struct prefix_counts *counts, size_t limit)
{
	if (counts->count <= limit)
		return;
	sort(counts, compare_numbers);
	for (size_t i = limit; i < counts->count; i++)
		prefix_counter_add(&counts->other, &counts->all[i].counter);
	counts->count = limit;
	sort(counts, compare_prefixes);
}
