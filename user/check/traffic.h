/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What wgvia redirects between a prefix and the gateways' devices, and which of it a device, a group of devices or an
 * address in a netfilter rule means. And what this host may send by its other devices, for rules that translate
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

/* The plan is the caller's, and in order. The rest is made of it once, because rules may be many. */
struct traffic {
	const struct plan *plan;
	const struct netdev *tunnel; /* one that does not exist has its name alone */
	struct devices gateways;     /* theirs */
	struct devices ways_out;     /* all that packets may leave by, the tunnel excepted */
	struct prefixes sources;     /* the prefixes, reduced */
	size_t source_count[2];	     /* of IPv4, of IPv6 */
	struct prefixes elsewhere;   /* routes by other devices than the gateways', in order */
	struct prefixes near;	     /* routes that a gateway's device may be one of, in order */
	struct prefixes holes;	     /* what is reached by the LAN although a route into the tunnel covers it */
};

/* 0 or -ENOMEM. */
int traffic_init(struct traffic *traffic, const struct plan *plan, const struct routes *routes);
void traffic_free(struct traffic *traffic); /* for cleanup(), too */

/* On which sides of this host something can be. */
struct sides {
	bool tunnel, lan; /* some of it */
	bool away;	  /* some of what is reached by any device but the tunnel */
	/* how many prefixes, or devices, of a side it holds completely; what is not understood holds none */
	size_t tunnel_whole, lan_whole;
	bool is_unread; /* it is not understood */
};

/* All destinations behind the LAN. */
#define LAN_EVERYTHING SIZE_MAX
/* For what is not understood: it may be anything. */
#define SIDES_UNREAD ((struct sides){.tunnel = true, .lan = true, .away = true, .is_unread = true})

/* What is in one of the two, which have nothing in common. */
struct sides sides_any(struct sides a, struct sides b);

enum device_key { DEVICE_NAME, DEVICE_GROUP, DEVICE_KIND };

/* By "eth0", "eth*" or "eth+"; by a group's number or name, where that is known; by "wireguard", "veth". */
struct sides traffic_device(const struct traffic *traffic, enum device_key key, const char *word);
/* The devices whose group, under the mask, is this one. */
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
bool scope_is_redirected(struct scope scope);		 /* it has one of the two directions */
struct scope scope_both(struct scope a, struct scope b); /* what is in both */
struct scope scope_any(struct scope a, struct scope b);	 /* what is in one of them */
/* What a condition leaves of a scope. */
void scope_narrow(struct scope *scope, enum scope_field field, struct sides sides);
/* All packets of a family of nftables: "ip", "ip6", "inet", "netdev"; others never see redirected packets. */
struct scope scope_of_family(const struct traffic *traffic, const char *family);

#endif
