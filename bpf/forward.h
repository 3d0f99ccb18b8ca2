/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What happens to a packet after the decision: hop limit, Ethernet header, redirect. This file decides nothing: callers
 * make all checks before. Packet pointers are invalid after these calls.
 */
#ifndef WGVIA_BPF_FORWARD_H
#define WGVIA_BPF_FORWARD_H

#include "lookup.h"
#include "packet.h"

_Static_assert(sizeof(struct bpf_redir_neigh) == 20, "struct wgvia_gateway is laid out for bpf_redirect_neigh()");
_Static_assert(__builtin_offsetof(struct wgvia_gateway, addr) ==
		       __builtin_offsetof(struct wgvia_gateway, family) +
			       __builtin_offsetof(struct bpf_redir_neigh, ipv4_nh),
	       "struct wgvia_gateway is laid out for bpf_redirect_neigh()");

/*
 * Cuts off padding after the IP packet, as ip_rcv_core() does. After a redirect nothing else does, and a frame that is
 * longer than its packet may be too long for the next device. False: it cannot be cut; a GSO packet would lose its
 * segment data.
 */
static __always_inline bool forward_trim(struct __sk_buff *skb, __u32 link_len, const struct packet *pkt)
{
	if (skb->len == link_len + pkt->len)
		return true;
	return !skb->gso_size && !bpf_skb_change_tail(skb, link_len + pkt->len, 0);
}

/*
 * Adds `by` (-1, or 1 to undo that) to the hop limit of the header at `ip`, and updates the IPv4 checksum in ones'
 * complement (RFC 1624; ip_decrease_ttl()).
 */
static __always_inline void forward_write_hop_limit(struct __sk_buff *skb, __u32 link_len, void *ip, bool four, int by)
{
	if (four) {
		struct iphdr *ip4 = ip;
		__u32 check = ip4->check + (by < 0 ? bpf_htons(0x0100) : (__u16)~bpf_htons(0x0100));

		ip4->ttl += by;
		ip4->check = check + (check >= 0xffff);
	} else {
		struct ipv6hdr *ip6 = ip;

		ip6->hop_limit += by;
		/*
		 * A NIC's sum over the whole packet (CHECKSUM_COMPLETE) must follow the change; the IPv4 header's sum
		 * compensates itself. An L3 tunnel provides no such sum. The helper returns -ENOTSUPP for a packet
		 * without one.
		 */
		if (link_len)
			bpf_csum_update(skb, by < 0 ? ~(__u32)bpf_htons(1) : bpf_htons(1));
	}
}

/* The same for a packet. False: the header cannot be written. */
static __always_inline bool forward_add_hop_limit(struct __sk_buff *skb, __u32 link_len, const struct packet *pkt,
						  int by)
{
	const bool four = pkt->family == AF_INET;
	void *ip = packet_data(skb) + link_len, *end = packet_end(skb);

	if (four) {
		if (ip + sizeof(struct iphdr) > end)
			return false;
		forward_write_hop_limit(skb, link_len, ip, true, by);
	} else {
		if (ip + sizeof(struct ipv6hdr) > end)
			return false;
		forward_write_hop_limit(skb, link_len, ip, false, by);
	}
	return true;
}

/*
 * __bpf_redirect_neigh() frees every packet whose MAC header is not in front of its IP header, after the program
 * returned success. A packet from an L3 device has no MAC header. The content does not matter: the helper removes the
 * header again.
 */
static __always_inline bool forward_push_link_header(struct __sk_buff *skb, __u32 link_len)
{
	return link_len || !bpf_skb_change_head(skb, ETH_HLEN, 0);
}

/*
 * __bpf_redirect_neigh() frees a packet with a multicast or broadcast MAC, after the program returned success. The
 * helper overwrites the address in any case.
 */
static __always_inline bool forward_clear_group(struct __sk_buff *skb, const __u8 mac[ETH_ALEN])
{
	const __u8 first = mac[0] & ~1;

	return first == mac[0] || !bpf_skb_store_bytes(skb, 0, &first, sizeof(first), 0);
}

/*
 * Redirects to the gateway's neighbour. Without the next hop, the helper would resolve the packet's own destination.
 * `gateway` is the map's value: an update of the trie replaces the whole node, so it is never torn.
 */
static __always_inline long forward_to_gateway(const struct wgvia_gateway *gateway)
{
	return bpf_redirect_neigh(gateway->ifindex, (struct bpf_redir_neigh *)&gateway->family,
				  sizeof(struct bpf_redir_neigh), 0);
}

static __always_inline long forward_into_tunnel(__u32 ifindex)
{
	if (config.tunnel_ether) /* its hosts are neighbours, or behind one: the kernel's routes decide */
		return bpf_redirect_neigh(ifindex, NULL, 0, 0);
	return bpf_redirect(ifindex, 0);
}

#endif
