/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether a packet fits a device. Nothing checks this after a redirect: a packet that is too long is dropped silently.
 */
#ifndef WGVIA_BPF_MTU_H
#define WGVIA_BPF_MTU_H

#include "config.h"
#include "packet.h"

/*
 * Every link that carries the family accepts these lengths (RFC 8200, 5; RFC 791, 3.2 for hosts), so no check is
 * needed.
 */
#define MTU_EVERY_LINK4 576
#define MTU_EVERY_LINK6 1280

/*
 * Whether each segment of a GSO packet fits. The length of a TCP segment is known, and the helper reports the device's
 * MTU. For other packets the helper checks the skb (skb_gso_validate_network_len()). It skips that check if the whole
 * packet is not longer than the MTU plus a link header: at an L3 device, that is 14 bytes too lenient.
 */
static __always_inline bool mtu_fits_gso(struct __sk_buff *skb, const struct packet *pkt, __u32 ifindex)
{
	bool tcp = pkt->protocol == IPPROTO_TCP && pkt->gso_header_len;
	__u32 mtu = 0; /* with an input length, the flag is -EINVAL */

	if (bpf_check_mtu(skb, ifindex, &mtu, 0, tcp ? 0 : BPF_MTU_CHK_SEGS) != BPF_MTU_CHK_RET_SUCCESS)
		return false;
	if (pkt->len <= mtu)
		return true;
	return tcp ? pkt->gso_header_len + skb->gso_size <= mtu : pkt->len > mtu + ETH_HLEN;
}

/* Of a packet that is not GSO. */
static __always_inline bool mtu_fits_len(struct __sk_buff *skb, bool four, __u32 len, __u32 ifindex)
{
	return len <= (four ? MTU_EVERY_LINK4 : MTU_EVERY_LINK6) || !config.has_check_mtu ||
	       bpf_check_mtu(skb, ifindex, &len, 0, 0) == BPF_MTU_CHK_RET_SUCCESS;
}

/*
 * Whether the packet fits the device. An error of the helper (newest kernels: a GSO packet whose transport header is
 * not set) counts as "no": the kernel's own path then decides. Without the helper (before 5.12) the answer is "yes".
 */
static __always_inline bool mtu_fits(struct __sk_buff *skb, const struct packet *pkt, __u32 ifindex)
{
	if (!config.has_check_mtu)
		return true;
	if (skb->gso_size)
		return mtu_fits_gso(skb, pkt, ifindex);
	return mtu_fits_len(skb, pkt->family == AF_INET, pkt->len, ifindex);
}

#endif
