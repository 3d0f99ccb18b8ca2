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

struct netdev {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	char kind[16];	/* "wireguard", "veth", ...; empty: none told */
	uint16_t type;	/* ARPHRD_* */
	uint32_t flags; /* IFF_* */
	uint32_t mtu;
	uint32_t master;   /* ifindex of the bridge, bond, VRF ...; 0: none */
	uint32_t lower;	   /* ifindex of the device that a VLAN or a macvlan is on; 0: none, or not here */
	uint8_t operstate; /* IF_OPER_* */
	uint32_t table;	   /* of a VRF; 0: it is not one */
	uint32_t xdp;	   /* the id of a program; 0: none */
	bool multipoint;   /* a GRE tunnel whose other ends are its neighbours */
	uint32_t group;	   /* "ip link set group" */
};

/* In the order of their ifindexes. */
struct netdevs {
	struct netdev *all;
	size_t count;
};

void netdevs_sort(struct netdevs *netdevs);
/* By index or name; NULL where there is none. By name it looks at one after the other. */
const struct netdev *netdev_by_index(const struct netdevs *netdevs, uint32_t ifindex);
const struct netdev *netdev_by_name(const struct netdevs *netdevs, const char *name);
/* The VRF that the device is in; NULL: none. `netdev` may be NULL. */
const struct netdev *netdev_vrf(const struct netdevs *netdevs, const struct netdev *netdev);
/* The table that this device's routes are in: the VRF's, or main. `netdev` may be NULL. */
uint32_t netdev_table(const struct netdevs *netdevs, const struct netdev *netdev);
/* Without a link header in front of the packet at TC (dev_is_mac_header_xmit()). */
bool netdev_is_l3(const struct netdev *netdev);
bool netdev_is_ethernet(const struct netdev *netdev);
bool netdev_equal(const struct netdev *a, const struct netdev *b);
/* The name for a message; "if7", as iproute2 writes it, if the device no longer exists. */
const char *netdev_name(const struct netdevs *netdevs, uint32_t ifindex, char text[IFNAMSIZ]);
/* "up", "down" ...; "gone" for NULL. */
const char *netdev_state(const struct netdev *netdev);

#endif
