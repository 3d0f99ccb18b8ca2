// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map entries to values and back.
 */
#include "tables.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>
#include <sys/socket.h>

#include "lists.h"
#include "util.h"
#include "words.h"

/* The key of either family; struct wgvia_key4 is its beginning. */
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
	/* the kernel keeps the host bits that an administrator wrote, and does not look at them */
	return (struct prefix){ip_mask(ip, key->prefixlen), key->prefixlen};
}

static const struct {
	enum map map;
	uint8_t family;
} gateway_maps[] = {{MAP_PREFIXES4, AF_INET}, {MAP_PREFIXES6, AF_INET6}},
  bypass_maps[] = {{MAP_BYPASS4, AF_INET}, {MAP_BYPASS6, AF_INET6}};

static int fd_for(const struct instance *instance, bool bypass, const struct prefix *prefix)
{
	bool six = prefix->ip.family == AF_INET6;

	return instance->maps[bypass ? (six ? MAP_BYPASS6 : MAP_BYPASS4) : (six ? MAP_PREFIXES6 : MAP_PREFIXES4)];
}

/* --- reading --- */

typedef int (*entry_reader)(struct state *state, const struct prefix *prefix, const void *value);

static int read_gateway(struct state *state, const struct prefix *prefix, const void *value)
{
	return state_add_gateway(state, prefix, value);
}

static int read_bypass(struct state *state, const struct prefix *prefix, const void *value)
{
	const struct wgvia_bypass *entry = value;

	return state_add_bypass(state, prefix, entry->verdict, entry->flags);
}

static int read_map(int fd, uint8_t family, entry_reader reader, struct state *state)
{
	struct wgvia_key6 key, next;
	union {
		struct wgvia_gateway gateway;
		struct wgvia_bypass bypass;
	} value;
	void *last = NULL;
	int ret;

	while (!bpf_map_get_next_key(fd, last, &next)) {
		struct prefix prefix = prefix_of(family, &next);

		key = next;
		last = &key;
		if (bpf_map_lookup_elem(fd, &key, &value)) {
			if (errno == ENOENT) /* deleted in between, by somebody else */
				continue;
			return -errno;
		}
		ret = reader(state, &prefix, &value);
		if (ret)
			return ret;
	}
	return errno == ENOENT ? 0 : -errno;
}

static int read_lists(int fd, struct state *state)
{
	struct gateway_list list;
	uint32_t next, *last = NULL;

	while (!bpf_map_get_next_key(fd, last, &next)) {
		struct gateway_list *entry;

		list.number = next;
		last = &list.number;
		if (bpf_map_lookup_elem(fd, &list.number, &list.content)) {
			if (errno == ENOENT)
				continue;
			return -errno;
		}
		/* written by somebody else: no list of ours is like that */
		if (!list.number || list.number > WGVIA_FAILOVER_LISTS || list.content.count < 2 ||
		    list.content.count > WGVIA_FAILOVER_HOPS)
			continue;
		entry = array_grow(&state->lists, &state->list_count, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		*entry = list;
	}
	return errno == ENOENT ? 0 : -errno;
}

int tables_read(const struct instance *instance, struct state *state, struct error *error)
{
	struct state found = {};
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(gateway_maps) && !ret; i++)
		ret = read_map(instance->maps[gateway_maps[i].map], gateway_maps[i].family, read_gateway, &found);
	for (size_t i = 0; i < ARRAY_SIZE(bypass_maps) && !ret; i++)
		ret = read_map(instance->maps[bypass_maps[i].map], bypass_maps[i].family, read_bypass, &found);
	ret = ret ? ret : read_lists(instance->maps[MAP_FAILOVER], &found);
	if (ret) {
		state_free(&found);
		return error_system(error, -ret, "cannot read the maps of '%s'", instance->tunnel);
	}
	state_sort(&found);
	memcpy(found.tunnel, instance->tunnel, sizeof(found.tunnel));
	found.tunnel_ifindex = instance->meta.tunnel_ifindex;
	found.mode = instance->meta.mode < WORDS_MODE ? instance->meta.mode : WGVIA_FAST;
	/* any value but WGVIA_PASS drops, in the packet path too */
	found.on_fail = instance->meta.on_fail == WGVIA_PASS ? WGVIA_PASS : WGVIA_DROP;
	*state = found;
	return 0;
}

int tables_read_counters(const struct instance *instance, struct wgvia_counter *counters, struct error *error)
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

/* An entry as it was before it was changed. */
struct undo {
	int fd;
	struct wgvia_key6 key;
	bool existed;
	union {
		struct wgvia_gateway gateway;
		struct wgvia_bypass bypass;
	} value;
};

struct writer {
	const struct instance *instance;
	struct undo *undo;
	size_t undo_count;
};

/* `old` and `new` of `size` bytes; NULL: there is none, or shall be none. */
static int write_entry(struct writer *writer, bool bypass, const struct prefix *prefix, const void *old,
		       const void *new, size_t size)
{
	struct undo *undo = array_grow(&writer->undo, &writer->undo_count, sizeof(*undo));

	if (!undo)
		return -ENOMEM;
	undo->fd = fd_for(writer->instance, bypass, prefix);
	undo->key = key_of(prefix);
	undo->existed = old;
	if (old)
		memcpy(&undo->value, old, size);
	if (!(new ? bpf_map_update_elem(undo->fd, &undo->key, new, BPF_ANY)
		  : bpf_map_delete_elem(undo->fd, &undo->key)))
		return 0;
	writer->undo_count--;
	return !new &&errno == ENOENT ? 0 : -errno;
}

static void take_back(struct writer *writer)
{
	while (writer->undo_count) {
		struct undo *undo = &writer->undo[--writer->undo_count];

		if (undo->existed)
			bpf_map_update_elem(undo->fd, &undo->key, &undo->value, BPF_ANY);
		else
			bpf_map_delete_elem(undo->fd, &undo->key);
	}
}

static int write_gateways(struct writer *writer, const struct state *from, const struct state *to)
{
	int ret = 0;

	for (size_t i = 0; i < to->gateway_count && !ret; i++) {
		const struct gateway_entry *new = &to->gateways[i], *old = state_find_gateway(from, &new->from);

		if (!old || memcmp(&old->value, &new->value, sizeof(new->value)))
			ret = write_entry(writer, false, &new->from, old ? &old->value : NULL, &new->value,
					  sizeof(new->value));
	}
	for (size_t i = 0; i < from->gateway_count && !ret; i++) {
		const struct gateway_entry *old = &from->gateways[i];

		if (!state_find_gateway(to, &old->from))
			ret = write_entry(writer, false, &old->from, &old->value, NULL, sizeof(old->value));
	}
	return ret;
}

static int write_new_bypass(struct writer *writer, const struct state *from, const struct state *to)
{
	int ret = 0;

	for (size_t i = 0; i < to->bypass_count && !ret; i++) {
		const struct bypass_entry *new = &to->bypass[i], *old = state_find_bypass(from, &new->to);

		if (!old || memcmp(&old->value, &new->value, sizeof(new->value)))
			ret = write_entry(writer, true, &new->to, old ? &old->value : NULL, &new->value,
					  sizeof(new->value));
	}
	return ret;
}

static int delete_old_bypass(struct writer *writer, const struct state *from, const struct state *to)
{
	int ret = 0;

	for (size_t i = 0; i < from->bypass_count && !ret; i++) {
		const struct bypass_entry *old = &from->bypass[i];

		if (!state_find_bypass(to, &old->to))
			ret = write_entry(writer, true, &old->to, &old->value, NULL, sizeof(old->value));
	}
	return ret;
}

/* Takes lists away whose number `kept` does not have. They are of no use to the packet path: what stays does no harm.
 */
static void delete_lists(int fd, const struct state *from, const struct state *kept)
{
	for (size_t i = 0; i < from->list_count; i++) {
		bool keep = false;

		for (size_t j = 0; j < kept->list_count; j++)
			keep |= kept->lists[j].number == from->lists[i].number;
		if (!keep)
			bpf_map_delete_elem(fd, &from->lists[i].number);
	}
}

/* Those whose number is not in use; one that is has this content already. */
static int write_lists(int fd, const struct state *from, const struct state *to)
{
	for (size_t i = 0; i < to->list_count; i++) {
		const struct gateway_list *list = &to->lists[i];
		bool there = false;

		for (size_t j = 0; j < from->list_count; j++)
			there |= from->lists[j].number == list->number;
		if (!there && bpf_map_update_elem(fd, &list->number, &list->content, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int write_entries(const struct instance *instance, const struct state *from, const struct state *to)
{
	struct writer writer = {.instance = instance};
	int ret = write_new_bypass(&writer, from, to);

	ret = ret ? ret : write_gateways(&writer, from, to);
	ret = ret ? ret : delete_old_bypass(&writer, from, to);
	if (ret)
		take_back(&writer);
	free(writer.undo);
	return ret;
}

/*
 * The state with the numbers that its lists have, or get, in the maps: a prefix never refers to another list than its
 * own, whenever this ends. The copies of the arrays are the caller's to free; the bypass list is shared.
 */
static int number_lists(const struct state *state, const struct state *running, struct state *numbered)
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
	return lists_number(numbered, running);
}

static int write_state(const struct instance *instance, const struct state *running, const struct state *state)
{
	int fd = instance->maps[MAP_FAILOVER];
	struct state numbered = {};
	int ret;

	if (!state->list_count && !running->list_count)
		return write_entries(instance, running, state);
	ret = number_lists(state, running, &numbered);
	if (!ret) {
		if (state->keep_choice)
			lists_keep_choice(&numbered, running);
		ret = write_lists(fd, running, &numbered);
		ret = ret ? ret : write_entries(instance, running, &numbered);
		delete_lists(fd, ret ? &numbered : running, ret ? running : &numbered);
	}
	free(numbered.gateways);
	free(numbered.lists);
	return ret;
}

int tables_check(const struct state *state, struct error *error)
{
	if (state->gateway_count > TABLES_MAX || state->bypass_count > TABLES_MAX + 10000)
		return error_refuse(error, "cannot hold more than %u prefixes", TABLES_MAX);
	return 0;
}

int tables_write(const struct instance *instance, const struct state *state, struct error *error)
{
	cleanup(state_free) struct state running = {};
	int ret;

	ret = tables_check(state, error);
	ret = ret ? ret : tables_read(instance, &running, error);
	if (ret)
		return ret;
	ret = write_state(instance, &running, state);
	return ret ? error_system(error, -ret, "cannot write the maps of '%s'", instance->tunnel) : 0;
}
