// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts packets that the kernel drops after a program of the packet path redirected them: the gateway does not answer
 * ARP or ND, a device is down, a queue is full. The kernel runs this program for every packet that it drops, on the
 * whole host; packets without our mark (mark.h) are skipped at once.
 *
 * A packet is counted once, under the kernel's number of the reason, by the instance of its network namespace that has
 * the packet's source in a prefix, or on the return path its destination. Packets that the programs themselves drop
 * have a verdict and no mark. A GSO packet counts once per segment, as in all counters.
 */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "mark.h"
#include "packet.h"
#include "wgvia_abi.h"

/* The part of the kernel's struct that is read here. */
struct ns_common {
	unsigned int inum;
} __attribute__((preserve_access_index));

struct net {
	__u64 net_cookie;
	struct ns_common ns;
} __attribute__((preserve_access_index));

struct net_device {
	unsigned int ifindex;
	struct {
		struct net *net;
	} nd_net;
} __attribute__((preserve_access_index));

struct sk_buff {
	struct net_device *dev;
	unsigned char *head, *data;
	unsigned int len, end;
	__u16 tc_index, mac_header, network_header;
	__u8 pkt_type : 3;
} __attribute__((preserve_access_index));

struct skb_shared_info {
	unsigned short gso_size;
} __attribute__((preserve_access_index));

/* Its number differs between kernels. */
enum skb_drop_reason { SKB_DROP_REASON_NOT_SPECIFIED = 2 };

#define MAC_HEADER_UNSET 0xffff /* as in skb_mac_header_was_set() */
#define PACKET_OUTGOING 4

/* The kernel reports a reason (Linux 5.17). */
const volatile __u32 has_reason = 1;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WGVIA_LOST_REASONS);
	__type(key, __u32);
	__type(value, struct wgvia_counter);
} lost SEC(".maps");

/* The instance's maps; the loader substitutes them for these. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__type(key, struct wgvia_key4);
	__type(value, struct wgvia_gateway);
} prefixes4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__type(key, struct wgvia_key6);
	__type(value, struct wgvia_gateway);
} prefixes6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wgvia_meta);
} meta SEC(".maps");

/*
 * Whether the packet is being sent. __bpf_redirect_neigh() unsets the MAC header, __dev_queue_xmit() sets it to the
 * start of the data; in a received packet the data starts after it. The mark survives another network namespace of this
 * host, so a packet may return with it. PACKET_OUTGOING packets are copies for sniffers.
 */
static __always_inline bool is_being_sent(const struct sk_buff *skb)
{
	return (skb->mac_header == MAC_HEADER_UNSET || skb->head + skb->mac_header == skb->data) &&
	       BPF_CORE_READ_BITFIELD(skb, pkt_type) != PACKET_OUTGOING;
}

/* The ifindexes and prefixes of the instance mean nothing in another network namespace. */
static __always_inline bool is_in_netns(const struct sk_buff *skb, const struct wgvia_meta *instance)
{
	const struct net *net = skb->dev->nd_net.net;

	if (net->ns.inum != instance->netns)
		return false;
	return !instance->cookie || !bpf_core_field_exists(net->net_cookie) ||
	       (__u32)net->net_cookie == instance->cookie;
}

/*
 * packet_read() for a packet that does not belong to a tc program: its IP header, at any stage of the kernel's
 * processing.
 */
static __always_inline bool read_packet(const struct sk_buff *skb, struct packet *pkt)
{
	const unsigned char *header = skb->head + skb->network_header;
	struct wgvia_key4 *source = (void *)&pkt->source, *destination = (void *)&pkt->destination;
	union {
		struct iphdr ip;
		struct ipv6hdr ip6;
	} read = {};

	pkt->len = skb->len - (__u32)(header - skb->data);
	if (pkt->len > skb->len || bpf_probe_read_kernel(&read.ip, sizeof(read.ip), header))
		return false;
	if (read.ip.version == 4) {
		pkt->family = AF_INET;
		pkt->header_len = read.ip.ihl * 4;
		pkt->protocol = read.ip.protocol;
		source->prefixlen = destination->prefixlen = 32;
		__builtin_memcpy(source->addr, &read.ip.saddr, 4);
		__builtin_memcpy(destination->addr, &read.ip.daddr, 4);
		return true;
	}
	if (read.ip.version != 6 || bpf_probe_read_kernel(&read.ip6, sizeof(read.ip6), header))
		return false;
	pkt->family = AF_INET6;
	pkt->header_len = sizeof(read.ip6);
	pkt->protocol = read.ip6.nexthdr;
	pkt->source.key.prefixlen = pkt->destination.key.prefixlen = 128;
	__builtin_memcpy(pkt->source.key.addr, &read.ip6.saddr, 16);
	__builtin_memcpy(pkt->destination.key.addr, &read.ip6.daddr, 16);
	return true;
}

static __always_inline bool is_in_prefix(const struct packet *pkt, const struct address *address)
{
	return pkt->family == AF_INET ? bpf_map_lookup_elem(&prefixes4, address)
				      : bpf_map_lookup_elem(&prefixes6, address);
}

/*
 * On the way out, the source is in a prefix. On the return path, the destination is in a prefix, or behind the tunnel.
 * A packet from one instance's prefix to another's has both.
 */
static __always_inline bool is_ours(const struct sk_buff *skb, const struct packet *pkt,
				    const struct wgvia_meta *instance)
{
	if (skb->tc_index == MARK_TC_INDEX)
		return is_in_prefix(pkt, &pkt->source);
	return skb->dev->ifindex == instance->tunnel_ifindex || is_in_prefix(pkt, &pkt->destination);
}

/*
 * The index into `lost`. A packet that waits for its neighbour has no link header: ndisc_error_report() and
 * bpf_out_neigh_v6() report no reason.
 */
static __always_inline __u32 reason_of(const struct sk_buff *skb, const __u64 *arguments)
{
	__u32 reason = has_reason ? arguments[2] : 0;
	bool is_given =
		has_reason && reason != bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_NOT_SPECIFIED);

	if (!is_given && skb->mac_header == MAC_HEADER_UNSET)
		return WGVIA_LOST_NEIGHBOUR;
	return reason < WGVIA_LOST_NEIGHBOUR ? reason : WGVIA_LOST_OTHER;
}

/* Like packet_gso_header_len(). */
static __always_inline __u32 gso_header_len(const struct sk_buff *skb, const struct packet *pkt)
{
	const unsigned char *transport = skb->head + skb->network_header + pkt->header_len;
	__u32 len = pkt->header_len;
	__u8 doff;

	if (pkt->protocol == IPPROTO_UDP)
		len += 8;
	else if (pkt->protocol == IPPROTO_TCP && !bpf_probe_read_kernel(&doff, 1, transport + 12))
		len += (doff >> 4) * 4;
	else
		return 0;
	return len < pkt->len ? len : 0;
}

/* Like counter_add(). */
static __always_inline void count(const struct sk_buff *skb, const struct packet *pkt, __u32 reason)
{
	const struct skb_shared_info *info = (const void *)(skb->head + skb->end);
	__u32 packets = 1, repeated = 0, size = BPF_CORE_READ(info, gso_size);
	struct wgvia_counter *counter;

	if (size) {
		repeated = gso_header_len(skb, pkt);
		packets = (pkt->len - repeated + size - 1) / size;
	}
	counter = bpf_map_lookup_elem(&lost, &reason);
	if (!counter)
		return;
	/* a softirq may interrupt this, and drop packets of its own */
	__sync_fetch_and_add(&counter->packets, packets);
	__sync_fetch_and_add(&counter->bytes, pkt->len + (__u64)(packets - 1) * repeated);
}

SEC("tp_btf/kfree_skb")
int count_lost(const __u64 *arguments)
{
	const struct sk_buff *skb = (const void *)arguments[0];
	struct wgvia_meta *instance;
	struct packet pkt = {};
	__u32 key = 0;

	if ((skb->tc_index != MARK_TC_INDEX && skb->tc_index != MARK_TC_INDEX_BACK) || !is_being_sent(skb))
		return 0;
	instance = bpf_map_lookup_elem(&meta, &key);
	if (instance && is_in_netns(skb, instance) && read_packet(skb, &pkt) && is_ours(skb, &pkt, instance))
		count(skb, &pkt, reason_of(skb, arguments));
	return 0;
}

/* bpf_probe_read_kernel() is only for programs under the GPL. */
char LICENSE[] SEC("license") = "Dual BSD/GPL";
