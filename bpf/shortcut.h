/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The same decisions as in wgvia.bpf.c, in fewer instructions, for packets with nothing unusual: the decision is kept,
 * nobody listens, and nothing but the hop limit changes. Each function decides either completely or not at all; then
 * the packet is unchanged, and the long way decides.
 *
 * What makes it short: the IP header stays in registers, because no function is called with a pointer to it; what
 * follows from the maps alone is one byte of the kept decision.
 */
#ifndef WGVIA_BPF_SHORTCUT_H
#define WGVIA_BPF_SHORTCUT_H

#include "counter.h"
#include "decision.h"
#include "forward.h"
#include "lookup.h"
#include "mark.h"
#include "mss.h"
#include "mtu.h"
#include "packet.h"
#include "sender.h"
#include "trace.h"

/* Instead of an action: the long way decides. */
#define UNDECIDED (-2l)

struct glance {
	void *ip; /* the header, within bounds until a helper changes the packet */
	__u64 len;
	__u64 hop_limit;
	bool four;
	struct decision *kept;
};

/* `client`: the index of the client's address in a query, 0 if it is the source, 2 if it is the destination. */
static __always_inline bool shortcut_look4(const void *end, __u32 client, struct glance *glance, struct packet *pkt)
{
	struct decision_query query = {.version = decision_version(true)};
	const struct iphdr *ip = glance->ip;

	/* without options, without padding */
	if (!query.version || trace_is_on() || (void *)(ip + 1) > end || *(const __u8 *)glance->ip != 0x45 ||
	    bpf_ntohs(ip->tot_len) != glance->len)
		return false;
	query.addresses[0] = client ? ip->daddr | (__u64)ip->saddr << 32 : ip->saddr | (__u64)ip->daddr << 32;
	glance->kept = decision_find_slot(&query);
	glance->four = true;
	glance->hop_limit = ip->ttl;
	pkt->protocol = ip->protocol;
	pkt->header_len = sizeof(*ip);
	return glance->kept && decision_is_for(glance->kept, &query, true);
}

static __always_inline bool shortcut_look6(const void *end, __u32 client, struct glance *glance, struct packet *pkt)
{
	struct decision_query query = {.version = decision_version(false)};
	const struct ipv6hdr *ip = glance->ip;

	/* ICMPv6 may be neighbour discovery */
	if (!query.version || trace_is_on() || (void *)(ip + 1) > end || (*(const __u8 *)glance->ip & 0xf0) != 0x60 ||
	    bpf_ntohs(ip->payload_len) + sizeof(*ip) != glance->len || ip->nexthdr == IPPROTO_ICMPV6)
		return false;
	packet_copy_address((__u8 *)&query.addresses[client], &ip->saddr);
	packet_copy_address((__u8 *)&query.addresses[2 - client], &ip->daddr);
	glance->kept = decision_find_slot(&query);
	glance->four = false;
	glance->hop_limit = ip->hop_limit;
	pkt->protocol = ip->nexthdr;
	pkt->header_len = sizeof(*ip);
	return glance->kept && decision_is_for(glance->kept, &query, false);
}

/* False: the packet is unusual, or no decision is kept. */
static __always_inline bool shortcut_look(struct __sk_buff *skb, __u32 link_len, __u32 client, struct glance *glance)
{
	struct packet pkt = {};
	const void *end;

	if (skb->gso_size)
		return false;
	glance->ip = packet_data(skb) + link_len;
	glance->len = (__u64)skb->len - link_len;
	end = packet_end(skb);
	switch (skb->protocol) {
	case bpf_htons(ETH_P_IP):
		if (!shortcut_look4(end, client, glance, &pkt))
			return false;
		break;
	case bpf_htons(ETH_P_IPV6):
		if (!shortcut_look6(end, client, glance, &pkt))
			return false;
		break;
	default:
		return false;
	}
	return !mss_is_wanted(skb, link_len, &pkt);
}

/* `number`: where the prefix is counted. */
static __always_inline void shortcut_count(const struct glance *glance, enum wgvia_direction direction,
					   enum wgvia_verdict verdict, __u32 number)
{
	counter_add_packets(direction, verdict, 1, glance->len);
	if (config.count_prefixes)
		counter_add_number(number, direction == WGVIA_BACK, 1, glance->len);
}

/* Like out(). */
static __always_inline long shortcut_out(struct __sk_buff *skb)
{
	const __u32 link_len = config.tunnel_link_len;
	const struct wgvia_gateway *gateway;
	struct glance glance;
	long redirect;

	if (sender_wanted || !shortcut_look(skb, link_len, 0, &glance) || (link_len && !packet_is_for_host(skb)))
		return UNDECIDED;
	if (glance.kept->out == WGVIA_OUTSIDE) {
		counter_add_packets(WGVIA_OUT, WGVIA_OUTSIDE, 1, glance.len);
		return TC_ACT_UNSPEC;
	}
	gateway = &glance.kept->gateway;
	if (glance.kept->out != WGVIA_REDIRECTED || glance.hop_limit <= 1 ||
	    !lookup_device_is_known(gateway->ifindex) || !mtu_fits_len(skb, glance.four, glance.len, gateway->ifindex))
		return UNDECIDED;
	forward_write_hop_limit(skb, link_len, glance.ip, glance.four, -1);
	if (!forward_push_link_header(skb, link_len)) {
		const struct packet pkt = {.family = glance.four ? AF_INET : AF_INET6};

		forward_add_hop_limit(skb, link_len, &pkt, 1);
		return UNDECIDED;
	}
	mark_set(skb, MARK_DONE);
	redirect = forward_to_gateway(gateway);
	shortcut_count(&glance, WGVIA_OUT, WGVIA_REDIRECTED, gateway->counter);
	if (redirect == TC_ACT_SHOT)
		mark_clear(skb);
	return redirect;
}

/* Notes in a kept decision, or NULL, what a slot says about the sender. */
static __always_inline void shortcut_note_sender(const struct packet *pkt, struct decision *kept,
						 const struct sender_slot *slot, enum sender who)
{
	if (!kept || who > SENDER_FIREWALL)
		return;
	if (config.count_prefixes)
		kept->counter = pkt->counter;
	kept->sender = slot->mac;
	kept->sender_until = slot->until;
}

/* Whether the frame has the sender that is right for its client. */
static __always_inline bool shortcut_knows_sender(const struct ethhdr *eth, const struct decision *kept)
{
	return kept->sender && !((kept->sender ^ sender_read_mac(eth)) << 16) &&
	       kept->sender_until - (__u32)bpf_jiffies64() <= SENDER_TICKS;
}

/* Like back() on an Ethernet device. */
static __always_inline long shortcut_back(struct __sk_buff *skb)
{
	struct glance glance;
	__u32 tunnel;
	long redirect;

	if (!packet_is_for_host(skb) || !shortcut_look(skb, ETH_HLEN, 2, &glance) ||
	    !shortcut_knows_sender(glance.ip - ETH_HLEN, glance.kept))
		return UNDECIDED;
	if (glance.kept->back == WGVIA_LOCAL ||
	    (config.stack && !config.count_prefixes && glance.kept->back == WGVIA_RETURNED))
		return TC_ACT_UNSPEC;
	if (glance.kept->back != WGVIA_RETURNED || glance.hop_limit <= 1)
		return UNDECIDED;
	tunnel = lookup_tunnel();
	if (tunnel && config.stack) {
		counter_add_number(glance.kept->counter, true, 1, glance.len);
		return TC_ACT_UNSPEC;
	}
	if (!tunnel || !mtu_fits_len(skb, glance.four, glance.len, tunnel))
		return UNDECIDED;
	forward_write_hop_limit(skb, ETH_HLEN, glance.ip, glance.four, -1);
	mark_set(skb, MARK_DONE);
	mark_set_back(skb);
	redirect = forward_into_tunnel(tunnel);
	shortcut_count(&glance, WGVIA_BACK, WGVIA_RETURNED, glance.kept->counter);
	if (redirect == TC_ACT_SHOT)
		mark_clear(skb);
	return redirect;
}

static __always_inline void note_redirect(__u32 pass, __u32 ifindex)
{
	__u32 key = 0;
	struct passes *latest = bpf_map_lookup_elem(&passes, &key);

	if (!latest)
		return;
	latest->redirected = pass;
	latest->ifindex = ifindex;
}

/* Like egress() on an Ethernet device, for a packet that this host forwards and that passes for the first time. */
static __always_inline long shortcut_egress(struct __sk_buff *skb, __u32 pass)
{
	const struct wgvia_gateway *gateway;
	const struct ethhdr *eth;
	struct glance glance;
	long redirect;

	if (!packet_ingress(skb) || !shortcut_look(skb, ETH_HLEN, 0, &glance))
		return UNDECIDED;
	if (glance.kept->egress == WGVIA_OUTSIDE)
		return lookup_drops_outside() ? UNDECIDED : TC_ACT_UNSPEC;
	gateway = &glance.kept->gateway;
	eth = glance.ip - ETH_HLEN;
	if (glance.kept->egress != WGVIA_RETARGETED || skb->ifindex != gateway->ifindex || eth->h_dest[0] & 1 ||
	    !lookup_device_is_known(gateway->ifindex))
		return UNDECIDED;
	mark_set_frame(skb, eth->h_dest, glance.len);
	mark_set(skb, MARK_RETARGET);
	mark_set_pass(skb, pass);
	note_redirect(pass, gateway->ifindex);
	redirect = forward_to_gateway(gateway);
	shortcut_count(&glance, WGVIA_EGRESS, WGVIA_RETARGETED, gateway->counter);
	if (redirect == TC_ACT_SHOT)
		mark_clear(skb);
	return redirect;
}

#endif
