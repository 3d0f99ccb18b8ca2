/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reports decisions to a reader through a ring buffer. Without a reader, all of this is a load and a branch.
 */
#ifndef WGVIA_BPF_TRACE_H
#define WGVIA_BPF_TRACE_H

#include "config.h"
#include "counter.h"
#include "maps.h"
#include "packet.h"

static __always_inline bool trace_matches(const struct address *address, __u32 words, const __u32 value[4],
					  const __u32 mask[4])
{
	const __u32 *addr = (const __u32 *)address->key.addr;
	__u32 differs = 0;

	for (__u32 i = 0; i < words; i++)
		differs |= (addr[i] & mask[i]) ^ value[i];
	return !differs;
}

static __always_inline bool trace_is_wanted(const struct wgvia_trace *wanted, const struct packet *pkt,
					    bool has_addresses, enum wgvia_verdict verdict)
{
	if (!(wanted->verdicts & (1u << verdict)))
		return false;
	if (!wanted->family)
		return true;
	if (wanted->family != pkt->family || !has_addresses)
		return false;
	if (pkt->family == AF_INET)
		return trace_matches(&pkt->source, 1, wanted->from, wanted->from_mask) &&
		       trace_matches(&pkt->destination, 1, wanted->to, wanted->to_mask);
	return trace_matches(&pkt->source, 4, wanted->from, wanted->from_mask) &&
	       trace_matches(&pkt->destination, 4, wanted->to, wanted->to_mask);
}

static __always_inline void trace_copy_address(__u32 to[4], const struct address *address, __u32 family)
{
	const __u32 *from = (const __u32 *)address->key.addr;

	to[0] = from[0];
	to[1] = family == AF_INET6 ? from[1] : 0;
	to[2] = family == AF_INET6 ? from[2] : 0;
	to[3] = family == AF_INET6 ? from[3] : 0;
}

/* For a packet that is not a later fragment, and whose transport header follows the IP header directly. */
static __always_inline void trace_read_ports(struct __sk_buff *skb, const struct packet *pkt, struct wgvia_event *event)
{
	__u16 ports[2], fragment = 0;

	switch (pkt->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		break;
	default:
		return;
	}
	if (pkt->family == AF_INET && (bpf_skb_load_bytes_relative(skb, __builtin_offsetof(struct iphdr, frag_off),
								   &fragment, sizeof(fragment), BPF_HDR_START_NET) ||
				       fragment & bpf_htons(0x1fff)))
		return;
	if (bpf_skb_load_bytes_relative(skb, pkt->header_len, ports, sizeof(ports), BPF_HDR_START_NET))
		return;
	event->ports[0] = ports[0];
	event->ports[1] = ports[1];
	event->has_ports = 1;
}

/*
 * The packet may be changed by now, but not `pkt`, and not the bytes after the IP header. `has_addresses`: pkt was read
 * completely. `gateway` may be NULL.
 */
static __always_inline void trace_tell(struct __sk_buff *skb, const struct packet *pkt, bool has_addresses,
				       enum wgvia_direction direction, enum wgvia_verdict verdict,
				       const struct wgvia_gateway *gateway, struct wgvia_trace *wanted)
{
	__u64 now = bpf_ktime_get_ns();
	struct wgvia_event *event;

	if (wanted->until - now > WGVIA_TRACE_MAX) { /* also if expired: the reader was killed */
		wanted->until = 0;
		return;
	}
	if (!trace_is_wanted(wanted, pkt, has_addresses, verdict))
		return;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&wanted->skipped, 1);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->time = now;
	event->direction = direction;
	event->verdict = verdict;
	event->ifindex = skb->ifindex;
	event->len = pkt->len;
	event->packets = counter_packets(skb, pkt);
	if (has_addresses) {
		event->family = pkt->family;
		event->protocol = pkt->protocol;
		event->hop_limit = pkt->hop_limit;
		trace_copy_address(event->source, &pkt->source, pkt->family);
		trace_copy_address(event->destination, &pkt->destination, pkt->family);
		trace_read_ports(skb, pkt, event);
	}
	if (gateway) {
		event->gateway_ifindex = gateway->ifindex;
		event->gateway_family = gateway->family;
		__builtin_memcpy(event->gateway, gateway->addr, sizeof(event->gateway));
	}
	bpf_ringbuf_submit(event, 0);
}

/* Whether somebody may listen. */
static __always_inline bool trace_is_on(void)
{
	const struct wgvia_trace *wanted;
	__u32 key = 0;

	wanted = bpf_map_lookup_elem(&trace, &key);
	return !wanted || wanted->until;
}

static __always_inline void trace_decision(struct __sk_buff *skb, const struct packet *pkt, bool has_addresses,
					   enum wgvia_direction direction, enum wgvia_verdict verdict,
					   const struct wgvia_gateway *gateway)
{
	struct wgvia_trace *wanted;
	__u32 key = 0;

	if (!config.has_trace)
		return;
	wanted = bpf_map_lookup_elem(&trace, &key);
	if (wanted && __builtin_expect(!!wanted->until, 0))
		trace_tell(skb, pkt, has_addresses, direction, verdict, gateway, wanted);
}

#endif
