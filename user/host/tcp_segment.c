// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing and reading segments.
 */
#include "host/tcp_segment.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <string.h>

#include "base/util.h"
#include "host/datagram.h"
#include "host/packet_socket.h"

#define HOP_LIMIT 64
#define FLAGS 13 /* offsets in the header */
#define FLAG_SYN 0x02
#define FLAG_RST 0x04

static_assert(sizeof(struct tcphdr) == TCP_SEGMENT_HEADER, "tcphdr");

size_t tcp_make_segment(const struct tcp_segment *segment, uint8_t packet[TCP_SEGMENT_MAX])
{
	bool four = segment->from.family == AF_INET;
	size_t header = four ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	struct tcphdr tcp = {.source = htons(segment->from_port),
			     .dest = htons(segment->to_port),
			     .seq = htonl(segment->seq),
			     .ack_seq = htonl(segment->ack),
			     .doff = sizeof(tcp) / 4,
			     .syn = segment->is_syn,
			     .ack = segment->is_ack,
			     .rst = segment->is_rst,
			     .window = htons(segment->is_rst ? 0 : 1024)};

	tcp.check = datagram_checksum(datagram_pseudo_sum(&segment->from, &segment->to, IPPROTO_TCP, sizeof(tcp)), &tcp,
				      sizeof(tcp));
	datagram_put_header(packet, header + sizeof(tcp), &segment->from, &segment->to, IPPROTO_TCP, HOP_LIMIT);
	memcpy(packet + header, &tcp, sizeof(tcp));
	return header + sizeof(tcp);
}

bool tcp_read_segment(uint8_t family, const uint8_t *packet, size_t len, struct tcp_segment *segment)
{
	struct tcp_segment read = {};
	uint8_t hop_limit;
	size_t at = datagram_read_header(family, packet, len, IPPROTO_TCP, &read.from, &read.to, &hop_limit);
	struct tcphdr tcp;

	if (!at || len < at + sizeof(tcp))
		return false;
	memcpy(&tcp, packet + at, sizeof(tcp));
	read.from_port = ntohs(tcp.source);
	read.to_port = ntohs(tcp.dest);
	read.seq = ntohl(tcp.seq);
	read.ack = ntohl(tcp.ack_seq);
	read.is_syn = tcp.syn;
	read.is_ack = tcp.ack;
	read.is_rst = tcp.rst;
	*segment = read;
	return true;
}

/* Offsets in the filter. */
enum { FOUR = PACKET_FILTER_BEGIN, SIX = 13, PORTS = 16, TAKE = 21, DROP, FILTER_LEN };

int tcp_socket_open(uint16_t port)
{
	struct sock_filter code[] = {
		PACKET_FILTER_HEAD(FOUR, SIX, DROP),
		/* FOUR */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9), /* protocol */
		PACKET_FILTER_IF(10, IPPROTO_TCP, 11, DROP),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_JMP | BPF_JA, PORTS - 12 - 1),
		/* SIX */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6), /* next header */
		PACKET_FILTER_IF(14, IPPROTO_TCP, 15, DROP),
		BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 40),
		/* PORTS */
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2), /* destination */
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (uint16_t)~(TCP_SOCKET_PORTS - 1)),
		PACKET_FILTER_IF(18, port, 19, DROP),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, FLAGS),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FLAG_SYN | FLAG_RST, TAKE - 20 - 1, DROP - 20 - 1),
		/* TAKE, DROP */
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	_Static_assert(ARRAY_SIZE(code) == FILTER_LEN, "the filter's places");
	return packet_socket_open(code, ARRAY_SIZE(code));
}

int tcp_socket_send(int fd, uint32_t ifindex, const uint8_t mac[6], const struct tcp_segment *segment)
{
	uint8_t packet[TCP_SEGMENT_MAX];
	size_t len = tcp_make_segment(segment, packet);

	return packet_socket_send(fd, ifindex, mac, segment->from.family, packet, len);
}

int tcp_socket_receive(int fd, struct tcp_segment *segment)
{
	uint8_t packet[128], mac[6], family;
	ssize_t len = packet_socket_receive(fd, packet, sizeof(packet), &family, mac);

	return len <= 0 ? (int)len : tcp_read_segment(family, packet, (size_t)len, segment);
}
