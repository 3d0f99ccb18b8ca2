/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The TCP MSS clamp (`mss auto|N`): it lowers the MSS option of a SYN, with or without ACK, to what fits the path, so
 * that a connection does not depend on Packet Too Big messages, which some networks drop. It reads nothing else.
 *
 * It never raises an option and never adds one: without an option a host sends 536 bytes, or 1220 (RFC 9293, 3.7.1). It
 * does not change what it cannot parse completely: options that contradict the header's length, a second MSS option, a
 * fragment other than the first, an incomplete header, IPv6 extension headers.
 */
#ifndef WGVIA_BPF_MSS_H
#define WGVIA_BPF_MSS_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "config.h"
#include "lookup.h"
#include "packet.h"
#include "verifier.h"

/* Offsets into the TCP header, its length without options, and the flags in its 14th byte. */
#define MSS_TCP_DOFF 12
#define MSS_TCP_FLAGS 13
#define MSS_TCP_CHECK 16
#define MSS_TCP_LEN 20
#define MSS_TCP_SYN 0x02
#define MSS_TCP_RST 0x04

/* Option kinds, and the length of the MSS option. Every option has at least one byte. */
#define MSS_KIND_END 0
#define MSS_KIND_NOP 1
#define MSS_KIND_MSS 2
#define MSS_OPTION_LEN 4
#define MSS_OPTIONS_MAX 40

#define MSS_LEAST 88 /* the kernel's TCP_MIN_MSS: it takes smaller values for errors */

/* The MTU of the device; 0 if it does not exist. */
static __always_inline __u32 mss_mtu(struct __sk_buff *skb, __u32 ifindex)
{
	__u32 mtu = 0; /* without an input length the helper checks the frame; it reports the MTU in both cases */

	return !ifindex || bpf_check_mtu(skb, ifindex, &mtu, 0, 0) < 0 ? 0 : mtu;
}

/*
 * The maximum for the option; 0: unknown. `headers` is the length of the IP and TCP headers without options, which an
 * MSS leaves room for (RFC 6691). An invalid number is an error by whoever wrote it, and means "off".
 */
static __always_inline __u32 mss_limit(struct __sk_buff *skb, __u32 headers, __u32 tunnel, __u32 device)
{
	__u32 limit = lookup_mss(), mtu, other;

	if (limit != WGVIA_MSS_AUTO)
		return limit >= WGVIA_MSS_MIN && limit <= WGVIA_MSS_MAX ? limit : 0;
	if (!config.has_check_mtu)
		return 0;
	mtu = mss_mtu(skb, tunnel);
	other = mss_mtu(skb, device);
	if (other < mtu)
		mtu = other;
	return mtu < headers + MSS_LEAST ? 0 : mtu - headers;
}

/*
 * Offset of the MSS option's value in the packet; 0: there is none, or the options are malformed. They begin at `at`
 * and have `left` bytes. Each option takes one read; a single read of all is not possible, because a kernel before 5.12
 * does not allow variable offsets into the stack.
 */
static __always_inline __u32 mss_find(struct __sk_buff *skb, __u32 at, __u32 left, __u32 unknown)
{
	__u32 found = 0;

	for (int i = 0; i < MSS_OPTIONS_MAX && left >= 2; i++) {
		__u8 option[2]; /* kind, length */
		__u32 size = 1;

		/* otherwise the verifier takes each possible sum of the preceding options' lengths for another state */
		left = verifier_forget(left, unknown);
		found = verifier_forget(found, unknown);
		if (bpf_skb_load_bytes(skb, at, option, sizeof(option)))
			return 0;
		if (option[0] == MSS_KIND_END)
			break;
		if (option[0] != MSS_KIND_NOP) {
			size = option[1];
			if (size < 2 || size > left)
				return 0;
		}
		if (option[0] == MSS_KIND_MSS) {
			if (found || size != MSS_OPTION_LEN)
				return 0;
			found = at + 2;
		}
		at += size;
		left -= size;
	}
	return found;
}

/*
 * Writes the option and updates the checksum (RFC 1624): the helper handles sums that a NIC computes later, and the
 * sum over the whole packet does not change. At an odd offset the two bytes have the opposite order in the sum.
 */
static __always_inline void mss_write(struct __sk_buff *skb, __u32 tcp, __u32 at, __u16 old, __u16 new)
{
	if (bpf_skb_store_bytes(skb, at, &new, sizeof(new), 0))
		return;
	if ((at - tcp) & 1) {
		old = __builtin_bswap16(old);
		new = __builtin_bswap16(new);
	}
	bpf_l4_csum_replace(skb, tcp + MSS_TCP_CHECK, old, new, sizeof(new));
}

/*
 * For a SYN: an IP packet of `len` bytes after `link_len` bytes of link header, between the tunnel and another device.
 * A global function, so that the verifier verifies it once per program.
 */
__noinline int mss_lower(struct __sk_buff *skb, __u32 link_len, __u32 len, __u32 tunnel, __u32 device)
{
	__u8 ip[8], doff; /* version and header length first, flags and fragment offset last */
	__u32 header = sizeof(struct ipv6hdr), headers = header + MSS_TCP_LEN, tcp, tcp_len, at, limit;
	__u16 old;

	if (skb->gso_size || bpf_skb_load_bytes(skb, link_len, ip, sizeof(ip)))
		return 0;
	if (ip[0] >> 4 == 4) {
		header = (ip[0] & 0xf) * 4;
		headers = sizeof(struct iphdr) + MSS_TCP_LEN;
		if (ip[6] & 0x1f || ip[7])
			return 0;
	}
	if (bpf_skb_load_bytes(skb, link_len + header + MSS_TCP_DOFF, &doff, sizeof(doff)))
		return 0;
	tcp_len = (doff >> 4) * 4;
	if (tcp_len < MSS_TCP_LEN || header + tcp_len > len)
		return 0;
	headers = verifier_forget(headers, len);
	tcp = link_len + header;
	at = mss_find(skb, tcp + MSS_TCP_LEN, tcp_len - MSS_TCP_LEN, len);
	limit = at ? mss_limit(skb, headers, tunnel, device) : 0;
	if (limit && !bpf_skb_load_bytes(skb, at, &old, sizeof(old)) && bpf_ntohs(old) > limit)
		mss_write(skb, tcp, at, old, bpf_htons(limit));
	return 0;
}

/* Whether there is anything to do: the packet is a SYN, and a clamp is configured. */
static __always_inline bool mss_is_wanted(struct __sk_buff *skb, __u32 link_len, const struct packet *pkt)
{
	__u8 flags;

	return pkt->protocol == IPPROTO_TCP && lookup_mss() != WGVIA_MSS_OFF &&
	       !bpf_skb_load_bytes(skb, link_len + pkt->header_len + MSS_TCP_FLAGS, &flags, sizeof(flags)) &&
	       (flags & (MSS_TCP_SYN | MSS_TCP_RST)) == MSS_TCP_SYN;
}

/* For a packet between the tunnel and the device, after the decision. Packet pointers are invalid after it. */
static __always_inline void mss_clamp(struct __sk_buff *skb, __u32 link_len, const struct packet *pkt, __u32 tunnel,
				      __u32 device)
{
	if (mss_is_wanted(skb, link_len, pkt))
		mss_lower(skb, link_len, pkt->len, tunnel, device);
}

#endif
