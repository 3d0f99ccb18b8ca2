/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets by way of the firewall and back, and what became of each. It sends and receives, and judges nothing
 * (check/probe.c does).
 *
 * The request is an echo request from this host's VPN address to its own address on the LAN, sent in a frame to the
 * firewall's MAC, with hop limit 2. For the firewall it is what wgvia sends all day: in from a host of the LAN, out to
 * a host of the LAN. The hop behind the firewall, where the packet's hop limit ends, is this host itself: no third
 * party hears of it, no address has to be guessed, and that it arrives proves the neighbour and the forwarding between
 * hosts of one interface. There it is answered, from the LAN address to the VPN address, by a frame to the firewall
 * again, as the service's answer would be: that this arrives proves the firewall's way back to the prefix, and its
 * connection tracking's consent.
 *
 * Why we answer: the kernel would give its own answer to an address of this host, past the firewall (and takes an IPv4
 * packet from its own address for a martian). So packets are read by a packet socket, before anything else on this host
 * has a say. Why an echo reply and not Time Exceeded: nobody sends an ICMP error about an ICMP error (RFC 1122, 3.2.2),
 * and what the firewall, or a router that it mistakes for us, says about the answer is what tells where the way back
 * leads. Why ping: it is what a firewall most likely lets pass from the VPN to a host of the LAN; it has no port to be
 * closed.
 *
 * Destinations are this host's own addresses, which the running programs leave alone: nothing of it is counted. What
 * the kernel makes of the packets that come back does not matter: an IPv4 one it drops (and logs, where log_martians is
 * on).
 */
#ifndef WGVIA_PROBE_H
#define WGVIA_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/icmp.h"
#include "host/rtnl.h"

enum probe_packet {
	PROBE_REQUEST, /* from the VPN address to the LAN address */
	PROBE_ANSWER,  /* the answer to a request that came by */
	/* the rest is sent where the request neither arrives nor is refused, to tell why */
	PROBE_INWARD, /* from the LAN address to the VPN address */
	PROBE_WITHIN, /* from the LAN address to itself: the firewall's routes to the prefix do not matter */
	PROBE_DYING,  /* as PROBE_INWARD, with hop limit 1: a host that forwards at all says Time Exceeded */
	PROBE_PACKETS,
};

/* What became of a packet: at most one of these. */
struct probe_fate {
	bool arrived;
	bool refused; /* `by` says why in an ICMP error */
	enum refusal refusal;
	struct ip by;
};

struct probe {
	/* what to probe */
	uint32_t ifindex;
	struct ip via;	    /* the firewall, of either family */
	struct ip vpn, lan; /* this host's addresses, of one family */
	/* what was found */
	bool resolved; /* the neighbour answers, or somebody keeps its entry */
	struct neighbour neighbour;
	uint8_t senders[PROBE_PACKETS][6]; /* MAC addresses that those came back from which arrived */
	bool redirects;			   /* the firewall has sent a redirect about one of the packets */
	struct ip better;		   /* next hop to the VPN address that it named; family 0: none */
	int error;			   /* errno of a packet that could not be sent */
	struct probe_fate fates[PROBE_PACKETS];
	/* its own */
	int fd;
	uint64_t token;
	enum { ASKED_NOBODY, ASKED_ONE, ASKED_ALL } asked; /* for the neighbour */
};

/*
 * This host's address on the gateway's device that the firewall sends to directly: one whose subnet holds the next hop,
 * else one with a subnet; last of all a single address, added by hand or by keepalived. NULL: this host has
 * no address of that family there. It is not `except`.
 */
const struct address *probe_find_lan(const struct addresses *own, uint32_t ifindex, const struct ip *via,
				     const struct ip *except);

/*
 * Probes all of them at once, in milliseconds where all is well. What does not answer is waited for: a neighbour for 3
 * to 4.5 seconds, a request for 1.6, the rest for as long again. 0 or -errno where the system does not let us: no
 * packet was sent then.
 */
int probe_run(struct netlink *rtnl, struct probe *probes, size_t count);

#endif
