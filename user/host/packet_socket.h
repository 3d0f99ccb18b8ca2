/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet socket for probes. It receives IP packets that pass its filter before anything else on this host can handle
 * them, and sends whole IP packets to a MAC address. Callers handle the content.
 */
#ifndef WGVIA_PACKET_SOCKET_H
#define WGVIA_PACKET_SOCKET_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The beginning of each filter: a packet that is not for this host, or is in a VLAN, goes to `drop`, IPv4 to `four`,
 * IPv6 to `six`; these offsets are below 256. A tag with VLAN 0 is only a priority (IEEE 802.1Q).
 */
#define PACKET_FILTER_IF(at, value, yes, no)                                                                           \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, (yes) - (at) - 1, (no) - (at) - 1)
#define PACKET_FILTER_BEGIN 9
#define PACKET_FILTER_HEAD(four, six, drop)                                                                            \
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),                                   \
		PACKET_FILTER_IF(1, PACKET_HOST, 2, drop),                                                             \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT)),                  \
		PACKET_FILTER_IF(3, 0, 6, 4),                                                                          \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG)),                          \
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x0fff, (drop) - 5 - 1, 6 - 5 - 1),                               \
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)),                          \
		PACKET_FILTER_IF(7, ETH_P_IP, four, 8), PACKET_FILTER_IF(8, ETH_P_IPV6, six, drop)

/* The socket, or -errno. It receives nothing before the filter is in place, and no packets that this host sends. */
int packet_socket_open(const struct sock_filter *code, size_t count);
/* 0 or -errno. */
int packet_socket_send(int fd, uint32_t ifindex, const uint8_t mac[6], uint8_t family, const void *packet, size_t len);
/*
 * The next packet, truncated to `size`, with its family and source MAC address. Returns its length; 0: it did not come
 * from an Ethernet device; -1: nothing is left.
 */
ssize_t packet_socket_receive(int fd, void *packet, size_t size, uint8_t *family, uint8_t mac[6]);

#endif
