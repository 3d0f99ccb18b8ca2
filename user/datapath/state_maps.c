// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map entries to values and back.
 */
#include "datapath/state_maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "config/counter_numbers.h"
#include "config/failover.h"
#include "datapath/accepted_map.h"
#include "datapath/also_map.h"
#include "datapath/failover_map.h"
#include "datapath/index/change_count.h"
#include "datapath/index/index_map.h"
#include "datapath/map_batch.h"
#include "datapath/prefix_counters.h"
#include "datapath/source_map.h"

/* A key of either family; struct wgvia_key4 is a prefix of it. */
static struct wgvia_key6 key_of(const struct prefix *prefix)
{
	struct wgvia_key6 key = {.prefixlen = prefix->len};

	memcpy(key.addr, prefix->ip.addr, ip_bits(prefix->ip.family) / 8);
	return key;
}

static struct prefix prefix_of(uint8_t family, const struct wgvia_key6 *key)
{
	struct ip ip = {.family = family};

	memcpy(ip.addr, key->addr, ip_bits(family) / 8);
	/* the kernel keeps host bits that an administrator wrote, and ignores them */
	return (struct prefix){ip_mask(ip, key->prefixlen), key->prefixlen};
}

static struct map_layout layout_of(const struct instance *instance, bool bypass, uint8_t family)
{
	bool six = family == AF_INET6;

	return (struct map_layout){
		instance->maps[bypass ? (six ? MAP_BYPASS6 : MAP_BYPASS4) : (six ? MAP_PREFIXES6 : MAP_PREFIXES4)],
		six ? sizeof(struct wgvia_key6) : sizeof(struct wgvia_key4),
		bypass ? sizeof(struct wgvia_bypass) : sizeof(struct wgvia_gateway)};
}

/* --- reading --- */

struct reader {
	struct state *state;
	uint8_t family;
};

static int read_gateway(void *data, const void *key, const void *value)
{
	const struct reader *reader = data;
	struct prefix prefix = prefix_of(reader->family, key);

	return state_add_gateway(reader->state, &prefix, value);
}

static int read_bypass(void *data, const void *key, const void *value)
{
	const struct wgvia_bypass *entry = value;
	const struct reader *reader = data;
	struct prefix prefix = prefix_of(reader->family, key);

	return state_add_bypass(reader->state, &prefix, entry->verdict, entry->flags);
}

static int read_maps(const struct instance *instance, struct state *state)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	int ret = 0;

	for (int bypass = 0; bypass < 2; bypass++)
		for (size_t i = 0; i < ARRAY_SIZE(families) && !ret; i++) {
			struct map_layout map = layout_of(instance, bypass, families[i]);
			struct reader reader = {state, families[i]};

			ret = map_batch_read(&map, bypass ? read_bypass : read_gateway, &reader);
		}
	return ret;
}

static int read_state(const struct instance *instance, bool entries, struct state *state, struct error *error)
{
	struct state found = {};
	int ret = entries ? read_maps(instance, &found) : 0;

	ret = ret ? ret : failover_map_read(instance->maps[MAP_FAILOVER], &found);
	ret = ret ? ret : also_map_read(instance, &found.also);
	ret = ret ? ret : source_map_read(instance->maps[MAP_SOURCES], &found);
	ret = ret ? ret : accepted_map_read(instance->maps[MAP_ACCEPTED], &found.accepted);
	if (ret) {
		state_free(&found);
		return error_system(error, -ret, "cannot read the maps of '%s'", instance->tunnel);
	}
	state_sort(&found);
	memcpy(found.tunnel, instance->tunnel, sizeof(found.tunnel));
	found.tunnel_ifindex = instance->meta.tunnel_ifindex;
	found.mode = instance->meta.mode < WORDS_MODE ? instance->meta.mode : WGVIA_FAST;
	/* any value except WGVIA_PASS drops, as in the packet path */
	found.on_fail = instance->meta.on_fail == WGVIA_PASS ? WGVIA_PASS : WGVIA_DROP;
	found.outside = instance->meta.outside == WGVIA_OUTSIDE_DROP ? WGVIA_OUTSIDE_DROP : WGVIA_OUTSIDE_PASS;
	found.mss = instance->meta.mss;
	if (found.mss != WGVIA_MSS_AUTO && (found.mss < WGVIA_MSS_MIN || found.mss > WGVIA_MSS_MAX))
		found.mss = WGVIA_MSS_OFF;
	found.counting = instance->meta.counting == WGVIA_COUNT_PREFIXES ? WGVIA_COUNT_PREFIXES : WGVIA_COUNT_VERDICTS;
	found.ret = instance->meta.ret < WORDS_RETURN ? instance->meta.ret : WGVIA_RETURN_VIA;
	*state = found;
	return 0;
}

int state_maps_read(const struct instance *instance, struct state *state, struct error *error)
{
	return read_state(instance, true, state, error);
}

int state_maps_read_settings(const struct instance *instance, struct state *state, struct error *error)
{
	return read_state(instance, false, state, error);
}

struct visitor {
	uint8_t family;
	state_maps_visit visit;
	void *data;
};

static int visit_gateway(void *data, const void *key, const void *value)
{
	const struct visitor *visitor = data;
	const struct gateway_entry entry = {prefix_of(visitor->family, key), *(const struct wgvia_gateway *)value, 0};

	return visitor->visit(visitor->data, &entry);
}

int state_maps_visit_gateways(const struct instance *instance, uint8_t family, state_maps_visit visit, void *data)
{
	struct map_layout map = layout_of(instance, false, family);
	struct visitor visitor = {family, visit, data};

	return map_batch_read(&map, visit_gateway, &visitor);
}

int state_maps_read_counters(const struct instance *instance, struct wgvia_counter *counters, struct error *error)
{
	int cpus = libbpf_num_possible_cpus();
	cleanup_free struct wgvia_counter *values = NULL;

	if (cpus < 0)
		return error_system(error, -cpus, "cannot count the CPUs");
	values = calloc(cpus, sizeof(*values));
	if (!values)
		return error_system(error, ENOMEM, "cannot read the counters of '%s'", instance->tunnel);
	for (__u32 i = 0; i < WGVIA_COUNTERS; i++) {
		if (bpf_map_lookup_elem(instance->maps[MAP_COUNTERS], &i, values))
			return error_system(error, errno, "cannot read the counters of '%s'", instance->tunnel);
		counters[i] = (struct wgvia_counter){};
		for (int cpu = 0; cpu < cpus; cpu++) {
			counters[i].packets += values[cpu].packets;
			counters[i].bytes += values[cpu].bytes;
		}
	}
	return 0;
}

/* --- writing --- */

/* An entry before its change. */
struct undo {
	struct wgvia_key6 key;
	bool bypass, existed;
	uint8_t family;
	union value {
		struct wgvia_gateway gateway;
		struct wgvia_bypass bypass;
	} value;
};

/* Pending changes of one map: either all updates or all deletions. */
struct pending {
	struct map_layout map;
	bool deletes;
	uint8_t *keys, *values; /* room for PENDING_MAX, in the kernel's layout */
	size_t count;
};
#define PENDING_MAX 4096

struct writer {
	const struct instance *instance;
	struct pending pending;
	struct undo *undo; /* of changes in force, followed by the pending ones */
	size_t undo_count;
	bool counted; /* in the map `changes` */
};

/* Once is enough: from then on no index is in force until it is built again. The bypass list has none. */
static int count_change(struct writer *writer)
{
	int fd = writer->pending.map.fd, ret;

	if (writer->counted)
		return 0;
	if (fd != writer->instance->maps[MAP_PREFIXES4] && fd != writer->instance->maps[MAP_PREFIXES6])
		return change_count_add_bypass(writer->instance);
	ret = change_count_add(writer->instance);
	writer->counted = !ret;
	return ret;
}

static int flush(struct writer *writer)
{
	struct pending *pending = &writer->pending;
	size_t done = 0;
	int ret = pending->count ? count_change(writer) : 0;

	if (!ret)
		ret = pending->deletes
			      ? map_batch_delete(&pending->map, pending->keys, pending->count, &done)
			      : map_batch_update(&pending->map, pending->keys, pending->values, pending->count, &done);
	writer->undo_count -= pending->count - done;
	pending->count = 0;
	return ret;
}

/*
 * `old` and `new` have the layout of the map; NULL: the entry does not exist, or is to be removed. It takes effect with
 * the next flush().
 */
static int write_entry(struct writer *writer, bool bypass, const struct prefix *prefix, const void *old,
		       const void *new)
{
	struct map_layout map = layout_of(writer->instance, bypass, prefix->ip.family);
	struct pending *pending = &writer->pending;
	struct undo *undo;
	int ret = 0;

	if (pending->count == PENDING_MAX || pending->map.fd != map.fd || pending->deletes != !new)
		ret = flush(writer);
	if (ret)
		return ret;
	undo = array_grow(&writer->undo, &writer->undo_count, sizeof(*undo));
	if (!undo)
		return -ENOMEM;
	undo->key = key_of(prefix);
	undo->bypass = bypass;
	undo->family = prefix->ip.family;
	undo->existed = old;
	if (old)
		memcpy(&undo->value, old, map.value_size);
	pending->map = map;
	pending->deletes = !new;
	memcpy(pending->keys + pending->count * map.key_size, &undo->key, map.key_size);
	if (new)
		memcpy(pending->values + pending->count * map.value_size, new, map.value_size);
	pending->count++;
	return 0;
}

static void take_back(struct writer *writer)
{
	while (writer->undo && writer->undo_count) {
		struct undo *undo = &writer->undo[--writer->undo_count];
		struct map_layout map = layout_of(writer->instance, undo->bypass, undo->family);
		size_t done;

		if (undo->existed)
			map_batch_update(&map, &undo->key, &undo->value, 1, &done);
		else
			map_batch_delete(&map, &undo->key, 1, &done);
	}
}

/* As it is in the map. */
static struct wgvia_gateway value_of(const struct gateway_entry *entry)
{
	struct wgvia_gateway value = entry->value;

	value.counter = entry->counter;
	return value;
}

static int write_gateway(struct writer *writer, const struct gateway_entry *old, const struct gateway_entry *new)
{
	const struct wgvia_gateway before = old ? value_of(old) : (struct wgvia_gateway){};
	const struct wgvia_gateway after = new ? value_of(new) : (struct wgvia_gateway){};

	if (old && new && !memcmp(&before, &after, sizeof(after)))
		return 0;
	return write_entry(writer, false, new ? &new->from : &old->from, old ? &before : NULL, new ? &after : NULL);
}

static int write_gateways(struct writer *writer, const struct state *from, const struct state *to)
{
	int ret = 0;

	for (size_t i = 0; i < to->gateway_count && !ret; i++)
		ret = write_gateway(writer, state_find_gateway(from, &to->gateways[i].from), &to->gateways[i]);
	for (size_t i = 0; i < from->gateway_count && !ret; i++)
		if (!state_find_gateway(to, &from->gateways[i].from))
			ret = write_gateway(writer, &from->gateways[i], NULL);
	return ret;
}

static int write_new_bypass(struct writer *writer, const struct state *from, const struct state *to)
{
	int ret = 0;

	for (size_t i = 0; i < to->bypass_count && !ret; i++) {
		const struct bypass_entry *new = &to->bypass[i], *old = state_find_bypass(from, &new->to);

		if (!old || memcmp(&old->value, &new->value, sizeof(new->value)) != 0)
			ret = write_entry(writer, true, &new->to, old ? &old->value : NULL, &new->value);
	}
	return ret;
}

static int delete_old_bypass(struct writer *writer, const struct state *from, const struct state *to)
{
	int ret = 0;

	for (size_t i = 0; i < from->bypass_count && !ret; i++) {
		const struct bypass_entry *old = &from->bypass[i];

		if (!state_find_bypass(to, &old->to))
			ret = write_entry(writer, true, &old->to, &old->value, NULL);
	}
	return ret;
}

static int write_all(struct writer *writer, const struct state *from, const struct state *to)
{
	/* each of these waits for the previous one: write_entry() flushes when the map or the kind of change differs */
	int ret = write_new_bypass(writer, from, to);

	ret = ret ? ret : write_gateways(writer, from, to);
	ret = ret ? ret : delete_old_bypass(writer, from, to);
	return ret ? ret : flush(writer);
}

static int write_entries(const struct instance *instance, const struct state *from, const struct state *to)
{
	struct writer writer = {.instance = instance};
	int ret;

	writer.pending.keys = malloc(PENDING_MAX * sizeof(struct wgvia_key6));
	writer.pending.values = malloc(PENDING_MAX * sizeof(union value));
	ret = writer.pending.keys && writer.pending.values ? write_all(&writer, from, to) : -ENOMEM;
	/* what the packet path has kept between the count and the change is old: bpf/decision.h, bpf/sender.h */
	if (!ret && writer.counted && to->counting == WGVIA_COUNT_PREFIXES)
		ret = change_count_add(instance);
	else if (!ret && writer.undo_count)
		ret = change_count_add_bypass(instance);
	if (ret) {
		writer.undo_count -= writer.pending.count;
		take_back(&writer);
		/* the packet path may have cached numbers of the refused state */
		change_count_add(instance);
	}
	free(writer.pending.keys);
	free(writer.pending.values);
	free(writer.undo);
	return ret;
}

/*
 * The state with the numbers that its lists and counters have, or get, in the maps, so that a prefix never refers to a
 * wrong list or counter, even if this stops halfway. The caller frees the copies of the arrays; the bypass list is
 * shared.
 */
static int number(const struct state *state, const struct state *running, struct state *numbered)
{
	*numbered = *state;
	numbered->gateways = calloc(state->gateway_count + 1, sizeof(*state->gateways));
	numbered->lists = calloc(state->list_count + 1, sizeof(*state->lists));
	if (!numbered->gateways || !numbered->lists)
		return -ENOMEM;
	for (size_t i = 0; i < state->gateway_count; i++)
		numbered->gateways[i] = state->gateways[i];
	for (size_t i = 0; i < state->list_count; i++)
		numbered->lists[i] = state->lists[i];
	if (counter_numbers_give(running, numbered))
		return -ENOMEM;
	return state->list_count || running->list_count ? failover_number(numbered, running) : 0;
}

static int write_numbered(const struct instance *instance, const struct state *running, const struct state *state)
{
	int ret = source_map_write(instance->maps[MAP_SOURCES], state);

	ret = ret ? ret : write_entries(instance, running, state);
	if (ret)
		source_map_write(instance->maps[MAP_SOURCES], running);
	return ret;
}

static int write_state(const struct instance *instance, const struct state *running, const struct state *state)
{
	int fd = instance->maps[MAP_FAILOVER];
	struct state numbered = {};
	int ret;

	ret = number(state, running, &numbered);
	ret = ret ? ret : prefix_counters_prepare(instance, running, &numbered);
	if (ret) {
		prefix_counters_clean(instance, running);
	} else {
		if (state->keep_choice)
			failover_keep_choice(&numbered, running);
		ret = failover_map_write(fd, running, &numbered);
		ret = ret ? ret : write_numbered(instance, running, &numbered);
		failover_map_clean(fd, ret ? &numbered : running, ret ? running : &numbered);
		prefix_counters_clean(instance, ret ? running : &numbered);
	}
	free(numbered.gateways);
	free(numbered.lists);
	return ret;
}

int state_maps_check(const struct state *state, struct error *error)
{
	if (state->gateway_count > TABLES_MAX || state->bypass_count > TABLES_MAX + 10000)
		return error_refuse(error, "cannot hold more than %u prefixes", TABLES_MAX);
	return 0;
}

/*
 * Makes sure that changes are counted, if the kernel can, and that large prefix maps then have an index of their
 * present content. `state` is in the maps, as far as is known. The lock must be held. A failure here only costs speed:
 * the packet path then uses the maps.
 */
static void write_indexes(const struct instance *instance, const struct state *state)
{
	cleanup(state_free) struct state running = {};
	struct change_counts changes;
	struct error ignored = {};

	if (!change_count_are_counted(instance)) {
		index_map_clear(instance);
		change_count_leave_uncounted(instance);
		return;
	}
	if (!index_map_is_wanted(state)) {
		index_map_clear(instance);
		return;
	}
	/* read the count before the maps: a change in between makes the index outdated */
	if (change_count_read(instance, &changes) || index_map_is_current(instance, state, &changes))
		return;
	if (state_maps_read(instance, &running, &ignored))
		return;
	running.counting = state->counting; /* the instance is as it was opened */
	index_map_write(instance, &running, &changes);
}

/* The packet path caches for some ticks which sender was a gateway, unless a change is counted: bpf/sender.h. */
static bool senders_differ(const struct state *a, const struct state *b)
{
	return a->ret != b->ret || !also_equal(&a->also, &b->also);
}

int state_maps_write(const struct instance *instance, const struct state *state, struct error *error)
{
	cleanup(state_free) struct state running = {};
	int ret = state_maps_check(state, error);

	ret = ret ? ret : state_maps_read(instance, &running, error);
	if (ret)
		return ret;
	if (!accepted_equal(&running.accepted, &state->accepted))
		ret = accepted_map_write(instance->maps[MAP_ACCEPTED], &state->accepted);
	ret = ret ? ret : also_map_write(instance, &running.also, &state->also);
	ret = ret ? ret : write_state(instance, &running, state);
	also_map_clean(instance, ret ? &state->also : &running.also, ret ? &running.also : &state->also);
	if (!ret && senders_differ(&running, state))
		change_count_add(instance);
	if (ret) {
		accepted_map_write(instance->maps[MAP_ACCEPTED], &running.accepted);
		return error_system(error, -ret, "cannot write the maps of '%s'", instance->tunnel);
	}
	write_indexes(instance, state);
	return 0;
}
