// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opened, sent by and read; the filter keeps out what would leave no room in the socket on a busy LAN.
 */
#include "host/echo_socket.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"

#define ICMP_ND_REDIRECT 137 /* RFC 4861 */
#define VLAN_VID_MASK 0x0fff /* a tag with VLAN 0 is a priority alone (IEEE 802.1Q) */

/* Places in the filter, and a jump between them. */
enum { UNTAGGED = 6, FOUR = 9, SIX = 18, TOKEN = 27, ERROR = 29, TAKE, DROP, FILTER_LEN };
#define IF(at, value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, (yes) - (at) - 1, (no) - (at) - 1)

static int attach_filter(int fd, uint32_t token, bool errors)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		IF(1, PACKET_HOST, 2, DROP),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT)),
		IF(3, 0, UNTAGGED, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, VLAN_VID_MASK, DROP - 5 - 1, UNTAGGED - 5 - 1),
		/* UNTAGGED */
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)),
		IF(7, ETH_P_IP, FOUR, 8),
		IF(8, ETH_P_IPV6, SIX, DROP),
		/* FOUR */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9), /* protocol */
		IF(10, IPPROTO_ICMP, 11, DROP),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0), /* type */
		IF(13, ICMP_DEST_UNREACH, ERROR, 14),
		IF(14, ICMP_TIME_EXCEEDED, ERROR, 15),
		IF(15, ICMP_REDIRECT, ERROR, 16),
		IF(16, ICMP_ECHO, TOKEN, 17),
		IF(17, ICMP_ECHOREPLY, TOKEN, DROP),
		/* SIX */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6), /* next header */
		IF(19, IPPROTO_ICMPV6, 20, DROP),
		BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 40),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
		IF(22, ICMPV6_DEST_UNREACH, ERROR, 23),
		IF(23, ICMPV6_TIME_EXCEED, ERROR, 24),
		IF(24, ICMP_ND_REDIRECT, ERROR, 25),
		IF(25, ICMPV6_ECHO_REQUEST, TOKEN, 26),
		IF(26, ICMPV6_ECHO_REPLY, TOKEN, DROP),
		/* TOKEN */
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, ICMP_ECHO_HEADER),
		IF(28, token, TAKE, DROP),
		/* ERROR */
		BPF_STMT(BPF_RET | BPF_K, errors ? UINT32_MAX : 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {ARRAY_SIZE(code), code};

	_Static_assert(ARRAY_SIZE(code) == FILTER_LEN, "the filter's places");
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/*
 * The socket hears nothing (protocol 0) until its filter is there and it is bound. ETH_P_ALL: before the programs at
 * the device's ingress, netfilter and routing. PACKET_QDISC_BYPASS: what it sends does not pass the programs at the
 * device's egress, which would count it as this host's traffic.
 */
int echo_socket_open(uint32_t token, bool errors)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	cleanup_fd int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int yes = 1;

	if (fd < 0 || attach_filter(fd, token, errors) ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof(yes)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return take_fd(&fd);
}

int echo_socket_send(int fd, uint32_t ifindex, const uint8_t mac[6], const struct icmp_echo *echo)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_ifindex = (int)ifindex,
				      .sll_protocol = htons(echo->from.family == AF_INET ? ETH_P_IP : ETH_P_IPV6),
				      .sll_halen = ETH_ALEN};
	uint8_t packet[ICMP_ECHO_MAX];
	size_t len = icmp_make_echo(echo, packet);

	memcpy(address.sll_addr, mac, ETH_ALEN);
	return sendto(fd, packet, len, 0, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

int echo_socket_receive(int fd, struct icmp_message *message, uint8_t mac[6])
{
	uint8_t packet[256]; /* what is longer is an error that quotes more than we ask of it */
	struct sockaddr_ll from = {};
	socklen_t from_len = sizeof(from);
	ssize_t len = recvfrom(fd, packet, sizeof(packet), 0, (struct sockaddr *)&from, &from_len);

	if (len < 0)
		return errno == ENETDOWN ? 0 : -1; /* a device has gone down: said once, and no end */
	if (from.sll_hatype !=
	    ARPHRD_ETHER) /* the kernel's own answer, from this host to itself by the loopback device */
		return 0;
	memcpy(mac, from.sll_addr, ETH_ALEN);
	return icmp_read(from.sll_protocol == htons(ETH_P_IP) ? AF_INET : AF_INET6, packet, len, message);
}
