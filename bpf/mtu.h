/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether a packet fits a device. Nothing behind a redirect asks again: what is too long is dropped there silently.
 */
#ifndef WGVIA_BPF_MTU_H
#define WGVIA_BPF_MTU_H

#include "config.h"
#include "packet.h"

/* Every link that carries the family takes these lengths (RFC 8200, 5; RFC 791, 3.2 for hosts): no need to ask. */
#define MTU_EVERY_LINK4 576
#define MTU_EVERY_LINK6 1280

/*
 * Whether the packet, or each segment of a GSO packet, fits the device. An error of the helper (newest kernels: a GSO
 * packet whose transport header is not set) reads as "no": the kernel's own path then finds out. Without the helper
 * (before 5.12) the answer is "yes".
 */
static __always_inline bool mtu_fits(struct __sk_buff *skb, const struct packet *pkt, __u32 ifindex)
{
	__u32 len = pkt->len, flags = 0;

	if (!config.has_check_mtu)
		return true;
	if (skb->gso_size) {
		/* the segments' lengths are in the skb; an input length would make the flag -EINVAL */
		len = 0;
		flags = BPF_MTU_CHK_SEGS;
	} else if (len <= (pkt->family == AF_INET ? MTU_EVERY_LINK4 : MTU_EVERY_LINK6)) {
		return true;
	}
	return bpf_check_mtu(skb, ifindex, &len, 0, flags) == BPF_MTU_CHK_RET_SUCCESS;
}

#endif
