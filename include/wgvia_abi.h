/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ABI of wgvia: what the packet path, the loader and an administrator with bpftool agree on.
 *
 * Everything here is visible from outside: names and layouts of the pinned maps, verdicts, directions. A change of
 * any of it is a new WGVIA_ABI. It holds no code, and neither side's private constants.
 *
 * Byte order: addresses are in network order, everything else in host order.
 */
#ifndef WGVIA_ABI_H
#define WGVIA_ABI_H

#include <linux/types.h>

#ifdef __cplusplus
#define WGVIA_ASSERT static_assert
#else
#define WGVIA_ASSERT _Static_assert
#endif

#define WGVIA_ABI 9

/*
 * Why a packet goes where it goes, in the order in which the packet path decides. The verdict is the index into the
 * counters and what the value of a bypass entry names; X(constant, word).
 */
#define WGVIA_VERDICTS(X)                                                                                              \
	X(NOT_IP, "not_ip")                                                                                            \
	X(MALFORMED, "malformed")                                                                                      \
	X(OUTSIDE, "outside")                                                                                          \
	X(LOCAL, "local")                                                                                              \
	X(SCOPE, "scope")                                                                                              \
	X(TUNNEL, "tunnel")                                                                                            \
	X(BYPASS, "bypass")                                                                                            \
	X(HOP_LIMIT, "hop_limit")                                                                                      \
	X(TOO_BIG, "too_big")                                                                                          \
	X(NO_GATEWAY, "no_gateway")                                                                                    \
	X(REDIRECTED, "redirected")                                                                                    \
	X(RETURNED, "returned")                                                                                        \
	X(RETARGETED, "retargeted")                                                                                    \
	X(BOUNCED, "bounced")                                                                                          \
	X(DIRECT, "direct")                                                                                            \
	X(REFUSED, "refused")

#define WGVIA_ENUM_MEMBER(name, word) WGVIA_##name,
enum wgvia_verdict { WGVIA_VERDICTS(WGVIA_ENUM_MEMBER) WGVIA_VERDICT_COUNT };

/* Which program decided. */
enum wgvia_direction {
	WGVIA_OUT,    /* the tunnel's ingress: towards the firewall */
	WGVIA_BACK,   /* a LAN device's ingress: towards a prefix */
	WGVIA_EGRESS, /* a LAN device's egress: what the kernel sends */
	WGVIA_DIRECTION_COUNT,
};

/* prefixes4, bypass4: BPF_MAP_TYPE_LPM_TRIE. prefixlen counts bits of addr. */
struct wgvia_key4 {
	__u32 prefixlen;
	__u8 addr[4];
};
WGVIA_ASSERT(sizeof(struct wgvia_key4) == 8, "wgvia_key4");

/* prefixes6, bypass6. */
struct wgvia_key6 {
	__u32 prefixlen;
	__u8 addr[16];
};
WGVIA_ASSERT(sizeof(struct wgvia_key6) == 20, "wgvia_key6");

/* wgvia_gateway.flags, the low half: any of these bits makes the value unusable. */
#define WGVIA_GATEWAY_UNUSABLE 0xfcffu
#define WGVIA_GATEWAY_DOWN (1u << 0) /* known to be dead: treated as no_gateway */
/* Two bits of the low half: enum wgvia_source. */
#define WGVIA_GATEWAY_SOURCE_SHIFT 8
#define WGVIA_GATEWAY_SOURCE (3u << WGVIA_GATEWAY_SOURCE_SHIFT)
/* The high half: number of the list in `failover` that the value was taken from; 0: from none. */
#define WGVIA_GATEWAY_LIST_SHIFT 16

/*
 * Value of prefixes4 and prefixes6: where packets from this prefix go. `family` and `addr` have the layout of the
 * kernel's struct bpf_redir_neigh, so that the packet path hands them to bpf_redirect_neigh() where they lie.
 */
struct wgvia_gateway {
	__u32 ifindex; /* device on whose link the next hop stands; 0 is unusable */
	__u32 family;  /* AF_INET (2, for IPv4 packets alone) or AF_INET6 (10) */
	__u8 addr[16]; /* next hop; IPv4 in the first four bytes */
	__u32 flags;   /* WGVIA_GATEWAY_* */
	/*
	 * With WGVIA_COUNT_PREFIXES, where the prefix is counted, see prefix_counters. 0: together with all others that
	 * have 0. A number that has no place there: not at all. It does not matter to where the packets go.
	 */
	__u32 counter;
};
WGVIA_ASSERT(sizeof(struct wgvia_gateway) == 32, "wgvia_gateway");

/* Why a prefix is in prefixes4 or prefixes6. */
enum wgvia_source {
	WGVIA_SOURCE_NAMED,	  /* an administrator has named it */
	WGVIA_SOURCE_ADDRESSES,	  /* "from addresses": the tunnel has an address in it */
	WGVIA_SOURCE_ALLOWED_IPS, /* "from allowed-ips": a WireGuard peer may send from it */
	WGVIA_SOURCE_COUNT,
};

/*
 * Key of sources (BPF_MAP_TYPE_HASH): prefixes that follow the host. Its value is the struct wgvia_gateway that the
 * prefixes of this family get. There, `family` 0 stands for the next hop of the default route, by the device `ifindex`,
 * or by any with 0. The packet path does not read it.
 */
struct wgvia_source_key {
	__u32 source; /* enum wgvia_source, not WGVIA_SOURCE_NAMED */
	__u32 family; /* of the prefixes: AF_INET or AF_INET6 */
};
WGVIA_ASSERT(sizeof(struct wgvia_source_key) == 8, "wgvia_source_key");

#define WGVIA_FAILOVER_HOPS 8
#define WGVIA_FAILOVER_LISTS 65535
#define WGVIA_FAILOVER_ALSO 0 /* the key of "return ... also ADDRESS", which is no list */

struct wgvia_hop {
	__u32 ifindex;
	__u32 family; /* AF_INET or AF_INET6 */
	__u8 addr[16];
};
WGVIA_ASSERT(sizeof(struct wgvia_hop) == 24, "wgvia_hop");

/* How the agent finds out whether a gateway is alive ("health ..."). */
enum wgvia_watch_kind {
	WGVIA_WATCH_NEIGHBOUR, /* it answers ARP or ND */
	WGVIA_WATCH_FORWARD,   /* and it forwards an echo request and the reply, both from this host to itself */
	WGVIA_WATCH_PING,      /* or `addr` answers an echo request through it */
	WGVIA_WATCH_TCP,       /* or `addr` accepts a connection to `port` through it */
	WGVIA_WATCH_COUNT,
};

/* What is not used is 0. */
struct wgvia_watch {
	__u32 kind;   /* enum wgvia_watch_kind */
	__u32 family; /* of `addr`: AF_INET or AF_INET6 */
	__u8 addr[16];
	__u32 port;
};
WGVIA_ASSERT(sizeof(struct wgvia_watch) == 28, "wgvia_watch");

/*
 * Value of failover: gateways in order of preference ("via A or B"). BPF_MAP_TYPE_HASH, key __u32, the list's number, 1
 * to WGVIA_FAILOVER_LISTS. Where packets go is in prefixes4 and prefixes6 alone; the packet path asks a list which MAC
 * addresses are those of a prefix's gateways. Key WGVIA_FAILOVER_ALSO holds addresses whose MAC addresses count as
 * those of every gateway. A list of one gateway has a `watch` that is not all zeros.
 */
struct wgvia_failover {
	__u32 count; /* of hops, 1 to WGVIA_FAILOVER_HOPS; the rest is 0 */
	struct wgvia_hop hops[WGVIA_FAILOVER_HOPS];
	struct wgvia_watch watch; /* of all hops; all zeros under WGVIA_FAILOVER_ALSO */
};
WGVIA_ASSERT(sizeof(struct wgvia_failover) == 224, "wgvia_failover");

/* How a gateway is, as the agent sees it. */
enum wgvia_health {
	WGVIA_HEALTH_UNKNOWN, /* not judged yet */
	WGVIA_HEALTH_DEAD,
	WGVIA_HEALTH_HELD, /* it is alive, and not for long enough to be preferred */
	WGVIA_HEALTH_ALIVE,
	WGVIA_HEALTH_COUNT,
};

/* Why a gateway is dead. */
enum wgvia_fault {
	WGVIA_FAULT_NONE,
	WGVIA_FAULT_NO_DEVICE,
	WGVIA_FAULT_DEVICE_DOWN,
	WGVIA_FAULT_NO_CARRIER,
	WGVIA_FAULT_MTU,
	WGVIA_FAULT_NO_ANSWER,
	WGVIA_FAULT_NEIGHBOUR,
	/* the neighbour answers, and: */
	WGVIA_FAULT_FORWARD, /* the echo request did not come back */
	WGVIA_FAULT_RETURN,  /* it did, and the reply did not */
	/* of the address in the list's `watch` */
	WGVIA_FAULT_PING,
	WGVIA_FAULT_TCP,
	WGVIA_FAULT_REFUSED,
	WGVIA_FAULT_COUNT,
};

/*
 * Value of gateways (BPF_MAP_TYPE_HASH), key struct wgvia_hop. The agent alone writes it, creates it and removes it; it
 * means something while an agent runs, that is, while somebody holds flock() on NAME%agent. The packet path does not
 * read it, and an instance need not have it.
 */
struct wgvia_gateway_health {
	__u64 since; /* in ns of CLOCK_BOOTTIME: when it was found to be alive, or dead */
	__u32 state; /* enum wgvia_health */
	__u32 fault; /* enum wgvia_fault: the last one */
	/* How often it was alive and was found to be dead, and the other way round, since the agent watches it. */
	__u32 deaths;
	__u32 recoveries;
};
WGVIA_ASSERT(sizeof(struct wgvia_gateway_health) == 24, "wgvia_gateway_health");

/*
 * Key of senders (BPF_MAP_TYPE_HASH) and learnt (BPF_MAP_TYPE_LRU_HASH): a MAC address that a gateway's frames come
 * from, besides the one that the kernel's neighbour table has for it.
 */
struct wgvia_sender {
	struct wgvia_hop gateway; /* all zeros in senders: of every gateway */
	__u8 mac[6];
	__u8 reserved[2];
};
WGVIA_ASSERT(sizeof(struct wgvia_sender) == 32, "wgvia_sender");

/* How it is known. */
enum wgvia_sender_source {
	WGVIA_SENDER_NAMED,	/* senders: by the administrator, "return ... also MAC" */
	WGVIA_SENDER_PROBED,	/* senders: an echo request came back from there (`up`, `run`, `check --probe`) */
	WGVIA_SENDER_RESOLVED,	/* learnt: what this host sent to the gateway went to this MAC address */
	WGVIA_SENDER_FORWARDED, /* learnt: a frame that was bounced came back from there */
};

/* Value of senders: enum wgvia_sender_source, a __u32. Value of learnt: */
struct wgvia_learnt {
	__u64 until; /* in ns of CLOCK_MONOTONIC */
	__u32 source;
	__u32 reserved;
};
WGVIA_ASSERT(sizeof(struct wgvia_learnt) == 16, "wgvia_learnt");

/*
 * Key of bounced (BPF_MAP_TYPE_LRU_HASH): a packet that was sent to the firewall because it did not come from there,
 * and who sent it. `transport` is what a router does not change: ports, sequence numbers, types, and in
 * the last two a hash of what follows.
 */
struct wgvia_bounce {
	__u8 source[16], destination[16]; /* IPv4 in the first four bytes */
	__u32 transport[4];
	__u8 mac[6];
	__u8 family; /* AF_INET or AF_INET6 */
	__u8 protocol;
};
WGVIA_ASSERT(sizeof(struct wgvia_bounce) == 56, "wgvia_bounce");

/* Value of bounced. */
struct wgvia_bounced {
	__u64 first, last; /* in ns of CLOCK_MONOTONIC; `first` of the last burst of equal packets */
	__u32 hop_limit;   /* as it came */
	__u32 count;	   /* in that burst */
	__u32 ifindex;	   /* where it came in */
	__u32 reserved;
};
WGVIA_ASSERT(sizeof(struct wgvia_bounced) == 32, "wgvia_bounced");

/* wgvia_bypass.flags */
#define WGVIA_BYPASS_ADMIN (1u << 0) /* (also) on the administrator's list, which the entry's verdict may hide */
/* Not the administrator's, but exempt at the egress of a LAN device, too: inside an entry of the administrator's. */
#define WGVIA_BYPASS_EGRESS (1u << 1)
/* A broadcast address of this host: exempt there for what this host itself sends. */
#define WGVIA_BYPASS_BROADCAST (1u << 2)

/*
 * Value of bypass4 and bypass6: destinations that are exempt, and why. At the egress of a LAN device WGVIA_LOCAL and
 * WGVIA_TUNNEL exempt nothing unless there is a flag: what leaves there goes neither to this host nor into the tunnel.
 */
struct wgvia_bypass {
	/*
	 * WGVIA_LOCAL, WGVIA_SCOPE, WGVIA_TUNNEL or WGVIA_BYPASS; WGVIA_REDIRECTED: not exempt, although a shorter
	 * entry is.
	 */
	__u32 verdict;
	__u32 flags; /* WGVIA_BYPASS_* */
};
WGVIA_ASSERT(sizeof(struct wgvia_bypass) == 8, "wgvia_bypass");

/*
 * Key and value of accepted: a finding of `wgvia check` that the administrator has accepted, and why. Texts end with a
 * 0, and the rest of the key is 0. The packet path does not read it.
 */
struct wgvia_finding {
	char name[24];
};
struct wgvia_acceptance {
	char reason[200];
};
WGVIA_ASSERT(sizeof(struct wgvia_acceptance) == 200, "wgvia_acceptance");

/* counters: BPF_MAP_TYPE_PERCPU_ARRAY, index WGVIA_COUNTER(direction, verdict). */
#define WGVIA_COUNTER(direction, verdict) ((direction) * WGVIA_VERDICT_COUNT + (verdict))
#define WGVIA_COUNTERS WGVIA_COUNTER(WGVIA_DIRECTION_COUNT, 0)

struct wgvia_counter {
	__u64 packets; /* as they are on the wire: the segments of a GSO packet, not the packet */
	__u64 bytes;   /* of IP packets, link headers not counted */
};
WGVIA_ASSERT(sizeof(struct wgvia_counter) == 16, "wgvia_counter");

/*
 * prefix_counters: BPF_MAP_TYPE_ARRAY_OF_MAPS of WGVIA_PREFIX_CHUNKS, each a BPF_MAP_TYPE_PERCPU_ARRAY with
 * WGVIA_PREFIX_CHUNK values, which exists only while something is counted there, pinned as prefix_counters_KEY. The
 * key is wgvia_gateway.counter / WGVIA_PREFIX_CHUNK, the index the remainder.
 */
#define WGVIA_PREFIX_CHUNK 4096
#define WGVIA_PREFIX_CHUNKS 256

struct wgvia_prefix_counter {
	struct wgvia_counter out;  /* from the prefix: redirected, retargeted */
	struct wgvia_counter back; /* to the prefix, from one of its gateways or, with "return any", from anybody */
};
WGVIA_ASSERT(sizeof(struct wgvia_prefix_counter) == 32, "wgvia_prefix_counter");

/*
 * lost: BPF_MAP_TYPE_PERCPU_ARRAY of struct wgvia_counter: packets that the kernel dropped after a redirect. The index
 * is the kernel's number of the reason (enum skb_drop_reason), which differs from kernel to kernel; 0 where the kernel
 * reports none (before Linux 5.17), WGVIA_LOST_OTHER for numbers that have no place, WGVIA_LOST_NEIGHBOUR where it
 * specifies no reason and the packet had no link header yet. The agent creates it, and an instance need not have it.
 */
#define WGVIA_LOST_REASONS 256
#define WGVIA_LOST_NEIGHBOUR (WGVIA_LOST_REASONS - 2)
#define WGVIA_LOST_OTHER (WGVIA_LOST_REASONS - 1)

/*
 * trace: BPF_MAP_TYPE_ARRAY of one, to be mapped into memory. Who wants to see decisions writes the filter, then the
 * deadline, and moves the deadline on for as long as it reads `events`. The packet path tells of what it counts, and
 * a packet that finds the deadline passed, or further off than a reader may set it, writes 0: a reader that was killed
 * leaves nothing switched on.
 */
#define WGVIA_TRACE_MAX 10000000000ull /* ns */
struct wgvia_trace {
	__u64 until;	/* in ns of CLOCK_MONOTONIC; 0: nobody listens */
	__u64 skipped;	/* events for which there was no room, counted on and on */
	__u32 family;	/* AF_INET or AF_INET6, 0 for both and for what is no IP: then the masks are 0, too */
	__u32 verdicts; /* 1 << WGVIA_* for each that is wanted */
	__u32 from[4], from_mask[4];
	__u32 to[4], to_mask[4]; /* an address is wanted if (address & mask) == value; network order */
};
WGVIA_ASSERT(sizeof(struct wgvia_trace) == 88, "wgvia_trace");

/* events: BPF_MAP_TYPE_RINGBUF of these. */
struct wgvia_event {
	__u64 time; /* in ns of CLOCK_MONOTONIC */
	__u32 direction;
	__u32 verdict;
	__u32 ifindex; /* of the device at which the program stands */
	__u32 len;     /* of the IP packet, in bytes; of a GSO packet as a whole */
	__u32 packets; /* that it is on the wire */
	__u32 gateway_ifindex;
	__u8 family;	     /* AF_INET or AF_INET6; 0: no IP, and no addresses */
	__u8 protocol;	     /* or next header */
	__u8 hop_limit;	     /* as it came */
	__u8 gateway_family; /* 0: this decision asks for no gateway */
	__u8 has_ports;	     /* ports[] are those of TCP or UDP, or type and code of ICMP in ports[0] */
	__u8 reserved[3];
	__u16 ports[2]; /* source, destination; network order */
	__u32 source[4], destination[4], gateway[4];
	__u32 reserved2;
};
WGVIA_ASSERT(sizeof(struct wgvia_event) == 96, "wgvia_event");

enum wgvia_mode { WGVIA_FAST, WGVIA_STACK };
enum wgvia_on_fail { WGVIA_DROP, WGVIA_PASS };
/* What becomes of a frame for a prefix that does not come from one of its gateways. */
enum wgvia_return { WGVIA_RETURN_VIA, WGVIA_RETURN_ANY, WGVIA_RETURN_DROP };
/* What becomes of a packet out of the tunnel whose source is in no prefix, and which would leave this host. */
enum wgvia_outside { WGVIA_OUTSIDE_PASS, WGVIA_OUTSIDE_DROP };
/* What is counted besides verdicts. */
enum wgvia_counting { WGVIA_COUNT_VERDICTS, WGVIA_COUNT_PREFIXES };
/*
 * What the MSS option of a TCP SYN may be at most: WGVIA_MSS_OFF, WGVIA_MSS_AUTO, or a number of bytes. Less than
 * WGVIA_MSS_MIN is what every IPv4 host takes (RFC 9293, 3.7.1); more than WGVIA_MSS_MAX is in no IPv4 packet.
 */
#define WGVIA_MSS_OFF 0
#define WGVIA_MSS_AUTO 1
#define WGVIA_MSS_MIN 536
#define WGVIA_MSS_MAX 65495

/* meta: BPF_MAP_TYPE_ARRAY of one. The packet path reads on_fail, ret, outside and mss; the rest is for commands. */
struct wgvia_meta {
	__u32 abi;     /* WGVIA_ABI */
	__u32 on_fail; /* enum wgvia_on_fail: what happens to a packet whose gateway is unusable */
	__u32 mode;    /* enum wgvia_mode */
	__u32 tunnel_ifindex;
	__u64 netns;	 /* inode number of the network namespace that the ifindexes belong to */
	__u64 build;	 /* hash of the running programs and their constants */
	char tunnel[16]; /* interface name */
	__u32 ret;	 /* enum wgvia_return */
	__u32 cookie;	 /* low half of that namespace's cookie (SO_NETNS_COOKIE, Linux 5.14); 0: not known */
	__u32 outside;	 /* enum wgvia_outside */
	__u32 mss;	 /* WGVIA_MSS_OFF, WGVIA_MSS_AUTO, or WGVIA_MSS_MIN to WGVIA_MSS_MAX */
	__u32 counting;	 /* enum wgvia_counting */
	__u32 reserved;
};
WGVIA_ASSERT(sizeof(struct wgvia_meta) == 72, "wgvia_meta");

#endif
