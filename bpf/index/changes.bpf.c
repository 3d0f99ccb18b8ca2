// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Notices every change of an instance's prefix maps, whoever makes it by bpf(2): wgvia, bpftool. BPF programs can only
 * read them (maps.h), because nothing notices a value that a program changes in place. An index is in force only while
 * its map has not been changed since it was made; see index_lines.h.
 *
 * Each change is counted twice. Before it is made: so none that is in the map is uncounted, whatever becomes of this
 * CPU in between, or of a program that the kernel does not run while it is running already. After it: so that what was
 * read from the map between the two is not taken for the map's new state.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "changes.h"
#include "index_lines.h"

/* The kernel's, of which this is read. */
struct bpf_map {
	__u32 id;
} __attribute__((preserve_access_index));

const volatile __u32 map_ids[INDEX_FAMILIES] = {};

static __always_inline int count(const struct bpf_map *map)
{
	__u32 id = map->id, key;
	__u64 *value;

	if (id == map_ids[INDEX_IPV4])
		key = INDEX_IPV4;
	else if (id == map_ids[INDEX_IPV6])
		key = INDEX_IPV6;
	else
		return 0;
	value = bpf_map_lookup_elem(&changes, &key);
	if (value)
		__sync_fetch_and_add(value, 1);
	return 0;
}

/* The one way into a trie: kernel/bpf/lpm_trie.c. */
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
