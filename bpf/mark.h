/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The mark that a program leaves on a packet for the egress program, which sees the packet again after each redirect.
 *
 * skb->tc_index and skb->cb[] survive on the way there (5.10 to 7.3); skb->mark belongs to the administrator. Both must
 * match: cb[] may hold leftovers of the IP layer, and tc_index would survive another network namespace of this host,
 * where the IP layer overwrites cb[].
 */
#ifndef WGVIA_BPF_MARK_H
#define WGVIA_BPF_MARK_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#include "packet.h"
#include "wgvia_abi.h"

#define MARK_TC_INDEX 0x7776	  /* "wv" */
#define MARK_TC_INDEX_BACK 0x7762 /* "wb": on the return path, which only lost.bpf.c distinguishes */
#define MARK_MAGIC 0x77677600	  /* "wgv", the kind in the lowest byte */

enum mark {
	MARK_NONE,
	MARK_DONE,			/* sent by an ingress program: nothing is left to decide */
	MARK_RETARGET,			/* sent by an egress program; incremented with each further try */
	MARK_TRIES = MARK_RETARGET + 5, /* nested calls: below the kernel's XMIT_RECURSION_LIMIT of 8 */
	MARK_SHOW = 0x40,		/* like DONE, and the frame's destination is the MAC address of a gateway ... */
	MARK_SHOW4 = MARK_SHOW,		/* ... whose IPv4 address is in the mark */
	MARK_SHOW6,			/* ... whose IPv6 address is */
};

static __always_inline enum mark mark_get(const struct __sk_buff *skb)
{
	if ((skb->tc_index != MARK_TC_INDEX && skb->tc_index != MARK_TC_INDEX_BACK) ||
	    (skb->cb[0] & ~0xffu) != MARK_MAGIC)
		return MARK_NONE;
	return skb->cb[0] & 0xff;
}

/*
 * Call this after the last write of a mark. Where two branches end in writes to the packet's fields, clang 19 merges
 * them into one write with an offset that depends on the branch, and the verifier refuses it: "dereference of modified
 * ctx ptr".
 */
static __always_inline void mark_is_set(void)
{
	asm volatile("");
}

static __always_inline void mark_set(struct __sk_buff *skb, enum mark mark)
{
	skb->tc_index = MARK_TC_INDEX;
	skb->cb[0] = MARK_MAGIC | mark;
	mark_is_set();
}

/* For a marked packet on the return path. */
static __always_inline void mark_set_back(struct __sk_buff *skb)
{
	skb->tc_index = MARK_TC_INDEX_BACK;
	mark_is_set();
}

/* For a packet that ends here: otherwise lost.bpf.c would count it as lost after a redirect. */
static __always_inline void mark_clear(struct __sk_buff *skb)
{
	skb->tc_index = 0;
	mark_is_set();
}

/* Sets MARK_SHOW. */
static __always_inline void mark_set_gateway(struct __sk_buff *skb, const struct wgvia_gateway *gateway)
{
	const __u32 *addr = (const __u32 *)gateway->addr;

	mark_set(skb, gateway->family == AF_INET ? MARK_SHOW4 : MARK_SHOW6);
	skb->cb[1] = addr[0];
	skb->cb[2] = addr[1];
	skb->cb[3] = addr[2];
	skb->cb[4] = addr[3];
	mark_is_set();
}

/* The gateway that mark_set_gateway() stored, at the egress of its device. */
static __always_inline struct wgvia_hop mark_get_gateway(const struct __sk_buff *skb, enum mark mark)
{
	struct wgvia_hop hop = {.ifindex = skb->ifindex, .family = mark == MARK_SHOW4 ? AF_INET : AF_INET6};
	__u32 *addr = (__u32 *)hop.addr;

	addr[0] = skb->cb[1];
	addr[1] = skb->cb[2];
	addr[2] = skb->cb[3];
	addr[3] = skb->cb[4];
	return hop;
}

/*
 * What a redirect at egress stores: the MAC address that the kernel chose, all zeros if the device has none; the length
 * without link header; the number of this pass through the egress programs of this CPU.
 */
static __always_inline void mark_set_pass(struct __sk_buff *skb, __u32 pass)
{
	skb->cb[3] = pass;
	skb->cb[2] = (skb->cb[2] & 0xffff) | bpf_get_smp_processor_id() << 16;
}

/* Instead of the length: the packet had no link header, and has an empty one until the next redirect. */
#define MARK_EMPTY_HEADER (~0u)

static __always_inline void mark_set_len(struct __sk_buff *skb, __u32 len)
{
	skb->cb[4] = len;
	mark_is_set();
}

static __always_inline void mark_set_frame(struct __sk_buff *skb, const __u8 mac[ETH_ALEN], __u32 len)
{
	__u32 high;
	__u16 low;

	__builtin_memcpy(&high, mac, 4);
	__builtin_memcpy(&low, mac + 4, 2);
	skb->cb[1] = high;
	skb->cb[2] = low;
	mark_set_len(skb, len);
}

static __always_inline __u32 mark_get_len(const struct __sk_buff *skb)
{
	return skb->cb[4];
}

/*
 * Whether the packet did not wait after its latest redirect. After a redirect to a resolved neighbour, the next pass on
 * this CPU is this packet's, because bottom halves are off. A redirect to an unresolved neighbour queues the packet.
 * Before it leaves the queue, at least the neighbour request passes, or the packet that triggered the request.
 */
static __always_inline bool mark_is_next_pass(const struct __sk_buff *skb, __u32 pass)
{
	return skb->cb[3] + 1 == pass && skb->cb[2] >> 16 == (bpf_get_smp_processor_id() & 0xffff);
}

static __always_inline bool mark_has_mac(const struct __sk_buff *skb, const __u8 *mac)
{
	__u32 high;
	__u16 low;

	__builtin_memcpy(&high, mac, 4);
	__builtin_memcpy(&low, mac + 4, 2);
	return skb->cb[1] == high && (skb->cb[2] & 0xffff) == low;
}

#endif
