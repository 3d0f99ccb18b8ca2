/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Parsing packets, and the only place that checks bounds. It reads only the IP header, which is all that a verdict
 * needs, and copies it, so that no later code holds a pointer into the packet.
 */
#ifndef WGVIA_BPF_PACKET_H
#define WGVIA_BPF_PACKET_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "verifier.h"
#include "wgvia_abi.h"

#define AF_INET 2
#define AF_INET6 10

/* In packet.to: mode stack, and there is nothing left to do but to count the packet. */
#define PACKET_COUNTED WGVIA_VERDICT_COUNT

/* A key of either family; struct wgvia_key4 is a prefix of it. */
struct address {
	struct wgvia_key6 key;
};

/*
 * The length of the link header is not in here. It is a separate argument, so that the verifier sees a constant: older
 * kernels lose track of a constant that was in memory.
 */
struct packet {
	__u32 family;	      /* AF_INET or AF_INET6; 0 where neither */
	__u32 len;	      /* of the IP packet, header included */
	__u16 header_len;     /* of the IP header, without IPv6 extension headers */
	__u16 gso_header_len; /* in a GSO packet, the headers that each segment repeats; 0: unknown, or no GSO */
	__u8 hop_limit;
	__u8 protocol; /* or next header */
	/*
	 * The result of lookup_bypass() for the destination; only wgvia_back sets it. The verifier does not track the
	 * value of a byte in here, so it verifies the code that follows once, and not once for each value.
	 */
	__u8 to;
	__u32 counter; /* with "counters prefix": wgvia_gateway.counter of the prefix that was looked up last */
	struct address source;
	__u32 reserved; /* so that both addresses are at multiples of 8, and take two stores */
	struct address destination;
} __attribute__((aligned(8)));

/*
 * skb->data and skb->data_end, read by inline assembly: the compiler may keep &skb->data in a register, and the
 * verifier refuses to read through a modified context pointer.
 */
static __always_inline void *packet_data(const struct __sk_buff *skb)
{
	void *data;

	asm volatile("%0 = *(u32 *)(%1 + %2)" : "=r"(data) : "r"(skb), "i"(__builtin_offsetof(struct __sk_buff, data)));
	return data;
}

static __always_inline void *packet_end(const struct __sk_buff *skb)
{
	void *end;

	asm volatile("%0 = *(u32 *)(%1 + %2)"
		     : "=r"(end)
		     : "r"(skb), "i"(__builtin_offsetof(struct __sk_buff, data_end)));
	return end;
}

/* In the same way: the ifindex of the device by which the packet came in; 0: it was made here. */
static __always_inline __u32 packet_ingress(const struct __sk_buff *skb)
{
	__u32 ifindex;

	asm volatile("%0 = *(u32 *)(%1 + %2)"
		     : "=r"(ifindex)
		     : "r"(skb), "i"(__builtin_offsetof(struct __sk_buff, ingress_ifindex)));
	return ifindex;
}

static __always_inline void *packet_header(struct __sk_buff *skb, __u32 link_len, __u32 len)
{
	void *header = packet_data(skb) + link_len;

	if (header + len <= packet_end(skb))
		return header;
	/* not in the linear part: some drivers put headers into fragments */
	if (bpf_skb_pull_data(skb, link_len + len))
		return NULL;
	header = packet_data(skb) + link_len;
	return header + len <= packet_end(skb) ? header : NULL;
}

/* The rules of ip_rcv_core(): version, header length, total length. Checksum and options are left to the firewall. */
static __always_inline bool packet_read4(struct __sk_buff *skb, __u32 link_len, struct packet *pkt)
{
	struct iphdr *ip = packet_header(skb, link_len, sizeof(*ip));
	struct wgvia_key4 *source = (void *)&pkt->source, *destination = (void *)&pkt->destination;
	__u32 room = skb->len - link_len;

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return false;
	pkt->header_len = ip->ihl * 4;
	pkt->len = bpf_ntohs(ip->tot_len);
	if (!pkt->len && skb->gso_size) /* BIG TCP, see iph_totlen() */
		pkt->len = room;
	if (pkt->len < pkt->header_len || pkt->len > room)
		return false;
	pkt->hop_limit = ip->ttl;
	pkt->protocol = ip->protocol;
	source->prefixlen = 32;
	__builtin_memcpy(source->addr, &ip->saddr, 4);
	destination->prefixlen = 32;
	__builtin_memcpy(destination->addr, &ip->daddr, 4);
	return true;
}

/* Two loads and two stores: amd64 and arm64 read packets at any address, and the compiler does not know that. */
static __always_inline void packet_copy_address(__u8 *to, const struct in6_addr *from)
{
	__builtin_memcpy(__builtin_assume_aligned(to, 8), __builtin_assume_aligned(from, 8), 16);
}

/* The rules of ip6_rcv_core(). */
static __always_inline bool packet_read6(struct __sk_buff *skb, __u32 link_len, struct packet *pkt)
{
	struct ipv6hdr *ip = packet_header(skb, link_len, sizeof(*ip));
	__u32 room = skb->len - link_len;

	if (!ip || ip->version != 6)
		return false;
	pkt->header_len = sizeof(*ip);
	pkt->len = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	/* BIG TCP, or a jumbogram with its length in a hop-by-hop option; otherwise the packet has no payload */
	if (!ip->payload_len && (skb->gso_size || ip->nexthdr == IPPROTO_HOPOPTS))
		pkt->len = room;
	if (pkt->len > room)
		return false;
	pkt->hop_limit = ip->hop_limit;
	pkt->protocol = ip->nexthdr;
	pkt->source.key.prefixlen = 128;
	packet_copy_address(pkt->source.key.addr, &ip->saddr);
	pkt->destination.key.prefixlen = 128;
	packet_copy_address(pkt->destination.key.addr, &ip->daddr);
	return true;
}

/*
 * The length of the IP and transport headers, if the one follows the other directly. It checks the lengths in them no
 * more than the kernel's GSO does.
 */
static __always_inline __u16 packet_gso_header_len(struct __sk_buff *skb, __u32 link_len, const struct packet *pkt)
{
	__u16 len = pkt->header_len;
	__u8 doff;

	if (pkt->protocol == IPPROTO_UDP)
		len += 8;
	else if (pkt->protocol == IPPROTO_TCP && !bpf_skb_load_bytes(skb, link_len + pkt->header_len + 12, &doff, 1))
		len += (doff >> 4) * 4;
	else
		return 0;
	return len < pkt->len ? len : 0;
}

/* A packet of which only the length is known. */
static __always_inline void packet_clear(struct __sk_buff *skb, __u32 link_len, struct packet *pkt)
{
	pkt->header_len = 0;
	pkt->protocol = 0;
	pkt->family = 0;
	pkt->gso_header_len = 0;
	pkt->len = skb->len - link_len;
}

/*
 * Reads the IP header after `link_len` bytes into `pkt`. False: pkt->family is 0 for a packet that is not IP, and not 0
 * for a malformed one. pkt->len is what the counters take, for a malformed packet as well.
 */
static __always_inline bool packet_read(struct __sk_buff *skb, __u32 link_len, struct packet *pkt)
{
	packet_clear(skb, link_len, pkt);
	switch (skb->protocol) {
	case bpf_htons(ETH_P_IP):
		pkt->family = AF_INET;
		if (packet_read4(skb, link_len, pkt))
			goto good;
		break;
	case bpf_htons(ETH_P_IPV6):
		pkt->family = AF_INET6;
		if (packet_read6(skb, link_len, pkt))
			goto good;
		break;
	}
	pkt->len = skb->len - link_len;
	return false;
good:
	/* for most packets a 0, but not one that the verifier knows: it goes through the code that follows once */
	*(volatile __u16 *)&pkt->gso_header_len = skb->gso_size;
	if (skb->gso_size)
		*(volatile __u16 *)&pkt->gso_header_len =
			verifier_forget(packet_gso_header_len(skb, link_len, pkt), skb->len);
	return true;
}

/*
 * Neighbour discovery is for one link, and routers do not forward it (RFC 4861, 7.1: hop limit 255). A prefix as wide
 * as ::/0 contains this host's own messages, and with proxy_ndp LAN hosts ask for a client's address.
 */
static __always_inline bool packet_is_neighbour_discovery(struct __sk_buff *skb, __u32 link_len,
							  const struct packet *pkt)
{
	__u8 type;

	if (pkt->family != AF_INET6 || pkt->protocol != IPPROTO_ICMPV6 || pkt->hop_limit != 255)
		return false;
	if (bpf_skb_load_bytes(skb, link_len + pkt->header_len, &type, 1))
		return false;
	return type >= 133 && type <= 137; /* router solicitation to redirect */
}

/*
 * Removes tags with VLAN 0 (IEEE 802.1p, priority only), which the kernel removes after these programs (check_vlan_id
 * in __netif_receive_skb_core()). False: there are more of them than in any legitimate frame.
 */
static __always_inline bool packet_take_priority_tags(struct __sk_buff *skb)
{
	for (int i = 0; i < 4; i++) {
		if (!skb->vlan_present || skb->vlan_tci & 0xfff)
			return true;
		if (bpf_skb_vlan_pop(skb))
			return false;
	}
	return !skb->vlan_present;
}

/* Whether a frame on an Ethernet device is for this host's IP stack: untagged and to our MAC. */
static __always_inline bool packet_is_for_host(struct __sk_buff *skb)
{
	return skb->pkt_type == 0 /* PACKET_HOST */ && !skb->vlan_present;
}

#endif
