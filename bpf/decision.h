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

#define DECISION_TICKS 2 /* jiffies: at least one of them has passed */

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
	} else {
		gateway = lookup_gateway(pkt, client);
		decision->has_gateway = gateway != NULL;
		if (gateway)
			decision->gateway = *gateway;
		if (gateway && config.count_prefixes)
			decision->gateway.counter = pkt->counter;
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
	__u32 key = four;
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

/* What the maps say; NULL: nothing is kept. `client` and `other` are the packet's addresses. `needed`: see above. */
static __always_inline struct decision *decision_find(struct packet *pkt, struct address *client, struct address *other,
						      __u32 needed)
{
	const bool four = pkt->family == AF_INET;
	__u32 key = four ? CHANGES_IPV4 : CHANGES_IPV6;
	const __u64 *count = bpf_map_lookup_elem(&changes, &key);
	__u64 version, a, b = 0, c = 0, d = 0, hash, differs;
	struct decision *decision;

	if (!count || !(*count & CHANGES_COUNTED))
		return NULL;
	version = *count << 1 | four; /* before the maps are asked: a change in between makes the answer old */
	if (four) {
		a = hash = index_word4(client->key.addr) | (__u64)index_word4(other->key.addr) << 32;
	} else {
		a = index_word8(client->key.addr);
		b = index_word8(client->key.addr + 8);
		c = index_word8(other->key.addr);
		d = index_word8(other->key.addr + 8);
		hash = a ^ b * 3 ^ c * 5 ^ d * 7;
	}
	key = hash * 0x9e3779b97f4a7c15ull >> (64 - DECISION_BITS);
	decision = bpf_map_lookup_elem(&decisions, &key);
	if (!decision)
		return NULL;
	differs = (decision->addresses[0] ^ a) | (decision->version ^ version);
	if (!four)
		differs |= (decision->addresses[1] ^ b) | (decision->addresses[2] ^ c) | (decision->addresses[3] ^ d);
	if (differs) {
		if (!decision_is_settled(version, four))
			return NULL;
		decision->known = 0;
		decision->addresses[0] = a;
		decision->addresses[1] = b;
		decision->addresses[2] = c;
		decision->addresses[3] = d;
		decision->version = version;
	}
	if (!(decision->known & needed))
		decision_ask(pkt, client, other, decision, needed);
	if (config.count_prefixes && needed == DECISION_GATEWAY)
		pkt->counter = decision->gateway.counter;
	return decision;
}

#endif
