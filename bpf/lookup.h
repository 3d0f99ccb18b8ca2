/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The two lookups in the maps: the gateway of a source, and whether a destination is exempt.
 */
#ifndef WGVIA_BPF_LOOKUP_H
#define WGVIA_BPF_LOOKUP_H

#include "config.h"
#include "index/index_find.h"
#include "maps.h"
#include "packet.h"

/* What a map of prefixes has found; an index has no counter in its gateways. */
static __always_inline struct wgvia_gateway *lookup_note_counter(struct packet *pkt, struct wgvia_gateway *gateway)
{
	if (config.count_prefixes && gateway)
		pkt->counter = gateway->counter;
	return gateway;
}

/*
 * The gateway of the longest prefix that contains `address`, which is one of the packet's. NULL: outside every prefix.
 * Notes where the prefix is counted. `by_index` is a constant: the verifier goes through an index once for each caller.
 */
static __always_inline struct wgvia_gateway *lookup_gateway(struct packet *pkt, struct address *address, bool by_index)
{
	const struct index_head *head;
	void *lines;

	if (pkt->family == AF_INET) {
		head = by_index ? index_in_force(INDEX_IPV4, &lines) : NULL;
		return head ? index_find4(head, lines, address->key.addr, &pkt->counter)
			    : lookup_note_counter(pkt, bpf_map_lookup_elem(&prefixes4, address));
	}
	head = by_index ? index_in_force(INDEX_IPV6, &lines) : NULL;
	return head ? index_find6(head, lines, address->key.addr, &pkt->counter)
		    : lookup_note_counter(pkt, bpf_map_lookup_elem(&prefixes6, address));
}

/* The longest entry of the bypass list that contains the address. NULL: no entry. */
static __always_inline struct wgvia_bypass *lookup_bypass_entry(struct packet *pkt, struct address *address)
{
	if (pkt->family == AF_INET)
		return bpf_map_lookup_elem(&bypass4, address);
	return bpf_map_lookup_elem(&bypass6, address);
}

/*
 * Why an address with that entry, as a destination, is exempt: WGVIA_LOCAL, _SCOPE, _TUNNEL or _BYPASS.
 * WGVIA_REDIRECTED: it is not exempt. Any other verdict in the map is an error by whoever wrote it, and counts as
 * WGVIA_BYPASS.
 */
static __always_inline enum wgvia_verdict lookup_verdict(const struct wgvia_bypass *entry)
{
	if (!entry)
		return WGVIA_REDIRECTED;
	switch (entry->verdict) {
	case WGVIA_LOCAL:
	case WGVIA_SCOPE:
	case WGVIA_TUNNEL:
	case WGVIA_REDIRECTED:
		return entry->verdict;
	default:
		return WGVIA_BYPASS;
	}
}

static __always_inline enum wgvia_verdict lookup_bypass(struct packet *pkt, struct address *address)
{
	return lookup_verdict(lookup_bypass_entry(pkt, address));
}

/*
 * Whether a destination with that entry is exempt at the egress of a LAN device: by scope, or by the administrator.
 * Packets that leave there go neither to this host nor into the tunnel, so an entry with one of those verdicts is
 * out of date. Multicast and broadcast are exempt only if this host itself is the source. If this host forwards
 * them (multicast routing, bc_forwarding), they must pass the firewall like all other packets.
 */
static __always_inline bool lookup_exempts_at_egress(const struct wgvia_bypass *entry, bool is_own)
{
	if (!entry)
		return false;
	switch (entry->verdict) {
	case WGVIA_SCOPE:
		return is_own || entry->flags & (WGVIA_BYPASS_ADMIN | WGVIA_BYPASS_EGRESS);
	case WGVIA_LOCAL:
	case WGVIA_TUNNEL:
		return entry->flags & (WGVIA_BYPASS_ADMIN | WGVIA_BYPASS_EGRESS) ||
		       (is_own && entry->flags & WGVIA_BYPASS_BROADCAST);
	case WGVIA_REDIRECTED:
		return false;
	default:
		return true;
	}
}

/* Whether a gateway may be reached by this device: it exists, and a program is attached to it. */
static __always_inline bool lookup_device_is_known(__u32 ifindex)
{
	const __u32 *known = bpf_map_lookup_elem(&devices, &ifindex);

	return known && *known == ifindex;
}

/* Whether an egress program of either kind is attached to the device. */
static __always_inline bool lookup_device_is_watched(__u32 ifindex)
{
	__u32 key = ifindex | CONFIG_DEVICE_L3;
	const __u32 *l3 = bpf_map_lookup_elem(&devices, &key);

	return (l3 && *l3 == ifindex) || lookup_device_is_known(ifindex);
}

/* The tunnel's ifindex; 0: it does not exist. */
static __always_inline __u32 lookup_tunnel(void)
{
	__u32 key = CONFIG_TUNNEL;
	const __u32 *ifindex = bpf_map_lookup_elem(&devices, &key);

	return ifindex ? *ifindex : 0;
}

/*
 * Whether the packet can use the map's value, apart from its device: the helper drops silently in the cases that are
 * checked here. Family: __bpf_redirect_neigh_v6() drops a packet with an IPv4 next hop; the other direction works.
 * Address: a multicast next hop would have a multicast MAC (arp_constructor(), ndisc_constructor()) and reach every
 * host.
 */
static __always_inline bool lookup_gateway_is_usable(const struct packet *pkt, const struct wgvia_gateway *gateway)
{
	__u8 first = gateway->addr[0];

	if (gateway->flags & WGVIA_GATEWAY_UNUSABLE)
		return false;
	if (gateway->family == AF_INET6) {
		if (first == 0xff || !*(const __u32 *)gateway->addr)
			return false;
	} else if (gateway->family == AF_INET && pkt->family == AF_INET) {
		if (first == 0 || first == 127 || first >= 224)
			return false;
	} else {
		return false;
	}
	return true;
}

static __always_inline bool lookup_on_fail_pass(void)
{
	__u32 key = 0;
	struct wgvia_meta *m = bpf_map_lookup_elem(&meta, &key);

	return m && m->on_fail == WGVIA_PASS;
}

/* Only WGVIA_OUTSIDE_DROP drops: any other value is an error by whoever wrote it. */
static __always_inline bool lookup_drops_outside(void)
{
	__u32 key = 0;
	struct wgvia_meta *m = bpf_map_lookup_elem(&meta, &key);

	return m && m->outside == WGVIA_OUTSIDE_DROP;
}

static __always_inline __u32 lookup_mss(void)
{
	__u32 key = 0;
	struct wgvia_meta *m = bpf_map_lookup_elem(&meta, &key);

	return m ? m->mss : WGVIA_MSS_OFF;
}

/* enum wgvia_return; any other value is an error by whoever wrote it, and counts as WGVIA_RETURN_VIA. */
static __always_inline __u32 lookup_return(void)
{
	__u32 key = 0;
	struct wgvia_meta *m = bpf_map_lookup_elem(&meta, &key);

	return m ? m->ret : WGVIA_RETURN_VIA;
}

#endif
