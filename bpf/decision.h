/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keeps what the maps say about a client and the address that it talks to, for the packets that follow, in both
 * directions and at every device.
 *
 * It is valid while none of the maps has changed, and nothing is kept where the kernel cannot report changes: see
 * index/changes.bpf.c. What is in no counted map is asked for each packet: devices, MTUs, settings, the sender's MAC
 * address.
 */
#ifndef WGVIA_BPF_DECISION_H
#define WGVIA_BPF_DECISION_H

#include "lookup.h"
#include "maps.h"
#include "packet.h"
#include "verifier.h"

#define DECISION_TICKS 2 /* jiffies: at least one of them has passed */

/* --- for shortcut.h --- */

static __always_inline __u8 decision_out(const struct packet *pkt, const struct decision *decision)
{
	if (!decision->has_gateway)
		return WGVIA_OUTSIDE;
	return lookup_gateway_is_usable(pkt, &decision->gateway) ? decision->other_bypass : 0;
}

/* A packet that this host forwards. */
static __always_inline __u8 decision_egress(const struct packet *pkt, const struct decision *decision)
{
	if (!decision->has_gateway)
		return WGVIA_OUTSIDE;
	return lookup_gateway_is_usable(pkt, &decision->gateway) && !(decision->other_exempt & DECISION_EXEMPT)
		       ? WGVIA_RETARGETED
		       : 0;
}

/* WGVIA_RETURNED: into the tunnel, from where a packet may come; WGVIA_LOCAL: not into the tunnel. */
static __always_inline __u8 decision_back(const struct decision *decision)
{
	switch (decision->client_bypass) {
	case WGVIA_TUNNEL:
		return decision->other_bypass == WGVIA_REDIRECTED ? WGVIA_RETURNED : 0;
	case WGVIA_REDIRECTED:
	case WGVIA_LOCAL:
		return WGVIA_LOCAL;
	default:
		return 0;
	}
}

/* --- */

/*
 * Asks the maps for what is needed, DECISION_GATEWAY or DECISION_CLIENT. A separate function, so that packets with
 * a kept answer do not pay for its registers.
 */
static __noinline int decision_ask(struct packet *pkt, struct address *client, struct address *other,
				   struct decision *decision, __u32 needed)
{
	const struct wgvia_bypass *entry;
	struct wgvia_gateway *gateway;

	if (!decision->known) {
		entry = lookup_bypass_entry(pkt, other);
		decision->other_bypass = lookup_verdict(entry);
		decision->other_exempt = (lookup_exempts_at_egress(entry, false) ? DECISION_EXEMPT : 0) |
					 (lookup_exempts_at_egress(entry, true) ? DECISION_EXEMPT_OWN : 0);
	}
	if (needed == DECISION_CLIENT) {
		decision->client_bypass = lookup_bypass(pkt, client);
		decision->back = decision_back(decision);
	} else {
		gateway = lookup_gateway(pkt, client, config.has_index);
		decision->has_gateway = gateway != NULL;
		if (gateway)
			decision->gateway = *gateway;
		if (gateway && config.count_prefixes)
			decision->gateway.counter = pkt->counter;
		decision->out = decision_out(pkt, decision);
		decision->egress = decision_egress(pkt, decision);
	}
	decision->known |= needed;
	return 0;
}

/*
 * Whether the maps have had this version for some time. A change and its counts are not one step: the count after
 * it may be seen before the change on some processors, and the kernel does not run the program that counts if it is
 * running on that CPU already. What is asked then must not be kept.
 */
static __always_inline bool decision_is_settled(__u64 version, bool four)
{
	__u32 key = verifier_forget(four, version);
	struct decision_age *age = bpf_map_lookup_elem(&decision_ages, &key);

	if (!age)
		return false;
	if (age->version != version) {
		age->version = version;
		age->since = bpf_jiffies64();
		return false;
	}
	return bpf_jiffies64() - age->since >= DECISION_TICKS;
}

/* What a decision must contain to be the one for a packet. The other addresses of IPv4 are 0. */
struct decision_query {
	__u64 version, addresses[4];
};

/*
 * The version that the maps have, which differs from every one of the other family's; 0: nothing may be kept. Ask for
 * it before the maps: a change in between makes the answer old.
 */
static __always_inline __u64 decision_version(bool four)
{
	__u32 key = four ? CHANGES_IPV4 : CHANGES_IPV6;
	const __u64 *count = bpf_map_lookup_elem(&changes, &key);

	if (!count || !(*count & CHANGES_COUNTED))
		return 0;
	return four ? *count : ~*count;
}

static __always_inline struct decision *decision_find_slot(const struct decision_query *query)
{
	__u64 hash = query->addresses[0] ^ query->addresses[1] * 3 ^ query->addresses[2] * 5 ^ query->addresses[3] * 7;
	__u32 key = hash * 0x9e3779b97f4a7c15ull >> (64 - DECISION_BITS);

	return bpf_map_lookup_elem(&decisions, &key);
}

static __always_inline bool decision_is_for(const struct decision *decision, const struct decision_query *query,
					    bool four)
{
	__u64 differs = (decision->addresses[0] ^ query->addresses[0]) | (decision->version ^ query->version);

	if (!four)
		differs |= (decision->addresses[1] ^ query->addresses[1]) |
			   (decision->addresses[2] ^ query->addresses[2]) |
			   (decision->addresses[3] ^ query->addresses[3]);
	return !differs;
}

/* What the maps say; NULL: nothing is kept. `client` and `other` are the packet's addresses. `needed`: see above. */
static __always_inline struct decision *decision_find(struct packet *pkt, struct address *client, struct address *other,
						      __u32 needed)
{
	const bool four = pkt->family == AF_INET;
	struct decision_query query;
	struct decision *decision;

	if (!config.keeps_decisions)
		return NULL;
	query = (struct decision_query){.version = decision_version(four)};
	if (!query.version)
		return NULL;
	if (four) {
		query.addresses[0] = index_word4(client->key.addr) | (__u64)index_word4(other->key.addr) << 32;
	} else {
		query.addresses[0] = index_word8(client->key.addr);
		query.addresses[1] = index_word8(client->key.addr + 8);
		query.addresses[2] = index_word8(other->key.addr);
		query.addresses[3] = index_word8(other->key.addr + 8);
	}
	decision = decision_find_slot(&query);
	if (!decision)
		return NULL;
	if (!decision_is_for(decision, &query, four)) {
		if (!decision_is_settled(query.version, four))
			return NULL;
		decision->known = 0;
		decision->out = decision->back = decision->egress = 0;
		decision->sender = 0;
		decision->addresses[0] = query.addresses[0];
		decision->addresses[1] = query.addresses[1];
		decision->addresses[2] = query.addresses[2];
		decision->addresses[3] = query.addresses[3];
		decision->version = query.version;
	}
	if (!(decision->known & needed))
		decision_ask(pkt, client, other, decision, needed);
	if (config.count_prefixes && needed == DECISION_GATEWAY)
		pkt->counter = decision->gateway.counter;
	return decision;
}

#endif
