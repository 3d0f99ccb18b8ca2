// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hash tables in an array of cache lines, one table per prefix length.
 */
#include "datapath/index/index.h"

#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "bpf/index/index_lines.h"

#define LENGTHS 129
#define LINES_MAX (1u << 24)

/* A value, and its line in the index. */
struct numbered {
	struct wgvia_gateway value;
	uint16_t line;
};

struct maker {
	const struct gateway_entry *entries;
	size_t count;
	uint8_t family;
	uint16_t *gateways; /* by entry: the line of its gateway */
	struct place {
		uint32_t line, slot;
	} *places;		 /* by entry; NULL: nobody asks */
	size_t lengths[LENGTHS]; /* number of prefixes of each length */
	uint8_t *lines;
	size_t line_count, line_room;
};

static void *line_at(const struct maker *maker, size_t line)
{
	return maker->lines + line * INDEX_LINE;
}

/* --- the gateways --- */

static int compare_values(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct wgvia_gateway));
}

/* Appends zeroed lines. */
static int add_lines(struct maker *maker, size_t count)
{
	size_t wanted = maker->line_count + count;

	if (wanted > maker->line_room) {
		size_t room = wanted > 2 * maker->line_room ? wanted : 2 * maker->line_room;
		uint8_t *lines = realloc(maker->lines, room * INDEX_LINE);

		if (!lines)
			return -ENOMEM;
		maker->lines = lines;
		maker->line_room = room;
	}
	memset(line_at(maker, maker->line_count), 0, count * INDEX_LINE);
	maker->line_count = wanted;
	return 0;
}

static int add_gateway(struct maker *maker, void **known, const struct wgvia_gateway *value, uint16_t *line)
{
	struct numbered *new = malloc(sizeof(*new)), **found;

	if (!new)
		return -ENOMEM;
	*new = (struct numbered){*value, maker->line_count};
	found = tsearch(new, known, compare_values);
	if (!found || *found != new)
		free(new);
	if (!found)
		return -ENOMEM;
	*line = (*found)->line;
	if (*found != new)
		return 0;
	if (maker->line_count > UINT16_MAX)
		return -E2BIG;
	if (add_lines(maker, 1))
		return -ENOMEM;
	((struct index_gateway *)line_at(maker, *line))->value = *value;
	return 0;
}

static int add_gateways(struct maker *maker)
{
	void *known = NULL;
	int ret = 0;

	for (size_t i = 0; i < maker->count && !ret; i++) {
		const struct wgvia_gateway *value = &maker->entries[i].value;

		/* adjacent entries in the table are likely to have the same */
		if (i && !compare_values(value, &maker->entries[i - 1].value))
			maker->gateways[i] = maker->gateways[i - 1];
		else
			ret = add_gateway(maker, &known, value, &maker->gateways[i]);
	}
	tdestroy(known, free);
	return ret;
}

/* --- the tables --- */

/* A table before it is written: the entries of each line. */
struct table {
	const struct maker *maker;
	uint32_t lines, slots;
	uint32_t *entries; /* by line and slot: the entry's number plus 1; 0: empty */
	bool *full;	   /* by line */
};

static uint32_t slots_of(uint8_t family, uint8_t len)
{
	if (family == AF_INET)
		return INDEX_SLOTS4;
	return len <= 64 ? INDEX_SLOTS64 : INDEX_SLOTS128;
}

static uint32_t line_of(const struct table *table, uint32_t entry, int choice)
{
	const struct ip *ip = &table->maker->entries[entry].from.ip;
	uint64_t hash = ip->family == AF_INET ? index_hash(index_word4(ip->addr), 0)
					      : index_hash(index_word8(ip->addr), index_word8(ip->addr + 8));

	return index_line_of(hash, choice, table->lines);
}

static bool put_entry(struct table *table, uint32_t line, uint32_t entry)
{
	for (uint32_t slot = 0; slot < table->slots; slot++)
		if (!table->entries[line * table->slots + slot]) {
			table->entries[line * table->slots + slot] = entry + 1;
			return true;
		}
	return false;
}

/* Returns the other one of the entry's two lines, and marks the line that the entry leaves for its second one. */
static uint32_t leave(struct table *table, uint32_t entry, uint32_t line)
{
	bool first = line == line_of(table, entry, 0);

	table->full[line] |= first;
	return line_of(table, entry, first);
}

/*
 * Cuckoo hashing (Pagh and Rodler, 2001), with lines of several slots: if both lines are full, another entry moves to
 * its other line, and so on. False: this would not end.
 */
static bool place(struct table *table, uint32_t entry)
{
	uint32_t line = line_of(table, entry, 0);

	if (put_entry(table, line, entry))
		return true;
	line = leave(table, entry, line);
	for (uint32_t kicks = 0; kicks < 500; kicks++) {
		uint32_t *slot, moved;

		if (put_entry(table, line, entry))
			return true;
		slot = &table->entries[line * table->slots + (entry + kicks) % table->slots];
		moved = *slot - 1;
		*slot = entry + 1;
		entry = moved;
		line = leave(table, entry, line);
	}
	return false;
}

static void write_slot(const struct table *table, void *line, uint32_t slot, uint32_t entry)
{
	const struct prefix *prefix = &table->maker->entries[entry].from;
	uint16_t gateway = table->maker->gateways[entry];

	if (table->slots == INDEX_SLOTS4) {
		struct index_line4 *line4 = line;

		line4->network[slot] = index_word4(prefix->ip.addr);
		line4->gateway[slot] = gateway;
	} else if (table->slots == INDEX_SLOTS64) {
		struct index_line64 *line64 = line;

		line64->network[slot] = index_word8(prefix->ip.addr);
		line64->gateway[slot] = gateway;
	} else {
		struct index_line128 *line128 = line;

		line128->high[slot] = index_word8(prefix->ip.addr);
		line128->low[slot] = index_word8(prefix->ip.addr + 8);
		line128->gateway[slot] = gateway;
	}
}

static void note_places(const struct table *table, uint32_t first, uint32_t line)
{
	for (uint32_t slot = 0; slot < table->slots && table->maker->places; slot++) {
		uint32_t entry = table->entries[line * table->slots + slot];

		if (entry)
			table->maker->places[entry - 1] = (struct place){first + line, slot};
	}
}

static void write_table(const struct table *table, uint32_t first)
{
	for (uint32_t i = 0; i < table->lines; i++) {
		void *line = line_at(table->maker, first + i);

		for (uint32_t slot = 0; slot < table->slots; slot++)
			if (table->entries[i * table->slots + slot])
				write_slot(table, line, slot, table->entries[i * table->slots + slot] - 1);
		note_places(table, first, i);
		/* same offset in each kind of line */
		((struct index_line4 *)line)->full = table->full[i];
	}
}

static bool fill_table(struct table *table, uint8_t len)
{
	for (uint32_t i = 0; i < table->maker->count; i++)
		if (table->maker->entries[i].from.len == len && !place(table, i))
			return false;
	return true;
}

/* 0, -ENOMEM, or -EAGAIN: so few lines are not enough. */
static int try_table(struct maker *maker, uint8_t len, uint32_t lines, struct index_table *written)
{
	struct table table = {.maker = maker, .lines = lines, .slots = slots_of(maker->family, len)};
	uint32_t first = maker->line_count;
	int ret = -EAGAIN;

	table.entries = calloc((size_t)lines * table.slots, sizeof(*table.entries));
	table.full = calloc(lines, sizeof(*table.full));
	if (!table.entries || !table.full)
		ret = -ENOMEM;
	else if (fill_table(&table, len))
		ret = add_lines(maker, lines);
	if (!ret) {
		*written = (struct index_table){.first = first, .lines = lines, .prefixlen = len};
		write_table(&table, first);
	}
	free(table.entries);
	free(table.full);
	return ret;
}

/* Chooses the smallest size without too many entries in their second line: cache misses cost most. */
static int add_table(struct maker *maker, uint8_t len, struct index_table *written)
{
	uint32_t slots = slots_of(maker->family, len);
	int ret = -EAGAIN;

	for (size_t lines = maker->lengths[len] * 5 / (slots * 4UL) + 1; lines < LINES_MAX && ret == -EAGAIN;
	     lines += lines / 8 + 1)
		ret = try_table(maker, len, lines, written);
	return ret == -EAGAIN ? -E2BIG : ret;
}

static int add_tables(struct maker *maker)
{
	struct index_table tables[INDEX_TABLES] = {};
	size_t used = 0;
	int ret = 0;

	for (int len = LENGTHS - 1; len >= 0 && !ret; len--) {
		if (!maker->lengths[len])
			continue;
		if (used == INDEX_TABLES)
			return -E2BIG;
		ret = add_table(maker, len, &tables[used++]);
	}
	memcpy(((struct index_head *)line_at(maker, 0))->tables, tables, sizeof(tables));
	return ret;
}

/* Finds the entries of the family: they are contiguous, because a state is sorted. */
static void find_entries(struct maker *maker, const struct state *state)
{
	for (size_t i = 0; i < state->gateway_count; i++) {
		const struct gateway_entry *entry = &state->gateways[i];

		if (entry->from.ip.family != maker->family)
			continue;
		if (!maker->count++)
			maker->entries = entry;
		maker->lengths[entry->from.len]++;
	}
}

/* After the other lines, one more for each of them: see index_head.counters. */
static int add_counters(struct maker *maker)
{
	uint32_t first = maker->line_count;

	if (!maker->places)
		return 0;
	if (add_lines(maker, first))
		return -ENOMEM;
	((struct index_head *)maker->lines)->counters = first;
	for (size_t i = 0; i < maker->count; i++) {
		struct index_counters *counters = line_at(maker, first + maker->places[i].line);

		counters->counter[maker->places[i].slot] = maker->entries[i].counter;
	}
	return 0;
}

int index_make(const struct state *state, uint8_t family, uint64_t changes, struct index_image *image)
{
	struct maker maker = {.family = family};
	int ret;

	find_entries(&maker, state);
	maker.gateways = calloc(maker.count + 1, sizeof(*maker.gateways));
	if (state->counting == WGVIA_COUNT_PREFIXES)
		maker.places = calloc(maker.count + 1, sizeof(*maker.places));
	ret = maker.gateways && (maker.places || state->counting != WGVIA_COUNT_PREFIXES) ? add_lines(&maker, 1)
											  : -ENOMEM;
	if (!ret)
		((struct index_head *)maker.lines)->changes = changes;
	ret = ret ? ret : add_gateways(&maker);
	ret = ret ? ret : add_tables(&maker);
	ret = ret ? ret : add_counters(&maker);
	free(maker.gateways);
	free(maker.places);
	if (ret)
		free(maker.lines);
	else
		*image = (struct index_image){maker.lines, maker.line_count};
	return ret;
}
