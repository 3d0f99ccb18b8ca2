/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TCP segments that a probe uses, without options and data, and a packet socket for the answers to its SYNs.
 * Callers interpret the segments.
 */
#ifndef WGVIA_TCP_SEGMENT_H
#define WGVIA_TCP_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

struct tcp_segment {
	struct ip from, to;	     /* of one family */
	uint16_t from_port, to_port; /* host order, like all numbers here */
	uint32_t seq, ack;
	bool is_syn, is_ack, is_rst;
};

#define TCP_SEGMENT_HEADER 20
#define TCP_SEGMENT_MAX (40 + TCP_SEGMENT_HEADER)

/* Writes the whole packet, IP header first. Returns its length. */
size_t tcp_make_segment(const struct tcp_segment *segment, uint8_t packet[TCP_SEGMENT_MAX]);
/* Reads a packet that begins with its IP header. False: not TCP, a later fragment, or truncated. */
bool tcp_read_segment(uint8_t family, const uint8_t *packet, size_t len, struct tcp_segment *segment);

#define TCP_SOCKET_PORTS 1024
/* The socket, or -errno. It receives segments with SYN or RST to TCP_SOCKET_PORTS ports starting at `port`. */
int tcp_socket_open(uint16_t port);
/* Sends it in a frame to that MAC address, with hop limit 64. 0 or -errno. */
int tcp_socket_send(int fd, uint32_t ifindex, const uint8_t mac[6], const struct tcp_segment *segment);
/* 1; 0: something other than a segment; -1: nothing is left. */
int tcp_socket_receive(int fd, struct tcp_segment *segment);

#endif
