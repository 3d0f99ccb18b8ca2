/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counting verdicts: packets and bytes as they are on the wire, so that the figures add up with those of other hosts.
 */
#ifndef WGVIA_BPF_COUNTER_H
#define WGVIA_BPF_COUNTER_H

#include "maps.h"
#include "packet.h"

/* Bytes of headers that each segment of a GSO packet repeats; 0 where the transport header is not found at once. */
static __always_inline __u32 counter_gso_header_len(struct __sk_buff *skb, __u32 link_len, const struct packet *pkt)
{
	__u8 doff;

	if (pkt->protocol == IPPROTO_UDP)
		return pkt->header_len + 8;
	if (pkt->protocol != IPPROTO_TCP || bpf_skb_load_bytes(skb, link_len + pkt->header_len + 12, &doff, 1))
		return 0;
	return pkt->header_len + (doff >> 4) * 4;
}

static __always_inline void counter_add(struct __sk_buff *skb, __u32 link_len, const struct packet *pkt,
					enum wgvia_direction direction, enum wgvia_verdict verdict)
{
	__u32 key = WGVIA_COUNTER(direction, verdict), size = skb->gso_size;
	struct wgvia_counter *counter = bpf_map_lookup_elem(&counters, &key);
	__u64 packets = 1, bytes = pkt->len;

	if (!counter)
		return;
	if (size) {
		__u32 header_len = counter_gso_header_len(skb, link_len, pkt);

		/* skb->gso_segs is 0 in a packet from a guest or from a tun device (SKB_GSO_DODGY) */
		packets = (pkt->len - header_len + size - 1) / size;
		bytes += (packets - 1) * header_len;
	}
	counter->packets += packets;
	counter->bytes += bytes;
}

#endif
