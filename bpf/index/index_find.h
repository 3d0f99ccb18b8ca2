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

/* The first or the second line that may contain a network. */
static __always_inline const void *index_read_line(void *lines, const struct index_table *table, __u64 hash, int choice)
{
	__u32 line = table->first + index_line_of(hash, choice, table->lines);

	return bpf_map_lookup_elem(lines, &line);
}

static __always_inline __u32 index_find_line4(void *lines, const struct index_table *table, __u32 network)
{
	__u64 hash = index_hash(network, 0);

	for (int choice = 0; choice < INDEX_CHOICES; choice++) {
		const struct index_line4 *line = index_read_line(lines, table, hash, choice);

		if (!line)
			break;
		for (int slot = 0; slot < INDEX_SLOTS4; slot++)
			if (line->network[slot] == network && line->gateway[slot])
				return line->gateway[slot];
		if (!line->full)
			break;
	}
	return 0;
}

static __always_inline __u32 index_find_line64(void *lines, const struct index_table *table, __u64 network)
{
	__u64 hash = index_hash(network, 0);

	for (int choice = 0; choice < INDEX_CHOICES; choice++) {
		const struct index_line64 *line = index_read_line(lines, table, hash, choice);

		if (!line)
			break;
		for (int slot = 0; slot < INDEX_SLOTS64; slot++)
			if (line->network[slot] == network && line->gateway[slot])
				return line->gateway[slot];
		if (!line->full)
			break;
	}
	return 0;
}

static __always_inline __u32 index_find_line128(void *lines, const struct index_table *table, __u64 high, __u64 low)
{
	__u64 hash = index_hash(high, low);

	for (int choice = 0; choice < INDEX_CHOICES; choice++) {
		const struct index_line128 *line = index_read_line(lines, table, hash, choice);

		if (!line)
			break;
		for (int slot = 0; slot < INDEX_SLOTS128; slot++)
			if (line->low[slot] == low && line->high[slot] == high && line->gateway[slot])
				return line->gateway[slot];
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

/* `address`: 4 bytes. */
static __noinline struct wgvia_gateway *index_find4(const struct index_head *head, void *lines, const __u8 *address)
{
	__u32 word = index_word4(address), line;

	for (int i = 0; i < INDEX_TABLES && head->tables[i].lines; i++) {
		const struct index_table *table = &head->tables[i];

		line = index_find_line4(lines, table, word & bpf_htonl(~0ull << (32 - table->prefixlen)));
		if (line)
			return bpf_map_lookup_elem(lines, &line);
	}
	return NULL;
}

/* `address`: 16 bytes, at a multiple of four. */
static __noinline struct wgvia_gateway *index_find6(const struct index_head *head, void *lines, const __u8 *address)
{
	__u64 high = index_word8(address), low = index_word8(address + 8);
	__u32 line;

	for (int i = 0; i < INDEX_TABLES && head->tables[i].lines; i++) {
		const struct index_table *table = &head->tables[i];
		__u32 len = table->prefixlen;

		if (len <= 64)
			line = index_find_line64(lines, table, index_mask(high, len));
		else
			line = index_find_line128(lines, table, high, index_mask(low, len - 64));
		if (line)
			return bpf_map_lookup_elem(lines, &line);
	}
	return NULL;
}

#endif
