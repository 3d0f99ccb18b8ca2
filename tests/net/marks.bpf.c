/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Another vendor's TC program, for stack.bats: counts the echo requests that leave for the firewall, by whether they
 * carry its mark. It shares nothing with wgvia.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define MARK 0x12345678
#define FIREWALL 0x0201

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

static bool is_echo_request(struct __sk_buff *skb)
{
	bool ipv4 = skb->protocol == bpf_htons(ETH_P_IP);
	__u8 protocol, type;

	if (bpf_skb_load_bytes(skb, ETH_HLEN + (ipv4 ? 9 : 6), &protocol, 1) ||
	    bpf_skb_load_bytes(skb, ETH_HLEN + (ipv4 ? 20 : 40), &type, 1))
		return false;
	return ipv4 ? protocol == IPPROTO_ICMP && type == 8 : protocol == IPPROTO_ICMPV6 && type == 128;
}

SEC("tc")
int marks(struct __sk_buff *skb)
{
	__u32 marked = skb->mark == MARK;
	__u16 to; /* the end of the MAC address, which is unique in this topology */
	__u64 *packets;

	if (bpf_skb_load_bytes(skb, 4, &to, 2) || to != bpf_htons(FIREWALL) || !is_echo_request(skb))
		return -1; /* TCX_NEXT, TC_ACT_UNSPEC */
	packets = bpf_map_lookup_elem(&seen, &marked);
	if (packets)
		__sync_fetch_and_add(packets, 1);
	return -1;
}

char _license[] SEC("license") = "GPL";
