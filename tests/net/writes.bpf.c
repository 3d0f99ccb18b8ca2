/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs of others that write to a prefix map, for index.bats: in place, and with the helper. The kernel accepts them
 * for maps of their own.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "wgvia_abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1 << 20);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct wgvia_key4);
	__type(value, struct wgvia_gateway);
} prefixes4 SEC(".maps");

SEC("tc")
int writes(struct __sk_buff *skb)
{
	struct wgvia_key4 key = {32, {10, 6, 0, 10}};
	struct wgvia_gateway *gateway = bpf_map_lookup_elem(&prefixes4, &key);

	(void)skb;
#ifdef IN_PLACE
	if (gateway)
		gateway->ifindex = 0;
#else
	if (gateway)
		bpf_map_delete_elem(&prefixes4, &key);
#endif
	return -1;
}

char _license[] SEC("license") = "GPL";
