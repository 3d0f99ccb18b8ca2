// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Notices every change to an instance's prefix maps and bypass list through bpf(2), by wgvia, bpftool or anything else.
 * BPF programs can only read these maps (maps.h), because nothing would notice a value that a program changes in place.
 * An index is valid only while its map has not changed since the index was built (index_lines.h), and a kept decision
 * while none of them has changed (../decision.h).
 *
 * Each change is counted twice. The count before the change ensures that no change in the map is uncounted, even if
 * this CPU stops in between, or if the kernel skips a program that is already running. The count after it ensures that
 * what was read from the map between the two does not pass for the map's new state. The kernel may skip either of them;
 * what must not rely on the second one waits until the counts have settled (../decision.h).
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "changes.h"
#include "index_lines.h"

/* The part of the kernel's struct that is read here. */
struct bpf_map {
	__u32 id;
} __attribute__((preserve_access_index));

const volatile __u32 prefixes[INDEX_FAMILIES] = {}, bypass[INDEX_FAMILIES] = {}; /* ids of the maps */

static __always_inline void add(__u32 key)
{
	__u64 *value = bpf_map_lookup_elem(&changes, &key);

	if (value)
		__sync_fetch_and_add(value, 1);
}

static __always_inline int count(const struct bpf_map *map)
{
	__u32 id = map->id;

	for (__u32 family = 0; family < INDEX_FAMILIES; family++) {
		if (id == prefixes[family])
			add(family);
		if (id == prefixes[family] || id == bypass[family])
			add(CHANGES_IPV4 + family);
	}
	return 0;
}

/* Every write to a trie passes here: kernel/bpf/lpm_trie.c. */
SEC("fentry/trie_update_elem")
int before_update(const __u64 *arguments)
{
	return count((const void *)arguments[0]);
}

SEC("fexit/trie_update_elem")
int after_update(const __u64 *arguments)
{
	return count((const void *)arguments[0]);
}

SEC("fentry/trie_delete_elem")
int before_delete(const __u64 *arguments)
{
	return count((const void *)arguments[0]);
}

SEC("fexit/trie_delete_elem")
int after_delete(const __u64 *arguments)
{
	return count((const void *)arguments[0]);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
