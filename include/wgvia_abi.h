/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ABI of wgvia: what the packet path, the loader and an administrator with bpftool agree on.
 *
 * This file defines everything that is visible from outside: names and layouts of the pinned maps, verdicts,
 * directions. Every change to it needs a new WGVIA_ABI. It contains no code, and no private constants of either side.
 *
 * Byte order: addresses are in network order, everything else is in host order.
 */
#ifndef WGVIA_ABI_H
#define WGVIA_ABI_H

#include <linux/types.h>

#ifdef __cplusplus
#define WGVIA_ASSERT static_assert
#else
#define WGVIA_ASSERT _Static_assert
#endif

#define WGVIA_ABI 10

/*
 * Why a packet goes where it goes, in the order in which the packet path decides. The verdict is the index into the
 * counters, and the verdict of a bypass entry. X(constant, word).
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

/* The program that decided. */
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
/* Two bits of the low half hold an enum wgvia_source. */
#define WGVIA_GATEWAY_SOURCE_SHIFT 8
#define WGVIA_GATEWAY_SOURCE (3u << WGVIA_GATEWAY_SOURCE_SHIFT)
/* Both bits: as WGVIA_SOURCE_NAMED, but only the prefix was named, and its gateway is that of the default route. */
#define WGVIA_GATEWAY_DEFAULT WGVIA_GATEWAY_SOURCE
/* The high half holds the number of the list in `failover` that the value was taken from; 0: no list. */
#define WGVIA_GATEWAY_LIST_SHIFT 16

/*
 * Value of prefixes4 and prefixes6: where packets from this prefix go. `family` and `addr` have the layout of the
 * kernel's struct bpf_redir_neigh, so that the packet path can pass them to bpf_redirect_neigh() in place.
 */
struct wgvia_gateway {
	__u32 ifindex; /* device by which the next hop is reached; 0 is unusable */
	__u32 family;  /* AF_INET (2, only for IPv4 packets) or AF_INET6 (10) */
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
	WGVIA_SOURCE_NAMED,	  /* an administrator named it */
	WGVIA_SOURCE_ADDRESSES,	  /* "from addresses": the tunnel has an address in it */
	WGVIA_SOURCE_ALLOWED_IPS, /* "from allowed-ips": a WireGuard peer may use it as source */
	WGVIA_SOURCE_COUNT,
};

/*
 * Key of sources (BPF_MAP_TYPE_HASH): prefixes that follow the host. The value is the struct wgvia_gateway that the
 * prefixes of this family get. In that value, `family` 0 stands for the next hop of the default route via device
 * `ifindex`, or via any device if that is 0. The packet path does not read this map.
 */
struct wgvia_source_key {
	__u32 source; /* enum wgvia_source, not WGVIA_SOURCE_NAMED */
	__u32 family; /* of the prefixes: AF_INET or AF_INET6 */
};
WGVIA_ASSERT(sizeof(struct wgvia_source_key) == 8, "wgvia_source_key");

#define WGVIA_FAILOVER_HOPS 8
#define WGVIA_FAILOVER_LISTS 65535
#define WGVIA_FAILOVER_ALSO 0 /* the key of "return ... also ADDRESS"; not a list */

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

/* Unused fields are 0. */
struct wgvia_watch {
	__u32 kind;   /* enum wgvia_watch_kind */
	__u32 family; /* of `addr`: AF_INET or AF_INET6 */
	__u8 addr[16];
	__u32 port;
};
WGVIA_ASSERT(sizeof(struct wgvia_watch) == 28, "wgvia_watch");

/*
 * Value of failover: gateways in order of preference ("via A or B"). BPF_MAP_TYPE_HASH; the key is the number of the
 * list, a __u32 from 1 to WGVIA_FAILOVER_LISTS. Only prefixes4 and prefixes6 decide where packets go; the packet path
 * looks into a list to find the MAC addresses of a prefix's gateways. Key WGVIA_FAILOVER_ALSO holds addresses whose MAC
 * addresses count as those of every gateway. A list of one gateway has a `watch` that is not all zeros.
 */
struct wgvia_failover {
	__u32 count; /* of hops, 1 to WGVIA_FAILOVER_HOPS; the rest is 0 */
	struct wgvia_hop hops[WGVIA_FAILOVER_HOPS];
	struct wgvia_watch watch; /* of all hops; all zeros under WGVIA_FAILOVER_ALSO */
};
WGVIA_ASSERT(sizeof(struct wgvia_failover) == 224, "wgvia_failover");

/* The state of a gateway, as the agent sees it. */
enum wgvia_health {
	WGVIA_HEALTH_UNKNOWN, /* not judged yet */
	WGVIA_HEALTH_DEAD,
	WGVIA_HEALTH_HELD, /* alive, but not yet for long enough to be preferred */
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
	/* the neighbour answers, but: */
	WGVIA_FAULT_FORWARD, /* the echo request did not come back */
	WGVIA_FAULT_RETURN,  /* it came back, but the reply did not */
	/* for the address in the list's `watch` */
	WGVIA_FAULT_PING,
	WGVIA_FAULT_TCP,
	WGVIA_FAULT_REFUSED,
	WGVIA_FAULT_COUNT,
};

/*
 * Value of gateways (BPF_MAP_TYPE_HASH), key struct wgvia_hop. Only the agent creates, writes and removes this map. It
 * is valid while an agent runs, that is, while a process holds flock() on NAME%agent and sets the time of modification
 * of the pin, in seconds of CLOCK_BOOTTIME, to a time that is at most 30 s ago. The packet path does not read it,
 * and an instance can do without it.
 */
struct wgvia_gateway_health {
	__u64 since; /* in ns of CLOCK_BOOTTIME: when the agent found it alive, or dead */
	__u32 state; /* enum wgvia_health */
	__u32 fault; /* enum wgvia_fault: the latest one */
	/* How often it went from alive to dead, and from dead to alive, since the agent began to watch it. */
	__u32 deaths;
	__u32 recoveries;
};
WGVIA_ASSERT(sizeof(struct wgvia_gateway_health) == 24, "wgvia_gateway_health");

/*
 * Key of senders (BPF_MAP_TYPE_HASH) and learnt (BPF_MAP_TYPE_LRU_HASH): a MAC address from which a gateway's frames
 * come, in addition to the one in the kernel's neighbour table.
 */
struct wgvia_sender {
	struct wgvia_hop gateway; /* all zeros in senders: any gateway */
	__u8 mac[6];
	__u8 reserved[2];
};
WGVIA_ASSERT(sizeof(struct wgvia_sender) == 32, "wgvia_sender");

/* The source of a sender entry. */
enum wgvia_sender_source {
	WGVIA_SENDER_NAMED,	/* senders: the administrator, "return ... also MAC" */
	WGVIA_SENDER_PROBED,	/* senders: an echo request came back from it (`up`, `run`, `check --probe`) */
	WGVIA_SENDER_RESOLVED,	/* learnt: this host's packets to the gateway went to this MAC address */
	WGVIA_SENDER_FORWARDED, /* learnt: a bounced frame came back from it */
};

/* Value of senders: enum wgvia_sender_source, a __u32. Value of learnt: this struct. */
struct wgvia_learnt {
	__u64 until; /* in ns of CLOCK_MONOTONIC */
	__u32 source;
	__u32 reserved;
};
WGVIA_ASSERT(sizeof(struct wgvia_learnt) == 16, "wgvia_learnt");

/*
 * Key of bounced (BPF_MAP_TYPE_LRU_HASH): a packet that was sent to the firewall because it did not come from there,
 * and its sender. `transport` holds what a router does not change: ports, sequence numbers, types. The last two words
 * are a hash of the bytes that follow.
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
	__u32 hop_limit;   /* as received */
	__u32 count;	   /* in that burst */
	__u32 ifindex;	   /* device on which it was received */
	__u32 reserved;
};
WGVIA_ASSERT(sizeof(struct wgvia_bounced) == 32, "wgvia_bounced");

/* wgvia_bypass.flags */
#define WGVIA_BYPASS_ADMIN (1u << 0) /* (also) on the administrator's list, even if the entry has another verdict */
/* Not the administrator's, but exempt at the egress of a LAN device as well: it is inside an administrator's entry. */
#define WGVIA_BYPASS_EGRESS (1u << 1)
/* A broadcast address of this host: at the egress it is exempt for packets that this host itself sends. */
#define WGVIA_BYPASS_BROADCAST (1u << 2)

/*
 * Value of bypass4 and bypass6: exempt destinations, and why they are exempt. At the egress of a LAN device,
 * WGVIA_LOCAL and WGVIA_TUNNEL exempt nothing unless a flag is set: packets that leave there go neither to this host
 * nor into the tunnel.
 */
struct wgvia_bypass {
	/*
	 * WGVIA_LOCAL, WGVIA_SCOPE, WGVIA_TUNNEL or WGVIA_BYPASS; WGVIA_REDIRECTED: not exempt, although a shorter
	 * entry exempts it.
	 */
	__u32 verdict;
	__u32 flags; /* WGVIA_BYPASS_* */
};
WGVIA_ASSERT(sizeof(struct wgvia_bypass) == 8, "wgvia_bypass");

/*
 * Key and value of accepted: a finding of `wgvia check` that the administrator accepted, and the reason. Texts end with
 * a 0 byte; the rest of the key is 0. The packet path does not read this map.
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
	__u64 packets; /* as on the wire: a GSO packet counts once per segment */
	__u64 bytes;   /* of IP packets, without link headers */
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
 * is the kernel's drop reason (enum skb_drop_reason), whose numbers differ between kernels. 0: the kernel reports no
 * reason (before Linux 5.17). WGVIA_LOST_OTHER: the number does not fit. WGVIA_LOST_NEIGHBOUR: the reason is "not
 * specified", and the packet had no link header yet. The agent creates this map, and an instance can do without it.
 */
#define WGVIA_LOST_REASONS 256
#define WGVIA_LOST_NEIGHBOUR (WGVIA_LOST_REASONS - 2)
#define WGVIA_LOST_OTHER (WGVIA_LOST_REASONS - 1)

/*
 * trace: BPF_MAP_TYPE_ARRAY of one entry, to be mapped into memory. A reader of decisions writes the filter, then the
 * deadline, and extends the deadline for as long as it reads `events`. The packet path reports the decisions that it
 * counts. A packet that finds the deadline expired, or later than a reader may set it, writes 0: so a killed reader
 * leaves nothing enabled.
 */
#define WGVIA_TRACE_MAX 10000000000ull /* ns */
struct wgvia_trace {
	__u64 until;	/* in ns of CLOCK_MONOTONIC; 0: nobody reads */
	__u64 skipped;	/* events for which there was no room; never reset */
	__u32 family;	/* AF_INET or AF_INET6; 0: both, and packets that are not IP; the masks are then 0 */
	__u32 verdicts; /* 1 << WGVIA_* for each verdict that is wanted */
	__u32 from[4], from_mask[4];
	__u32 to[4], to_mask[4]; /* an address matches if (address & mask) == value; network order */
};
WGVIA_ASSERT(sizeof(struct wgvia_trace) == 88, "wgvia_trace");

/* events: BPF_MAP_TYPE_RINGBUF of these. */
struct wgvia_event {
	__u64 time; /* in ns of CLOCK_MONOTONIC */
	__u32 direction;
	__u32 verdict;
	__u32 ifindex; /* of the device to which the program is attached */
	__u32 len;     /* of the IP packet, in bytes; of a GSO packet as a whole */
	__u32 packets; /* number of packets on the wire */
	__u32 gateway_ifindex;
	__u8 family;	     /* AF_INET or AF_INET6; 0: not IP, and no addresses */
	__u8 protocol;	     /* or next header */
	__u8 hop_limit;	     /* as received */
	__u8 gateway_family; /* 0: this decision needs no gateway */
	__u8 has_ports;	     /* ports[] holds those of TCP or UDP, or type and code of ICMP in ports[0] */
	__u8 reserved[3];
	__u16 ports[2]; /* source, destination; network order */
	__u32 source[4], destination[4], gateway[4];
	__u32 reserved2;
};
WGVIA_ASSERT(sizeof(struct wgvia_event) == 96, "wgvia_event");

enum wgvia_mode { WGVIA_FAST, WGVIA_STACK };
enum wgvia_on_fail { WGVIA_DROP, WGVIA_PASS };
/* What to do with a frame to a prefix that does not come from one of the prefix's gateways. */
enum wgvia_return { WGVIA_RETURN_VIA, WGVIA_RETURN_ANY, WGVIA_RETURN_DROP };
/* What to do with a packet from the tunnel that would leave this host and whose source is outside every prefix. */
enum wgvia_outside { WGVIA_OUTSIDE_PASS, WGVIA_OUTSIDE_DROP };
/* What is counted besides verdicts. */
enum wgvia_counting { WGVIA_COUNT_VERDICTS, WGVIA_COUNT_PREFIXES };
/*
 * The maximum for the MSS option of a TCP SYN: WGVIA_MSS_OFF, WGVIA_MSS_AUTO, or a number of bytes. Every IPv4 host
 * accepts WGVIA_MSS_MIN (RFC 9293, 3.7.1); no IPv4 packet has room for more than WGVIA_MSS_MAX.
 */
#define WGVIA_MSS_OFF 0
#define WGVIA_MSS_AUTO 1
#define WGVIA_MSS_MIN 536
#define WGVIA_MSS_MAX 65495

/*
 * meta: BPF_MAP_TYPE_ARRAY of one entry. The packet path reads on_fail, ret, outside and mss; commands read the rest.
 */
struct wgvia_meta {
	__u32 abi;     /* WGVIA_ABI */
	__u32 on_fail; /* enum wgvia_on_fail: what happens to a packet whose gateway is unusable */
	__u32 mode;    /* enum wgvia_mode */
	__u32 tunnel_ifindex;
	__u64 netns;	 /* inode number of the network namespace that the ifindexes belong to */
	__u64 build;	 /* hash of the running programs and their constants */
	char tunnel[16]; /* interface name */
	__u32 ret;	 /* enum wgvia_return */
	__u32 cookie;	 /* low half of that namespace's cookie (SO_NETNS_COOKIE, Linux 5.14); 0: unknown */
	__u32 outside;	 /* enum wgvia_outside */
	__u32 mss;	 /* WGVIA_MSS_OFF, WGVIA_MSS_AUTO, or WGVIA_MSS_MIN to WGVIA_MSS_MAX */
	__u32 counting;	 /* enum wgvia_counting */
	__u32 reserved;
};
WGVIA_ASSERT(sizeof(struct wgvia_meta) == 72, "wgvia_meta");

#endif
