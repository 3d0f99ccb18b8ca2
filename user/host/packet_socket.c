// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening, sending, reading. The filter keeps out packets that would fill the socket on a busy LAN.
 */
#include "host/packet_socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"

/*
 * The socket receives nothing (protocol 0) until it has its filter and is bound. ETH_P_ALL: it receives packets before
 * the programs at the device's ingress, netfilter and routing. PACKET_QDISC_BYPASS: its own packets do not pass the
 * programs at the device's egress, which would count them as this host's traffic. PACKET_IGNORE_OUTGOING: without it,
 * the kernel copies each packet that this host sends for a filter that refuses it (dev_queue_xmit_nit()).
 */
int packet_socket_open(const struct sock_filter *code, size_t count)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct sock_fprog program = {(unsigned short)count, (struct sock_filter *)code};
	cleanup_fd int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int yes = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof(yes)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return take_fd(&fd);
}

int packet_socket_send(int fd, uint32_t ifindex, const uint8_t mac[6], uint8_t family, const void *packet, size_t len)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_ifindex = (int)ifindex,
				      .sll_protocol = htons(family == AF_INET ? ETH_P_IP : ETH_P_IPV6),
				      .sll_halen = ETH_ALEN};

	memcpy(address.sll_addr, mac, ETH_ALEN);
	return sendto(fd, packet, len, 0, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

ssize_t packet_socket_receive(int fd, void *packet, size_t size, uint8_t *family, uint8_t mac[6])
{
	struct sockaddr_ll from = {};
	socklen_t from_len = sizeof(from);
	ssize_t len = recvfrom(fd, packet, size, 0, (struct sockaddr *)&from, &from_len);

	if (len < 0)
		return errno == ENETDOWN ? 0 : -1; /* a device went down: reported once, not the end */
	/* the kernel's own answer, from this host to itself by the loopback device */
	if (from.sll_hatype != ARPHRD_ETHER)
		return 0;
	memcpy(mac, from.sll_addr, ETH_ALEN);
	*family = from.sll_protocol == htons(ETH_P_IP) ? AF_INET : AF_INET6;
	return len;
}
