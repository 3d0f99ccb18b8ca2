/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet socket for probes: it hears echo packets with a token before anybody else on this host has a say in them,
 * and sends what icmp.c makes to a MAC address. What they mean is the caller's.
 */
#ifndef WGVIA_ECHO_SOCKET_H
#define WGVIA_ECHO_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/icmp.h"

/*
 * The socket, or -errno. It hears what is sent to this host, on any device, and is an echo packet whose token begins
 * with these 32 bits, or with `errors` an ICMP error or a redirect. On any: a firewall's answer may arrive at a macvlan
 * that holds a VRRP address, or at a second NIC that has answered its ARP request. A frame of a VLAN is heard at the
 * VLAN's own device only.
 */
int echo_socket_open(uint32_t token, bool errors);
/* 0 or -errno. */
int echo_socket_send(int fd, uint32_t ifindex, const uint8_t mac[6], const struct icmp_echo *echo);
/*
 * Answers a request that has come back to `own`, an address of this host's. A firewall that translates addresses is
 * answered where it asks from, with its own id. 0 or -errno.
 */
int echo_socket_answer(int fd, uint32_t ifindex, const uint8_t mac[6], const struct ip *own, uint8_t hop_limit,
		       const struct icmp_echo *request);
/*
 * The next message, and the MAC address that it comes from. 1; 0: something that is no message; -1: nothing is left.
 */
int echo_socket_receive(int fd, struct icmp_message *message, uint8_t mac[6]);

#endif
