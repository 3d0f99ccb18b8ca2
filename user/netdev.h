/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network devices as values: what rtnetlink reports about them, and what follows from that. No I/O.
 */
#ifndef WGVIA_NETDEV_H
#define WGVIA_NETDEV_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	char kind[16];	/* "wireguard", "veth", ...; empty: none told */
	uint16_t type;	/* ARPHRD_* */
	uint32_t flags; /* IFF_* */
	uint32_t mtu;
	uint32_t master;   /* ifindex of the bridge, bond, VRF ...; 0: none */
	uint8_t operstate; /* IF_OPER_* */
	uint32_t table;	   /* of a VRF; 0: it is not one */
};

struct links {
	struct link *all;
	size_t count;
};

/* By index or name; NULL where there is none. */
const struct link *link_by_index(const struct links *links, uint32_t ifindex);
const struct link *link_by_name(const struct links *links, const char *name);
/* Without a link header in front of the packet at TC (dev_is_mac_header_xmit()). */
bool link_is_l3(const struct link *link);
bool link_is_ethernet(const struct link *link);
bool link_equal(const struct link *a, const struct link *b);
/* "up", "down" ...; "gone" for NULL. */
const char *link_state(const struct link *link);

#endif
