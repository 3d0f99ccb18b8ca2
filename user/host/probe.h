/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sends packets via the firewall and back, and records what happened to each. It judges nothing (check/probe.c does).
 *
 * The request is an echo request from this host's VPN address to its own address on the LAN, in a frame to the
 * firewall's MAC, with hop limit 2. To the firewall it looks like wgvia's normal traffic: from a host of the LAN to a
 * host of the LAN. The hop after the firewall, where the hop limit ends, is this host itself: no third party sees the
 * packet, and no address must be guessed. Its arrival proves that the neighbour answers, and that the firewall forwards
 * between hosts of one interface. This host answers from the LAN address to the VPN address, again in a frame to the
 * firewall, as the service's answer would be. The arrival of the answer proves that the firewall has a return path to
 * the prefix, and that its connection tracking agrees.
 *
 * Why this process answers: the kernel would send its own answer directly, bypassing the firewall (and treats an IPv4
 * packet from its own address as a martian). So a packet socket reads packets before anything else on this host does.
 * Why an echo reply and not Time Exceeded: nobody sends an ICMP error about an ICMP error (RFC 1122, 3.2.2), and the
 * errors about the answer, from the firewall or from a router that it confuses with this host, show where the return
 * path leads. Why ping: a firewall is most likely to allow it from the VPN to a host of the LAN, and it has no port
 * that could be closed.
 *
 * Destinations are this host's own addresses, which are exempt, so the running programs count none of this. The
 * kernel's handling of the returning packets does not matter: it drops IPv4 ones (and logs them if log_martians is on).
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
	PROBE_ANSWER,  /* the answer to a request that arrived */
	/* the rest is sent if the request neither arrives nor is refused, to find out why */
	PROBE_INWARD, /* from the LAN address to the VPN address */
	PROBE_WITHIN, /* from the LAN address to itself: independent of the firewall's routes to the prefix */
	PROBE_DYING,  /* like PROBE_INWARD, with hop limit 1: any forwarding host sends Time Exceeded */
	PROBE_PACKETS,
};

/* What happened to a packet: at most one of these. */
struct probe_fate {
	bool arrived;
	bool refused; /* `by` reports the reason in an ICMP error */
	enum refusal refusal;
	struct ip by;
};

struct probe {
	/* input */
	uint32_t ifindex;
	struct ip via;	    /* the firewall, of either family */
	struct ip vpn, lan; /* this host's addresses, of one family */
	/* result */
	bool resolved; /* the neighbour answers, or its entry is permanent */
	struct neighbour neighbour;
	uint8_t senders[PROBE_PACKETS][6]; /* MAC addresses from which the packets arrived */
	bool redirects;			   /* the firewall sent a redirect about one of the packets */
	struct ip better;		   /* next hop to the VPN address that the redirect names; family 0: none */
	int error;			   /* errno, if a packet could not be sent */
	struct probe_fate fates[PROBE_PACKETS];
	/* private */
	int fd;
	uint64_t token;
	enum { ASKED_NOBODY, ASKED_ONE, ASKED_ALL } asked; /* for the neighbour */
};

/*
 * This host's address on the gateway's device to which the firewall sends directly: one whose subnet contains the next
 * hop, else one with a subnet, else a single address that was added by hand or by keepalived. It is never `except`.
 * NULL: this host has no address of that family there.
 */
const struct address *probe_find_lan(const struct addresses *own, uint32_t ifindex, const struct ip *via,
				     const struct ip *except);

/*
 * Runs all probes at once; a working path takes milliseconds. Timeouts: 3 to 4.5 seconds for a neighbour, 1.6 for a
 * request, as long again for the rest. 0, or -errno if the system refuses: then no packet was sent.
 */
int probe_run(struct netlink *rtnl, struct probe *probes, size_t count);

#endif
