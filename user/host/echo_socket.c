// SPDX-License-Identifier: GPL-2.0-only
/*
 * A filter for echo packets; icmp.c builds and reads the messages.
 */
#include "host/echo_socket.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "host/packet_socket.h"

#define ICMP_ND_REDIRECT 137 /* RFC 4861 */

/* Offsets in the filter. */
enum { FOUR = PACKET_FILTER_BEGIN, SIX = 18, TOKEN = 27, ERROR = 29, TAKE, DROP, FILTER_LEN };
#define IF PACKET_FILTER_IF

int echo_socket_open(uint32_t token, bool errors)
{
	struct sock_filter code[] = {
		PACKET_FILTER_HEAD(FOUR, SIX, DROP),
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

	_Static_assert(ARRAY_SIZE(code) == FILTER_LEN, "the filter's places");
	return packet_socket_open(code, ARRAY_SIZE(code));
}

int echo_socket_send(int fd, uint32_t ifindex, const uint8_t mac[6], const struct icmp_echo *echo)
{
	uint8_t packet[ICMP_ECHO_MAX];
	size_t len = icmp_make_echo(echo, packet);

	return packet_socket_send(fd, ifindex, mac, echo->from.family, packet, len);
}

int echo_socket_answer(int fd, uint32_t ifindex, const uint8_t mac[6], const struct ip *own, uint8_t hop_limit,
		       const struct icmp_echo *request)
{
	struct icmp_echo echo = *request;

	echo.from = *own;
	echo.to = request->from;
	echo.hop_limit = hop_limit;
	echo.reply = true;
	return echo_socket_send(fd, ifindex, mac, &echo);
}

int echo_socket_receive(int fd, struct icmp_message *message, uint8_t mac[6])
{
	uint8_t packet[256], family; /* a longer packet is an error that quotes more than is needed */
	ssize_t len = packet_socket_receive(fd, packet, sizeof(packet), &family, mac);

	return len <= 0 ? (int)len : icmp_read(family, packet, len, message);
}
