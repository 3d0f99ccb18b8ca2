// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decision table as a table: a row is a packet and its expected result. Each row runs through the real programs in
 * every form in which its packet can be shown to them (see run_row()). It must give the right action, count under
 * exactly one verdict or none, name the right next hop, and change exactly the expected bytes.
 *
 * What a test run cannot show (that a redirected packet arrives, segments of real GSO packets) is proven on wires.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "packets.h"
#include "programs.h"

#define UNCOUNTED SET(WGVIA_VERDICT_COUNT)
#define V(verdict) SET(WGVIA_##verdict)
#define AF_INET 2
#define AF_INET6 10

/*
 * The egress program's mark (bpf/mark.h): magic and kind in cb[0], the MAC that it saw in cb[1] and the low half of
 * cb[2], the CPU in the high half, in cb[3] the number of the pass on that CPU with the latest redirect, in cb[4] the
 * packet's length.
 */
#define TC_INDEX 0x7776
#define TC_INDEX_BACK 0x7762
#define MARK(kind) (0x77677600 | (kind))
enum { DONE = 1, RETARGET = 2, LAST_TRY = RETARGET + 5 };

enum maps { MAPS_USUAL, MAPS_WIDE, MAPS_EMPTY, MAPS_COUNT };

enum gateway {
	GW_NONE,
	GW_LAN4,
	GW_LAN6,
	GW_LAN_LINK_LOCAL,
	GW_JUMBO4,
	GW_JUMBO6,
	GW_NARROW4,
	GW_NARROW6,
	GW_DEVICE_0,
	GW_DEVICE_FOREIGN,
	GW_DEVICE_TUNNEL,
	GW_DEVICE_GONE,
	GW_DEVICE_GONE6,
	GW_FAMILY_0,
	GW_FAMILY_GARBAGE,
	GW_DOWN,
	GW_DOWN6,
	GW_FLAG_UNKNOWN,
	GW_FLAG_HIGHEST,
	GW_LISTED,
	GW_LISTED6,
	GW_LISTED_DOWN,
	GW_V4_ZERO,
	GW_V4_LOOPBACK,
	GW_V4_MULTICAST,
	GW_V4_BROADCAST,
	GW_V4_LAST_UNICAST,
	GW_V6_ZERO,
	GW_V6_LOOPBACK,
	GW_V6_MULTICAST,
	GW_NARROW_DOWN,
	GW_COUNT,
};

static const struct {
	enum device device;
	uint32_t family;
	const char *next_hop;
	uint32_t flags;
} gateways[GW_COUNT] = {
	[GW_LAN4] = {DEVICE_LAN, AF_INET, "192.0.2.1"},
	[GW_LAN6] = {DEVICE_LAN, AF_INET6, "2001:db8:2::1"},
	[GW_LAN_LINK_LOCAL] = {DEVICE_LAN, AF_INET6, "fe80::1"},
	[GW_JUMBO4] = {DEVICE_JUMBO, AF_INET, "192.0.2.65"},
	[GW_JUMBO6] = {DEVICE_JUMBO, AF_INET6, "2001:db8:3::1"},
	[GW_NARROW4] = {DEVICE_NARROW, AF_INET, "192.0.2.129"},
	[GW_NARROW6] = {DEVICE_NARROW, AF_INET6, "2001:db8:4::1"},
	[GW_DEVICE_0] = {DEVICE_NONE, AF_INET6, "2001:db8:2::1"},
	[GW_DEVICE_FOREIGN] = {DEVICE_FOREIGN, AF_INET6, "2001:db8:2::1"},
	[GW_DEVICE_TUNNEL] = {DEVICE_TUNNEL, AF_INET6, "2001:db8:2::1"},
	[GW_DEVICE_GONE] = {DEVICE_GONE, AF_INET, "192.0.2.1"},
	[GW_DEVICE_GONE6] = {DEVICE_GONE, AF_INET6, "2001:db8:2::1"},
	[GW_FAMILY_0] = {DEVICE_LAN, 0, "192.0.2.1"},
	[GW_FAMILY_GARBAGE] = {DEVICE_LAN, AF_INET | 0x100, "192.0.2.1"},
	[GW_DOWN] = {DEVICE_LAN, AF_INET, "192.0.2.1", WGVIA_GATEWAY_DOWN},
	[GW_DOWN6] = {DEVICE_LAN, AF_INET6, "2001:db8:2::1", WGVIA_GATEWAY_DOWN},
	[GW_FLAG_UNKNOWN] = {DEVICE_LAN, AF_INET6, "2001:db8:2::1", 2},
	[GW_FLAG_HIGHEST] = {DEVICE_LAN, AF_INET6, "2001:db8:2::1", 1u << 15},
	[GW_LISTED] = {DEVICE_LAN, AF_INET, "192.0.2.1", 0xffffu << WGVIA_GATEWAY_LIST_SHIFT},
	[GW_LISTED6] = {DEVICE_LAN, AF_INET6, "2001:db8:2::1", 1u << WGVIA_GATEWAY_LIST_SHIFT},
	[GW_LISTED_DOWN] = {DEVICE_LAN, AF_INET6, "2001:db8:2::1", 1u << WGVIA_GATEWAY_LIST_SHIFT | WGVIA_GATEWAY_DOWN},
	[GW_V4_ZERO] = {DEVICE_LAN, AF_INET, "0.0.0.0"},
	[GW_V4_LOOPBACK] = {DEVICE_LAN, AF_INET, "127.0.0.1"},
	[GW_V4_MULTICAST] = {DEVICE_LAN, AF_INET, "224.0.0.1"},
	[GW_V4_BROADCAST] = {DEVICE_LAN, AF_INET, "255.255.255.255"},
	[GW_V4_LAST_UNICAST] = {DEVICE_LAN, AF_INET, "223.255.255.254"},
	[GW_V6_ZERO] = {DEVICE_LAN, AF_INET6, "::"},
	[GW_V6_LOOPBACK] = {DEVICE_LAN, AF_INET6, "::1"},
	[GW_V6_MULTICAST] = {DEVICE_LAN, AF_INET6, "ff02::1"},
	[GW_NARROW_DOWN] = {DEVICE_NARROW, AF_INET6, "2001:db8:4::1", WGVIA_GATEWAY_DOWN},
};

/*
 * Sources are chosen so that a packet without link header can be shown to a program: a test run reads bytes 12 and 13
 * as the Ethernet type. There an IPv4 source of 8.0.x.y reads "IPv4", an IPv6 source of xxxx:xxxx:86dd:: "IPv6".
 */
static const struct {
	enum maps maps;
	const char *prefix;
	enum gateway gateway;
} prefixes[] = {
	{MAPS_USUAL, "8.0.16.0/20", GW_LAN4},
	{MAPS_USUAL, "8.0.20.0/24", GW_JUMBO4},
	{MAPS_USUAL, "8.0.20.128/25", GW_NARROW4},
	{MAPS_USUAL, "8.0.20.200/32", GW_LAN_LINK_LOCAL},
	{MAPS_USUAL, "8.0.48.1/32", GW_LAN4},
	{MAPS_USUAL, "8.0.49.0/31", GW_LAN4},
	{MAPS_USUAL, "8.0.64.0/32", GW_DEVICE_0},
	{MAPS_USUAL, "8.0.64.1/32", GW_DEVICE_FOREIGN},
	{MAPS_USUAL, "8.0.64.2/32", GW_DEVICE_TUNNEL},
	{MAPS_USUAL, "8.0.64.3/32", GW_FAMILY_0},
	{MAPS_USUAL, "8.0.64.4/32", GW_FAMILY_GARBAGE},
	{MAPS_USUAL, "8.0.64.5/32", GW_DOWN},
	{MAPS_USUAL, "8.0.64.6/32", GW_FLAG_UNKNOWN},
	{MAPS_USUAL, "8.0.64.7/32", GW_FLAG_HIGHEST},
	{MAPS_USUAL, "8.0.64.8/32", GW_V4_ZERO},
	{MAPS_USUAL, "8.0.64.9/32", GW_V4_LOOPBACK},
	{MAPS_USUAL, "8.0.64.10/32", GW_V4_MULTICAST},
	{MAPS_USUAL, "8.0.64.11/32", GW_V4_BROADCAST},
	{MAPS_USUAL, "8.0.64.12/32", GW_V4_LAST_UNICAST},
	{MAPS_USUAL, "8.0.64.13/32", GW_V6_ZERO},
	{MAPS_USUAL, "8.0.64.14/32", GW_V6_LOOPBACK},
	{MAPS_USUAL, "8.0.64.15/32", GW_V6_MULTICAST},
	{MAPS_USUAL, "8.0.64.16/32", GW_LAN6},
	{MAPS_USUAL, "8.0.64.17/32", GW_DEVICE_GONE},
	{MAPS_USUAL, "8.0.64.18/32", GW_NARROW_DOWN},
	{MAPS_USUAL, "8.0.64.19/32", GW_LISTED},
	{MAPS_USUAL, "8.0.64.20/32", GW_LISTED_DOWN},
	{MAPS_USUAL, "2001:db8:86dd:4000::/50", GW_LAN6},
	{MAPS_USUAL, "2001:db8:86dd:5000::/52", GW_JUMBO6},
	{MAPS_USUAL, "2001:db8:86dd:5000:8000::/65", GW_NARROW6},
	{MAPS_USUAL, "2001:db8:86dd:5000:8000::7/128", GW_LAN_LINK_LOCAL},
	{MAPS_USUAL, "2001:db8:86dd:9000::1/128", GW_LAN6},
	{MAPS_USUAL, "2001:db8:86dd:9001::/127", GW_LAN6},
	{MAPS_USUAL, "2001:db8:86dd:a000::/128", GW_DEVICE_0},
	{MAPS_USUAL, "2001:db8:86dd:a000::1/128", GW_DEVICE_FOREIGN},
	{MAPS_USUAL, "2001:db8:86dd:a000::2/128", GW_DEVICE_TUNNEL},
	{MAPS_USUAL, "2001:db8:86dd:a000::3/128", GW_FAMILY_0},
	{MAPS_USUAL, "2001:db8:86dd:a000::4/128", GW_FAMILY_GARBAGE},
	{MAPS_USUAL, "2001:db8:86dd:a000::5/128", GW_DOWN6},
	{MAPS_USUAL, "2001:db8:86dd:a000::6/128", GW_FLAG_UNKNOWN},
	{MAPS_USUAL, "2001:db8:86dd:a000::7/128", GW_FLAG_HIGHEST},
	{MAPS_USUAL, "2001:db8:86dd:a000::8/128", GW_LAN4},
	{MAPS_USUAL, "2001:db8:86dd:a000::13/128", GW_V6_ZERO},
	{MAPS_USUAL, "2001:db8:86dd:a000::14/128", GW_V6_LOOPBACK},
	{MAPS_USUAL, "2001:db8:86dd:a000::15/128", GW_V6_MULTICAST},
	{MAPS_USUAL, "2001:db8:86dd:a000::17/128", GW_DEVICE_GONE6},
	{MAPS_USUAL, "2001:db8:86dd:a000::18/128", GW_NARROW_DOWN},
	{MAPS_USUAL, "2001:db8:86dd:a000::19/128", GW_LISTED6},
	{MAPS_USUAL, "2001:db8:86dd:a000::20/128", GW_LISTED_DOWN},
	{MAPS_WIDE, "0.0.0.0/0", GW_LAN4},
	{MAPS_WIDE, "128.0.0.0/1", GW_JUMBO4},
	{MAPS_WIDE, "::/0", GW_LAN6},
	{MAPS_WIDE, "8000::/1", GW_JUMBO6},
};

static const struct {
	enum maps maps;
	const char *prefix;
	uint32_t verdict, flags;
} bypasses[] = {
	{MAPS_USUAL, "192.0.2.2/32", WGVIA_LOCAL, 0},
	{MAPS_USUAL, "192.0.2.255/32", WGVIA_LOCAL, WGVIA_BYPASS_BROADCAST},
	{MAPS_USUAL, "0.0.0.0/32", WGVIA_SCOPE, 0},
	{MAPS_USUAL, "127.0.0.0/8", WGVIA_SCOPE, 0},
	{MAPS_USUAL, "224.0.0.0/4", WGVIA_SCOPE, 0},
	{MAPS_USUAL, "239.7.0.0/16", WGVIA_SCOPE, WGVIA_BYPASS_ADMIN},
	{MAPS_USUAL, "239.8.0.0/16", WGVIA_SCOPE, WGVIA_BYPASS_EGRESS},
	{MAPS_USUAL, "255.255.255.255/32", WGVIA_LOCAL, WGVIA_BYPASS_BROADCAST},
	{MAPS_USUAL, "8.0.14.0/24", WGVIA_TUNNEL, 0}, /* and in no prefix */
	{MAPS_USUAL, "2001:db8:86dd:3001::/64", WGVIA_TUNNEL, 0},
	{MAPS_USUAL, "8.0.16.0/20", WGVIA_TUNNEL, 0},
	{MAPS_USUAL, "8.0.16.1/32", WGVIA_LOCAL, 0},
	{MAPS_USUAL, "8.0.24.0/24", WGVIA_BYPASS, 0},
	{MAPS_USUAL, "8.0.24.128/25", WGVIA_TUNNEL, WGVIA_BYPASS_EGRESS},
	{MAPS_USUAL, "8.0.26.0/24", WGVIA_REDIRECTED, 0},
	{MAPS_USUAL, "8.0.26.128/25", WGVIA_TUNNEL, 0},
	{MAPS_USUAL, "8.0.27.0/24", WGVIA_BYPASS, WGVIA_BYPASS_EGRESS},
	{MAPS_USUAL, "8.0.28.0/24", WGVIA_TUNNEL, WGVIA_BYPASS_ADMIN},
	{MAPS_USUAL, "8.0.29.0/24", WGVIA_REDIRECTED, 7},
	{MAPS_USUAL, "198.51.100.0/24", WGVIA_BYPASS, 0},
	{MAPS_USUAL, "198.51.100.64/26", WGVIA_LOCAL, 0},
	{MAPS_USUAL, "198.51.101.0/32", WGVIA_NOT_IP, 0},
	{MAPS_USUAL, "198.51.101.1/32", WGVIA_REDIRECTED, 0},
	{MAPS_USUAL, "198.51.101.2/32", WGVIA_RETARGETED, 0},
	{MAPS_USUAL, "198.51.101.3/32", WGVIA_VERDICT_COUNT, 0},
	{MAPS_USUAL, "198.51.101.4/32", 0xffffffff, 0},
	{MAPS_USUAL, "2001:db8:2::2/128", WGVIA_LOCAL, 0},
	{MAPS_USUAL, "2001:db8:2::/128", WGVIA_LOCAL, 0},
	{MAPS_USUAL, "::/128", WGVIA_LOCAL, 0},
	{MAPS_USUAL, "::1/128", WGVIA_SCOPE, 0},
	{MAPS_USUAL, "fe80::/10", WGVIA_SCOPE, 0},
	{MAPS_USUAL, "ff00::/8", WGVIA_SCOPE, 0},
	{MAPS_USUAL, "ff18::/16", WGVIA_BYPASS, WGVIA_BYPASS_ADMIN},
	{MAPS_USUAL, "2001:db8:86dd:4000::/50", WGVIA_TUNNEL, 0},
	{MAPS_USUAL, "2001:db8:86dd:4000::1/128", WGVIA_LOCAL, 0},
	{MAPS_USUAL, "2001:db8:86dd:6000::/52", WGVIA_BYPASS, 0},
	{MAPS_USUAL, "2001:db8:86dd:6000:8000::/65", WGVIA_TUNNEL, WGVIA_BYPASS_EGRESS},
	{MAPS_USUAL, "2001:db8:86dd:7000::/64", WGVIA_REDIRECTED, 0},
	{MAPS_USUAL, "2001:db8:86dd:7000:8000::/65", WGVIA_TUNNEL, 0},
	{MAPS_USUAL, "2001:db8:86dd:7001::/64", WGVIA_BYPASS, WGVIA_BYPASS_EGRESS},
	{MAPS_USUAL, "2001:db8:86dd:7002::/64", WGVIA_TUNNEL, WGVIA_BYPASS_ADMIN},
	{MAPS_USUAL, "2001:db8:86dd:7003::/64", WGVIA_REDIRECTED, 7},
	{MAPS_USUAL, "2001:db8:5::/48", WGVIA_BYPASS, 0},
	{MAPS_USUAL, "2001:db8:5:4::/64", WGVIA_LOCAL, 0},
	{MAPS_USUAL, "2001:db8:6::/128", WGVIA_NOT_IP, 0},
	{MAPS_USUAL, "2001:db8:6::1/128", WGVIA_REDIRECTED, 0},
	{MAPS_USUAL, "2001:db8:6::2/128", WGVIA_RETARGETED, 0},
	{MAPS_USUAL, "2001:db8:6::3/128", WGVIA_VERDICT_COUNT, 0},
	{MAPS_USUAL, "2001:db8:6::4/128", 0xffffffff, 0},
	{MAPS_WIDE, "8.0.16.0/20", WGVIA_TUNNEL, 0},
	{MAPS_WIDE, "2001:db8:86dd:4000::/50", WGVIA_TUNNEL, 0},
};

/* A row may run once for each value of one field. */
enum vary { VARY_NOTHING, VARY_CUT, VARY_IHL, VARY_VERSION, VARY_HOP_LIMIT, VARY_TOTAL_LENGTH, VARY_PADDING };

/* What happened since a marked packet's latest redirect. */
enum since {
	A_NEIGHBOUR_REQUEST,
	NOTHING,
	NOTHING_WRAPPED,
	ANOTHER_CPU,
	ANOTHER_INSTANCE, /* which has redirected the packet, and has the same number of passes */
};

struct row {
	const char *name;
	struct packet_spec packet;
	enum maps maps;
	uint32_t on_fail;
	bool tunnel_gone;
	enum vary vary;
	int from, to;
	enum device device;  /* where the packet is; the tunnel for out, else the LAN device */
	enum device ingress; /* where it came in */
	bool no_check_mtu;   /* with programs for a kernel without the helper */
	bool ether;	     /* wgvia_out: only as on an Ethernet device */
	bool l3;	     /* only without link header */
	bool l2;	     /* only with link header */
	uint32_t gso_size;
	uint16_t vlan, tc_index;
	uint32_t cb0; /* and cb[1..2] with the packet's own MAC if */
	bool same_mac;
	int noted_longer; /* with cb0: by how much the packet was longer at first */
	bool bare;	  /* without link header, at a device that has one */
	enum since since; /* with cb0: what happened since the latest redirect */
	enum wgvia_return ret;
	uint32_t outside; /* enum wgvia_outside */
	uint32_t mss;	  /* as in struct wgvia_meta */
	bool stack;	  /* only mode stack; otherwise every other form */
	/* the expected result */
	int verdict;	  /* V() or UNCOUNTED */
	enum gateway via; /* if redirected */
	uint16_t lowered; /* the MSS option; 0: the packet's own */
	int lowered_at;	  /* where among the options its value is, else 2 */
	int packets;	  /* 0 for 1 */
	int bytes;	  /* 0: the IP packet */
	bool frame_bytes; /* everything that arrived, including padding */
	bool again;	  /* redirected without being counted */
	bool by_mtu;	  /* refused because of a device's MTU */
};

#define OUTSIDE4 "8.0.15.255"
#define INSIDE4 "8.0.16.10"
#define INTERNET4 "203.0.113.9"
#define INSIDE6 "2001:db8:86dd:4000::10"
#define INTERNET6 "2001:db8:ffff::9"

/* Omitted addresses are inside and on the Internet, see run_row(). */
#define IPV4(...) {.family = 4, __VA_ARGS__}
#define IPV6(...) {.family = 6, __VA_ARGS__}
#define FROM(a) .source = (a)
#define TO(a) .destination = (a)

/* Two rows, identical for both families except for the addresses. */
#define FROM_BOTH(title, source4, source6, ...)                                                                        \
	{"IPv4: " title, IPV4(FROM(source4)), __VA_ARGS__},                                                            \
	{                                                                                                              \
		"IPv6: " title, IPV6(FROM(source6)), __VA_ARGS__                                                       \
	}
#define TO_BOTH(title, destination4, destination6, ...)                                                                \
	{"IPv4: " title, IPV4(TO(destination4)), __VA_ARGS__},                                                         \
	{                                                                                                              \
		"IPv6: " title, IPV6(TO(destination6)), __VA_ARGS__                                                    \
	}

#define GOES .verdict = V(REDIRECTED)
#define VIA_LAN4 .via = GW_LAN4
#define VIA_LAN6 .via = GW_LAN6

static const struct row out_rows[] = {
	/* which prefix */
	{"IPv4: first address of a prefix", IPV4(FROM("8.0.16.0")), GOES, VIA_LAN4},
	{"IPv4: last address of a prefix", IPV4(FROM("8.0.31.255")), GOES, VIA_LAN4},
	{"IPv6: first address of a prefix", IPV6(FROM("2001:db8:86dd:4000::")), GOES, VIA_LAN6},
	{"IPv6: last address of a prefix", IPV6(FROM("2001:db8:86dd:7fff:ffff:ffff:ffff:ffff")), GOES, VIA_LAN6},
	FROM_BOTH("one before a prefix", OUTSIDE4, "2001:db8:86dd:3fff:ffff:ffff:ffff:ffff", .verdict = V(OUTSIDE)),
	FROM_BOTH("one past a prefix", "8.0.32.0", "2001:db8:86dd:8000::", .verdict = V(OUTSIDE)),
	{"IPv4: longer prefix, first", IPV4(FROM("8.0.20.0")), GOES, .via = GW_JUMBO4},
	{"IPv4: one before the longer prefix", IPV4(FROM("8.0.19.255")), GOES, VIA_LAN4},
	{"IPv4: longer prefix, last before the longest", IPV4(FROM("8.0.20.127")), GOES, .via = GW_JUMBO4},
	{"IPv4: longest but one, first", IPV4(FROM("8.0.20.128")), GOES, .via = GW_NARROW4},
	{"IPv4: longest but one, last", IPV4(FROM("8.0.20.255")), GOES, .via = GW_NARROW4},
	{"IPv4: one past the longer prefix", IPV4(FROM("8.0.21.0")), GOES, VIA_LAN4},
	{"IPv4: /32 in three others, next hop IPv6", IPV4(FROM("8.0.20.200")), GOES, .via = GW_LAN_LINK_LOCAL},
	{"IPv4: one before that /32", IPV4(FROM("8.0.20.199")), GOES, .via = GW_NARROW4},
	{"IPv4: one past that /32", IPV4(FROM("8.0.20.201")), GOES, .via = GW_NARROW4},
	{"IPv4: /32 alone", IPV4(FROM("8.0.48.1")), GOES, VIA_LAN4},
	{"IPv4: /31, last", IPV4(FROM("8.0.49.1")), GOES, VIA_LAN4},
	{"IPv6: longer prefix, first", IPV6(FROM("2001:db8:86dd:5000::")), GOES, .via = GW_JUMBO6},
	{"IPv6: one before the longer prefix", IPV6(FROM("2001:db8:86dd:4fff:ffff:ffff:ffff:ffff")), GOES, VIA_LAN6},
	{"IPv6: longer prefix, last", IPV6(FROM("2001:db8:86dd:5fff:ffff:ffff:ffff:ffff")), GOES, .via = GW_JUMBO6},
	{"IPv6: one past the longer prefix", IPV6(FROM("2001:db8:86dd:6000::")), GOES, VIA_LAN6},
	{"IPv6: /65, first", IPV6(FROM("2001:db8:86dd:5000:8000::")), GOES, .via = GW_NARROW6},
	{"IPv6: one before the /65", IPV6(FROM("2001:db8:86dd:5000:7fff:ffff:ffff:ffff")), GOES, .via = GW_JUMBO6},
	{"IPv6: /65, last", IPV6(FROM("2001:db8:86dd:5000:ffff:ffff:ffff:ffff")), GOES, .via = GW_NARROW6},
	{"IPv6: /128 in three others", IPV6(FROM("2001:db8:86dd:5000:8000::7")), GOES, .via = GW_LAN_LINK_LOCAL},
	{"IPv6: one before that /128", IPV6(FROM("2001:db8:86dd:5000:8000::6")), GOES, .via = GW_NARROW6},
	{"IPv6: one past that /128", IPV6(FROM("2001:db8:86dd:5000:8000::8")), GOES, .via = GW_NARROW6},
	{"IPv6: /128 alone", IPV6(FROM("2001:db8:86dd:9000::1")), GOES, VIA_LAN6},
	{"IPv6: /127, last", IPV6(FROM("2001:db8:86dd:9001::1")), GOES, VIA_LAN6},
	FROM_BOTH("one before a /32 or /128", "8.0.48.0", "2001:db8:86dd:9000::", .verdict = V(OUTSIDE)),
	FROM_BOTH("one past a /32 or /128", "8.0.48.2", "2001:db8:86dd:9000::2", .verdict = V(OUTSIDE)),
	FROM_BOTH("one past a /31 or /127", "8.0.49.2", "2001:db8:86dd:9001::2", .verdict = V(OUTSIDE)),
	{"IPv4: /0, its first address", IPV4(FROM("0.0.0.0")), MAPS_WIDE, GOES, VIA_LAN4},
	{"IPv4: /0", IPV4(), MAPS_WIDE, GOES, VIA_LAN4},
	{"IPv4: /0, last before a /1", IPV4(FROM("127.255.255.255")), MAPS_WIDE, GOES, VIA_LAN4},
	{"IPv4: /1 in a /0, first", IPV4(FROM("128.0.0.0")), MAPS_WIDE, GOES, .via = GW_JUMBO4},
	{"IPv4: /1 in a /0, last", IPV4(FROM("255.255.255.255")), MAPS_WIDE, GOES, .via = GW_JUMBO4},
	{"IPv6: /0, its first address", IPV6(FROM("::")), MAPS_WIDE, GOES, VIA_LAN6},
	{"IPv6: /0", IPV6(), MAPS_WIDE, GOES, VIA_LAN6},
	{"IPv6: /0, last before a /1", IPV6(FROM("7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), MAPS_WIDE, GOES,
	 VIA_LAN6},
	{"IPv6: /1 in a /0, first", IPV6(FROM("8000::")), MAPS_WIDE, GOES, .via = GW_JUMBO6},
	{"IPv6: /1 in a /0, last", IPV6(FROM("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), MAPS_WIDE, GOES,
	 .via = GW_JUMBO6},
	TO_BOTH("/0: peer to peer all the same", "8.0.31.255", "2001:db8:86dd:4000::", MAPS_WIDE, .verdict = V(TUNNEL)),
	TO_BOTH("empty maps", INTERNET4, INTERNET6, MAPS_EMPTY, .verdict = V(OUTSIDE)),

	/* destinations */
	TO_BOTH("this host", "192.0.2.2", "2001:db8:2::2", .verdict = V(LOCAL)),
	TO_BOTH("broadcast, anycast", "192.0.2.255", "2001:db8:2::", .verdict = V(LOCAL)),
	{"IPv4: one past this host", IPV4(TO("192.0.2.3")), GOES, VIA_LAN4},
	{"IPv4: one before this host", IPV4(TO("192.0.2.1")), GOES, VIA_LAN4},
	{"IPv6: one past this host", IPV6(TO("2001:db8:2::3")), GOES, VIA_LAN6},
	{"IPv6: one before this host", IPV6(TO("2001:db8:2::1")), GOES, VIA_LAN6},
	TO_BOTH("multicast, first", "224.0.0.0", "ff00::", .verdict = V(SCOPE)),
	TO_BOTH("multicast, last", "239.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", .verdict = V(SCOPE)),
	{"IPv4: one before multicast", IPV4(TO("223.255.255.255")), GOES, VIA_LAN4},
	{"IPv4: one past multicast", IPV4(TO("240.0.0.0")), GOES, VIA_LAN4},
	{"IPv6: one before multicast", IPV6(TO("feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), GOES, VIA_LAN6},
	{"IPv6: link-local, first", IPV6(TO("fe80::")), .verdict = V(SCOPE)},
	{"IPv6: link-local, last", IPV6(TO("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), .verdict = V(SCOPE)},
	{"IPv4: link-local, which the kernel forwards", IPV4(TO("169.254.169.254")), GOES, VIA_LAN4},
	{"IPv4: one past unspecified, which the kernel forwards", IPV4(TO("0.0.0.1")), GOES, VIA_LAN4},
	{"IPv6: one before link-local", IPV6(TO("fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), GOES, VIA_LAN6},
	{"IPv6: one past link-local", IPV6(TO("fec0::")), GOES, VIA_LAN6},
	TO_BOTH("loopback", "127.0.0.1", "::1", .verdict = V(SCOPE)),
	{"IPv4: unspecified", IPV4(TO("0.0.0.0")), .verdict = V(SCOPE)},
	{"IPv6: unspecified", IPV6(TO("::")), .verdict = V(LOCAL)},
	{"IPv4: limited broadcast", IPV4(TO("255.255.255.255")), .verdict = V(LOCAL)},
	{"IPv4: one before the limited broadcast", IPV4(TO("255.255.255.254")), GOES, VIA_LAN4},
	{"IPv6: one past loopback", IPV6(TO("::2")), GOES, VIA_LAN6},
	TO_BOTH("peer to peer, first", "8.0.16.0", "2001:db8:86dd:4000::", .verdict = V(TUNNEL)),
	TO_BOTH("peer to peer, last", "8.0.31.255", "2001:db8:86dd:7fff:ffff:ffff:ffff:ffff", .verdict = V(TUNNEL)),
	{"IPv4: one before the peers", IPV4(TO("8.0.15.255")), GOES, VIA_LAN4},
	{"IPv4: one past the peers", IPV4(TO("8.0.32.0")), GOES, VIA_LAN4},
	{"IPv6: one before the peers", IPV6(TO("2001:db8:86dd:3fff:ffff:ffff:ffff:ffff")), GOES, VIA_LAN6},
	{"IPv6: one past the peers", IPV6(TO("2001:db8:86dd:8000::")), GOES, VIA_LAN6},
	TO_BOTH("local within tunnel", "8.0.16.1", "2001:db8:86dd:4000::1", .verdict = V(LOCAL)),
	TO_BOTH("one past local within tunnel", "8.0.16.2", "2001:db8:86dd:4000::2", .verdict = V(TUNNEL)),
	TO_BOTH("bypass, first", "198.51.100.0", "2001:db8:5::", .verdict = V(BYPASS)),
	TO_BOTH("bypass, last", "198.51.100.255", "2001:db8:5:ffff:ffff:ffff:ffff:ffff", .verdict = V(BYPASS)),
	{"IPv4: one before the bypass", IPV4(TO("198.51.99.255")), GOES, VIA_LAN4},
	{"IPv4: one past the bypass's neighbours", IPV4(TO("198.51.102.0")), GOES, VIA_LAN4},
	{"IPv6: one before the bypass", IPV6(TO("2001:db8:4:ffff:ffff:ffff:ffff:ffff")), GOES, VIA_LAN6},
	TO_BOTH("local within bypass, first", "198.51.100.64", "2001:db8:5:4::", .verdict = V(LOCAL)),
	TO_BOTH("local within bypass, last", "198.51.100.127", "2001:db8:5:4:ffff:ffff:ffff:ffff", .verdict = V(LOCAL)),
	TO_BOTH("one past local within bypass", "198.51.100.128", "2001:db8:5:5::", .verdict = V(BYPASS)),
	TO_BOTH("bypass within tunnel", "8.0.24.127", "2001:db8:86dd:6000:7fff:ffff:ffff:ffff", .verdict = V(BYPASS)),
	TO_BOTH("tunnel within bypass within tunnel", "8.0.24.128", "2001:db8:86dd:6000:8000::", .verdict = V(TUNNEL)),
	TO_BOTH("an entry that says not_ip", "198.51.101.0", "2001:db8:6::", .verdict = V(BYPASS)),
	{"IPv4: an entry that says redirected", IPV4(TO("198.51.101.1")), GOES, VIA_LAN4},
	{"IPv6: an entry that says redirected", IPV6(TO("2001:db8:6::1")), GOES, VIA_LAN6},
	{"IPv4: a LAN within a route into the tunnel", IPV4(TO("8.0.26.1")), GOES, VIA_LAN4},
	{"IPv6: a LAN within a route into the tunnel", IPV6(TO("2001:db8:86dd:7000::1")), GOES, VIA_LAN6},
	TO_BOTH("tunnel within a LAN within tunnel", "8.0.26.128", "2001:db8:86dd:7000:8000::", .verdict = V(TUNNEL)),
	TO_BOTH("a LAN within tunnel within bypass", "8.0.27.1", "2001:db8:86dd:7001::1", .verdict = V(BYPASS)),
	TO_BOTH("on the administrator's list, and into the tunnel", "8.0.28.1", "2001:db8:86dd:7002::1",
		.verdict = V(TUNNEL)),
	{"IPv4: not exempt, with all flags", IPV4(TO("8.0.29.1")), GOES, VIA_LAN4},
	{"IPv6: not exempt, with all flags", IPV6(TO("2001:db8:86dd:7003::1")), GOES, VIA_LAN6},
	TO_BOTH("an entry that says retargeted", "198.51.101.2", "2001:db8:6::2", .verdict = V(BYPASS)),
	TO_BOTH("an entry one past all verdicts", "198.51.101.3", "2001:db8:6::3", .verdict = V(BYPASS)),
	TO_BOTH("an entry of ones", "198.51.101.4", "2001:db8:6::4", .verdict = V(BYPASS)),

	/* the order of verdicts */
	{"IPv4: outside comes before local", IPV4(FROM(OUTSIDE4), TO("192.0.2.2")), .verdict = V(OUTSIDE)},
	{"IPv6: outside comes before scope", IPV6(FROM("2001:db8:86dd:8000::"), TO("ff02::1")), .verdict = V(OUTSIDE)},
	{"IPv4: outside comes before hop_limit", IPV4(FROM(OUTSIDE4), .hop_limit = SET(1)), .verdict = V(OUTSIDE)},
	{"IPv4: local comes before hop_limit", IPV4(TO("192.0.2.2"), .hop_limit = SET(1)), .verdict = V(LOCAL)},
	{"IPv6: local comes before hop_limit", IPV6(TO("2001:db8:2::2"), .hop_limit = SET(1)), .verdict = V(LOCAL)},
	{"IPv6: scope comes before hop_limit", IPV6(TO("ff02::1"), .hop_limit = SET(1)), .verdict = V(SCOPE)},
	{"IPv4: bypass comes before no_gateway", IPV4(FROM("8.0.64.0"), TO("198.51.100.1")), .verdict = V(BYPASS)},
	{"IPv4: hop_limit comes before too_big", IPV4(.hop_limit = SET(1), .payload = SET(1600)),
	 .verdict = V(HOP_LIMIT)},
	{"IPv6: hop_limit comes before too_big", IPV6(.hop_limit = SET(1), .payload = SET(1600)),
	 .verdict = V(HOP_LIMIT)},
	{"IPv4: hop_limit comes before no_gateway", IPV4(FROM("8.0.64.5"), .hop_limit = SET(0)),
	 .verdict = V(HOP_LIMIT)},
	{"IPv4: too_big comes before no_gateway", IPV4(FROM("8.0.64.18"), .payload = SET(1281)), .verdict = V(TOO_BIG)},
	{"IPv6: too_big comes before no_gateway", IPV6(FROM("2001:db8:86dd:a000::18"), .payload = SET(1261)),
	 .verdict = V(TOO_BIG)},
	{"IPv4: malformed comes before outside", IPV4(FROM(OUTSIDE4), .ihl = SET(4)), .verdict = V(MALFORMED),
	 .frame_bytes = true},

	/* hop limits */
	{"IPv4: hop limit", IPV4(), .vary = VARY_HOP_LIMIT, .from = 0, .to = 1, .verdict = V(HOP_LIMIT)},
	{"IPv4: hop limit", IPV4(), .vary = VARY_HOP_LIMIT, .from = 2, .to = 255, GOES, VIA_LAN4},
	{"IPv4: checksum that becomes 0", IPV4(.checksum = SET(0xfeff)), GOES, VIA_LAN4},
	{"IPv4: checksum just below the carry", IPV4(.checksum = SET(0xfefe)), GOES, VIA_LAN4},
	{"IPv4: checksum with a carry", IPV4(.checksum = SET(0xff00)), GOES, VIA_LAN4},
	{"IPv4: highest checksum", IPV4(.checksum = SET(0xfffe)), GOES, VIA_LAN4},
	{"IPv4: checksum 0", IPV4(.checksum = SET(0)), GOES, VIA_LAN4},
	{"IPv6: hop limit", IPV6(), .vary = VARY_HOP_LIMIT, .from = 0, .to = 1, .verdict = V(HOP_LIMIT)},
	{"IPv6: hop limit", IPV6(), .vary = VARY_HOP_LIMIT, .from = 2, .to = 255, GOES, VIA_LAN6},

	/* headers */
	{"IPv4: header cut off", IPV4(), .vary = VARY_CUT, .from = 0, .to = 19, .verdict = V(MALFORMED),
	 .frame_bytes = true},
	{"IPv4: payload cut off", IPV4(), .vary = VARY_CUT, .from = 20, .to = 39, .verdict = V(MALFORMED),
	 .frame_bytes = true},
	{"IPv4: nothing behind the header", IPV4(.payload = SET(0)), GOES, VIA_LAN4},
	{"IPv6: header cut off", IPV6(), .vary = VARY_CUT, .from = 0, .to = 39, .verdict = V(MALFORMED),
	 .frame_bytes = true},
	{"IPv6: payload cut off", IPV6(), .vary = VARY_CUT, .from = 40, .to = 59, .verdict = V(MALFORMED),
	 .frame_bytes = true},
	{"IPv6: nothing behind the header", IPV6(.payload = SET(0)), GOES, VIA_LAN6},
	{"IPv4: IHL too small", IPV4(), .vary = VARY_IHL, .from = 0, .to = 4, .verdict = V(MALFORMED),
	 .frame_bytes = true},
	{"IPv4: IHL", IPV4(), .vary = VARY_IHL, .from = 5, .to = 15, GOES, VIA_LAN4},
	{"IPv4: options cut off", IPV4(.ihl = SET(15)), .vary = VARY_CUT, .from = 20, .to = 59, .verdict = V(MALFORMED),
	 .frame_bytes = true},
	{"IPv4: total length is less than the options' end", IPV4(.ihl = SET(15)), .vary = VARY_TOTAL_LENGTH, .from = 0,
	 .to = 59, .verdict = V(MALFORMED), .frame_bytes = true},
	{"IPv4: total length is the options' end", IPV4(.ihl = SET(15), .total_length = SET(60)), GOES, VIA_LAN4,
	 .bytes = 60},
	{"IPv4: version", IPV4(), .vary = VARY_VERSION, .from = 0, .to = 3, .verdict = V(MALFORMED),
	 .frame_bytes = true},
	{"IPv4: version", IPV4(), .vary = VARY_VERSION, .from = 5, .to = 15, .verdict = V(MALFORMED),
	 .frame_bytes = true},
	{"IPv6: version", IPV6(), .vary = VARY_VERSION, .from = 0, .to = 5, .verdict = V(MALFORMED),
	 .frame_bytes = true},
	{"IPv6: version", IPV6(), .vary = VARY_VERSION, .from = 7, .to = 15, .verdict = V(MALFORMED),
	 .frame_bytes = true},
	{"IPv4: IPv6 packet under IPv4's type", IPV6(.ethertype = SET(0x0800)), .l2 = true, .verdict = V(MALFORMED),
	 .frame_bytes = true},
	{"IPv6: IPv4 packet under IPv6's type", IPV4(.ethertype = SET(0x86dd)), .l2 = true, .verdict = V(MALFORMED),
	 .frame_bytes = true},
	{"IPv4: total length below the header's", IPV4(), .vary = VARY_TOTAL_LENGTH, .from = 0, .to = 19,
	 .verdict = V(MALFORMED), .frame_bytes = true},
	{"IPv4: total length of the header alone, rest is padding", IPV4(.total_length = SET(20)), GOES, VIA_LAN4,
	 .bytes = 20},
	{"IPv4: total length one too long", IPV4(.claim = 1), .verdict = V(MALFORMED), .frame_bytes = true},
	{"IPv4: total length 65535", IPV4(.total_length = SET(65535)), .verdict = V(MALFORMED), .frame_bytes = true},
	{"IPv4: total length is right with the padding", IPV4(.claim = 1, .padding = 1), GOES, VIA_LAN4, .bytes = 41},
	{"IPv6: payload length one too long", IPV6(.claim = 1), .verdict = V(MALFORMED), .frame_bytes = true},
	{"IPv6: payload length 65535", IPV6(.total_length = SET(65535)), .verdict = V(MALFORMED), .frame_bytes = true},
	{"IPv6: payload length one too short", IPV6(.claim = -1), GOES, VIA_LAN6, .bytes = 59},
	{"IPv4: padding", IPV4(), .vary = VARY_PADDING, .from = 1, .to = 46, GOES, VIA_LAN4, .bytes = 40},
	{"IPv6: padding", IPV6(), .vary = VARY_PADDING, .from = 1, .to = 46, GOES, VIA_LAN6, .bytes = 60},
	{"IPv6: no payload but padding (ip6_rcv_core() cuts that off)",
	 IPV6(.payload = SET(0), .protocol = SET(59), .padding = 6), GOES, VIA_LAN6, .bytes = 40},
	{"IPv6: payload length 0 without hop-by-hop options, all the rest is padding", IPV6(.total_length = SET(0)),
	 GOES, VIA_LAN6, .bytes = 40},
	{"IPv6: jumbogram, length in the hop-by-hop option",
	 IPV6(.extensions = {SET(0)}, .total_length = SET(0), .payload = SET(100)), GOES, VIA_LAN6, .bytes = 148},
	{"not IP: ARP", IPV4(.ethertype = SET(0x0806)), .verdict = V(NOT_IP), .frame_bytes = true},
	{"not IP: VLAN tag in the packet", IPV4(.ethertype = SET(0x8100)), .verdict = V(NOT_IP), .frame_bytes = true},
	{"not IP: 802.3 length", IPV6(.ethertype = SET(60)), .verdict = V(NOT_IP), .frame_bytes = true},
	{"not IP: type of ones", IPV6(.ethertype = SET(0xffff)), .verdict = V(NOT_IP), .frame_bytes = true},
	{"not IP: nothing behind the link header", IPV6(.ethertype = SET(0x0806)), .vary = VARY_CUT, .from = 0, .to = 8,
	 .l2 = true, .verdict = V(NOT_IP), .frame_bytes = true},

	/* an Ethernet device as tunnel */
	{"Ethernet: to another host", IPV4(.mac = MAC_OTHER), .ether = true, .verdict = V(NOT_IP)},
	{"Ethernet: to another host, padding", IPV4(.mac = MAC_OTHER, .padding = 6), .ether = true,
	 .verdict = V(NOT_IP)},
	{"Ethernet: to another host, outside", IPV4(FROM(OUTSIDE4), .mac = MAC_OTHER), .ether = true,
	 .verdict = V(NOT_IP)},
	{"Ethernet: to all", IPV4(.mac = MAC_BROADCAST), .ether = true, .verdict = V(NOT_IP)},
	{"Ethernet: to many", IPV6(.mac = MAC_MULTICAST), .ether = true, .verdict = V(NOT_IP)},
	{"Ethernet: in a VLAN", IPV4(), .ether = true, .vlan = 7, .verdict = V(NOT_IP)},
	{"Ethernet: in a VLAN", IPV6(), .ether = true, .vlan = 7, .verdict = V(NOT_IP)},
	{"Ethernet: to another host, malformed", IPV4(.mac = MAC_OTHER, .ihl = SET(1)), .ether = true,
	 .verdict = V(MALFORMED), .frame_bytes = true},

	/* the content of the packet does not matter */
	{"IPv4: TCP", IPV4(.protocol = SET(6)), GOES, VIA_LAN4},
	{"IPv4: ICMP", IPV4(.protocol = SET(1)), GOES, VIA_LAN4},
	{"IPv4: protocol 255", IPV4(.protocol = SET(255)), GOES, VIA_LAN4},
	{"IPv4: first fragment", IPV4(.fragment = SET(0x2000)), GOES, VIA_LAN4},
	{"IPv4: fragment in the middle", IPV4(.fragment = SET(0x2000 | 185)), GOES, VIA_LAN4},
	{"IPv4: last fragment", IPV4(.fragment = SET(370)), GOES, VIA_LAN4},
	{"IPv4: don't fragment", IPV4(.fragment = SET(0x4000)), GOES, VIA_LAN4},
	{"IPv6: TCP", IPV6(.protocol = SET(6)), GOES, VIA_LAN6},
	{"IPv6: ICMPv6 echo", IPV6(.protocol = SET(58), .icmp_type = SET(128)), GOES, VIA_LAN6},
	{"IPv6: ICMPv6 neighbour solicitation", IPV6(.protocol = SET(58), .icmp_type = SET(135), .hop_limit = SET(255)),
	 GOES, VIA_LAN6},
	{"IPv6: no next header", IPV6(.protocol = SET(59)), GOES, VIA_LAN6},
	{"IPv6: hop-by-hop options", IPV6(.extensions = {SET(0)}), GOES, VIA_LAN6},
	{"IPv6: destination options", IPV6(.extensions = {SET(60)}), GOES, VIA_LAN6},
	{"IPv6: routing header", IPV6(.extensions = {SET(43)}), GOES, VIA_LAN6},
	{"IPv6: first fragment", IPV6(.extensions = {SET(44)}, .fragment = SET(0)), GOES, VIA_LAN6},
	{"IPv6: later fragment", IPV6(.extensions = {SET(44)}, .fragment = SET(370)), GOES, VIA_LAN6},
	{"IPv6: four extension headers", IPV6(.extensions = {SET(0), SET(60), SET(43), SET(44)}), GOES, VIA_LAN6},

	/* gateways */
	FROM_BOTH("no device", "8.0.64.0", "2001:db8:86dd:a000::", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("device that is not on the list", "8.0.64.1", "2001:db8:86dd:a000::1", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("back into the tunnel", "8.0.64.2", "2001:db8:86dd:a000::2", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("no family", "8.0.64.3", "2001:db8:86dd:a000::3", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("unknown family", "8.0.64.4", "2001:db8:86dd:a000::4", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("known to be down", "8.0.64.5", "2001:db8:86dd:a000::5", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("unknown flag", "8.0.64.6", "2001:db8:86dd:a000::6", .verdict = V(NO_GATEWAY)),
	{"IPv4: the gateway is of a list", IPV4(FROM("8.0.64.19")), GOES, VIA_LAN4},
	{"IPv6: the gateway is of a list", IPV6(FROM("2001:db8:86dd:a000::19")), GOES, VIA_LAN6},
	FROM_BOTH("of a list, and known to be down", "8.0.64.20", "2001:db8:86dd:a000::20", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("unknown flag, the highest", "8.0.64.7", "2001:db8:86dd:a000::7", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("next hop is ::", "8.0.64.13", "2001:db8:86dd:a000::13", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("next hop is ::1", "8.0.64.14", "2001:db8:86dd:a000::14", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("next hop is IPv6 multicast", "8.0.64.15", "2001:db8:86dd:a000::15", .verdict = V(NO_GATEWAY)),
	{"IPv6: next hop is IPv4", IPV6(FROM("2001:db8:86dd:a000::8")), .verdict = V(NO_GATEWAY)},
	{"IPv4: next hop is 0.0.0.0", IPV4(FROM("8.0.64.8")), .verdict = V(NO_GATEWAY)},
	{"IPv4: next hop is loopback", IPV4(FROM("8.0.64.9")), .verdict = V(NO_GATEWAY)},
	{"IPv4: next hop is multicast", IPV4(FROM("8.0.64.10")), .verdict = V(NO_GATEWAY)},
	{"IPv4: next hop is broadcast", IPV4(FROM("8.0.64.11")), .verdict = V(NO_GATEWAY)},
	{"IPv4: next hop is the last unicast address", IPV4(FROM("8.0.64.12")), GOES, .via = GW_V4_LAST_UNICAST},
	{"IPv4: next hop is IPv6", IPV4(FROM("8.0.64.16")), GOES, VIA_LAN6},
	FROM_BOTH("device that has gone", "8.0.64.17", "2001:db8:86dd:a000::17", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("on-fail pass: known to be down", "8.0.64.5", "2001:db8:86dd:a000::5", .on_fail = WGVIA_PASS,
		  .verdict = V(NO_GATEWAY)),
	FROM_BOTH("on-fail pass: no device", "8.0.64.0", "2001:db8:86dd:a000::", .on_fail = WGVIA_PASS,
		  .verdict = V(NO_GATEWAY)),
	FROM_BOTH("on-fail of garbage is drop", "8.0.64.5", "2001:db8:86dd:a000::5", .on_fail = 2,
		  .verdict = V(NO_GATEWAY)),

	/* MTU: the LAN's is 1500, the narrow device's 1300, the jumbo device's 9000 */
	{"IPv4: fits exactly", IPV4(.payload = SET(1480)), GOES, VIA_LAN4},
	{"IPv4: one byte too long", IPV4(.payload = SET(1481)), .verdict = V(TOO_BIG)},
	{"IPv4: one byte too long, fragment allowed or not", IPV4(.payload = SET(1481), .fragment = SET(0x4000)),
	 .verdict = V(TOO_BIG)},
	{"IPv6: fits exactly", IPV6(.payload = SET(1460)), GOES, VIA_LAN6},
	{"IPv6: one byte too long", IPV6(.payload = SET(1461)), .verdict = V(TOO_BIG)},
	{"IPv4: padding does not count", IPV4(.payload = SET(1480), .padding = 20), GOES, VIA_LAN4, .bytes = 1500},
	{"IPv6: padding does not count", IPV6(.payload = SET(1460), .padding = 20), GOES, VIA_LAN6, .bytes = 1500},
	{"IPv4: the narrow device's exactly", IPV4(FROM("8.0.20.128"), .payload = SET(1280)), GOES, .via = GW_NARROW4},
	{"IPv4: one more", IPV4(FROM("8.0.20.128"), .payload = SET(1281)), .verdict = V(TOO_BIG)},
	{"IPv6: the narrow device's exactly", IPV6(FROM("2001:db8:86dd:5000:8000::"), .payload = SET(1260)), GOES,
	 .via = GW_NARROW6},
	{"IPv6: one more", IPV6(FROM("2001:db8:86dd:5000:8000::"), .payload = SET(1261)), .verdict = V(TOO_BIG)},
	{"IPv4: a jumbo frame", IPV4(FROM("8.0.20.1"), .payload = SET(3000)), GOES, .via = GW_JUMBO4},
	{"IPv6: a jumbo frame", IPV6(FROM("2001:db8:86dd:5000::1"), .payload = SET(3000)), GOES, .via = GW_JUMBO6},
	{"IPv4: device that has gone, long packet", IPV4(FROM("8.0.64.17"), .payload = SET(1000)),
	 .verdict = V(NO_GATEWAY)},
	{"IPv4: too long, and no helper that could tell", IPV4(.payload = SET(1481)), .no_check_mtu = true, GOES,
	 VIA_LAN4},
	{"IPv6: too long, and no helper that could tell", IPV6(.payload = SET(1461)), .no_check_mtu = true, GOES,
	 VIA_LAN6},

	/* GSO packets: segments are counted, each with its own headers */
	{"IPv4: GSO, TCP, 3 segments", IPV4(FROM("8.0.20.1"), .protocol = SET(6), .payload = SET(20 + 3000)),
	 .gso_size = 1000, GOES, .via = GW_JUMBO4, .packets = 3, .bytes = 3 * 1040},
	{"IPv4: GSO, TCP, the last segment of one byte",
	 IPV4(FROM("8.0.20.1"), .protocol = SET(6), .payload = SET(20 + 2001)), .gso_size = 1000, GOES,
	 .via = GW_JUMBO4, .packets = 3, .bytes = 2001 + 3 * 40},
	{"IPv4: GSO, TCP with options",
	 IPV4(FROM("8.0.20.1"), .protocol = SET(6), .tcp_words = SET(8), .payload = SET(32 + 2000)), .gso_size = 1000,
	 GOES, .via = GW_JUMBO4, .packets = 2, .bytes = 2 * 1052},
	{"IPv4: GSO, TCP behind IP options",
	 IPV4(FROM("8.0.20.1"), .ihl = SET(8), .protocol = SET(6), .payload = SET(20 + 2000)), .gso_size = 1000, GOES,
	 .via = GW_JUMBO4, .packets = 2, .bytes = 2 * 1052},
	{"IPv4: GSO, UDP", IPV4(FROM("8.0.20.1"), .payload = SET(8 + 3000)), .gso_size = 1000, GOES, .via = GW_JUMBO4,
	 .packets = 3, .bytes = 3 * 1028},
	{"IPv4: GSO, padding is no segment, and cannot be cut off",
	 IPV4(FROM("8.0.20.1"), .protocol = SET(6), .payload = SET(20 + 3000), .padding = 30), .gso_size = 1000,
	 .verdict = V(TOO_BIG), .packets = 3, .bytes = 3 * 1040},
	{"IPv6: GSO, padding is no segment, and cannot be cut off",
	 IPV6(FROM("2001:db8:86dd:5000::1"), .protocol = SET(6), .payload = SET(20 + 3000), .padding = 1),
	 .gso_size = 1000, .verdict = V(TOO_BIG), .packets = 3, .bytes = 3 * 1060},
	{"IPv4: GSO, one segment and padding", IPV4(.protocol = SET(6), .payload = SET(20 + 100), .padding = 6),
	 .gso_size = 1000, .verdict = V(TOO_BIG)},
	{"IPv4: GSO, padding, and no helper that could tell the MTU",
	 IPV4(.protocol = SET(6), .payload = SET(20 + 100), .padding = 6), .gso_size = 1000, .no_check_mtu = true,
	 .verdict = V(TOO_BIG)},
	{"IPv4: GSO, total length 0 (BIG TCP)",
	 IPV4(FROM("8.0.20.1"), .protocol = SET(6), .payload = SET(20 + 3000), .total_length = SET(0)),
	 .gso_size = 1000, GOES, .via = GW_JUMBO4, .packets = 3, .bytes = 3 * 1040},
	{"IPv6: GSO, TCP, 3 segments",
	 IPV6(FROM("2001:db8:86dd:5000::1"), .protocol = SET(6), .payload = SET(20 + 3000)), .gso_size = 1000, GOES,
	 .via = GW_JUMBO6, .packets = 3, .bytes = 3 * 1060},
	{"IPv6: GSO, TCP, a byte in one segment",
	 IPV6(FROM("2001:db8:86dd:5000::1"), .protocol = SET(6), .payload = SET(21)), .gso_size = 1000, GOES,
	 .via = GW_JUMBO6, .packets = 1, .bytes = 61},
	{"IPv6: GSO, UDP", IPV6(FROM("2001:db8:86dd:5000::1"), .payload = SET(8 + 3000)), .gso_size = 1500, GOES,
	 .via = GW_JUMBO6, .packets = 2, .bytes = 2 * 1548},
	{"IPv6: GSO, payload length 0 (BIG TCP)",
	 IPV6(FROM("2001:db8:86dd:5000::1"), .protocol = SET(6), .payload = SET(20 + 3000), .total_length = SET(0)),
	 .gso_size = 1000, GOES, .via = GW_JUMBO6, .packets = 3, .bytes = 3 * 1060},
	{"IPv4: GSO, TCP header that claims more than there is",
	 IPV4(FROM("8.0.20.1"), .protocol = SET(6), .tcp_words = SET(15), .payload = SET(24)), .gso_size = 1000, GOES,
	 .via = GW_JUMBO4, .packets = 1, .bytes = 44},
	{"IPv4: GSO, headers and nothing else", IPV4(FROM("8.0.20.1"), .protocol = SET(6), .payload = SET(20)),
	 .gso_size = 1000, GOES, .via = GW_JUMBO4, .packets = 1, .bytes = 40},
	{"IPv4: GSO, UDP header cut off", IPV4(FROM("8.0.20.1"), .payload = SET(4)), .gso_size = 1000, GOES,
	 .via = GW_JUMBO4, .packets = 1, .bytes = 24},
	{"IPv6: GSO, headers and nothing else",
	 IPV6(FROM("2001:db8:86dd:5000::1"), .protocol = SET(6), .payload = SET(20)), .gso_size = 1000, GOES,
	 .via = GW_JUMBO6, .packets = 1, .bytes = 60},
	{"IPv4: GSO, outside is counted in segments",
	 IPV4(FROM(OUTSIDE4), .protocol = SET(6), .payload = SET(20 + 3000)), .gso_size = 1000, .verdict = V(OUTSIDE),
	 .packets = 3, .bytes = 3 * 1040},
	/* the lengths of TCP segments are known */
	{"IPv4: GSO, TCP, segments fit exactly", IPV4(.protocol = SET(6), .payload = SET(20 + 3000)), .gso_size = 1460,
	 GOES, VIA_LAN4, .packets = 3, .bytes = 3000 + 3 * 40},
	{"IPv4: GSO, TCP, segments one byte too long", IPV4(.protocol = SET(6), .payload = SET(20 + 3000)),
	 .gso_size = 1461, .verdict = V(TOO_BIG), .packets = 3, .bytes = 3000 + 3 * 40},
	{"IPv4: GSO, TCP with options, segments fit exactly",
	 IPV4(.protocol = SET(6), .tcp_words = SET(8), .payload = SET(32 + 3000)), .gso_size = 1448, GOES, VIA_LAN4,
	 .packets = 3, .bytes = 3000 + 3 * 52},
	{"IPv4: GSO, TCP with options, segments one byte too long",
	 IPV4(.protocol = SET(6), .tcp_words = SET(8), .payload = SET(32 + 3000)), .gso_size = 1449,
	 .verdict = V(TOO_BIG), .packets = 3, .bytes = 3000 + 3 * 52},
	{"IPv4: GSO, TCP behind IP options, segments fit exactly",
	 IPV4(.ihl = SET(15), .protocol = SET(6), .payload = SET(20 + 3000)), .gso_size = 1420, GOES, VIA_LAN4,
	 .packets = 3, .bytes = 3000 + 3 * 80},
	{"IPv4: GSO, TCP behind IP options, segments one byte too long",
	 IPV4(.ihl = SET(15), .protocol = SET(6), .payload = SET(20 + 3000)), .gso_size = 1421, .verdict = V(TOO_BIG),
	 .packets = 3, .bytes = 3000 + 3 * 80},
	{"IPv6: GSO, TCP, segments fit exactly", IPV6(.protocol = SET(6), .payload = SET(20 + 3000)), .gso_size = 1440,
	 GOES, VIA_LAN6, .packets = 3, .bytes = 3000 + 3 * 60},
	{"IPv6: GSO, TCP, segments one byte too long", IPV6(.protocol = SET(6), .payload = SET(20 + 3000)),
	 .gso_size = 1441, .verdict = V(TOO_BIG), .packets = 3, .bytes = 3000 + 3 * 60},
	{"IPv4: GSO, TCP, the narrow device's exactly",
	 IPV4(FROM("8.0.20.128"), .protocol = SET(6), .payload = SET(20 + 3000)), .gso_size = 1260, GOES,
	 .via = GW_NARROW4, .packets = 3, .bytes = 3000 + 3 * 40},
	{"IPv4: GSO, TCP, the whole fits, so it does not matter what its segments could be",
	 IPV4(.protocol = SET(6), .payload = SET(20 + 1460)), .gso_size = 3000, GOES, VIA_LAN4},
	{"IPv4: GSO, TCP, device that has gone", IPV4(FROM("8.0.64.17"), .protocol = SET(6), .payload = SET(20 + 100)),
	 .gso_size = 1000, .verdict = V(NO_GATEWAY)},
	{"IPv4: GSO, TCP, too long, and no helper that could tell", IPV4(.protocol = SET(6), .payload = SET(20 + 3000)),
	 .gso_size = 1461, .no_check_mtu = true, GOES, VIA_LAN4, .packets = 3, .bytes = 3000 + 3 * 40},
	/*
	 * the kernel judges others; a test run's packet has no transport header, so the kernel does not know their
	 * length
	 */
	{"IPv4: GSO, UDP, as long as the MTU", IPV4(.payload = SET(1480)), .gso_size = 1000, GOES, VIA_LAN4,
	 .packets = 2, .bytes = 1500 + 28},
	{"IPv4: GSO, UDP, longer than the MTU by a byte", IPV4(.payload = SET(1481)), .gso_size = 1000,
	 .verdict = V(TOO_BIG), .packets = 2, .bytes = 1501 + 28},
	{"IPv4: GSO, UDP, longer than the MTU by a link header", IPV4(.payload = SET(1494)), .gso_size = 1000,
	 .verdict = V(TOO_BIG), .packets = 2, .bytes = 1514 + 28},
	{"IPv4: GSO, UDP, longer than the MTU by a link header and a byte", IPV4(.payload = SET(1495)),
	 .gso_size = 1000, .verdict = V(TOO_BIG), .packets = 2, .bytes = 1515 + 28},
	{"IPv6: GSO, UDP, as long as the MTU", IPV6(.payload = SET(1460)), .gso_size = 1000, GOES, VIA_LAN6,
	 .packets = 2, .bytes = 1500 + 48},
	{"IPv6: GSO, UDP, longer than the MTU by a byte", IPV6(.payload = SET(1461)), .gso_size = 1000,
	 .verdict = V(TOO_BIG), .packets = 2, .bytes = 1501 + 48},
	{"IPv6: GSO, TCP behind hop-by-hop options, as long as the MTU",
	 IPV6(.extensions = {SET(0)}, .protocol = SET(6), .payload = SET(1452)), .gso_size = 1000, GOES, VIA_LAN6,
	 .packets = 2, .bytes = 1500},
	{"IPv6: GSO, TCP behind hop-by-hop options, longer than the MTU",
	 IPV6(.extensions = {SET(0)}, .protocol = SET(6), .payload = SET(1453)), .gso_size = 1000,
	 .verdict = V(TOO_BIG), .packets = 2, .bytes = 1501},
	{"IPv4: GSO, longer than the MTU", IPV4(.protocol = SET(6), .payload = SET(20 + 3000)), .gso_size = 1600,
	 .verdict = V(TOO_BIG), .packets = 2, .bytes = 3000 + 2 * 40},
	{"IPv6: GSO, longer than the MTU", IPV6(.protocol = SET(6), .payload = SET(20 + 3000)), .gso_size = 1600,
	 .verdict = V(TOO_BIG), .packets = 2, .bytes = 3000 + 2 * 60},
	{"IPv4: GSO, longer than the MTU by less than a link header, so are its segments",
	 IPV4(.protocol = SET(6), .payload = SET(20 + 1470)), .gso_size = 1465, .verdict = V(TOO_BIG), .packets = 2,
	 .bytes = 1470 + 2 * 40},
	{"IPv6: GSO, longer than the MTU by less than a link header, so are its segments",
	 IPV6(.protocol = SET(6), .payload = SET(20 + 1450)), .gso_size = 1445, .verdict = V(TOO_BIG), .packets = 2,
	 .bytes = 1450 + 2 * 60},
};

#define COMES .verdict = V(RETURNED)
#define STAYS .verdict = UNCOUNTED

static const struct row back_rows[] = {
	{"IPv4: the tunnel was removed", IPV4(), .tunnel_gone = true, STAYS},
	{"IPv6: the tunnel was removed", IPV6(), .tunnel_gone = true, STAYS},
	{"IPv4: the tunnel was removed, hop limit used up", IPV4(.hop_limit = SET(1)), .tunnel_gone = true, STAYS},
	{"IPv4: into the tunnel", IPV4(), COMES},
	{"IPv6: into the tunnel", IPV6(), COMES},
	{"IPv4: first address", IPV4(TO("8.0.16.0")), COMES},
	{"IPv4: last address", IPV4(TO("8.0.31.255")), COMES},
	{"IPv4: one before", IPV4(TO(OUTSIDE4)), STAYS},
	{"IPv4: one past", IPV4(TO("8.0.32.0")), STAYS},
	{"IPv6: first address", IPV6(TO("2001:db8:86dd:4000::")), COMES},
	{"IPv6: last address", IPV6(TO("2001:db8:86dd:7fff:ffff:ffff:ffff:ffff")), COMES},
	{"IPv6: one before", IPV6(TO("2001:db8:86dd:3fff:ffff:ffff:ffff:ffff")), STAYS},
	{"IPv6: one past", IPV6(TO("2001:db8:86dd:8000::")), STAYS},
	{"IPv4: this host's address in the tunnel", IPV4(TO("8.0.16.1")), STAYS},
	{"IPv6: this host's address in the tunnel", IPV6(TO("2001:db8:86dd:4000::1")), STAYS},
	{"IPv4: this host's address", IPV4(TO("192.0.2.2")), STAYS},
	{"IPv6: this host's address", IPV6(TO("2001:db8:2::2")), STAYS},
	{"IPv4: multicast", IPV4(TO("224.0.0.5")), STAYS},
	{"IPv6: multicast", IPV6(TO("ff02::1")), STAYS},
	{"IPv6: link-local", IPV6(TO("fe80::1")), STAYS},
	{"IPv4: bypass", IPV4(TO("198.51.100.1")), STAYS},
	{"IPv6: bypass", IPV6(TO("2001:db8:5::1")), STAYS},
	{"IPv4: bypass within the tunnel's", IPV4(TO("8.0.24.1")), STAYS},
	{"IPv4: tunnel within bypass within the tunnel's", IPV4(TO("8.0.24.129")), COMES},
	{"IPv6: tunnel within bypass within the tunnel's", IPV6(TO("2001:db8:86dd:6000:8000::1")), COMES},
	{"IPv4: in a prefix, but not in the list", IPV4(TO("8.0.48.1")), STAYS},
	{"IPv6: in a prefix, but not in the list", IPV6(TO("2001:db8:86dd:9000::1")), STAYS},
	{"IPv4: /0, in the list", IPV4(), MAPS_WIDE, COMES},
	{"IPv6: /0, in the list", IPV6(), MAPS_WIDE, COMES},
	{"IPv4: /0, not in the list", IPV4(TO("3.0.0.1")), MAPS_WIDE, STAYS},
	{"IPv6: /0, not in the list", IPV6(TO(INTERNET6)), MAPS_WIDE, STAYS},
	{"IPv4: empty maps", IPV4(), MAPS_EMPTY, STAYS},
	{"IPv6: empty maps", IPV6(), MAPS_EMPTY, STAYS},

	{"IPv4: from inside the tunnel", IPV4(FROM("8.0.16.11")), STAYS},
	{"IPv6: from inside the tunnel", IPV6(FROM("2001:db8:86dd:4000::11")), STAYS},
	{"IPv4: from one before the tunnel's", IPV4(FROM(OUTSIDE4)), COMES},
	{"IPv6: from one past the tunnel's", IPV6(FROM("2001:db8:86dd:8000::")), COMES},
	{"IPv4: from this host", IPV4(FROM("192.0.2.2")), STAYS},
	{"IPv6: from this host", IPV6(FROM("2001:db8:2::2")), STAYS},
	{"IPv4: from multicast", IPV4(FROM("224.0.0.1")), STAYS},
	{"IPv4: from loopback", IPV4(FROM("127.0.0.1")), STAYS},
	{"IPv4: from nobody", IPV4(FROM("0.0.0.0")), STAYS},
	{"IPv6: from link-local", IPV6(FROM("fe80::1")), STAYS},
	{"IPv6: from nobody", IPV6(FROM("::")), STAYS},
	{"IPv4: from a bypass", IPV4(FROM("198.51.100.1")), STAYS},
	{"IPv6: from a bypass", IPV6(FROM("2001:db8:5::1")), STAYS},
	{"IPv4: from a bypass within the tunnel's", IPV4(FROM("8.0.24.1")), STAYS},
	{"IPv4: from a prefix that is not in the list", IPV4(FROM("8.0.48.1")), COMES},

	{"IPv4: to another host's MAC", IPV4(.mac = MAC_OTHER), STAYS},
	{"IPv6: to another host's MAC", IPV6(.mac = MAC_OTHER), STAYS},
	{"IPv4: to all", IPV4(.mac = MAC_BROADCAST), STAYS},
	{"IPv6: to many", IPV6(.mac = MAC_MULTICAST), STAYS},
	{"IPv4: in a VLAN", IPV4(), .vlan = 7, STAYS},
	{"IPv6: in a VLAN", IPV6(), .vlan = 7, STAYS},
	{"IPv4: tag in the packet", IPV4(.ethertype = SET(0x8100)), STAYS},
	{"not IP: ARP", IPV4(.ethertype = SET(0x0806)), STAYS},

	{"IPv4: hop limit", IPV4(), .vary = VARY_HOP_LIMIT, .from = 0, .to = 1, .verdict = V(HOP_LIMIT)},
	{"IPv4: hop limit", IPV4(), .vary = VARY_HOP_LIMIT, .from = 2, .to = 255, COMES},
	{"IPv6: hop limit", IPV6(), .vary = VARY_HOP_LIMIT, .from = 0, .to = 1, .verdict = V(HOP_LIMIT)},
	{"IPv6: hop limit", IPV6(), .vary = VARY_HOP_LIMIT, .from = 2, .to = 255, COMES},
	{"IPv4: not ours whatever the hop limit", IPV4(TO(OUTSIDE4)), .vary = VARY_HOP_LIMIT, .from = 0, .to = 2,
	 STAYS},

	{"IPv4: header cut off", IPV4(), .vary = VARY_CUT, .from = 0, .to = 39, STAYS},
	{"IPv6: header cut off", IPV6(), .vary = VARY_CUT, .from = 0, .to = 59, STAYS},
	{"IPv4: IHL too small", IPV4(), .vary = VARY_IHL, .from = 0, .to = 4, STAYS},
	{"IPv4: IHL", IPV4(), .vary = VARY_IHL, .from = 5, .to = 15, COMES},
	{"IPv4: version", IPV4(), .vary = VARY_VERSION, .from = 5, .to = 15, STAYS},
	{"IPv6: version", IPV6(), .vary = VARY_VERSION, .from = 0, .to = 5, STAYS},
	{"IPv4: total length one too long", IPV4(.claim = 1), STAYS},
	{"IPv6: payload length one too long", IPV6(.claim = 1), STAYS},
	{"IPv4: padding", IPV4(), .vary = VARY_PADDING, .from = 1, .to = 46, COMES, .bytes = 40},
	{"IPv6: padding", IPV6(), .vary = VARY_PADDING, .from = 1, .to = 46, COMES, .bytes = 60},
	{"IPv4: padding beyond the MTU", IPV4(.payload = SET(1400), .padding = 60), COMES, .bytes = 1420},
	{"IPv6: payload length 0 without hop-by-hop options, all the rest is padding", IPV6(.total_length = SET(0)),
	 COMES, .bytes = 40},
	{"IPv6: jumbogram, length in the hop-by-hop option",
	 IPV6(.extensions = {SET(0)}, .total_length = SET(0), .payload = SET(100)), COMES, .bytes = 148},
	{"IPv4: later fragment", IPV4(.fragment = SET(185)), COMES},
	{"IPv6: fragment", IPV6(.extensions = {SET(44)}), COMES},
	{"IPv6: routing header", IPV6(.extensions = {SET(43)}), COMES},
	{"IPv4: TCP", IPV4(.protocol = SET(6)), COMES},
	{"IPv6: ICMPv6", IPV6(.protocol = SET(58), .icmp_type = SET(2)), COMES},

	/* the tunnel's MTU is 1420 */
	{"IPv4: fits exactly", IPV4(.payload = SET(1400)), COMES},
	{"IPv4: one byte too long", IPV4(.payload = SET(1401)), .verdict = V(TOO_BIG)},
	{"IPv6: fits exactly", IPV6(.payload = SET(1380)), COMES},
	{"IPv6: one byte too long", IPV6(.payload = SET(1381)), .verdict = V(TOO_BIG)},
	{"IPv4: hop_limit comes before too_big", IPV4(.payload = SET(1401), .hop_limit = SET(1)),
	 .verdict = V(HOP_LIMIT)},
	{"IPv4: too long, and no helper that could tell", IPV4(.payload = SET(1401)), .no_check_mtu = true, COMES},
	{"IPv4: GSO, longer than the MTU", IPV4(.protocol = SET(6), .payload = SET(20 + 2000)), .gso_size = 1381,
	 .verdict = V(TOO_BIG), .packets = 2, .bytes = 2000 + 2 * 40},
	{"IPv4: GSO, TCP, segments fit exactly", IPV4(.protocol = SET(6), .payload = SET(20 + 2000)), .gso_size = 1380,
	 COMES, .packets = 2, .bytes = 2000 + 2 * 40},
	{"IPv6: GSO, TCP, segments fit exactly", IPV6(.protocol = SET(6), .payload = SET(20 + 2000)), .gso_size = 1360,
	 COMES, .packets = 2, .bytes = 2000 + 2 * 60},
	{"IPv6: GSO, TCP, segments one byte too long", IPV6(.protocol = SET(6), .payload = SET(20 + 2000)),
	 .gso_size = 1361, .verdict = V(TOO_BIG), .packets = 2, .bytes = 2000 + 2 * 60},
	{"IPv4: GSO, UDP, longer than the MTU", IPV4(.payload = SET(8 + 2000)), .gso_size = 1000, .verdict = V(TOO_BIG),
	 .packets = 2, .bytes = 2000 + 2 * 28},
	{"IPv4: GSO, padding cannot be cut off", IPV4(.protocol = SET(6), .payload = SET(20 + 1200), .padding = 6),
	 .gso_size = 600, .verdict = V(TOO_BIG), .packets = 2, .bytes = 2 * 640},
	{"IPv6: GSO, padding cannot be cut off", IPV6(.protocol = SET(6), .payload = SET(20 + 1200), .padding = 6),
	 .gso_size = 600, .verdict = V(TOO_BIG), .packets = 2, .bytes = 2 * 660},
	{"IPv4: GSO, within the MTU", IPV4(.protocol = SET(6), .payload = SET(20 + 1200)), .gso_size = 600, COMES,
	 .packets = 2, .bytes = 2 * 640},
	{"IPv6: GSO, within the MTU", IPV6(.protocol = SET(6), .payload = SET(20 + 1200)), .gso_size = 600, COMES,
	 .packets = 2, .bytes = 2 * 660},

/* not from a gateway of the prefix */
#define BOUNCES .verdict = V(BOUNCED)
#define REFUSED .verdict = V(REFUSED)
#define DIRECT .verdict = V(DIRECT)
#define STRANGER .sender = 7
	{"IPv4: from another MAC", IPV4(STRANGER), BOUNCES, VIA_LAN4},
	{"IPv6: from another MAC", IPV6(STRANGER), BOUNCES, VIA_LAN6},
	{"IPv4: from another MAC, mode stack", IPV4(STRANGER), .stack = true, BOUNCES, VIA_LAN4},
	{"IPv6: from another MAC, mode stack", IPV6(STRANGER), .stack = true, BOUNCES, VIA_LAN6},
	{"IPv4: from the gateway, mode stack", IPV4(), .stack = true, STAYS},
	{"IPv6: from the gateway, mode stack", IPV6(), .stack = true, STAYS},
	{"IPv4: from the gateway, to this host, mode stack", IPV4(TO("8.0.16.1")), .stack = true, STAYS},
	{"IPv4: another MAC, this host's address in the prefix", IPV4(STRANGER, TO("8.0.16.1")), BOUNCES, VIA_LAN4},
	{"IPv6: another MAC, this host's address in the prefix", IPV6(STRANGER, TO("2001:db8:86dd:4000::1")), BOUNCES,
	 VIA_LAN6},
	{"IPv4: another MAC, this host's address outside", IPV4(STRANGER, TO("192.0.2.2")), STAYS},
	{"IPv6: another MAC, this host's address outside", IPV6(STRANGER, TO("2001:db8:2::2")), STAYS},
	{"IPv4: another MAC, in a prefix, but not in the list", IPV4(STRANGER, TO("8.0.48.1")), BOUNCES, VIA_LAN4},
	{"IPv6: another MAC, in a prefix, but not in the list", IPV6(STRANGER, TO("2001:db8:86dd:9000::1")), BOUNCES,
	 VIA_LAN6},
	{"IPv4: another MAC, in no prefix", IPV4(STRANGER, TO(OUTSIDE4)), STAYS},
	{"IPv4: another MAC, bypass within the prefix", IPV4(STRANGER, TO("8.0.24.1")), STAYS},
	{"IPv6: another MAC, bypass within the prefix", IPV6(STRANGER, TO("2001:db8:86dd:6000::1")), STAYS},
	{"IPv4: another MAC, multicast", IPV4(STRANGER, TO("224.0.0.5")), MAPS_USUAL, STAYS},
	{"IPv6: another MAC, link-local", IPV6(STRANGER, TO("fe80::1")), STAYS},
	{"IPv4: another MAC, from a bypass", IPV4(STRANGER, FROM("198.51.100.1")), STAYS},
	{"IPv6: another MAC, from a bypass", IPV6(STRANGER, FROM("2001:db8:5::1")), STAYS},
	{"IPv4: another MAC, from a bypass, mode stack", IPV4(STRANGER, FROM("198.51.100.1")), .stack = true, STAYS},
	{"IPv4: another MAC, from inside the tunnel", IPV4(STRANGER, FROM("8.0.16.11")), BOUNCES, VIA_LAN4},
	{"IPv6: another MAC, from inside the tunnel", IPV6(STRANGER, FROM("2001:db8:86dd:4000::11")), BOUNCES,
	 VIA_LAN6},
	{"IPv4: another MAC, from this host's address", IPV4(STRANGER, FROM("192.0.2.2")), BOUNCES, VIA_LAN4},
	{"IPv6: another MAC, from link-local", IPV6(STRANGER, FROM("fe80::1")), STAYS},
	{"IPv4: another MAC, to another host's MAC", IPV4(STRANGER, .mac = MAC_OTHER), STAYS},
	{"IPv4: another MAC, to all", IPV4(STRANGER, .mac = MAC_BROADCAST), STAYS},
	{"IPv4: another MAC, in a VLAN", IPV4(STRANGER), .vlan = 7, STAYS},
	{"IPv4: a priority tag, VLAN 0", IPV4(), .vlan = 0x6000, COMES},
	{"IPv6: a priority tag, VLAN 0", IPV6(), .vlan = 0x6000, COMES},
	{"IPv4: another MAC, a priority tag", IPV4(STRANGER), .vlan = 0x2000, BOUNCES, VIA_LAN4},
	{"IPv6: another MAC, a priority tag", IPV6(STRANGER), .vlan = 0x2000, BOUNCES, VIA_LAN6},
	{"IPv4: another MAC, the tunnel was removed", IPV4(STRANGER), .tunnel_gone = true, BOUNCES, VIA_LAN4},
	{"IPv4: another MAC, hop limit", IPV4(STRANGER), .vary = VARY_HOP_LIMIT, .from = 0, .to = 1,
	 .verdict = V(HOP_LIMIT)},
	{"IPv6: another MAC, hop limit", IPV6(STRANGER), .vary = VARY_HOP_LIMIT, .from = 0, .to = 1,
	 .verdict = V(HOP_LIMIT)},
	{"IPv4: another MAC, hop limit", IPV4(STRANGER), .vary = VARY_HOP_LIMIT, .from = 2, .to = 255, BOUNCES,
	 VIA_LAN4},
	{"IPv6: another MAC, hop limit", IPV6(STRANGER), .vary = VARY_HOP_LIMIT, .from = 2, .to = 255, BOUNCES,
	 VIA_LAN6},
	{"IPv4: another MAC, hop limit, to this host", IPV4(STRANGER, TO("8.0.16.1"), .hop_limit = SET(1)), REFUSED},
	{"IPv6: another MAC, hop limit, to this host", IPV6(STRANGER, TO("2001:db8:86dd:4000::1"), .hop_limit = SET(1)),
	 REFUSED},
	{"IPv4: another MAC, padding", IPV4(STRANGER), .vary = VARY_PADDING, .from = 1, .to = 46, BOUNCES, VIA_LAN4,
	 .bytes = 40},
	{"IPv6: another MAC, padding", IPV6(STRANGER), .vary = VARY_PADDING, .from = 1, .to = 46, BOUNCES, VIA_LAN6,
	 .bytes = 60},
	{"IPv4: another MAC, the gateway's device is narrower", IPV4(STRANGER, TO("8.0.20.129"), .payload = SET(1400)),
	 REFUSED, .by_mtu = true},
	{"IPv4: another MAC, the gateway is on another device", IPV4(STRANGER, TO("8.0.20.1")), BOUNCES,
	 .via = GW_JUMBO4},
	{"IPv6: another MAC, the gateway is on another device", IPV6(STRANGER, TO("2001:db8:86dd:5000::1")), BOUNCES,
	 .via = GW_JUMBO6},
	{"IPv4: another MAC, GSO, padding cannot be cut off",
	 IPV4(STRANGER, .protocol = SET(6), .payload = SET(20 + 1200), .padding = 6), .gso_size = 600, REFUSED,
	 .packets = 2, .bytes = 2 * 640},
	{"IPv4: another MAC, GSO", IPV4(STRANGER, .protocol = SET(6), .payload = SET(20 + 2000)), .gso_size = 1460,
	 BOUNCES, VIA_LAN4, .packets = 2, .bytes = 2000 + 2 * 40},
	{"IPv6: another MAC, GSO", IPV6(STRANGER, .protocol = SET(6), .payload = SET(20 + 2000)), .gso_size = 1440,
	 BOUNCES, VIA_LAN6, .packets = 2, .bytes = 2000 + 2 * 60},
	{"IPv4: another MAC, no usable gateway", IPV4(STRANGER, TO("8.0.64.5")), .verdict = V(NO_GATEWAY)},
	{"IPv6: another MAC, no usable gateway", IPV6(STRANGER, TO("2001:db8:86dd:a000::5")), .verdict = V(NO_GATEWAY)},
	{"IPv4: another MAC, no usable gateway, on-fail pass", IPV4(STRANGER, TO("8.0.64.5")), .on_fail = WGVIA_PASS,
	 .verdict = V(NO_GATEWAY)},
	{"IPv6: another MAC, the gateway's device was removed", IPV6(STRANGER, TO("2001:db8:86dd:a000::17")),
	 .verdict = V(NO_GATEWAY)},
	{"IPv4: from the gateway, which is marked down", IPV4(TO("8.0.64.5")), STAYS},
	{"IPv6: neighbour solicitation for a client",
	 IPV6(STRANGER, .protocol = SET(58), .icmp_type = SET(135), .hop_limit = SET(255)), STAYS},
	{"IPv6: neighbour solicitation with a smaller hop limit",
	 IPV6(STRANGER, .protocol = SET(58), .icmp_type = SET(135), .hop_limit = SET(254)), BOUNCES, VIA_LAN6},
	{"IPv6: echo request with hop limit 255",
	 IPV6(STRANGER, .protocol = SET(58), .icmp_type = SET(128), .hop_limit = SET(255)), BOUNCES, VIA_LAN6},
	{"IPv4: header cut off, another MAC", IPV4(STRANGER), .vary = VARY_CUT, .from = 0, .to = 39, STAYS},

	{"IPv4: return any", IPV4(STRANGER), .ret = WGVIA_RETURN_ANY, DIRECT},
	{"IPv6: return any", IPV6(STRANGER), .ret = WGVIA_RETURN_ANY, DIRECT},
	{"IPv4: return any, from the gateway", IPV4(), .ret = WGVIA_RETURN_ANY, COMES},
	{"IPv4: return any, hop limit", IPV4(STRANGER, .hop_limit = SET(1)), .ret = WGVIA_RETURN_ANY,
	 .verdict = V(HOP_LIMIT)},
	{"IPv6: return any, too long", IPV6(STRANGER, .payload = SET(1381)), .ret = WGVIA_RETURN_ANY,
	 .verdict = V(TOO_BIG)},
	{"IPv4: return any, too long", IPV4(STRANGER, .payload = SET(1401)), .ret = WGVIA_RETURN_ANY,
	 .verdict = V(TOO_BIG)},
	{"IPv4: return drop", IPV4(STRANGER), .ret = WGVIA_RETURN_DROP, REFUSED},
	{"IPv6: return drop", IPV6(STRANGER), .ret = WGVIA_RETURN_DROP, REFUSED},
	{"IPv4: return drop, to this host", IPV4(STRANGER, TO("8.0.16.1")), .ret = WGVIA_RETURN_DROP, REFUSED},
	{"IPv4: return drop, mode stack", IPV4(STRANGER), .ret = WGVIA_RETURN_DROP, .stack = true, REFUSED},
	{"IPv4: return drop, hop limit", IPV4(STRANGER, .hop_limit = SET(1)), .ret = WGVIA_RETURN_DROP, REFUSED},
	{"IPv4: return drop, from the gateway", IPV4(), .ret = WGVIA_RETURN_DROP, COMES},
	{"IPv4: return drop, from a bypass", IPV4(STRANGER, FROM("198.51.100.1")), .ret = WGVIA_RETURN_DROP, STAYS},
	{"IPv4: return 3, which is nothing", IPV4(STRANGER), .ret = 3, BOUNCES, VIA_LAN4},

	/* by another tunnel: nothing there shows the sender */
	{"IPv4: without link header", IPV4(FROM("8.0.15.9")), .l3 = true, BOUNCES, VIA_LAN4},
	{"IPv6: without link header", IPV6(FROM("2001:db8:86dd:3000::9")), .l3 = true, BOUNCES, VIA_LAN6},
	{"IPv4: without link header, this host's address in the prefix", IPV4(FROM("8.0.15.9"), TO("8.0.16.1")),
	 .l3 = true, BOUNCES, VIA_LAN4},
	{"IPv4: without link header, outside", IPV4(FROM("8.0.15.9"), TO(OUTSIDE4)), .l3 = true, STAYS},
	{"IPv4: without link header, return drop", IPV4(FROM("8.0.15.9")), .l3 = true, .ret = WGVIA_RETURN_DROP,
	 REFUSED},
	{"IPv4: without link header, hop limit", IPV4(FROM("8.0.15.9"), .hop_limit = SET(1)), .l3 = true,
	 .verdict = V(HOP_LIMIT)},
};

#define TURNS .verdict = V(RETARGETED)

static const struct row egress_rows[] = {
	{"IPv4: source in a prefix", IPV4(), TURNS, VIA_LAN4},
	{"IPv6: source in a prefix", IPV6(), TURNS, VIA_LAN6},
	{"IPv4: first address", IPV4(FROM("8.0.16.0")), TURNS, VIA_LAN4},
	{"IPv4: last address", IPV4(FROM("8.0.31.255")), TURNS, VIA_LAN4},
	{"IPv6: last address", IPV6(FROM("2001:db8:86dd:7fff:ffff:ffff:ffff:ffff")), TURNS, VIA_LAN6},
	FROM_BOTH("one before a prefix", OUTSIDE4, "2001:db8:86dd:3fff:ffff:ffff:ffff:ffff", STAYS),
	FROM_BOTH("one past a prefix", "8.0.32.0", "2001:db8:86dd:8000::", STAYS),
	{"IPv4: the longest prefix wins", IPV4(FROM("8.0.20.200")), TURNS, .via = GW_LAN_LINK_LOCAL},
	{"IPv6: the longest prefix wins", IPV6(FROM("2001:db8:86dd:5000:8000::7")), TURNS, .via = GW_LAN_LINK_LOCAL},
	{"IPv4: out of another device than the gateway's", IPV4(FROM("8.0.20.1")), TURNS, .via = GW_JUMBO4},
	{"IPv6: out of another device than the gateway's", IPV6(FROM("2001:db8:86dd:5000::1")), TURNS,
	 .via = GW_JUMBO6},
	{"IPv4: /0", IPV4(FROM("1.2.3.4")), MAPS_WIDE, TURNS, VIA_LAN4},
	{"IPv6: /0", IPV6(FROM("3fff::1")), MAPS_WIDE, TURNS, VIA_LAN6},
	TO_BOTH("empty maps", INTERNET4, INTERNET6, MAPS_EMPTY, STAYS),
	{"IPv4: to an address that is no longer this host's", IPV4(TO("192.0.2.2")), TURNS, VIA_LAN4},
	{"IPv6: to an address that is no longer this host's", IPV6(TO("2001:db8:2::2")), TURNS, VIA_LAN6},
	{"IPv4: broadcast", IPV4(TO("192.0.2.255")), STAYS},
	{"IPv4: limited broadcast", IPV4(TO("255.255.255.255")), STAYS},
	{"IPv4: broadcast that this host forwards", IPV4(TO("192.0.2.255")), .ingress = DEVICE_TUNNEL, TURNS, VIA_LAN4},
	TO_BOTH("multicast", "224.0.0.251", "ff02::fb", STAYS),
	{"IPv4: multicast that this host forwards", IPV4(TO("239.1.2.3")), .ingress = DEVICE_TUNNEL, TURNS, VIA_LAN4},
	{"IPv6: multicast that this host forwards", IPV6(TO("ff08::1")), .ingress = DEVICE_TUNNEL, TURNS, VIA_LAN6},
	{"IPv4: multicast within the administrator's list, forwarded", IPV4(TO("239.8.0.1")), .ingress = DEVICE_TUNNEL,
	 STAYS},
	TO_BOTH("multicast on the administrator's list, forwarded", "239.7.0.1", "ff18::1", .ingress = DEVICE_TUNNEL,
		STAYS),
	{"IPv4: link-local", IPV4(TO("169.254.1.1")), TURNS, VIA_LAN4},
	{"IPv6: link-local", IPV6(TO("fe80::1")), STAYS},
	{"IPv6: unspecified, which the kernel forwards", IPV6(TO("::")), TURNS, VIA_LAN6},
	{"IPv4: to what is in the tunnel no longer", IPV4(TO("8.0.16.77")), TURNS, VIA_LAN4},
	{"IPv6: to what is in the tunnel no longer", IPV6(TO("2001:db8:86dd:4000::77")), TURNS, VIA_LAN6},
	{"IPv4: a LAN within a route into the tunnel", IPV4(TO("8.0.26.1")), TURNS, VIA_LAN4},
	{"IPv6: a LAN within a route into the tunnel", IPV6(TO("2001:db8:86dd:7000::1")), TURNS, VIA_LAN6},
	TO_BOTH("bypass", "198.51.100.1", "2001:db8:5::1", STAYS),
	TO_BOTH("tunnel within bypass", "8.0.24.128", "2001:db8:86dd:6000:8000::", STAYS),
	TO_BOTH("a LAN within tunnel within bypass", "8.0.27.1", "2001:db8:86dd:7001::1", STAYS),
	TO_BOTH("on the administrator's list, and in the tunnel no longer", "8.0.28.1", "2001:db8:86dd:7002::1", STAYS),
	{"IPv4: no longer local, within a bypass, without a flag", IPV4(TO("198.51.100.64")), TURNS, VIA_LAN4},
	{"IPv4: not exempt, with all flags", IPV4(TO("8.0.29.1")), TURNS, VIA_LAN4},
	TO_BOTH("an entry of ones", "198.51.101.4", "2001:db8:6::4", STAYS),
	{"IPv4: hop limits are no business here", IPV4(), .vary = VARY_HOP_LIMIT, .from = 0, .to = 255, TURNS,
	 VIA_LAN4},
	{"IPv6: hop limits are no business here", IPV6(), .vary = VARY_HOP_LIMIT, .from = 0, .to = 255, TURNS,
	 VIA_LAN6},
	{"IPv4: header cut off", IPV4(), .vary = VARY_CUT, .from = 0, .to = 39, STAYS},
	{"IPv6: header cut off", IPV6(), .vary = VARY_CUT, .from = 0, .to = 59, STAYS},
	{"IPv4: IHL too small", IPV4(), .vary = VARY_IHL, .from = 0, .to = 4, STAYS},
	{"IPv4: IHL", IPV4(), .vary = VARY_IHL, .from = 5, .to = 15, TURNS, VIA_LAN4},
	{"IPv4: version", IPV4(), .vary = VARY_VERSION, .from = 5, .to = 15, STAYS},
	{"not IP: ARP", IPV4(.ethertype = SET(0x0806)), STAYS},
	{"not IP: tag in the packet", IPV4(.ethertype = SET(0x8100)), STAYS},
	{"IPv4: in a VLAN", IPV4(), .vlan = 7, STAYS},
	{"IPv6: in a VLAN", IPV6(), .vlan = 7, STAYS},
	{"IPv4: any MAC", IPV4(.mac = MAC_OTHER), .l2 = true, TURNS, VIA_LAN4},
	{"IPv6: any MAC", IPV6(.mac = MAC_BROADCAST), .l2 = true, TURNS, VIA_LAN6},
	{"IPv4: first fragment", IPV4(.fragment = SET(0x2000)), TURNS, VIA_LAN4},
	{"IPv4: later fragment", IPV4(.fragment = SET(185)), TURNS, VIA_LAN4},
	{"IPv6: later fragment", IPV6(.extensions = {SET(44)}, .fragment = SET(185)), TURNS, VIA_LAN6},

#define OUTSIDE6 "2001:db8:86dd:8000::"
#define OUTSIDE_DROP .outside = WGVIA_OUTSIDE_DROP
#define FROM_TUNNEL .ingress = DEVICE_TUNNEL
	FROM_BOTH("outside drop: out of the tunnel", OUTSIDE4, OUTSIDE6, FROM_TUNNEL, OUTSIDE_DROP, REFUSED),
	FROM_BOTH("outside drop: out of the tunnel, leaves elsewhere", OUTSIDE4, OUTSIDE6, FROM_TUNNEL,
		  .device = DEVICE_FOREIGN, OUTSIDE_DROP, REFUSED),
	FROM_BOTH("outside pass", OUTSIDE4, OUTSIDE6, FROM_TUNNEL, STAYS),
	FROM_BOTH("outside of garbage is pass", OUTSIDE4, OUTSIDE6, FROM_TUNNEL, .outside = 2, STAYS),
	FROM_BOTH("outside drop: made by this host", OUTSIDE4, OUTSIDE6, OUTSIDE_DROP, STAYS),
	FROM_BOTH("outside drop: made by this host, from a client's address", "8.0.14.1", "2001:db8:86dd:3001::1",
		  MAPS_USUAL, OUTSIDE_DROP, REFUSED),
	FROM_BOTH("outside drop: from a LAN", OUTSIDE4, OUTSIDE6, .ingress = DEVICE_LAN, OUTSIDE_DROP, STAYS),
	FROM_BOTH("outside drop: from a device without programs", OUTSIDE4, OUTSIDE6, .ingress = DEVICE_FOREIGN,
		  OUTSIDE_DROP, STAYS),
	FROM_BOTH("outside drop: the tunnel was removed, and may be any device", OUTSIDE4, OUTSIDE6,
		  .tunnel_gone = true, .ingress = DEVICE_FOREIGN, OUTSIDE_DROP, REFUSED),
	FROM_BOTH("outside drop: the tunnel was removed, from a LAN", OUTSIDE4, OUTSIDE6, .tunnel_gone = true,
		  .ingress = DEVICE_LAN, OUTSIDE_DROP, STAYS),
	FROM_BOTH("outside drop: the tunnel was removed, made by this host", OUTSIDE4, OUTSIDE6, .tunnel_gone = true,
		  OUTSIDE_DROP, STAYS),
	{"IPv4: outside drop: source in a prefix", IPV4(), FROM_TUNNEL, OUTSIDE_DROP, TURNS, VIA_LAN4},
	{"IPv6: outside drop: source in a prefix", IPV6(), FROM_TUNNEL, OUTSIDE_DROP, TURNS, VIA_LAN6},
	TO_BOTH("outside drop: source in a prefix, bypass", "198.51.100.1", "2001:db8:5::1", FROM_TUNNEL, OUTSIDE_DROP,
		STAYS),
	{"IPv4: outside drop: bypass does not exempt", IPV4(FROM(OUTSIDE4), TO("198.51.100.1")), FROM_TUNNEL,
	 OUTSIDE_DROP, REFUSED},
	{"IPv6: outside drop: multicast that this host forwards", IPV6(FROM(OUTSIDE6), TO("ff08::1")), FROM_TUNNEL,
	 OUTSIDE_DROP, REFUSED},
	{"IPv4: outside drop: header cut off", IPV4(), .vary = VARY_CUT, .from = 20, .to = 39, FROM_TUNNEL,
	 OUTSIDE_DROP, REFUSED, .frame_bytes = true},
	{"not IP: outside drop", IPV4(.ethertype = SET(0x0806)), FROM_TUNNEL, OUTSIDE_DROP, REFUSED,
	 .frame_bytes = true},
	{"IPv4: outside drop: in a VLAN", IPV4(FROM(OUTSIDE4)), .vlan = 7, FROM_TUNNEL, OUTSIDE_DROP, STAYS},
	{"IPv4: outside drop: GSO, counted in segments",
	 IPV4(FROM(OUTSIDE4), .protocol = SET(6), .payload = SET(20 + 3000)), .gso_size = 1000, FROM_TUNNEL,
	 OUTSIDE_DROP, REFUSED, .packets = 3, .bytes = 3000 + 3 * 40},

	{"IPv4: came in by the tunnel", IPV4(), .ingress = DEVICE_TUNNEL, TURNS, VIA_LAN4},
	{"IPv4: came in by this very device", IPV4(), .ingress = DEVICE_LAN, TURNS, VIA_LAN4},
	{"IPv4: has been at the firewall, leaves elsewhere", IPV4(), .device = DEVICE_FOREIGN, .ingress = DEVICE_LAN,
	 STAYS},
	{"IPv6: has been at the firewall, leaves elsewhere", IPV6(), .device = DEVICE_FOREIGN, .ingress = DEVICE_LAN,
	 STAYS},
	{"IPv4: leaves elsewhere, from the tunnel", IPV4(), .device = DEVICE_FOREIGN, .ingress = DEVICE_TUNNEL, TURNS,
	 VIA_LAN4},
	{"IPv4: has been at a firewall of another LAN, leaves elsewhere", IPV4(), .device = DEVICE_FOREIGN,
	 .ingress = DEVICE_JUMBO, STAYS},
	{"IPv6: has been at a firewall of another LAN, leaves elsewhere", IPV6(), .device = DEVICE_FOREIGN,
	 .ingress = DEVICE_JUMBO, STAYS},
	{"IPv6: leaves elsewhere, from the tunnel", IPV6(), .device = DEVICE_FOREIGN, .ingress = DEVICE_TUNNEL, TURNS,
	 VIA_LAN6},
	{"IPv4: leaves by the gateway's device, from another LAN", IPV4(), .ingress = DEVICE_JUMBO, TURNS, VIA_LAN4},

	{"IPv6: own neighbour discovery", IPV6(.protocol = SET(58), .icmp_type = SET(135), .hop_limit = SET(255)),
	 STAYS},
	{"IPv6: own router solicitation", IPV6(.protocol = SET(58), .icmp_type = SET(133), .hop_limit = SET(255)),
	 STAYS},
	{"IPv6: own redirect", IPV6(.protocol = SET(58), .icmp_type = SET(137), .hop_limit = SET(255)), STAYS},
	{"IPv6: ICMPv6 type 132", IPV6(.protocol = SET(58), .icmp_type = SET(132), .hop_limit = SET(255)), TURNS,
	 VIA_LAN6},
	{"IPv6: ICMPv6 type 138", IPV6(.protocol = SET(58), .icmp_type = SET(138), .hop_limit = SET(255)), TURNS,
	 VIA_LAN6},
	{"IPv6: hop limit 254 is no neighbour discovery",
	 IPV6(.protocol = SET(58), .icmp_type = SET(135), .hop_limit = SET(254)), TURNS, VIA_LAN6},
	{"IPv6: forwarded is no own neighbour discovery",
	 IPV6(.protocol = SET(58), .icmp_type = SET(135), .hop_limit = SET(255)), .ingress = DEVICE_TUNNEL, TURNS,
	 VIA_LAN6},
	{"IPv6: UDP is no neighbour discovery", IPV6(.icmp_type = SET(135), .hop_limit = SET(255)), TURNS, VIA_LAN6},
	{"IPv4: protocol 58 is none", IPV4(.protocol = SET(58), .icmp_type = SET(135), .hop_limit = SET(255)), TURNS,
	 VIA_LAN4},
	{"IPv6: ICMPv6 without a byte", IPV6(.protocol = SET(58), .payload = SET(0), .hop_limit = SET(255)), TURNS,
	 VIA_LAN6, .bytes = 40},

	FROM_BOTH("no device", "8.0.64.0", "2001:db8:86dd:a000::", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("device that is not on the list", "8.0.64.1", "2001:db8:86dd:a000::1", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("unknown family", "8.0.64.4", "2001:db8:86dd:a000::4", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("known to be down", "8.0.64.5", "2001:db8:86dd:a000::5", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("unknown flag", "8.0.64.6", "2001:db8:86dd:a000::6", .verdict = V(NO_GATEWAY)),
	{"IPv4: the gateway is of a list", IPV4(FROM("8.0.64.19")), TURNS, VIA_LAN4},
	{"IPv6: the gateway is of a list", IPV6(FROM("2001:db8:86dd:a000::19")), TURNS, VIA_LAN6},
	FROM_BOTH("of a list, and known to be down", "8.0.64.20", "2001:db8:86dd:a000::20", .verdict = V(NO_GATEWAY)),
	FROM_BOTH("next hop is IPv6 multicast", "8.0.64.15", "2001:db8:86dd:a000::15", .verdict = V(NO_GATEWAY)),
	{"IPv6: next hop is IPv4", IPV6(FROM("2001:db8:86dd:a000::8")), .verdict = V(NO_GATEWAY)},
	{"IPv4: next hop is IPv6", IPV4(FROM("8.0.64.16")), TURNS, VIA_LAN6},
	FROM_BOTH("on-fail pass: known to be down", "8.0.64.5", "2001:db8:86dd:a000::5", .on_fail = WGVIA_PASS,
		  .verdict = V(NO_GATEWAY)),

	{"IPv4: the kernel has asked for this device's MTU", IPV4(.payload = SET(1600)), TURNS, VIA_LAN4},
	{"IPv6: the kernel has asked for this device's MTU", IPV6(.payload = SET(1600)), TURNS, VIA_LAN6},
	{"IPv4: other device, fits exactly", IPV4(FROM("8.0.20.128"), .payload = SET(1280)), TURNS, .via = GW_NARROW4},
	{"IPv4: other device, one byte too long", IPV4(FROM("8.0.20.128"), .payload = SET(1281)),
	 .verdict = V(TOO_BIG)},
	{"IPv6: other device, one byte too long", IPV6(FROM("2001:db8:86dd:5000:8000::"), .payload = SET(1261)),
	 .verdict = V(TOO_BIG)},
	{"IPv4: other device, too long, on-fail pass does not matter", IPV4(FROM("8.0.20.128"), .payload = SET(1281)),
	 .on_fail = WGVIA_PASS, .verdict = V(TOO_BIG)},
	{"IPv4: other device, GSO, TCP, segments fit exactly",
	 IPV4(FROM("8.0.20.128"), .protocol = SET(6), .payload = SET(20 + 3000)), .gso_size = 1260, TURNS,
	 .via = GW_NARROW4, .packets = 3, .bytes = 3000 + 3 * 40},
	{"IPv4: other device, GSO, TCP, segments one byte too long",
	 IPV4(FROM("8.0.20.128"), .protocol = SET(6), .payload = SET(20 + 3000)), .gso_size = 1261,
	 .verdict = V(TOO_BIG), .packets = 3, .bytes = 3000 + 3 * 40},
	{"IPv6: other device, GSO, TCP, segments one byte too long",
	 IPV6(FROM("2001:db8:86dd:5000:8000::"), .protocol = SET(6), .payload = SET(20 + 3000)), .gso_size = 1241,
	 .verdict = V(TOO_BIG), .packets = 3, .bytes = 3000 + 3 * 60},
	{"IPv4: other device, too long, and no helper that could tell", IPV4(FROM("8.0.20.128"), .payload = SET(1281)),
	 .no_check_mtu = true, TURNS, .via = GW_NARROW4},
	{"IPv4: what stands behind the packet stays", IPV4(), .vary = VARY_PADDING, .from = 1, .to = 46, TURNS,
	 VIA_LAN4, .bytes = 40},
	{"IPv6: what stands behind the packet stays", IPV6(), .vary = VARY_PADDING, .from = 1, .to = 46, TURNS,
	 VIA_LAN6, .bytes = 60},
	{"IPv6: payload length 0 without hop-by-hop options, all the rest is padding", IPV6(.total_length = SET(0)),
	 TURNS, VIA_LAN6, .bytes = 40},
	{"IPv4: GSO, what stands behind the packet stays",
	 IPV4(.protocol = SET(6), .payload = SET(20 + 3000), .padding = 6), .gso_size = 1000, TURNS, VIA_LAN4,
	 .packets = 3, .bytes = 3 * 1040},
	{"IPv4: GSO", IPV4(.protocol = SET(6), .payload = SET(20 + 3000)), .gso_size = 1000, TURNS, VIA_LAN4,
	 .packets = 3, .bytes = 3 * 1040},
	{"IPv6: GSO", IPV6(.protocol = SET(6), .payload = SET(20 + 3000)), .gso_size = 1000, TURNS, VIA_LAN6,
	 .packets = 3, .bytes = 3 * 1060},

	/* marks: both parts must match */
	{"IPv4: sent by our ingress program", IPV4(), .tc_index = TC_INDEX, .cb0 = MARK(DONE), STAYS},
	{"IPv6: sent by our ingress program", IPV6(), .tc_index = TC_INDEX, .cb0 = MARK(DONE), STAYS},
	{"IPv4: bounced by our ingress program", IPV4(), .tc_index = TC_INDEX_BACK, .cb0 = MARK(DONE), STAYS},
	{"IPv6: bounced by our ingress program", IPV6(), .tc_index = TC_INDEX_BACK, .cb0 = MARK(DONE), STAYS},
	{"IPv4: sent by our ingress program, gateway unusable since", IPV4(FROM("8.0.64.5")), .tc_index = TC_INDEX,
	 .cb0 = MARK(DONE), STAYS},
	{"IPv4: tc_index alone is no mark", IPV4(), .tc_index = TC_INDEX, TURNS, VIA_LAN4},
	{"IPv4: cb alone is no mark", IPV4(), .cb0 = MARK(DONE), TURNS, VIA_LAN4},
	{"IPv4: another's tc_index", IPV4(), .tc_index = TC_INDEX + 1, .cb0 = MARK(DONE), TURNS, VIA_LAN4},
	{"IPv4: another's cb", IPV4(), .tc_index = TC_INDEX, .cb0 = MARK(DONE) ^ 0x100, TURNS, VIA_LAN4},

	/*
	 * The second pass (neigh_update(): docs/ARCHITECTURE.md). The LAN's gateways have the MAC 02:00:00:00:aa:01 in
	 * the neighbour table, added by test_decisions(); MAC_DEVICE belongs to another host.
	 */
	{"IPv4: second pass, at once, another MAC than at first", IPV4(), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET),
	 .since = NOTHING, .l2 = true, STAYS},
	{"IPv6: second pass, at once, another MAC than at first", IPV6(), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET),
	 .since = NOTHING, .l2 = true, STAYS},
	{"IPv4: second pass, at once, another MAC than at first, on another device", IPV4(), .device = DEVICE_JUMBO,
	 .tc_index = TC_INDEX, .cb0 = MARK(RETARGET), .since = NOTHING, .l2 = true, STAYS, .again = true, VIA_LAN4},
	{"IPv4: second pass, another MAC than at first, and not the gateway's", IPV4(), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET), .l2 = true, STAYS, .again = true, VIA_LAN4},
	{"IPv6: second pass, another MAC than at first, and not the gateway's", IPV6(), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET), .l2 = true, STAYS, .again = true, VIA_LAN6},
	{"IPv4: second pass, at once, on another CPU, not the gateway's MAC", IPV4(), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET), .since = ANOTHER_CPU, .l2 = true, STAYS, .again = true, VIA_LAN4},
	{"IPv4: second pass, at once, by another instance, not the gateway's MAC", IPV4(), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET), .since = ANOTHER_INSTANCE, .l2 = true, STAYS, .again = true, VIA_LAN4},
	{"IPv6: second pass, at once, by another instance, not the gateway's MAC", IPV6(), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET), .since = ANOTHER_INSTANCE, .l2 = true, STAYS, .again = true, VIA_LAN6},
	{"IPv4: second pass, at once, another MAC than at first, shorter than at first", IPV4(), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET), .since = NOTHING, .noted_longer = 1, .verdict = V(TOO_BIG), .frame_bytes = true},
	{"IPv4: second pass, the service's MAC still", IPV4(), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET),
	 .same_mac = true, .l2 = true, STAYS, .again = true, VIA_LAN4},
	{"IPv6: second pass, the service's MAC still", IPV6(), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET),
	 .same_mac = true, .l2 = true, STAYS, .again = true, VIA_LAN6},
	{"IPv4: third pass, the service's MAC still", IPV4(), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET + 1),
	 .same_mac = true, .l2 = true, STAYS, .again = true, VIA_LAN4},
	{"IPv4: third pass, at once, but the gateway is known to have another MAC", IPV4(), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET + 1), .since = NOTHING, .same_mac = true, .l2 = true, STAYS, .again = true, VIA_LAN4},
	{"IPv6: third pass, at once, but the gateway is known to have another MAC", IPV6(), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET + 1), .since = NOTHING, .same_mac = true, .l2 = true, STAYS, .again = true, VIA_LAN6},
	{"IPv4: third pass, at once, another MAC than at first", IPV4(), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET + 1), .since = NOTHING, .l2 = true, STAYS},
	{"IPv4: third pass, another MAC than at first, and not the gateway's", IPV4(), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET + 1), .l2 = true, STAYS, .again = true, VIA_LAN4},
	{"IPv4: after the last try, at once, another MAC than at first", IPV4(), .tc_index = TC_INDEX,
	 .cb0 = MARK(LAST_TRY + 1), .since = NOTHING, .l2 = true, STAYS},
	{"IPv4: after the last try, another MAC than at first, and not the gateway's", IPV4(), .tc_index = TC_INDEX,
	 .cb0 = MARK(LAST_TRY + 1), .l2 = true, .verdict = V(NO_GATEWAY)},
	{"IPv4: last try, the service's MAC still", IPV4(), .tc_index = TC_INDEX, .cb0 = MARK(LAST_TRY),
	 .same_mac = true, .l2 = true, STAYS, .again = true, VIA_LAN4},
	{"IPv4: the service's MAC still after the last try", IPV4(), .tc_index = TC_INDEX, .cb0 = MARK(LAST_TRY + 1),
	 .same_mac = true, .l2 = true, .verdict = V(NO_GATEWAY)},
	{"IPv6: second pass, gateway unusable since", IPV6(FROM("2001:db8:86dd:a000::5")), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET), .same_mac = true, .l2 = true, .verdict = V(NO_GATEWAY)},
	{"IPv4: second pass, gateway unusable since", IPV4(FROM("8.0.64.5")), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET), .same_mac = true, .l2 = true, .verdict = V(NO_GATEWAY)},
	{"IPv4: second pass, gateway unusable since, another MAC than at first", IPV4(FROM("8.0.64.5")),
	 .tc_index = TC_INDEX, .cb0 = MARK(RETARGET), .l2 = true, .verdict = V(NO_GATEWAY)},
	{"IPv6: second pass, gateway unusable since, another MAC than at first", IPV6(FROM("2001:db8:86dd:a000::5")),
	 .tc_index = TC_INDEX, .cb0 = MARK(RETARGET), .l2 = true, .verdict = V(NO_GATEWAY)},
	{"IPv4: second pass, gateway unusable since, on-fail pass", IPV4(FROM("8.0.64.5")), .on_fail = WGVIA_PASS,
	 .tc_index = TC_INDEX, .cb0 = MARK(RETARGET), .l2 = true, .verdict = V(NO_GATEWAY)},
	{"IPv4: second pass without link header, gateway unusable since", IPV4(FROM("8.0.64.5")), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET), .l3 = true, .verdict = V(NO_GATEWAY)},
	{"IPv4: second pass on another device, too long for the gateway's by now",
	 IPV4(FROM("8.0.20.128"), .payload = SET(1281)), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET), .l2 = true,
	 .verdict = V(TOO_BIG)},
	{"IPv4: second pass without link header", IPV4(), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET), .l3 = true,
	 STAYS, .again = true, VIA_LAN4},
	{"IPv6: second pass without link header", IPV6(), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET), .l3 = true,
	 STAYS, .again = true, VIA_LAN6},
	/* the kernel had chosen a device without link header, so the packet still has none */
	{"IPv4: second pass, the link header is missing", IPV4(), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET),
	 .bare = true, STAYS, .again = true, VIA_LAN4},
	{"IPv6: second pass, the link header is missing", IPV6(), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET),
	 .bare = true, STAYS, .again = true, VIA_LAN6},
	{"IPv4: second pass, at once, the link header is missing", IPV4(), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET),
	 .since = NOTHING, .bare = true, STAYS, .again = true, VIA_LAN4},
	{"IPv4: second pass, the link header is missing, gateway unusable since", IPV4(FROM("8.0.64.5")),
	 .tc_index = TC_INDEX, .cb0 = MARK(RETARGET), .bare = true, .verdict = V(TOO_BIG)},
	{"IPv4: second pass, the link header is missing, gateway unusable since, on-fail pass", IPV4(FROM("8.0.64.5")),
	 .on_fail = WGVIA_PASS, .tc_index = TC_INDEX, .cb0 = MARK(RETARGET), .bare = true, .verdict = V(TOO_BIG)},
	{"IPv4: second pass, the link header is missing, in no prefix any more", IPV4(FROM(OUTSIDE4)),
	 .tc_index = TC_INDEX, .cb0 = MARK(RETARGET), .bare = true, .verdict = V(TOO_BIG)},
	{"IPv6: second pass, the link header is missing, exempt by now", IPV6(TO("2001:db8:5::1")),
	 .tc_index = TC_INDEX, .cb0 = MARK(RETARGET), .bare = true, .verdict = V(TOO_BIG)},
	{"IPv4: second pass, shorter than at first", IPV4(), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET),
	 .noted_longer = 1, .verdict = V(TOO_BIG), .frame_bytes = true},
	{"IPv6: second pass, longer than at first", IPV6(), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET),
	 .noted_longer = -1, .verdict = V(TOO_BIG), .frame_bytes = true},
};

/* A TCP segment, or something similar, with these flags and options, and a right checksum. */
#define SEGMENT(number, flags, ...)                                                                                    \
	.protocol = SET(number), .tcp_flags = SET(flags), .option_len = sizeof((uint8_t[]){__VA_ARGS__}),              \
	.options = {__VA_ARGS__}
#define SYN(...) SEGMENT(6, 0x02, __VA_ARGS__)
#define MSS(value) 2, 4, (value) >> 8, (value) & 0xff
#define AUTO .mss = WGVIA_MSS_AUTO
#define UNUSED 0, 0, 0 /* the end of the options, and bytes after it */
/* As sent by Linux: MSS, SACK permitted, timestamps, window scale. */
#define LINUX(value) MSS(value), 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7
#define SYN_OF_LINUX(value) SYN(LINUX(value))
#define FLAGS_OF_LINUX(flags, value) SEGMENT(6, flags, LINUX(value))

#define TWO(a, b) a, b

#define SYN_BOTH(title, packet, ...)                                                                                   \
	{"IPv4: mss: " title, IPV4(packet), __VA_ARGS__},                                                              \
	{                                                                                                              \
		"IPv6: mss: " title, IPV6(packet), __VA_ARGS__                                                         \
	}
#define LAN_BOTH .via = GW_LAN_LINK_LOCAL
/* Sources with the same gateway in both families. */
#define SYN_OUT_BOTH(title, packet, ...)                                                                               \
	{"IPv4: mss: " title, IPV4(FROM("8.0.20.200"), packet), GOES, LAN_BOTH, __VA_ARGS__},                          \
	{                                                                                                              \
		"IPv6: mss: " title, IPV6(FROM("2001:db8:86dd:5000:8000::7"), packet), GOES, LAN_BOTH, __VA_ARGS__     \
	}

/* The tunnel's MTU is 1420, the LAN's 1500, the narrow device's 1300. */
static const struct row mss_out_rows[] = {
	{"IPv4: mss auto: the tunnel's MTU", IPV4(SYN_OF_LINUX(1460)), AUTO, GOES, VIA_LAN4, .lowered = 1380},
	{"IPv6: mss auto: the tunnel's MTU", IPV6(SYN_OF_LINUX(1440)), AUTO, GOES, VIA_LAN6, .lowered = 1360},
	{"IPv4: mss auto: one too many", IPV4(SYN_OF_LINUX(1381)), AUTO, GOES, VIA_LAN4, .lowered = 1380},
	{"IPv6: mss auto: one too many", IPV6(SYN_OF_LINUX(1361)), AUTO, GOES, VIA_LAN6, .lowered = 1360},
	{"IPv4: mss auto: fits exactly", IPV4(SYN_OF_LINUX(1380)), AUTO, GOES, VIA_LAN4},
	{"IPv6: mss auto: fits exactly", IPV6(SYN_OF_LINUX(1360)), AUTO, GOES, VIA_LAN6},
	{"IPv4: mss auto: the narrower device's MTU", IPV4(FROM("8.0.20.128"), SYN_OF_LINUX(1460)), AUTO, GOES,
	 .via = GW_NARROW4, .lowered = 1260},
	{"IPv6: mss auto: the narrower device's MTU", IPV6(FROM("2001:db8:86dd:5000:8000::"), SYN_OF_LINUX(1440)), AUTO,
	 GOES, .via = GW_NARROW6, .lowered = 1240},
	{"IPv4: mss auto: behind IP options", IPV4(.ihl = SET(15), SYN_OF_LINUX(1460)), AUTO, GOES, VIA_LAN4,
	 .lowered = 1380},
	{"IPv4: mss auto: a kernel without the helper", IPV4(SYN_OF_LINUX(1460)), AUTO, .no_check_mtu = true, GOES,
	 VIA_LAN4},
	SYN_OUT_BOTH("auto: never raised", SYN_OF_LINUX(536), AUTO),
	SYN_OUT_BOTH("auto: 0", SYN_OF_LINUX(0), AUTO),

	SYN_OUT_BOTH("N", SYN_OF_LINUX(1440), .mss = 1300, .lowered = 1300),
	SYN_OUT_BOTH("N: one too many", SYN_OF_LINUX(1301), .mss = 1300, .lowered = 1300),
	SYN_OUT_BOTH("N: never raised", SYN_OF_LINUX(1299), .mss = 1300),
	SYN_OUT_BOTH("the smallest N", SYN_OF_LINUX(1440), .mss = 536, .lowered = 536),
	SYN_OUT_BOTH("the greatest N", SYN_OF_LINUX(65535), .mss = 65495, .lowered = 65495),
	SYN_OUT_BOTH("N, a kernel without the helper", SYN_OF_LINUX(1440), .mss = 1300, .no_check_mtu = true,
		     .lowered = 1300),
	SYN_OUT_BOTH("off", SYN_OF_LINUX(1460), .mss = WGVIA_MSS_OFF),
	SYN_OUT_BOTH("garbage: 2", SYN_OF_LINUX(1460), .mss = 2),
	SYN_OUT_BOTH("garbage: one less than an MSS", SYN_OF_LINUX(1460), .mss = 535),
	SYN_OUT_BOTH("garbage: one more than an MSS", SYN_OF_LINUX(65535), .mss = 65496),

	/* which packets */
	SYN_OUT_BOTH("SYN and ACK", FLAGS_OF_LINUX(0x12, 1440), .mss = 1300, .lowered = 1300),
	SYN_OUT_BOTH("SYN of a host with ECN", FLAGS_OF_LINUX(0xc2, 1440), .mss = 1300, .lowered = 1300),
	SYN_OUT_BOTH("ACK, with an option that it must not have", FLAGS_OF_LINUX(0x10, 1440), .mss = 1300),
	SYN_OUT_BOTH("SYN and RST", FLAGS_OF_LINUX(0x06, 1440), .mss = 1300),
	SYN_OUT_BOTH("with data", TWO(SYN_OF_LINUX(1440), .payload = SET(20 + 20 + 333)), .mss = 1300, .lowered = 1300),
	SYN_OUT_BOTH("UDP of the same bytes", SEGMENT(17, 0x02, LINUX(1440)), .mss = 1300),
	{"IPv6: mss: behind an extension header", IPV6(SYN_OF_LINUX(1440), .extensions = {SET(0)}), .mss = 1300, GOES,
	 VIA_LAN6},
	{"IPv4: mss: first fragment, with the whole header", IPV4(SYN_OF_LINUX(1440), .fragment = SET(0x2000)),
	 .mss = 1300, GOES, VIA_LAN4, .lowered = 1300},
	{"IPv4: mss: later fragment", IPV4(SYN_OF_LINUX(1440), .fragment = SET(1)), .mss = 1300, GOES, VIA_LAN4},
	{"IPv4: mss: later fragment, offset in the other byte", IPV4(SYN_OF_LINUX(1440), .fragment = SET(0x0100)),
	 .mss = 1300, GOES, VIA_LAN4},
	SYN_OUT_BOTH("the header is longer than the packet", TWO(SYN(MSS(1440)), .tcp_words = SET(7)), .mss = 1300),
	SYN_OUT_BOTH("the header is too short for one", TWO(SYN(MSS(1440)), .tcp_words = SET(4)), .mss = 1300),
	SYN_OUT_BOTH("the header ends before the option", TWO(SYN(MSS(1440)), .tcp_words = SET(5)), .mss = 1300),

	/* which options */
	SYN_OUT_BOTH("alone", SYN(MSS(1440)), .mss = 1300, .lowered = 1300),
	SYN_OUT_BOTH("none", SYN(4, 2, 1, 1), .mss = 1300),
	SYN_OUT_BOTH("no options", TWO(.protocol = SET(6), .tcp_flags = SET(0x02)), .mss = 1300),
	SYN_OUT_BOTH("at an odd place", SYN(1, MSS(1440), UNUSED), .mss = 1300, .lowered = 1300, .lowered_at = 3),
	SYN_OUT_BOTH("at an odd place, carry", SYN(1, MSS(65535), UNUSED), .mss = 1279, .lowered = 1279,
		     .lowered_at = 3),
	SYN_OUT_BOTH("the last one", SYN(3, 3, 7, 1, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 1, MSS(1440)), .mss = 1300,
		     .lowered = 1300, .lowered_at = 18),
	SYN_OUT_BOTH("the last one of 40 bytes",
		     SYN(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
			 1, 1, 1, 1, MSS(1440)),
		     .mss = 1300, .lowered = 1300, .lowered_at = 38),
	SYN_OUT_BOTH("before the end, and noise behind it", SYN(MSS(1440), 0, 2, 9, 9), .mss = 1300, .lowered = 1300),
	SYN_OUT_BOTH("behind the end", SYN(0, 1, 1, 1, MSS(1440)), .mss = 1300),
	SYN_OUT_BOTH("an unknown option before it", SYN(253, 4, 0, 0, MSS(1440)), .mss = 1300, .lowered = 1300,
		     .lowered_at = 6),
	SYN_OUT_BOTH("the bytes of one within another option", SYN(253, 8, MSS(1440), 0, 0), .mss = 1300),
	SYN_OUT_BOTH("a last byte that is no option", SYN(MSS(1440), 1, 1, 1, 3), .mss = 1300, .lowered = 1300),
	SYN_OUT_BOTH("twice", SYN(MSS(1440), MSS(1440)), .mss = 1300),
	SYN_OUT_BOTH("twice, the first one is small", SYN(MSS(1000), MSS(1440)), .mss = 1300),
	SYN_OUT_BOTH("length 3", SYN(2, 3, 5, 1, 1, 1, 1, 1), .mss = 1300),
	SYN_OUT_BOTH("length 5", SYN(2, 5, 1440 >> 8, 1440 & 0xff, 0, 1, 1, 1), .mss = 1300),
	SYN_OUT_BOTH("length 0", SYN(2, 0, 1440 >> 8, 1440 & 0xff), .mss = 1300),
	SYN_OUT_BOTH("truncated", SYN(1, 2, 4, 1440 >> 8), .mss = 1300),
	SYN_OUT_BOTH("another option of length 0", SYN(MSS(1440), 3, 0, 1, 1), .mss = 1300),
	SYN_OUT_BOTH("another option of length 1", SYN(MSS(1440), 3, 1, 1, 1), .mss = 1300),
	SYN_OUT_BOTH("another option is truncated", SYN(MSS(1440), 1, 1, 3, 3), .mss = 1300),

	{"IPv4: mss: outside", IPV4(FROM(OUTSIDE4), SYN_OF_LINUX(1440)), .mss = 1300, .verdict = V(OUTSIDE)},
	{"IPv4: mss: bypass", IPV4(TO("198.51.100.1"), SYN_OF_LINUX(1440)), .mss = 1300, .verdict = V(BYPASS)},
};

static const struct row mss_back_rows[] = {
	{"IPv4: mss auto", IPV4(SYN_OF_LINUX(1460)), AUTO, COMES, .lowered = 1380},
	{"IPv6: mss auto", IPV6(FLAGS_OF_LINUX(0x12, 1440)), AUTO, COMES, .lowered = 1360},
	{"IPv4: mss auto: fits exactly", IPV4(SYN_OF_LINUX(1380)), AUTO, COMES},
	{"IPv4: mss auto: the narrower device's MTU", IPV4(SYN_OF_LINUX(1460)), .device = DEVICE_NARROW, AUTO, COMES,
	 .lowered = 1260},
	{"IPv4: mss auto: a kernel without the helper", IPV4(SYN_OF_LINUX(1460)), AUTO, .no_check_mtu = true, COMES},
	SYN_BOTH("N", SYN_OF_LINUX(1440), .mss = 1300, COMES, .lowered = 1300),
	SYN_BOTH("off", SYN_OF_LINUX(1440), COMES),
	SYN_BOTH("not a SYN", FLAGS_OF_LINUX(0x18, 1440), .mss = 1300, COMES),
	SYN_BOTH("hop limit", TWO(SYN_OF_LINUX(1440), .hop_limit = SET(1)), .mss = 1300, .verdict = V(HOP_LIMIT),
		 .lowered = 1300),
	SYN_BOTH("the tunnel was removed", SYN_OF_LINUX(1440), .mss = 1300, .tunnel_gone = true, STAYS),
	{"IPv4: mss: from a bypass", IPV4(FROM("198.51.100.1"), SYN_OF_LINUX(1440)), .mss = 1300, STAYS},
	{"IPv4: mss: to this host", IPV4(TO("8.0.16.1"), SYN_OF_LINUX(1440)), .mss = 1300, STAYS},
	{"IPv4: mss: bounced first", IPV4(STRANGER, SYN_OF_LINUX(1440)), .mss = 1300, BOUNCES, VIA_LAN4},
	{"IPv6: mss: bounced first", IPV6(STRANGER, SYN_OF_LINUX(1440)), .mss = 1300, BOUNCES, VIA_LAN6},
	SYN_BOTH("return any", TWO(STRANGER, SYN_OF_LINUX(1440)), .mss = 1300, .ret = WGVIA_RETURN_ANY, DIRECT,
		 .lowered = 1300),

	{"IPv4: mss auto, mode stack", IPV4(SYN_OF_LINUX(1460)), AUTO, .stack = true, STAYS, .lowered = 1380},
	{"IPv6: mss auto, mode stack", IPV6(SYN_OF_LINUX(1440)), AUTO, .stack = true, STAYS, .lowered = 1360},
	SYN_BOTH("N, mode stack", FLAGS_OF_LINUX(0x12, 1440), .mss = 1300, .stack = true, STAYS, .lowered = 1300),
	SYN_BOTH("off, mode stack", SYN_OF_LINUX(1440), .stack = true, STAYS),
	SYN_BOTH("not a SYN, mode stack", FLAGS_OF_LINUX(0x18, 1440), .mss = 1300, .stack = true, STAYS),
	SYN_BOTH("return any, mode stack", TWO(STRANGER, SYN_OF_LINUX(1440)), .mss = 1300, .ret = WGVIA_RETURN_ANY,
		 .stack = true, DIRECT, .lowered = 1300),
	SYN_BOTH("the tunnel was removed, mode stack", SYN_OF_LINUX(1440), .mss = 1300, .tunnel_gone = true,
		 .stack = true, STAYS),
	{"IPv4: mss: from a bypass, mode stack", IPV4(FROM("198.51.100.1"), SYN_OF_LINUX(1440)), .mss = 1300,
	 .stack = true, STAYS},
	{"IPv4: mss: to this host, mode stack", IPV4(TO("8.0.16.1"), SYN_OF_LINUX(1440)), .mss = 1300, .stack = true,
	 STAYS},
	{"IPv4: mss: bounced first, mode stack", IPV4(STRANGER, SYN_OF_LINUX(1440)), .mss = 1300, .stack = true,
	 BOUNCES, VIA_LAN4},
};

static const struct row mss_egress_rows[] = {
	{"IPv4: mss auto: the tunnel's MTU", IPV4(SYN_OF_LINUX(1460)), AUTO, TURNS, VIA_LAN4, .lowered = 1380},
	{"IPv6: mss auto: the tunnel's MTU", IPV6(SYN_OF_LINUX(1440)), AUTO, TURNS, VIA_LAN6, .lowered = 1360},
	{"IPv4: mss auto: the narrower device's MTU", IPV4(FROM("8.0.20.128"), SYN_OF_LINUX(1460)), AUTO, TURNS,
	 .via = GW_NARROW4, .lowered = 1260},
	{"IPv4: mss auto: the tunnel was removed", IPV4(SYN_OF_LINUX(1460)), AUTO, .tunnel_gone = true, TURNS,
	 VIA_LAN4},
	{"IPv4: mss: N, the tunnel was removed", IPV4(SYN_OF_LINUX(1460)), .mss = 1300, .tunnel_gone = true, TURNS,
	 VIA_LAN4, .lowered = 1300},
	{"IPv4: mss: N", IPV4(SYN_OF_LINUX(1460)), .mss = 1300, TURNS, VIA_LAN4, .lowered = 1300},
	{"IPv6: mss: N, in mode stack", IPV6(SYN_OF_LINUX(1440)), .mss = 1300, .stack = true, TURNS, VIA_LAN6,
	 .lowered = 1300},
	{"IPv4: mss: off", IPV4(SYN_OF_LINUX(1460)), TURNS, VIA_LAN4},
	{"IPv4: mss: not a SYN", IPV4(FLAGS_OF_LINUX(0x18, 1460)), .mss = 1300, TURNS, VIA_LAN4},
	{"IPv4: mss: outside", IPV4(FROM(OUTSIDE4), SYN_OF_LINUX(1460)), .mss = 1300, STAYS},
	{"IPv4: mss: bypass", IPV4(TO("198.51.100.1"), SYN_OF_LINUX(1460)), .mss = 1300, STAYS},
};

/* The same, if the packet's MAC is the gateway's: the kernel was sending to the firewall anyway. */
#define AFTER_NO_ANSWER(title, packet_spec, where, gateway)                                                            \
	{title "second pass",                                                                                          \
	 packet_spec,                                                                                                  \
	 .device = (where),                                                                                            \
	 .tc_index = TC_INDEX,                                                                                         \
	 .cb0 = MARK(RETARGET),                                                                                        \
	 .since = A_NEIGHBOUR_REQUEST,                                                                                 \
	 .same_mac = true,                                                                                             \
	 .l2 = true,                                                                                                   \
	 STAYS,                                                                                                        \
	 .again = true,                                                                                                \
	 .via = (gateway)},                                                                                            \
		{title "second pass, at once by accident",                                                             \
		 packet_spec,                                                                                          \
		 .device = (where),                                                                                    \
		 .tc_index = TC_INDEX,                                                                                 \
		 .cb0 = MARK(RETARGET),                                                                                \
		 .since = NOTHING,                                                                                     \
		 .same_mac = true,                                                                                     \
		 .l2 = true,                                                                                           \
		 STAYS,                                                                                                \
		 .again = true,                                                                                        \
		 .via = (gateway)},                                                                                    \
		{title "third pass, at once",                                                                          \
		 packet_spec,                                                                                          \
		 .device = (where),                                                                                    \
		 .tc_index = TC_INDEX,                                                                                 \
		 .cb0 = MARK(RETARGET + 1),                                                                            \
		 .since = NOTHING,                                                                                     \
		 .same_mac = true,                                                                                     \
		 .l2 = true,                                                                                           \
		 STAYS},                                                                                               \
		{title "third pass, at once, the count begins again",                                                  \
		 packet_spec,                                                                                          \
		 .device = (where),                                                                                    \
		 .tc_index = TC_INDEX,                                                                                 \
		 .cb0 = MARK(RETARGET + 1),                                                                            \
		 .since = NOTHING_WRAPPED,                                                                             \
		 .same_mac = true,                                                                                     \
		 .l2 = true,                                                                                           \
		 STAYS},                                                                                               \
		{title "third pass, after a neighbour request",                                                        \
		 packet_spec,                                                                                          \
		 .device = (where),                                                                                    \
		 .tc_index = TC_INDEX,                                                                                 \
		 .cb0 = MARK(RETARGET + 1),                                                                            \
		 .since = A_NEIGHBOUR_REQUEST,                                                                         \
		 .same_mac = true,                                                                                     \
		 .l2 = true,                                                                                           \
		 STAYS,                                                                                                \
		 .again = true,                                                                                        \
		 .via = (gateway)},                                                                                    \
		{title "third pass, on another CPU",                                                                   \
		 packet_spec,                                                                                          \
		 .device = (where),                                                                                    \
		 .tc_index = TC_INDEX,                                                                                 \
		 .cb0 = MARK(RETARGET + 1),                                                                            \
		 .since = ANOTHER_CPU,                                                                                 \
		 .same_mac = true,                                                                                     \
		 .l2 = true,                                                                                           \
		 STAYS,                                                                                                \
		 .again = true,                                                                                        \
		 .via = (gateway)},                                                                                    \
		{title "last pass, at once",                                                                           \
		 packet_spec,                                                                                          \
		 .device = (where),                                                                                    \
		 .tc_index = TC_INDEX,                                                                                 \
		 .cb0 = MARK(LAST_TRY + 1),                                                                            \
		 .since = NOTHING,                                                                                     \
		 .same_mac = true,                                                                                     \
		 .l2 = true,                                                                                           \
		 STAYS},                                                                                               \
	{                                                                                                              \
		title "last pass, after a neighbour request", packet_spec, .device = (where), .tc_index = TC_INDEX,    \
			.cb0 = MARK(LAST_TRY + 1), .since = A_NEIGHBOUR_REQUEST, .same_mac = true, .l2 = true,         \
			.verdict = V(NO_GATEWAY)                                                                       \
	}

static const struct row gateway_mac_rows[] = {
	{"IPv4: second pass, the gateway's MAC as before", IPV4(), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET),
	 .same_mac = true, .l2 = true, STAYS},
	{"IPv6: second pass, the gateway's MAC as before", IPV6(), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET),
	 .same_mac = true, .l2 = true, STAYS},
	{"IPv4: second pass, another MAC than at first, the gateway's", IPV4(), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET), .l2 = true, STAYS},
	{"IPv6: second pass, another MAC than at first, the gateway's", IPV6(), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET), .l2 = true, STAYS},
	{"IPv6: link-local next hop: second pass, another MAC than at first", IPV6(FROM("2001:db8:86dd:5000:8000::7")),
	 .tc_index = TC_INDEX, .cb0 = MARK(RETARGET), .l2 = true, STAYS, .again = true, .via = GW_LAN_LINK_LOCAL},
	{"IPv6: link-local next hop: second pass, at once, another MAC than at first",
	 IPV6(FROM("2001:db8:86dd:5000:8000::7")), .tc_index = TC_INDEX, .cb0 = MARK(RETARGET), .since = NOTHING,
	 .l2 = true, STAYS},
	/* bpf_fib_lookup() does not answer for a link-local address, so a further redirect is needed */
	AFTER_NO_ANSWER("IPv4: link-local next hop: ", IPV4(FROM("8.0.20.200")), DEVICE_LAN, GW_LAN_LINK_LOCAL),
	AFTER_NO_ANSWER("IPv6: link-local next hop: ", IPV6(FROM("2001:db8:86dd:5000:8000::7")), DEVICE_LAN,
			GW_LAN_LINK_LOCAL),
	/* nor on a device that does not forward, such as the narrow one */
	AFTER_NO_ANSWER("IPv4: device that does not forward: ", IPV4(FROM("8.0.20.128")), DEVICE_NARROW, GW_NARROW4),
	AFTER_NO_ANSWER("IPv6: device that does not forward: ", IPV6(FROM("2001:db8:86dd:5000:8000::")), DEVICE_NARROW,
			GW_NARROW6),
	/* a missing device is not such an answer */
	{"IPv4: third pass, at once, device that has gone", IPV4(FROM("8.0.64.17")), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET + 1), .since = NOTHING, .same_mac = true, .l2 = true, .verdict = V(NO_GATEWAY)},
	{"IPv6: third pass, at once, device that has gone", IPV6(FROM("2001:db8:86dd:a000::17")), .tc_index = TC_INDEX,
	 .cb0 = MARK(RETARGET + 1), .since = NOTHING, .same_mac = true, .l2 = true, .verdict = V(NO_GATEWAY)},
	{"IPv4: second pass, the MAC of another gateway, which is not resolved", IPV4(FROM("8.0.20.1")),
	 .tc_index = TC_INDEX, .cb0 = MARK(RETARGET), .same_mac = true, .l2 = true, STAYS, .again = true,
	 .via = GW_JUMBO4},
};

static const uint8_t gateway_mac[] = {2, 0, 0, 0, 0xaa, 1};

enum form { FORM_L2, FORM_ETHER, FORM_L3, FORM_NO_CHECK_MTU, FORM_STACK, FORM_NO_COUNTS, FORM_COUNT };

static const char *const form_names[] = {"with link header", "Ethernet tunnel", "without link header",
					 "no MTU helper",    "mode stack",	"no counts"};

/* Each form as wgvia loads it, and with the recorder. */
static struct programs programs[FORM_COUNT][2];
static bool can_check_sums, can_set_ingress;
static uint32_t own_cpu;
static unsigned int runs;

static void fill_maps(enum maps maps)
{
	static int filled = -1;
	struct programs *any = &programs[0][0];

	if (filled == (int)maps)
		return;
	filled = maps;
	programs_clear_maps(any);
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		enum gateway number = prefixes[i].gateway;
		struct wgvia_gateway value = {
			.ifindex = devices[gateways[number].device].ifindex,
			.family = gateways[number].family,
			.flags = gateways[number].flags,
		};

		packets_address(gateways[number].next_hop, value.addr, NULL);
		if (prefixes[i].maps == maps)
			programs_set_prefix(any, prefixes[i].prefix, &value);
	}
	for (size_t i = 0; i < sizeof(bypasses) / sizeof(bypasses[0]); i++)
		if (bypasses[i].maps == maps)
			programs_set_bypass_flags(any, bypasses[i].prefix, bypasses[i].verdict, bypasses[i].flags);
}

static const char *const verdict_words[] = {
#define WORD(name, word) [WGVIA_##name] = word,
	WGVIA_VERDICTS(WORD)[WGVIA_VERDICT_COUNT] = "uncounted",
};

static const char *const direction_words[] = {"out", "back", "egress"};

#define CHECK(condition, ...)                                                                                          \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			printf("#   " __VA_ARGS__);                                                                    \
			printf("\n");                                                                                  \
			ok = false;                                                                                    \
		}                                                                                                      \
	} while (0)

static bool check_counters(enum wgvia_direction direction, int verdict, const struct wgvia_counter *before,
			   const struct wgvia_counter *after, uint64_t packets, uint64_t bytes)
{
	bool ok = true;

	for (uint32_t i = 0; i < WGVIA_COUNTERS; i++) {
		bool mine = verdict != WGVIA_VERDICT_COUNT && i == WGVIA_COUNTER(direction, verdict);
		long long got_packets = after[i].packets - before[i].packets,
			  got_bytes = after[i].bytes - before[i].bytes;

		CHECK(got_packets == (long long)(mine ? packets : 0) && got_bytes == (long long)(mine ? bytes : 0),
		      "counter %s/%s: %lld packets, %lld bytes, expected %lld, %lld",
		      direction_words[i / WGVIA_VERDICT_COUNT], verdict_words[i % WGVIA_VERDICT_COUNT], got_packets,
		      got_bytes, mine ? (long long)packets : 0, mine ? (long long)bytes : 0);
	}
	return ok;
}

static bool check_next_hop(const struct row *row, struct programs *p, enum wgvia_direction direction)
{
	const struct recorded *r = (const void *)p->recorded;
	uint8_t addr[16];
	bool ok = true;

	if (direction == WGVIA_BACK && row->verdict != V(BOUNCED)) {
		CHECK(r->ifindex == devices[DEVICE_TUNNEL].ifindex, "redirected to device %u, not the tunnel",
		      r->ifindex);
		CHECK(!r->has_next_hop &&
			      r->helper == (p->options.tunnel_ether ? BPF_FUNC_redirect_neigh : BPF_FUNC_redirect),
		      "redirected by helper %u, next hop %u", r->helper, r->has_next_hop);
		return ok;
	}
	packets_address(gateways[row->via].next_hop, addr, NULL);
	CHECK(row->via, "the row does not tell the gateway");
	CHECK(r->helper == BPF_FUNC_redirect_neigh && r->has_next_hop, "no next hop given to the helper");
	CHECK(r->ifindex == devices[gateways[row->via].device].ifindex, "redirected to device %u, not %s", r->ifindex,
	      devices[gateways[row->via].device].name);
	CHECK(r->family == gateways[row->via].family && !memcmp(r->addr, addr, r->family == AF_INET ? 4 : 16),
	      "next hop of family %u, %02x%02x..%02x%02x, not %s", r->family, r->addr[0], r->addr[1], r->addr[2],
	      r->addr[3], gateways[row->via].next_hop);
	return ok;
}

/* The row's packet as if it had arrived with the expected MSS option, including the checksum. */
static void build_lowered(const struct row *row, struct packet_spec spec, const uint8_t *mac, struct frame *frame)
{
	int at = row->lowered_at ? row->lowered_at : 2;

	if (row->lowered) {
		spec.options[at] = row->lowered >> 8;
		spec.options[at + 1] = row->lowered;
	}
	packets_build(&spec, mac, frame);
}

static bool run_one(const struct row *row, const struct packet_spec *spec, enum wgvia_direction direction,
		    enum form form, bool record, bool sums, const uint8_t *mac);

/* The programs know from the packet before who sends frames to a client. */
static bool remembers;

/* The counters are as run_one() has read them after the packet before. Reading them is slow. */
static bool knows_counters;

/* Two usual packets of the same pair of addresses, the second by the kept decision. */
static void send_usual(const struct row *row, const struct packet_spec *spec, enum wgvia_direction direction,
		       enum form form)
{
	const struct packet_spec usual = {
		.family = spec->family, .source = spec->source, .destination = spec->destination};
	enum device device = row->device ? row->device : direction == WGVIA_OUT ? DEVICE_TUNNEL : DEVICE_LAN;
	struct programs *p = &programs[form][false];
	static struct frame frame;

	knows_counters = false;
	packets_build(&usual, devices[device].mac, &frame);
	if (p->options.l3) {
		frame.len -= LINK_LEN;
		memmove(frame.data, frame.data + LINK_LEN, frame.len);
	}
	for (int i = 0; i < 2; i++) {
		struct run run = {.ifindex = devices[device].ifindex, .ingress_ifindex = devices[row->ingress].ifindex};

		if (programs_run(p, direction, &frame, &run))
			fail_msg("cannot run a usual packet");
	}
}

/*
 * The same with decisions that are kept: the first packet asks the maps, the second one does not, the third one has a
 * known sender; and after usual packets of the same pair.
 */
static bool run_kept(const struct row *row, const struct packet_spec *spec, enum wgvia_direction direction,
		     enum form form, const uint8_t *mac)
{
	static const char *const words[] = {"the first packet of a kept decision", "by a kept decision",
					    "by a kept decision with its sender", "after usual packets of the pair"};
	bool ok = true;

	programs_keep_decisions(&programs[0][0], true);
	for (int i = 0; i < 4 && ok; i++) {
		if (i == 3) {
			programs_keep_decisions(&programs[0][0], true);
			programs_forget(&programs[form][false]);
			send_usual(row, spec, direction, form);
		}
		remembers = i > 0;
		ok = run_one(row, spec, direction, form, false, false, mac);
		if (!ok)
			printf("#   %s\n", words[i]);
	}
	remembers = false;
	programs_keep_decisions(&programs[0][0], false);
	return ok;
}

/* The expected frame. */
static void expect_frame(const struct packet_spec *spec, enum wgvia_direction direction, bool l3, bool redirected,
			 uint32_t ip_len, const struct frame *in, struct frame *out)
{
	uint32_t link_len = l3 ? 0 : LINK_LEN;
	uint8_t *ip = out->data + link_len;

	*out = *in;
	if (!redirected)
		return;
	if (direction != WGVIA_EGRESS) {
		if (spec->family == 4) {
			uint16_t sum;

			ip[8]--;
			ip[10] = ip[11] = 0;
			sum = packets_checksum(ip, ip[0] & 15);
			ip[10] = sum >> 8;
			ip[11] = sum;
		} else {
			ip[7]--;
		}
		out->len = link_len + ip_len;
	} else if (!l3) {
		out->data[0] &= ~1; /* the helper drops packets for a group address */
	}
	if (l3) {
		memmove(out->data + LINK_LEN, out->data, out->len);
		memset(out->data, 0, LINK_LEN);
		out->len += LINK_LEN;
	}
}

static bool check_marks(const struct row *row, enum wgvia_direction direction, bool l3, bool redirected,
			const struct frame *in, const uint32_t before[5], const struct run *run, uint32_t pass)
{
	uint32_t expected[5];
	bool ok = true;

	CHECK(run->skb_mark == 0xabcdef, "the administrator's mark has become %#x", run->skb_mark);
	memcpy(expected, before, sizeof(expected));
	if (redirected && direction != WGVIA_EGRESS) {
		expected[0] = MARK(DONE);
	} else if (row->again) {
		expected[0] = row->cb0 + 1;
		expected[2] = (expected[2] & 0xffff) | own_cpu << 16;
		expected[3] = pass;
	} else if (redirected) {
		expected[0] = MARK(RETARGET);
		expected[1] = expected[2] = 0;
		if (!l3)
			memcpy(&expected[1], in->data, 6);
		expected[2] |= own_cpu << 16;
		expected[3] = pass;
		expected[4] = in->len - (l3 ? 0 : LINK_LEN);
	} else if (row->bare) {
		expected[4] = 0xffffffff;
	} else if (row->verdict == UNCOUNTED && row->tc_index == TC_INDEX && row->cb0 >= MARK(RETARGET)) {
		expected[0] = MARK(DONE);
	}
	for (int i = 0; i < 5; i++)
		CHECK(run->cb[i] == expected[i], "cb[%d] is %#x, not %#x", i, run->cb[i], expected[i]);
	return ok;
}

/* `ifindex`: to which the latest pass has redirected; 0: it has not. */
static bool check_passes(struct programs *p, uint32_t count, uint32_t ifindex)
{
	struct programs_passes passes = programs_get_passes(p);
	bool ok = true;

	CHECK(passes.count == count, "%u passes were counted, not %u", passes.count, count);
	if (ifindex)
		CHECK(passes.redirected == count && passes.ifindex == ifindex,
		      "pass %u was the latest to redirect, to %u", passes.redirected, passes.ifindex);
	return ok;
}

static void send_neighbour_request(struct programs *p)
{
	static const struct packet_spec spec =
		IPV4(FROM(INSIDE4), TO(INTERNET4), .ethertype = SET(0x0806), .mac = MAC_BROADCAST);
	static struct frame frame;
	static struct run run;

	knows_counters = false;
	run.ifindex = devices[DEVICE_LAN].ifindex;
	packets_build(&spec, devices[DEVICE_LAN].mac, &frame);
	if (programs_run(p, WGVIA_EGRESS, &frame, &run))
		fail_msg("cannot run a neighbour request");
}

static bool run_one(const struct row *row, const struct packet_spec *spec, enum wgvia_direction direction,
		    enum form form, bool record, bool sums, const uint8_t *mac)
{
	struct programs *p = &programs[form][record];
	int verdict = row->verdict - 1;
	bool l3 = p->options.l3 || row->bare;
	bool redirected = verdict == WGVIA_REDIRECTED || verdict == WGVIA_RETURNED || verdict == WGVIA_RETARGETED ||
			  verdict == WGVIA_BOUNCED || (verdict == WGVIA_DIRECT && !l3 && !row->stack) || row->again;
	enum device device = row->device ? row->device : direction == WGVIA_OUT ? DEVICE_TUNNEL : DEVICE_LAN;
	static struct wgvia_counter before[WGVIA_COUNTERS], after[WGVIA_COUNTERS];
	static struct frame in, lowered, expected;
	static struct run run;
	bool ok = true;
	uint32_t cb[5] = {row->cb0 ? row->cb0 : 0x11111111, 0x22222222, 0x3333, 0x44444444, 0x55555555};
	uint32_t ip_len, pass = row->since == NOTHING_WRAPPED ? 0xffffffff : 1000;
	uint64_t bytes;
	int action = TC_ACT_UNSPEC, error;
	struct programs_passes latest = {
		.count = pass,
		.redirected = pass - (row->since == ANOTHER_INSTANCE),
		.ifindex = devices[DEVICE_LAN].ifindex,
	};

	packets_build(spec, mac ? mac : devices[device].mac, &in);
	build_lowered(row, *spec, mac ? mac : devices[device].mac, &lowered);
	if (row->same_mac) {
		cb[2] = 0;
		memcpy(&cb[1], in.data, 6);
	}
	if (row->bare)
		cb[1] = cb[2] = 0;
	if (row->cb0) {
		cb[2] |= (own_cpu ^ (row->since == ANOTHER_CPU)) << 16;
		cb[3] = pass;
		cb[4] = in.len - LINK_LEN + row->noted_longer;
	}
	bytes = in.len - LINK_LEN - (row->frame_bytes ? 0 : spec->padding);
	if (row->bytes && !row->gso_size)
		bytes = row->bytes;
	ip_len = bytes;
	if (row->bytes)
		bytes = row->bytes;
	/* truncation discards the sum (CHECKSUM_NONE), but a test run would compare it nevertheless */
	if (sums && redirected && direction != WGVIA_EGRESS && in.len != LINK_LEN + ip_len)
		return true;
	if (l3) {
		in.len -= LINK_LEN;
		memmove(in.data, in.data + LINK_LEN, in.len);
		lowered.len -= LINK_LEN;
		memmove(lowered.data, lowered.data + LINK_LEN, lowered.len);
	}
	if (redirected)
		action = TC_ACT_REDIRECT;
	else if ((verdict == WGVIA_NO_GATEWAY && row->on_fail != WGVIA_PASS) ||
		 (verdict == WGVIA_TOO_BIG && direction == WGVIA_EGRESS) || verdict == WGVIA_REFUSED)
		action = TC_ACT_SHOT;

	if (direction == WGVIA_BACK && !remembers)
		programs_forget(p);
	programs_set_passes(p, &latest);
	if (row->cb0 && row->since == A_NEIGHBOUR_REQUEST)
		send_neighbour_request(p);
	pass = programs_get_passes(p).count + (direction == WGVIA_EGRESS);
	memset(&run, 0, sizeof(run));
	run.ifindex = devices[device].ifindex;
	run.ingress_ifindex = devices[row->ingress].ifindex;
	run.gso_size = row->gso_size;
	run.vlan = row->vlan;
	run.tc_index = row->tc_index;
	run.checksum_complete = sums;
	run.skb_mark = 0xabcdef;
	if (record)
		memset((void *)p->recorded, 0, sizeof(*p->recorded));
	if (knows_counters)
		memcpy(before, after, sizeof(before));
	else
		programs_counters(p, before);
	knows_counters = false;
	memcpy(run.cb, cb, sizeof(cb));
	error = programs_run(p, direction, &in, &run);
	runs++;
	programs_counters(p, after);
	knows_counters = true;

	CHECK(!error, "test run failed: %s%s", strerror(-error),
	      error == -EBADMSG ? " (the sum over the packet is wrong)" : "");
	if (error)
		return false;
	CHECK(run.action == action, "action %d, expected %d", run.action, action);
	ok &= check_counters(direction, verdict, before, after, row->packets ? row->packets : 1, bytes);
	expect_frame(spec, direction, l3, redirected || row->bare, ip_len, &lowered, &expected);
	CHECK(run.out.len == expected.len && !memcmp(run.out.data, expected.data, expected.len),
	      "the packet is not what it should be afterwards");
	ok &= check_marks(row, direction, l3, redirected, &in, cb, &run, pass);
	ok &= check_passes(p, pass,
			   direction == WGVIA_EGRESS && redirected ? devices[gateways[row->via].device].ifindex : 0);
	if (record) {
		CHECK(p->recorded->calls == redirected, "the redirect helper was called %u times", p->recorded->calls);
		if (redirected && p->recorded->calls)
			ok &= check_next_hop(row, p, direction);
	}
	if (!ok) {
		packets_print("packet", in.data, in.len);
		packets_print("afterwards", run.out.data, run.out.len);
	}
	return ok;
}

/* Whether a packet without link header can be shown: a test run takes the type from bytes 12 and 13. */
static bool can_show_l3(const struct packet_spec *spec, const uint8_t *mac)
{
	static struct frame frame;

	if (spec->mac != MAC_DEVICE)
		return false;
	packets_build(spec, mac, &frame);
	return frame.len >= 2 * LINK_LEN && !memcmp(frame.data + 12, frame.data + LINK_LEN + 12, 2);
}

static bool run_forms(const struct row *row, const struct packet_spec *spec, enum wgvia_direction direction,
		      const char *name, const uint8_t *mac)
{
	static const uint8_t zero_mac[6];

	programs_set_meta(&programs[0][0],
			  (struct wgvia_meta){
				  .on_fail = row->on_fail, .ret = row->ret, .outside = row->outside, .mss = row->mss});
	programs_set_tunnel(&programs[0][0], row->tunnel_gone ? DEVICE_NONE : DEVICE_TUNNEL);
	for (enum form form = 0; form < FORM_COUNT; form++) {
		bool l3 = form == FORM_L3;

		if (row->no_check_mtu != (form == FORM_NO_CHECK_MTU))
			continue;
		if (row->stack != (form == FORM_STACK))
			continue;
		if (l3 &&
		    ((direction == WGVIA_BACK && !row->l3) || row->l2 || row->ether || !can_show_l3(spec, zero_mac)))
			continue;
		if ((!l3 && row->l3) || (l3 && row->bare) || (row->bare && !can_show_l3(spec, zero_mac)))
			continue;
		if (row->ether && form != FORM_ETHER)
			continue;
		for (int record = 0; record <= 1; record++)
			for (int sums = 0; sums <= (can_check_sums && !l3 && !row->bare && !spec->cut); sums++)
				if (!run_one(row, spec, direction, form, record, sums, mac) ||
				    (!record && !sums && form != FORM_NO_COUNTS &&
				     !run_kept(row, spec, direction, form, mac))) {
					printf("# FAILED: %s: %s, %s%s\n", direction_words[direction], name,
					       form_names[form], record ? ", recorded" : "");
					return false; /* once is enough */
				}
	}
	return true;
}

static bool run_row(const struct row *row, enum wgvia_direction direction, const uint8_t *mac)
{
	struct packet_spec spec = row->packet;
	const char *inside, *internet;
	char name[160];

	inside = spec.family == 4 ? INSIDE4 : INSIDE6;
	internet = spec.family == 4 ? INTERNET4 : INTERNET6;
	if (!spec.source)
		spec.source = direction == WGVIA_BACK ? internet : inside;
	if (!spec.destination)
		spec.destination = direction == WGVIA_BACK ? inside : internet;
	fill_maps(row->maps);
	if (!row->vary)
		return run_forms(row, &spec, direction, row->name, mac);
	for (int value = row->from; value <= row->to; value++) {
		switch (row->vary) {
		case VARY_CUT:
			spec.cut = SET(value);
			break;
		case VARY_IHL:
			spec.ihl = SET(value);
			break;
		case VARY_VERSION:
			spec.version = SET(value);
			break;
		case VARY_HOP_LIMIT:
			spec.hop_limit = SET(value);
			break;
		case VARY_TOTAL_LENGTH:
			spec.total_length = SET(value);
			break;
		case VARY_PADDING:
			spec.padding = value;
			break;
		case VARY_NOTHING:
			break;
		}
		snprintf(name, sizeof(name), "%s: %d", row->name, value);
		if (!run_forms(row, &spec, direction, name, mac))
			return false;
	}
	return true;
}

/*
 * Why this kernel cannot provide what the row needs, else NULL. Only MTUs and GSO packets that cannot be cut make a
 * packet too big.
 */
static const char *cannot_run(const struct row *row)
{
	if (row->verdict == V(TOO_BIG) && !row->noted_longer && !row->bare && !(row->gso_size && row->packet.padding) &&
	    !programs_can_check_mtu())
		return "bpf_check_mtu()";
	if ((row->by_mtu || (row->mss == WGVIA_MSS_AUTO && row->lowered)) && !programs_can_check_mtu())
		return "bpf_check_mtu()";
	if (row->ingress && !can_set_ingress)
		return "ingress devices in test runs";
	return NULL;
}

static void run_table(const struct row *rows, size_t count, enum wgvia_direction direction, const uint8_t *mac)
{
	unsigned int failed = 0, left_out = 0;

	runs = 0;
	for (size_t i = 0; i < count; i++) {
		const char *lacks = cannot_run(&rows[i]);

		if (lacks) {
			printf("# left out, for this kernel lacks %s: %s\n", lacks, rows[i].name);
			left_out++;
			continue;
		}
		failed += !run_row(&rows[i], direction, mac);
	}
	printf("# %s: %zu rows, %u failed, %u left out; %u test runs\n", direction_words[direction], count, failed,
	       left_out, runs);
	assert_int_equal(failed, 0);
}

#define RUN_TABLE(rows, ...) run_table(rows, sizeof(rows) / sizeof(rows[0]), __VA_ARGS__)

static void out_of_the_tunnel(void **state)
{
	(void)state;
	RUN_TABLE(out_rows, WGVIA_OUT, NULL);
}

static void back_into_the_tunnel(void **state)
{
	(void)state;
	RUN_TABLE(back_rows, WGVIA_BACK, NULL);
}

static void egress(void **state)
{
	(void)state;
	RUN_TABLE(egress_rows, WGVIA_EGRESS, NULL);
}

static void mss_clamp(void **state)
{
	(void)state;
	RUN_TABLE(mss_out_rows, WGVIA_OUT, NULL);
	RUN_TABLE(mss_back_rows, WGVIA_BACK, NULL);
	RUN_TABLE(mss_egress_rows, WGVIA_EGRESS, NULL);
}

static void egress_to_the_gateways_mac(void **state)
{
	(void)state;
	RUN_TABLE(gateway_mac_rows, WGVIA_EGRESS, gateway_mac);
}

/* Each possible verdict of a direction has a row. */
static void every_verdict_has_a_row(void **state)
{
	static const struct {
		const struct row *rows;
		size_t count;
		uint32_t verdicts;
	} tables[] = {
		{out_rows, sizeof(out_rows) / sizeof(out_rows[0]), (1 << (WGVIA_REDIRECTED + 1)) - 1},
		{back_rows, sizeof(back_rows) / sizeof(back_rows[0]),
		 1 << WGVIA_HOP_LIMIT | 1 << WGVIA_NO_GATEWAY | 1 << WGVIA_TOO_BIG | 1 << WGVIA_RETURNED |
			 1 << WGVIA_BOUNCED | 1 << WGVIA_DIRECT | 1 << WGVIA_REFUSED | 1 << WGVIA_VERDICT_COUNT},
		{egress_rows, sizeof(egress_rows) / sizeof(egress_rows[0]),
		 1 << WGVIA_TOO_BIG | 1 << WGVIA_NO_GATEWAY | 1 << WGVIA_RETARGETED | 1 << WGVIA_REFUSED |
			 1 << WGVIA_VERDICT_COUNT},
	};

	uint32_t expected = 1 << WGVIA_VERDICT_COUNT;

	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		expected |= tables[i].verdicts;
	assert_int_equal(expected, (1 << (WGVIA_VERDICT_COUNT + 1)) - 1); /* a new verdict is in one of them */
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (int family = 4; family <= 6; family += 2) {
			uint32_t seen = 0;

			for (size_t j = 0; j < tables[i].count; j++)
				if (tables[i].rows[j].packet.family == family)
					seen |= 1 << (tables[i].rows[j].verdict - 1);
			assert_int_equal(seen, tables[i].verdicts);
		}
}

/* The next hops of the LAN device, with the firewall's MAC. */
static void add_neighbours(void)
{
	static const char *const commands[] = {
		"ip addr add 192.0.2.2/26 dev lan",
		"ip addr add 2001:db8:2::2/64 dev lan nodad",
		"ip neigh add 192.0.2.1 lladdr 02:00:00:00:aa:01 nud permanent dev lan",
		"ip neigh add 2001:db8:2::1 lladdr 02:00:00:00:aa:01 nud permanent dev lan",
		"ip neigh add fe80::1 lladdr 02:00:00:00:aa:01 nud permanent dev lan",
		"ip addr add 192.0.2.66/26 dev jumbo",
		"ip addr add 2001:db8:3::2/64 dev jumbo nodad",
		"ip addr add 192.0.2.130/26 dev narrow",
		"ip addr add 2001:db8:4::2/64 dev narrow nodad",
		"ip neigh add 192.0.2.129 lladdr 02:00:00:00:aa:01 nud permanent dev narrow",
		"ip neigh add 2001:db8:4::1 lladdr 02:00:00:00:aa:01 nud permanent dev narrow",
	};

	programs_sysctl("/proc/sys/net/ipv4/ip_forward", "1");
	programs_sysctl("/proc/sys/net/ipv6/conf/all/forwarding", "1");
	programs_sysctl("/proc/sys/net/ipv4/conf/narrow/forwarding", "0");
	programs_sysctl("/proc/sys/net/ipv6/conf/narrow/forwarding", "0");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (system(commands[i]))
			fail_msg("failed: %s", commands[i]);
}

static int set_up(void **state)
{
	static const struct programs_options options[FORM_COUNT] = {
		[FORM_L2] = {},
		[FORM_ETHER] = {.tunnel_ether = true},
		[FORM_L3] = {.l3 = true},
		[FORM_NO_CHECK_MTU] = {.no_check_mtu = true},
		[FORM_STACK] = {.stack = true},
		[FORM_NO_COUNTS] = {.no_counts = true},
	};

	(void)state;
	programs_namespace();
	own_cpu = programs_stay_on_a_cpu();
	add_neighbours();
	for (int form = 0; form < FORM_COUNT; form++)
		for (int record = 0; record <= 1; record++) {
			struct programs_options o = options[form];

			o.record = record;
			o.maps_of = programs[0][0].skel;
			programs_load(&programs[form][record], &o);
		}
	can_check_sums = programs_can_check_sums();
	can_set_ingress = programs_can_set_ingress(&programs[0][0]);
	printf("# sums over the packets (CHECKSUM_COMPLETE) are %schecked\n",
	       can_check_sums ? "" : "not, for this kernel cannot, ");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int form = FORM_COUNT; form--;)
		for (int record = 1; record >= 0; record--)
			programs_unload(&programs[form][record]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verdict_has_a_row),
		cmocka_unit_test(out_of_the_tunnel),
		cmocka_unit_test(back_into_the_tunnel),
		cmocka_unit_test(egress),
		cmocka_unit_test(mss_clamp),
		cmocka_unit_test(egress_to_the_gateways_mac),
	};

	programs_need_root();
	return cmocka_run_group_tests_name("decisions", tests, set_up, tear_down);
}
