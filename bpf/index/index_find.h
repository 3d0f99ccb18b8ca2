/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading an index: the answer of an LPM trie, from one cache line for each prefix length in use.
 *
 * The lookup functions are functions to the verifier as well: inlined, it would verify their loops once per caller.
 */
#ifndef WGVIA_BPF_INDEX_FIND_H
#define WGVIA_BPF_INDEX_FIND_H

#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "config.h"
#include "index_lines.h"
#include "maps.h"

/* The head and the lines of the index of a prefix map, if the index matches the map's present state; else NULL. */
static __always_inline const struct index_head *index_in_force(__u32 which, void **lines)
{
	const struct index_head *head;
	const __u64 *count;
	__u32 first = 0;

	*lines = bpf_map_lookup_elem(&indexes, &which);
	if (!*lines)
		return NULL;
	head = bpf_map_lookup_elem(*lines, &first);
	count = bpf_map_lookup_elem(&changes, &which);
	return head && count && head->changes == *count ? head : NULL;
}

/* The first or the second line that may contain a network; its number into `*line`. */
static __always_inline const void *index_read_line(void *lines, const struct index_table *table, __u64 hash, int choice,
						   __u32 *line)
{
	*line = table->first + index_line_of(hash, choice, table->lines);
	return bpf_map_lookup_elem(lines, line);
}

/* What the functions that search a table return: the line of the gateway, and the slot of the prefix; 0: nothing. */
#define INDEX_FOUND(gateway, slot) ((gateway) | (slot) << 16)

/* Where the prefix is counted that was found at a line. */
static __always_inline __u32 index_counter(const struct index_head *head, void *lines, __u32 at, __u32 found)
{
	__u32 line = head->counters + at;
	const struct index_counters *numbers = head->counters ? bpf_map_lookup_elem(lines, &line) : NULL;

	return numbers ? numbers->counter[found >> 16 & 15] : 0;
}

static __always_inline __u32 index_find_line4(void *lines, const struct index_table *table, __u32 network, __u32 *at)
{
	__u64 hash = index_hash(network, 0);

	for (int choice = 0; choice < INDEX_CHOICES; choice++) {
		const struct index_line4 *line = index_read_line(lines, table, hash, choice, at);

		if (!line)
			break;
		for (int slot = 0; slot < INDEX_SLOTS4; slot++)
			if (line->network[slot] == network && line->gateway[slot])
				return INDEX_FOUND(line->gateway[slot], slot);
		if (!line->full)
			break;
	}
	return 0;
}

static __always_inline __u32 index_find_line64(void *lines, const struct index_table *table, __u64 network, __u32 *at)
{
	__u64 hash = index_hash(network, 0);

	for (int choice = 0; choice < INDEX_CHOICES; choice++) {
		const struct index_line64 *line = index_read_line(lines, table, hash, choice, at);

		if (!line)
			break;
		for (int slot = 0; slot < INDEX_SLOTS64; slot++)
			if (line->network[slot] == network && line->gateway[slot])
				return INDEX_FOUND(line->gateway[slot], slot);
		if (!line->full)
			break;
	}
	return 0;
}

static __always_inline __u32 index_find_line128(void *lines, const struct index_table *table, __u64 high, __u64 low,
						__u32 *at)
{
	__u64 hash = index_hash(high, low);

	for (int choice = 0; choice < INDEX_CHOICES; choice++) {
		const struct index_line128 *line = index_read_line(lines, table, hash, choice, at);

		if (!line)
			break;
		for (int slot = 0; slot < INDEX_SLOTS128; slot++)
			if (line->low[slot] == low && line->high[slot] == high && line->gateway[slot])
				return INDEX_FOUND(line->gateway[slot], slot);
		if (!line->full)
			break;
	}
	return 0;
}

/* The first `len` bits, 0 to 64, of a word in network order. */
static __always_inline __u64 index_mask(__u64 word, __u32 len)
{
	return len ? word & bpf_cpu_to_be64(~0ull << (64 - len)) : 0;
}

/* `address`: 4 bytes. `*counter`: see packet.counter. */
static __noinline struct wgvia_gateway *index_find4(const struct index_head *head, void *lines, const __u8 *address,
						    __u32 *counter)
{
	__u32 word = index_word4(address), found, at = 0;

	for (int i = 0; i < INDEX_TABLES && head->tables[i].lines; i++) {
		const struct index_table *table = &head->tables[i];

		found = index_find_line4(lines, table, word & bpf_htonl(~0ull << (32 - table->prefixlen)), &at);
		if (!found)
			continue;
		if (config.count_prefixes)
			*counter = index_counter(head, lines, at, found);
		found &= 0xffff;
		return bpf_map_lookup_elem(lines, &found);
	}
	return NULL;
}

/* `address`: 16 bytes, at a multiple of four. */
static __noinline struct wgvia_gateway *index_find6(const struct index_head *head, void *lines, const __u8 *address,
						    __u32 *counter)
{
	__u64 high = index_word8(address), low = index_word8(address + 8);
	__u32 found, at = 0;

	for (int i = 0; i < INDEX_TABLES && head->tables[i].lines; i++) {
		const struct index_table *table = &head->tables[i];
		__u32 len = table->prefixlen;

		if (len <= 64)
			found = index_find_line64(lines, table, index_mask(high, len), &at);
		else
			found = index_find_line128(lines, table, high, index_mask(low, len - 64), &at);
		if (!found)
			continue;
		if (config.count_prefixes)
			*counter = index_counter(head, lines, at, found);
		found &= 0xffff;
		return bpf_map_lookup_elem(lines, &found);
	}
	return NULL;
}

#endif
