/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface between the benchmark's own BPF programs and the process that loads them.
 */
#ifndef WGVIA_BENCH_FLOORS_H
#define WGVIA_BENCH_FLOORS_H

#include <linux/types.h>

#define FLOORS_PACKET_LEN 122 /* bytes of IP, both families: a length that no neighbour discovery has */

/* Set before the load. Addresses are in network order. */
struct floors_config {
	__u32 lan_ifindex, tunnel_ifindex;
	__u32 next_hop4;
	__u32 next_hop6[4];
	__u16 to[3], from[3]; /* MACs */
};

#endif
