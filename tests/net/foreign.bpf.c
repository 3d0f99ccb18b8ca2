/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Another vendor's TC program, for foreign.bats: counts every packet that it sees, and passes it to the next program.
 * It shares nothing with wgvia.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

SEC("tc")
int foreign(struct __sk_buff *skb)
{
	__u32 zero = 0;
	__u64 *packets = bpf_map_lookup_elem(&seen, &zero);

	(void)skb;
	if (packets)
		__sync_fetch_and_add(packets, 1);
	return -1; /* TCX_NEXT, TC_ACT_UNSPEC */
}

char _license[] SEC("license") = "GPL";
