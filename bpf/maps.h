/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps. The name of a map is the name of its pin; keys and values are in the ABI header.
 */
#ifndef WGVIA_BPF_MAPS_H
#define WGVIA_BPF_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "config.h"
#include "index/changes.h"
#include "index/index_lines.h"
#include "wgvia_abi.h"

/*
 * An LPM trie allocates memory per entry, so a large limit costs nothing. The loader never fills it: before "bpf:
 * Switch to bpf mem allocator for LPM trie" and its fixes (end of 2024), a full trie refuses even an update of an
 * existing entry.
 */
#define PREFIXES_MAX (1 << 20)

#define LPM_TRIE(map, key_type, value_type, flags)                                                                     \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);                                                                   \
		__uint(max_entries, PREFIXES_MAX);                                                                     \
		__uint(map_flags, BPF_F_NO_PREALLOC | (flags));                                                        \
		__type(key, key_type);                                                                                 \
		__type(value, value_type);                                                                             \
	} map SEC(".maps")

/* Read-only for programs: a change in place would not be counted, see index/changes.bpf.c. */
LPM_TRIE(prefixes4, struct wgvia_key4, struct wgvia_gateway, BPF_F_RDONLY_PROG);
LPM_TRIE(prefixes6, struct wgvia_key6, struct wgvia_gateway, BPF_F_RDONLY_PROG);
LPM_TRIE(bypass4, struct wgvia_key4, struct wgvia_bypass, BPF_F_RDONLY_PROG);
LPM_TRIE(bypass6, struct wgvia_key6, struct wgvia_bypass, BPF_F_RDONLY_PROG);

/* The indexes of prefixes4 and prefixes6, if they exist; see index/index_lines.h. */
struct index_lines {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP);
	__type(key, __u32);
	__type(value, __u8[INDEX_LINE]);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, INDEX_FAMILIES);
	__type(key, __u32);
	__array(values, struct index_lines);
} indexes SEC(".maps");

/*
 * The tunnel, and the devices to which an egress program is attached. The key of an Ethernet device is its ifindex;
 * that of a device without link header is the ifindex plus CONFIG_DEVICE_L3. Gateways can be reached by Ethernet
 * devices only. A redirect to any other device would lose the packet silently, or no program would see what leaves
 * there. The kernel removes a device from a map of this type when the device is removed (dev_map_notification()).
 */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, CONFIG_DEVICE_ENTRIES);
	__type(key, __u32);
	__type(value, __u32);
} devices SEC(".maps");

/* Also for the lookup in sender.h: all gateways of a prefix. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WGVIA_FAILOVER_LISTS + 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct wgvia_failover);
} failover SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct wgvia_sender);
	__type(value, __u32);
} senders SEC(".maps");

/* What the packet path found out itself. A host that forges many entries evicts others. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct wgvia_sender);
	__type(value, struct wgvia_learnt);
} learnt SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct wgvia_bounce);
	__type(value, struct wgvia_bounced);
} bounced SEC(".maps");

/* The latest answers of sender.h, by CPU and destination. Only the programs use it; it has no pin. */
#define SENDER_SLOTS_BITS 8
struct sender_slot {
	__u64 high, low; /* the destination */
	__u64 mac;	 /* the sender's MAC address; the highest 16 bits are an enum sender */
	__u32 changes;	 /* change count of the prefixes, at the time of the question */
	__u32 until;	 /* jiffies */
};
_Static_assert(sizeof(struct sender_slot) == 32, "two of them in a cache line");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1 << SENDER_SLOTS_BITS);
	__type(key, __u32);
	__type(value, struct sender_slot);
} recent SEC(".maps");

/* With "counters prefix", what belongs to each slot. The map is the programs' own, and has no pin. */
struct sender_counter {
	__u64 high, low; /* mode stack: a source that is not exempt; all zeros: none is known */
	__u32 counter;	 /* wgvia_gateway.counter of the destination */
	__u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1 << SENDER_SLOTS_BITS);
	__type(key, __u32);
	__type(value, struct sender_counter);
} recent_counters SEC(".maps");

/* Findings that `wgvia check` does not count. No program reads this map. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 128);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct wgvia_finding);
	__type(value, struct wgvia_acceptance);
} accepted SEC(".maps");

/* The sources of prefixes that no administrator named. No program reads this map. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct wgvia_source_key);
	__type(value, struct wgvia_gateway);
} sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WGVIA_COUNTERS);
	__type(key, __u32);
	__type(value, struct wgvia_counter);
} counters SEC(".maps");

struct prefix_chunk {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WGVIA_PREFIX_CHUNK);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct wgvia_prefix_counter)); /* which has no BTF in here */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, WGVIA_PREFIX_CHUNKS);
	__type(key, __u32);
	__array(values, struct prefix_chunk);
} prefix_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wgvia_meta);
} meta SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct wgvia_trace);
} trace SEC(".maps");

/* Room for 2,500 events, so that the reader may sleep during a burst. It exists even if nobody reads it. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

/* What decision.h keeps, by CPU. Only the programs use it; it has no pin. */
#define DECISION_BITS 8
#define DECISION_GATEWAY 1    /* the gateway of the client's address, which the way out needs */
#define DECISION_CLIENT 2     /* client_bypass, which the way back needs */
#define DECISION_EXEMPT 1     /* a packet that this host forwards */
#define DECISION_EXEMPT_OWN 2 /* one that it sends itself */
struct decision {
	__u64 addresses[4];	      /* the client's and the other one; IPv4's share one word */
	__u64 version;		      /* of the maps when they were asked; see decision_version() */
	struct wgvia_gateway gateway; /* of the client's address */
	__u8 known;		      /* DECISION_GATEWAY, DECISION_CLIENT; what follows is known with either */
	__u8 has_gateway;	      /* otherwise the address is in no prefix */
	__u8 client_bypass;	      /* lookup_bypass() of the client's address */
	__u8 other_bypass;	      /* and of the other one */
	__u8 other_exempt;	      /* at egress: DECISION_EXEMPT and DECISION_EXEMPT_OWN */
	/* For shortcut.h: what each program does as far as these maps decide; 0: it takes the long way */
	__u8 out, back, egress;
	/* As in struct sender_slot, for the client's address: a MAC address that is right; 0: none is known */
	__u64 sender;
	__u32 sender_until;
	__u32 counter; /* as in struct sender_counter */
};

/* Since when, in jiffies, this CPU has seen the version that the maps have: of IPv6, of IPv4. */
struct decision_age {
	__u64 version, since;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct decision_age);
} decision_ages SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1 << DECISION_BITS);
	__type(key, __u32);
	__type(value, struct decision);
} decisions SEC(".maps");

/* Passes through the egress programs, by CPU; see mark.h. Only the programs use it; it has no pin. */
struct passes {
	__u32 count;	  /* the number of the latest pass */
	__u32 redirected; /* the number of the latest one that redirected its packet */
	__u32 ifindex;	  /* to this device */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct passes);
} passes SEC(".maps");

#endif
