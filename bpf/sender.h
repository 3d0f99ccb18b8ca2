/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether a frame to a prefix comes from one of the prefix's gateways, judged by its source MAC address.
 *
 * The kernel's neighbour table has the answer, but a lookup (bpf_fib_lookup()) costs more than the rest of the program.
 * So each CPU caches, for some ticks, the correct MAC address for a destination. A frame that does not match causes a
 * lookup, so that a gateway with a new MAC address loses nothing.
 *
 * A firewall may send from a MAC address other than the one in its ARP answers (VRRP and CARP pairs, bonds). The map
 * `senders`, which an administrator or a probe fills, holds such addresses. Without an entry, the return of a bounced
 * packet shows it: a packet that arrives again with a smaller hop limit was forwarded by the firewall.
 */
#ifndef WGVIA_BPF_SENDER_H
#define WGVIA_BPF_SENDER_H

#include "counter.h"
#include "lookup.h"
#include "maps.h"
#include "packet.h"

#define SENDER_TICKS 25		     /* jiffies: 25 to 250 ms, by CONFIG_HZ */
#define SENDER_LEARNT 60000000000ull /* ns: how long a learnt MAC address is valid */
#define SENDER_REFRESH 1000000000ull /* ns: after that time, a resolved one must be seen again */
#define SENDER_RETURNS 1000000000ull /* ns: a firewall forwards a packet within that time */
#define SENDER_BURST 20000000ull     /* ns: equal packets within that time count as a loop */
#define SENDER_BURST_MAX 8

enum sender {
	SENDER_NOBODY,	 /* the destination is in no prefix: the sender does not matter */
	SENDER_FIREWALL, /* one of the prefix's gateways */
	SENDER_STRANGER, /* another host */
	SENDER_LOOP,	 /* another host, and the same packet was bounced too often */
};

/*
 * Set if a gateway's MAC address is unknown and the FIB does not have it: the next packet that is sent there shows it.
 */
volatile __u32 sender_wanted;

static __always_inline bool sender_mac_equal(const __u8 *a, const __u8 *b)
{
	const __u16 *x = (const __u16 *)a, *y = (const __u16 *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]));
}

/* The MAC address to which the kernel would resolve the next hop now. The return value is bpf_fib_lookup()'s. */
static __always_inline long sender_resolve(struct __sk_buff *skb, const struct wgvia_hop *hop, __u8 mac[ETH_ALEN])
{
	struct bpf_fib_lookup fib = {
		.family = hop->family,
		.ifindex = hop->ifindex,
	};
	long result;

	__builtin_memcpy(fib.ipv6_dst, hop->addr, 16); /* of either family: the field is a union */
	result = bpf_fib_lookup(skb, &fib, sizeof(fib), BPF_FIB_LOOKUP_OUTPUT);
	__builtin_memcpy(mac, fib.dmac, ETH_ALEN);
	return result;
}

/* --- lookup --- */

/* `ret`: with WGVIA_RETURN_DROP, an address that only a bounced packet showed does not count. */
static __always_inline bool sender_is_learnt(const struct wgvia_sender *sender, __u32 ret)
{
	const struct wgvia_learnt *entry = bpf_map_lookup_elem(&learnt, sender);
	__u64 now;

	if (!entry)
		return false;
	now = bpf_ktime_get_ns();
	if (entry->until <= now)
		return false;
	if (entry->source != WGVIA_SENDER_RESOLVED)
		return ret != WGVIA_RETURN_DROP;
	if (entry->until - now < SENDER_LEARNT - SENDER_REFRESH)
		sender_wanted = 1;
	return true;
}

/* Whether that gateway sends from the MAC address in `sender`. Overwrites sender->gateway. */
static __noinline int sender_is(struct __sk_buff *skb, const struct wgvia_hop *hop, struct wgvia_sender *sender,
				__u32 ret)
{
	__u8 mac[ETH_ALEN] __attribute__((aligned(4))) = {};
	long result = sender_resolve(skb, hop, mac);

	if (!result && sender_mac_equal(mac, sender->mac)) /* BPF_FIB_LKUP_RET_SUCCESS */
		return true;
	__builtin_memcpy(&sender->gateway, hop, sizeof(sender->gateway));
	if (bpf_map_lookup_elem(&senders, sender) || sender_is_learnt(sender, ret))
		return true;
	/* no answer: the device does not forward, or the next hop is link-local */
	if (result == BPF_FIB_LKUP_RET_FWD_DISABLED || result == BPF_FIB_LKUP_RET_NOT_FWDED)
		sender_wanted = 1;
	return false;
}

/*
 * Whether one of the list's gateways sends from the frame's source MAC address. A global function, so that the verifier
 * verifies it once, and not once for each state of its caller. Linux 5.10 allows no other argument types.
 */
__noinline int sender_is_listed(struct __sk_buff *skb, __u32 list, __u32 ret)
{
	const struct wgvia_failover *hops = bpf_map_lookup_elem(&failover, &list);
	struct wgvia_sender sender = {};

	if (!hops || bpf_skb_load_bytes(skb, __builtin_offsetof(struct ethhdr, h_source), sender.mac, ETH_ALEN))
		return false;
	for (__u32 i = 0; i < WGVIA_FAILOVER_HOPS && i < hops->count; i++)
		if (sender_is(skb, &hops->hops[i], &sender, ret))
			return true;
	return false;
}

/* --- bounced packets --- */

static __always_inline bool sender_read_addresses(struct __sk_buff *skb, __u32 link_len, struct wgvia_bounce *key)
{
	if (key->family == AF_INET)
		return !bpf_skb_load_bytes(skb, link_len + __builtin_offsetof(struct iphdr, saddr), key->source, 4) &&
		       !bpf_skb_load_bytes(skb, link_len + __builtin_offsetof(struct iphdr, daddr), key->destination,
					   4);
	return !bpf_skb_load_bytes(skb, link_len + __builtin_offsetof(struct ipv6hdr, saddr), key->source, 16) &&
	       !bpf_skb_load_bytes(skb, link_len + __builtin_offsetof(struct ipv6hdr, daddr), key->destination, 16);
}

/*
 * Data that distinguishes packets and that routers do not change. It takes the first 72 bytes, because in fewer bytes
 * the packets of a tunnel or media stream are alike, and so are TCP acknowledgements except for their options.
 * Checksums are excluded: a NIC may compute them later.
 */
static __always_inline void sender_read_transport(struct __sk_buff *skb, __u32 link_len, const struct packet *pkt,
						  struct wgvia_bounce *key)
{
	__u32 len = pkt->len - pkt->header_len, at = link_len + pkt->header_len;
	__u64 bytes[10] = {}, hash = 0;
	__u32 *words = (__u32 *)bytes;

	/*
	 * in steps of 8, because older kernels accept no length that may be 0; then the last 8 bytes of a shorter
	 * packet
	 */
#pragma unroll
	for (__u32 size = 72; size >= 8; size -= 8) {
		if (len < size)
			continue;
		bpf_skb_load_bytes(skb, at, bytes, size);
		if (size < 72 && len >= 28) /* beyond the words of TCP and UDP that are masked below */
			bpf_skb_load_bytes(skb, at + len - 8, &bytes[9], 8);
		break;
	}
	if (len < 8)
		bpf_skb_load_bytes(skb, at, bytes, 4);
	if (key->protocol == IPPROTO_TCP)
		words[3] = words[4] = 0; /* flags and window: GRO may change them from one pass to the next */
	else if (key->protocol == IPPROTO_UDP)
		words[1] = 0; /* length and checksum */
	key->transport[0] = words[0];
	key->transport[1] = words[1];
	for (int i = 1; i < 10; i++) {
		hash = (hash ^ bytes[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 32;
	}
	key->transport[2] = hash;
	key->transport[3] = hash >> 32;
}

/*
 * Records that a packet is about to be bounced, and checks whether it was bounced before. SENDER_FIREWALL: it came back
 * with a smaller hop limit, so `sender`, a MAC address and the gateway to which packets are bounced, is known from now
 * on. A packet with the same hop limit was sent again by its source, or by a firewall that sets hop limits. These
 * cannot be told apart: a few are bounced, then no more.
 */
static __noinline int sender_note_bounce(struct __sk_buff *skb, __u32 link_len, const struct packet *pkt,
					 const struct wgvia_sender *sender)
{
	struct wgvia_bounce key = {.family = pkt->family, .protocol = pkt->protocol};
	__u64 now = bpf_ktime_get_ns();
	struct wgvia_bounced *old;

	__builtin_memcpy(key.mac, sender->mac, ETH_ALEN);
	if (!sender_read_addresses(skb, link_len, &key))
		return SENDER_LOOP;
	sender_read_transport(skb, link_len, pkt, &key);
	old = bpf_map_lookup_elem(&bounced, &key);
	if (!old || now - old->last > SENDER_RETURNS) {
		struct wgvia_bounced new = {.hop_limit = pkt->hop_limit, .count = 1, .ifindex = skb->ifindex};

		new.first = new.last = now;
		bpf_map_update_elem(&bounced, &key, &new, BPF_ANY);
		return SENDER_STRANGER;
	}
	if (link_len && pkt->hop_limit < old->hop_limit) {
		struct wgvia_learnt entry = {now + SENDER_LEARNT, WGVIA_SENDER_FORWARDED, 0};

		bpf_map_update_elem(&learnt, sender, &entry, BPF_ANY);
		return SENDER_FIREWALL;
	}
	if (now - old->first > SENDER_BURST) {
		old->first = now;
		old->count = 0;
	}
	old->last = now;
	old->hop_limit = pkt->hop_limit;
	return ++old->count > SENDER_BURST_MAX ? SENDER_LOOP : SENDER_STRANGER;
}

/* --- cached answers --- */

/* How often the prefixes of the family changed, as far as changes are counted: see changes.bpf.c. */
static __always_inline __u32 sender_changes(const struct packet *pkt)
{
	__u32 key = pkt->family == AF_INET ? INDEX_IPV4 : INDEX_IPV6;
	const __u64 *count = bpf_map_lookup_elem(&changes, &key);

	return count ? *count * 0x9e3779b97f4a7c15ull >> 32 : 0;
}

/* The sender of a frame whose header is in bounds. */
static __always_inline __u64 sender_read_mac(const struct ethhdr *eth)
{
	const __u16 *mac = (const __u16 *)eth->h_source;

	return mac[0] | (__u32)mac[1] << 16 | (__u64)mac[2] << 32;
}

/* What a slot must contain to be an answer for this frame; `until` is now. */
static __always_inline void sender_describe(struct __sk_buff *skb, __u32 link_len, const struct packet *pkt,
					    struct sender_slot *frame)
{
	const __u8 *addr = pkt->destination.key.addr;
	const struct ethhdr *eth = packet_data(skb);

	if (pkt->family == AF_INET) {
		frame->high = ~0ull; /* of no IPv6 address that this host or a client may have */
		frame->low = index_word4(addr);
	} else {
		frame->high = index_word8(addr);
		frame->low = index_word8(addr + 8);
	}
	frame->mac = 0;
	if (link_len && (void *)(eth + 1) <= packet_end(skb))
		frame->mac = sender_read_mac(eth);
	frame->changes = sender_changes(pkt);
	frame->until = bpf_jiffies64();
}

static __always_inline __u32 sender_slot_of(const struct sender_slot *frame)
{
	return ((frame->high ^ frame->low) * 0x9e3779b97f4a7c15ull) >> (64 - SENDER_SLOTS_BITS);
}

static __always_inline struct sender_slot *sender_find_slot(const struct sender_slot *frame)
{
	__u32 key = sender_slot_of(frame);

	return bpf_map_lookup_elem(&recent, &key);
}

/* What belongs to the slot of the frame. */
static __always_inline struct sender_counter *sender_find_counter(const struct sender_slot *frame)
{
	__u32 key = sender_slot_of(frame);

	return bpf_map_lookup_elem(&recent_counters, &key);
}

/* `who`: SENDER_LOOP where the slot has no answer for this frame. */
static __always_inline void sender_recall_counter(struct packet *pkt, const struct sender_slot *frame, enum sender who)
{
	const struct sender_counter *counter = who == SENDER_LOOP ? NULL : sender_find_counter(frame);

	pkt->counter = counter ? counter->counter : COUNTER_NONE;
}

static __always_inline void sender_read_source(const struct packet *pkt, __u64 *high, __u64 *low)
{
	const __u8 *addr = pkt->source.key.addr;

	*high = pkt->family == AF_INET ? ~0ull : index_word8(addr);
	*low = pkt->family == AF_INET ? index_word4(addr) : index_word8(addr + 8);
}

/* Notes that the packet's source is not exempt, for sender_is_counted(). */
static __always_inline void sender_note_source(const struct packet *pkt, const struct sender_slot *frame)
{
	struct sender_counter *counter = sender_find_counter(frame);

	if (counter)
		sender_read_source(pkt, &counter->high, &counter->low);
}

/* Whether that is known of the packet's source, since the slot of its destination was filled. */
static __always_inline bool sender_is_counted(const struct packet *pkt, const struct sender_slot *frame)
{
	const struct sender_counter *counter = sender_find_counter(frame);
	__u64 high, low;

	sender_read_source(pkt, &high, &low);
	return counter && !((counter->high ^ high) | (counter->low ^ low));
}

/* Whether the slot has the answer for this frame. */
static __always_inline bool sender_is_recent(const struct sender_slot *slot, const struct sender_slot *frame)
{
	return !((slot->low ^ frame->low) | (slot->high ^ frame->high) | (slot->mac ^ frame->mac) << 16 |
		 (slot->changes ^ frame->changes)) &&
	       slot->until - frame->until <= SENDER_TICKS;
}

/*
 * Looks up the sender of the frame in the kernel, and caches the answer. `*gateway` is that of the destination's
 * prefix, or NULL for SENDER_NOBODY. A separate function, so that frames with a cached answer do not pay for its
 * registers.
 */
static __noinline int sender_ask(struct __sk_buff *skb, __u32 link_len, struct packet *pkt,
				 const struct sender_slot *frame, struct wgvia_gateway **gateway)
{
	struct sender_slot *slot = sender_find_slot(frame);
	struct wgvia_sender sender = {};
	__u16 *mac = (__u16 *)sender.mac;
	__u32 ret = lookup_return();
	int who = SENDER_STRANGER;
	struct sender_counter *counter;
	__u32 list;

	*gateway = lookup_gateway(pkt, &pkt->destination, config.has_index);
	if (!*gateway) {
		who = SENDER_NOBODY;
	} else if (link_len) {
		mac[0] = frame->mac;
		mac[1] = frame->mac >> 16;
		mac[2] = frame->mac >> 32;
		list = (*gateway)->flags >> WGVIA_GATEWAY_LIST_SHIFT;
		if (bpf_map_lookup_elem(&senders, &sender) || sender_is(skb, (const void *)*gateway, &sender, ret) ||
		    (list && sender_is_listed(skb, list, ret)) || sender_is_listed(skb, WGVIA_FAILOVER_ALSO, ret))
			who = SENDER_FIREWALL;
	}
	if (who == SENDER_STRANGER && ret != WGVIA_RETURN_ANY && ret != WGVIA_RETURN_DROP) {
		__builtin_memcpy(&sender.gateway, *gateway, sizeof(sender.gateway));
		who = sender_note_bounce(skb, link_len, pkt, &sender);
	}
	if (slot && (who <= SENDER_FIREWALL || ret == WGVIA_RETURN_ANY)) {
		*slot = *frame;
		slot->mac |= (__u64)who << 48;
		slot->until += SENDER_TICKS;
		counter = config.count_prefixes ? sender_find_counter(frame) : NULL;
		if (counter)
			*counter = (struct sender_counter){.counter = pkt->counter};
	}
	return who;
}

#endif
