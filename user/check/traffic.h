/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What wgvia redirects between a prefix and the gateways' devices, and which part of it a device, a group of devices or
 * an address in a netfilter rule matches. Also what this host may send by its other devices, for rules that translate
 * addresses before wgvia sees a packet. Pure.
 */
#ifndef WGVIA_TRAFFIC_H
#define WGVIA_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/netdev.h"
#include "plan/plan.h"

struct devices {
	const struct netdev **all; /* by name */
	size_t count;
};

/* The plan is the caller's, and must be sorted. The rest is derived from it once, because there may be many rules. */
struct traffic {
	const struct plan *plan;
	const struct netdev *tunnel; /* one that does not exist has only a name */
	struct devices gateways;     /* of the gateways */
	struct devices ways_out;     /* all devices by which packets may leave, except the tunnel */
	struct prefixes sources;     /* the prefixes, reduced */
	size_t source_count[2];	     /* of IPv4, of IPv6 */
	struct prefixes elsewhere;   /* routes by devices other than the gateways', sorted */
	struct prefixes near;	     /* routes that may use a gateway's device, sorted */
	struct prefixes holes;	     /* reached by the LAN although a route into the tunnel covers them */
};

/* 0 or -ENOMEM. */
int traffic_init(struct traffic *traffic, const struct plan *plan, const struct routes *routes);
void traffic_free(struct traffic *traffic); /* also for cleanup() */

/* The sides of this host to which something belongs. */
struct sides {
	bool tunnel, lan; /* part of it */
	bool away;	  /* part of what is reached by any device except the tunnel */
	/* how many prefixes, or devices, of a side it contains completely; 0 if it is not understood */
	size_t tunnel_whole, lan_whole;
	bool is_unread; /* it is not understood */
};

/* All destinations on the LAN side. */
#define LAN_EVERYTHING SIZE_MAX
/* For what is not understood: anything is possible. */
#define SIDES_UNREAD ((struct sides){.tunnel = true, .lan = true, .away = true, .is_unread = true})

/* The union of two disjoint ones. */
struct sides sides_any(struct sides a, struct sides b);

enum device_key { DEVICE_NAME, DEVICE_GROUP, DEVICE_KIND };

/* By "eth0", "eth*" or "eth+"; by a group's number or, if known, name; by "wireguard", "veth". */
struct sides traffic_device(const struct traffic *traffic, enum device_key key, const char *word);
/* The devices whose group, under the mask, equals this one. */
struct sides traffic_group(const struct traffic *traffic, uint32_t group, uint32_t mask);
/* "192.0.2.0/24"; SIDES_UNREAD for what is not understood, such as a range. */
struct sides traffic_prefix(const struct traffic *traffic, const char *text);

/* The two directions of what is redirected: out of the tunnel, and back into it. */
struct scope {
	bool out, back;
	bool away; /* out of the tunnel, by any device */
};

#define SCOPE_ALL ((struct scope){true, true, true})

enum scope_field { SCOPE_FROM, SCOPE_TO }; /* iif and saddr; oif and daddr */

bool scope_is_empty(struct scope scope);
bool scope_is_redirected(struct scope scope);		 /* it contains one of the two directions */
struct scope scope_both(struct scope a, struct scope b); /* the intersection */
struct scope scope_any(struct scope a, struct scope b);	 /* the union */
/* Restricts a scope by a condition. */
void scope_narrow(struct scope *scope, enum scope_field field, struct sides sides);
/* All packets of a family of nftables: "ip", "ip6", "inet", "netdev"; other families never see redirected packets. */
struct scope scope_of_family(const struct traffic *traffic, const char *family);

#endif
