// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader's side of the maps `trace` and `events`; wgvia_abi.h has the rules.
 */
#include "datapath/trace.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "base/util.h"
#include "datapath/bpf_object.h"
#include "datapath/instance.h"
#include "datapath/pins.h"

#define NS_PER_SECOND 1000000000ull
#define LEASE (2 * NS_PER_SECOND)
#define RENEWAL (NS_PER_SECOND / 2)
static_assert(LEASE < WGVIA_TRACE_MAX, "lease");

#define SEEN_MAX 4096 /* more than the ring buffer holds: read at most this many, then look at the clock */

struct trace {
	const char *root;
	struct trace_words words;
	int lock;		 /* the instance's folder */
	uint32_t map_id;	 /* of `events`, to notice that the instance was replaced */
	struct wgvia_trace *map; /* the packet path's memory, mapped */
	struct ring_buffer *events;
	uint64_t skipped;	   /* of earlier instances, minus the map's count when it was opened */
	uint64_t renewed, checked; /* CLOCK_MONOTONIC */
	uint64_t realtime;
	bool was_off;
	struct wgvia_event *seen; /* from the last trace_wait(), at most SEEN_MAX */
	size_t seen_count, next;
};

static uint64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * NS_PER_SECOND + time.tv_nsec;
}

static void renew(struct trace *trace)
{
	trace->renewed = now(CLOCK_MONOTONIC);
	trace->realtime = now(CLOCK_REALTIME) - trace->renewed;
	if (!__atomic_exchange_n(&trace->map->until, trace->renewed + LEASE, __ATOMIC_RELEASE))
		trace->was_off = true;
}

static int see_event(void *data, void *event, size_t size)
{
	struct trace *trace = data;

	if (size < sizeof(*trace->seen))
		return 0;
	memcpy(&trace->seen[trace->seen_count++], event, sizeof(*trace->seen));
	return trace->seen_count == SEEN_MAX ? -ECANCELED : 0;
}

static void set_match(const struct prefix *prefix, __u32 addr[4], __u32 mask[4])
{
	struct ip ones = {.family = prefix->ip.family};

	memset(addr, 0, 16);
	memset(mask, 0, 16);
	if (!prefix->ip.family)
		return;
	memset(ones.addr, 0xff, ip_bits(ones.family) / 8);
	ones = ip_mask(ones, prefix->len);
	memcpy(addr, prefix->ip.addr, 16);
	memcpy(mask, ones.addr, 16);
}

/* Starts over: discards the content of the ring buffer, and never shows packets a half-written filter. */
static void switch_on(struct trace *trace)
{
	const struct trace_words *words = &trace->words;
	struct wgvia_trace *map = trace->map;

	__atomic_store_n(&map->until, 0, __ATOMIC_SEQ_CST);
	while (ring_buffer__consume(trace->events) == -ECANCELED)
		trace->seen_count = 0;
	trace->seen_count = trace->next = 0;
	trace->skipped -= __atomic_load_n(&map->skipped, __ATOMIC_RELAXED);
	map->family = words->from.ip.family ? words->from.ip.family : words->to.ip.family;
	map->verdicts = words->verdicts ? words->verdicts : ~0u;
	set_match(&words->from, map->from, map->from_mask);
	set_match(&words->to, map->to, map->to_mask);
	renew(trace);
	trace->was_off = false;
}

static void detach(struct trace *trace)
{
	if (trace->map) {
		__atomic_store_n(&trace->map->until, 0, __ATOMIC_SEQ_CST);
		trace->skipped += __atomic_load_n(&trace->map->skipped, __ATOMIC_RELAXED);
		munmap(trace->map, sizeof(*trace->map));
		trace->map = NULL;
	}
	ring_buffer__free(trace->events);
	trace->events = NULL;
	cleanup_close_fd(&trace->lock);
	trace->lock = -1;
}

static int attach_trace(struct trace *trace, struct error *error)
{
	cleanup(instance_close) struct instance instance = INSTANCE_NONE;
	const char *tunnel = trace->words.tunnel;
	int ret = instance_open_running(trace->root, tunnel, &instance, error);
	void *map;

	if (ret)
		return ret;
	trace->lock = open(instance.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (trace->lock < 0)
		return error_system(error, errno, "cannot open '%s'", instance.folder);
	if (flock(trace->lock, LOCK_EX | LOCK_NB)) {
		ret = errno;
		cleanup_close_fd(&trace->lock);
		trace->lock = -1;
		return ret == EWOULDBLOCK
			       ? error_refuse(error, "cannot trace '%s': another 'wgvia trace' is running", tunnel)
			       : error_system(error, ret, "cannot trace '%s'", tunnel);
	}
	trace->map_id = bpf_object_id(instance.maps[MAP_EVENTS]);
	trace->events = ring_buffer__new(instance.maps[MAP_EVENTS], see_event, trace, NULL);
	if (!trace->events)
		return error_system(error, errno, "cannot read the map 'events'");
	map = mmap(NULL, sizeof(*trace->map), PROT_READ | PROT_WRITE, MAP_SHARED, instance.maps[MAP_TRACE], 0);
	if (map == MAP_FAILED)
		return error_system(error, errno, "cannot use the map 'trace'");
	trace->map = map;
	switch_on(trace);
	return 0;
}

int trace_open(const char *root, const struct trace_words *words, struct trace **result, struct error *error)
{
	struct trace *trace = calloc(1, sizeof(*trace));
	int ret;

	if (!trace)
		return error_system(error, ENOMEM, "cannot trace '%s'", words->tunnel);
	trace->root = root;
	trace->words = *words;
	trace->lock = -1;
	trace->checked = now(CLOCK_MONOTONIC);
	trace->seen = calloc(SEEN_MAX, sizeof(*trace->seen));
	ret = trace->seen ? pins_probe(root, error) : error_system(error, ENOMEM, "cannot trace '%s'", words->tunnel);
	if (!ret || ret == -ENOENT) /* attach_trace() reports it */
		ret = attach_trace(trace, error);
	if (ret)
		trace_close(&trace);
	*result = trace;
	return ret;
}

static bool is_in_force(const struct trace *trace)
{
	char path[PINS_PATH_MAX];
	cleanup_fd int fd = -1;

	pins_path(path, trace->root, trace->words.tunnel, PINS_CURRENT, map_names[MAP_EVENTS]);
	fd = bpf_obj_get(path);
	return fd >= 0 && bpf_object_id(fd) == trace->map_id;
}

/* The instance may have new maps by now, or be removed. */
static int follow_instance(struct trace *trace, struct error *error)
{
	cleanup_fd int lock = -1;

	if (is_in_force(trace))
		return 0;
	detach(trace);
	lock = pins_lock(trace->root, error); /* a command may be in the middle of a change */
	if (lock < 0 && lock != -ENOENT)
		return lock;
	if (!pins_exist(trace->root, trace->words.tunnel, PINS_CURRENT))
		return error_refuse(error, "the instance on '%s' was removed", trace->words.tunnel);
	return attach_trace(trace, error);
}

int trace_wait(struct trace *trace, struct error *error)
{
	int ret;

	if (now(CLOCK_MONOTONIC) - trace->checked >= RENEWAL) {
		trace->checked = now(CLOCK_MONOTONIC);
		renew(trace);
		ret = follow_instance(trace, error);
		if (ret)
			return ret;
	}
	trace->seen_count = trace->next = 0;
	ret = ring_buffer__poll(trace->events, RENEWAL / 1000000);
	if (ret < 0 && ret != -ECANCELED && ret != -EINTR) /* SIGCONT has the same effect */
		return error_system(error, -ret, "cannot read the map 'events'");
	return 0;
}

const struct wgvia_event *trace_next(struct trace *trace)
{
	if (trace->next == trace->seen_count)
		return NULL;
	if (now(CLOCK_MONOTONIC) - trace->renewed > RENEWAL) /* the consumer of the events is slow */
		renew(trace);
	return &trace->seen[trace->next++];
}

uint64_t trace_realtime(const struct trace *trace)
{
	return trace->realtime;
}

uint64_t trace_skipped(const struct trace *trace)
{
	return trace->skipped + (trace->map ? __atomic_load_n(&trace->map->skipped, __ATOMIC_RELAXED) : 0);
}

bool trace_was_off(struct trace *trace)
{
	bool was_off = trace->was_off;

	trace->was_off = false;
	return was_off;
}

void trace_close(struct trace **trace)
{
	if (!*trace)
		return;
	detach(*trace);
	free((*trace)->seen);
	free(*trace);
	*trace = NULL;
}
