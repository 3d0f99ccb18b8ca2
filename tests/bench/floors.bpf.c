/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark's own programs: the sinks, which count and drop what reaches a device's driver; the immediate drop,
 * whose cost is subtracted from all others; and the floors, which do the minimum of a redirect, or of any program. They
 * share nothing with wgvia.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "floors.h"

#define AF_INET 2
#define AF_INET6 10

const volatile struct floors_config config = {};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

/* Only the benchmark's packets have this length. */
static __always_inline void count(struct __sk_buff *skb, __u32 link_len)
{
	__u32 key = 0;
	__u64 *packets = bpf_map_lookup_elem(&counts, &key);

	if (packets && skb->len == link_len + FLOORS_PACKET_LEN)
		++*packets;
}

/* Filters of a tun and of a tap device (TUNSETFILTEREBPF): 0 drops what would wait for a reader. */
SEC("socket")
int sink_tun(struct __sk_buff *skb)
{
	count(skb, 0);
	return 0;
}

SEC("socket")
int sink_tap(struct __sk_buff *skb)
{
	count(skb, ETH_HLEN);
	return 0;
}

/* At the ingress of the tun and of the tap device: what injection costs. */
SEC("tc")
int drop_tun(struct __sk_buff *skb)
{
	count(skb, 0);
	return TC_ACT_SHOT;
}

SEC("tc")
int drop_tap(struct __sk_buff *skb)
{
	count(skb, ETH_HLEN);
	return TC_ACT_SHOT;
}

/* The cost of a program that does nothing. */
SEC("tc")
int empty(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_UNSPEC;
}

/* bpf_redirect_neigh() with a constant next hop, without checks and changes. */
SEC("tc")
int neigh(struct __sk_buff *skb)
{
	struct bpf_redir_neigh next_hop = {};

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		next_hop.nh_family = AF_INET;
		next_hop.ipv4_nh = config.next_hop4;
	} else {
		next_hop.nh_family = AF_INET6;
		next_hop.ipv6_nh[0] = config.next_hop6[0];
		next_hop.ipv6_nh[1] = config.next_hop6[1];
		next_hop.ipv6_nh[2] = config.next_hop6[2];
		next_hop.ipv6_nh[3] = config.next_hop6[3];
	}
	if (bpf_skb_change_head(skb, ETH_HLEN, 0))
		return TC_ACT_SHOT;
	return bpf_redirect_neigh(config.lan_ifindex, &next_hop, sizeof(next_hop), 0);
}

/* bpf_redirect() into the tunnel, without checks and changes. */
SEC("tc")
int into(struct __sk_buff *skb)
{
	(void)skb;
	return bpf_redirect(config.tunnel_ifindex, 0);
}

/* bpf_redirect() with a header of constants. */
SEC("tc")
int macs(struct __sk_buff *skb)
{
	__u16 *header, type = skb->protocol;

	if (bpf_skb_change_head(skb, ETH_HLEN, 0))
		return TC_ACT_SHOT;
	header = (void *)(long)skb->data;
	if ((void *)(header + 7) > (void *)(long)skb->data_end)
		return TC_ACT_SHOT;
	header[0] = config.to[0];
	header[1] = config.to[1];
	header[2] = config.to[2];
	header[3] = config.from[0];
	header[4] = config.from[1];
	header[5] = config.from[2];
	header[6] = type;
	return bpf_redirect(config.lan_ifindex, 0);
}

char _license[] SEC("license") = "GPL";
