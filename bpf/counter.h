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

static __always_inline void counter_add(struct __sk_buff *skb, const struct packet *pkt, enum wgvia_direction direction,
					enum wgvia_verdict verdict)
{
	__u32 key = WGVIA_COUNTER(direction, verdict), packets = counter_packets(skb, pkt);
	struct wgvia_counter *counter = bpf_map_lookup_elem(&counters, &key);

	if (!counter)
		return;
	counter->packets += packets;
	counter->bytes += pkt->len + (__u64)(packets - 1) * pkt->gso_header_len;
}

#endif
