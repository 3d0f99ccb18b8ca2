/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counting verdicts: packets and bytes as they are on the wire, so that the figures match those of other hosts.
 */
#ifndef WGVIA_BPF_COUNTER_H
#define WGVIA_BPF_COUNTER_H

#include "maps.h"
#include "packet.h"

/* skb->gso_segs is 0 in a packet from a guest or a tun device (SKB_GSO_DODGY). */
static __always_inline __u32 counter_packets(const struct __sk_buff *skb, const struct packet *pkt)
{
	__u32 size = skb->gso_size;

	return size ? (pkt->len - pkt->gso_header_len + size - 1) / size : 1;
}

static __always_inline __u64 counter_bytes(const struct packet *pkt, __u32 packets)
{
	return pkt->len + (__u64)(packets - 1) * pkt->gso_header_len;
}

static __always_inline void counter_add_packets(enum wgvia_direction direction, enum wgvia_verdict verdict,
						__u32 packets, __u64 bytes)
{
	__u32 key = WGVIA_COUNTER(direction, verdict);
	struct wgvia_counter *counter = bpf_map_lookup_elem(&counters, &key);

	if (!counter)
		return;
	counter->packets += packets;
	counter->bytes += bytes;
}

static __always_inline void counter_add(struct __sk_buff *skb, const struct packet *pkt, enum wgvia_direction direction,
					enum wgvia_verdict verdict)
{
	__u32 packets = counter_packets(skb, pkt);

	counter_add_packets(direction, verdict, packets, counter_bytes(pkt, packets));
}

/* In packet.counter: the address is in no prefix. It has no place in the map. */
#define COUNTER_NONE (~0u)

/* `number`: wgvia_gateway.counter. One that has no place, which only somebody else can have written, counts nothing. */
static __always_inline void counter_add_number(__u32 number, bool is_back, __u32 packets, __u64 bytes)
{
	__u32 chunk = number / WGVIA_PREFIX_CHUNK, key = number % WGVIA_PREFIX_CHUNK;
	void *values = bpf_map_lookup_elem(&prefix_counters, &chunk);
	struct wgvia_prefix_counter *prefix = values ? bpf_map_lookup_elem(values, &key) : NULL;
	struct wgvia_counter *counter;

	if (!prefix)
		return;
	counter = is_back ? &prefix->back : &prefix->out;
	counter->packets += packets;
	counter->bytes += bytes;
}

/* Of the prefix that was looked up last. */
static __always_inline void counter_add_prefix(struct __sk_buff *skb, const struct packet *pkt, bool is_back)
{
	__u32 packets = counter_packets(skb, pkt);

	counter_add_number(pkt->counter, is_back, packets, counter_bytes(pkt, packets));
}

#endif
