/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The index: a copy of a large prefix map that is laid out for the cache. An LPM trie visits a node for nearly each bit
 * that distinguishes prefixes, and from some ten thousand entries on most nodes are not in the cache. A lookup in the
 * index reads one cache line for each prefix length in use.
 *
 * The index is only a copy; the map decides. User space builds it from the map (user/datapath/index/index.c) and
 * records the map's change count. Every change to the map, by whomever, increments that count (changes.bpf.c), and from
 * the next packet on the packet path uses the map itself.
 */
#ifndef WGVIA_BPF_INDEX_LINES_H
#define WGVIA_BPF_INDEX_LINES_H

#include <linux/types.h>

#include "wgvia_abi.h"

/* The key into `changes` and `indexes`. */
enum index_family { INDEX_IPV4, INDEX_IPV6, INDEX_FAMILIES };

/* Further keys into `changes`: of a family's prefixes and bypass list together. */
enum changes_key {
	CHANGES_IPV4 = INDEX_FAMILIES,
	CHANGES_IPV6,
	CHANGES_COUNTS,
	CHANGES_CANNOT = CHANGES_COUNTS, /* not 0: this kernel cannot report changes */
	CHANGES_KEYS,
};
/* In the counts of CHANGES_IPV4 and CHANGES_IPV6: every change is counted. */
#define CHANGES_COUNTED (1ull << 63)
/*
 * User space reads a count and writes a larger one, and may so undo what the kernel has counted meanwhile. It adds more
 * than the kernel ever does, so that no count comes back.
 */
#define CHANGES_STEP (1ull << 32)

/* The cache lines of an index: the head, the gateways, then one table after the other. */
#define INDEX_LINE 64
#define INDEX_TABLES 6	/* prefix lengths in use */
#define INDEX_CHOICES 2 /* lines of a table that may contain a network */
#define INDEX_SLOTS4 10
#define INDEX_SLOTS64 6
#define INDEX_SLOTS128 3

/* A hash table of the prefixes of one length. */
struct index_table {
	__u32 first; /* line */
	__u32 lines : 24, prefixlen : 8;
};

struct index_head {
	__u64 changes; /* count of the map, when it was read */
	/* A line of index_counters for each line before: where the slots' prefixes are counted. 0: there are none */
	__u32 counters;
	__u32 reserved;
	struct index_table tables[INDEX_TABLES]; /* longest prefixes first; a table without lines ends the list */
};
_Static_assert(sizeof(struct index_head) == INDEX_LINE, "index_head");

/* Prefixes that differ in nothing but their counters have one gateway here, whose counter is 0. */
struct index_gateway {
	struct wgvia_gateway value;
	__u8 reserved[INDEX_LINE - sizeof(struct wgvia_gateway)];
};
_Static_assert(sizeof(struct index_gateway) == INDEX_LINE, "index_gateway");

/* Networks in the byte order of packets. `gateway` is a line; 0: this slot and all later ones are empty. */
struct index_line4 {
	__u32 network[INDEX_SLOTS4];
	__u16 gateway[INDEX_SLOTS4];
	__u32 full; /* networks that belong here are in their second line */
};
_Static_assert(sizeof(struct index_line4) == INDEX_LINE, "index_line4");

/*
 * IPv6 networks of up to 64 bits are separate from longer ones: short entries leave room for more of them in the cache.
 */
struct index_line64 {
	__u64 network[INDEX_SLOTS64];
	__u16 gateway[INDEX_SLOTS64];
	__u32 full;
};
_Static_assert(sizeof(struct index_line64) == INDEX_LINE, "index_line64");

struct index_line128 {
	__u64 high[INDEX_SLOTS128], low[INDEX_SLOTS128];
	__u16 gateway[INDEX_SLOTS128];
	__u16 reserved[3];
	__u32 full;
};
_Static_assert(sizeof(struct index_line128) == INDEX_LINE, "index_line128");

struct index_counters {
	__u32 counter[16]; /* by slot */
};
_Static_assert(sizeof(struct index_counters) == INDEX_LINE, "index_counters");

/* `full` has the same offset in each of them. */
_Static_assert(__builtin_offsetof(struct index_line4, full) == __builtin_offsetof(struct index_line64, full) &&
		       __builtin_offsetof(struct index_line4, full) == __builtin_offsetof(struct index_line128, full),
	       "index_line*.full");

/*
 * Bytes of an address as the number that is hashed and compared. Packets and index use this machine's byte order alike,
 * so it does not matter which one that is. `addr` is aligned to four bytes.
 */
static inline __u32 index_word4(const __u8 *addr)
{
	__u32 word;

	__builtin_memcpy(&word, addr, sizeof(word));
	return word;
}

static inline __u64 index_word8(const __u8 *addr)
{
	__u64 word;

	__builtin_memcpy(&word, addr, sizeof(word));
	return word;
}

/* A network is in the first of two lines of its table, or in the second if the first was full. */
static inline __u64 index_hash(__u64 high, __u64 low)
{
	__u64 hash = (high ^ (low << 17 | low >> 47)) * 0x9e3779b97f4a7c15ull;

	return (hash ^ hash >> 32) * 0xd6e8feb86659fd93ull;
}

static inline __u32 index_line_of(__u64 hash, int choice, __u32 lines)
{
	return (choice ? hash & 0xffffffff : hash >> 32) * lines >> 32;
}

#endif
