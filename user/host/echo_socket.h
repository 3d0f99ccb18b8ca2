/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet socket for probes. It receives echo packets with a token before anything else on this host can handle them,
 * and sends icmp.c's packets to a MAC address. Callers interpret the messages.
 */
#ifndef WGVIA_ECHO_SOCKET_H
#define WGVIA_ECHO_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/icmp.h"

/*
 * The socket, or -errno. It receives packets to this host, on any device, that are echo packets whose token begins with
 * these 32 bits, or with `errors` ICMP errors and redirects. It listens on every device because a firewall's answer may
 * arrive at a macvlan that holds a VRRP address, or at a second NIC that answered its ARP request. It receives frames
 * of a VLAN only at the VLAN device.
 */
int echo_socket_open(uint32_t token, bool errors);
/* 0 or -errno. */
int echo_socket_send(int fd, uint32_t ifindex, const uint8_t mac[6], const struct icmp_echo *echo);
/*
 * Answers a request that came back to `own`, an address of this host. If the firewall translates addresses, the answer
 * goes to the source of its request, with that id. 0 or -errno.
 */
int echo_socket_answer(int fd, uint32_t ifindex, const uint8_t mac[6], const struct ip *own, uint8_t hop_limit,
		       const struct icmp_echo *request);
/* The next message, and the source MAC address. 1; 0: something other than a message; -1: nothing is left. */
int echo_socket_receive(int fd, struct icmp_message *message, uint8_t mac[6]);

#endif
