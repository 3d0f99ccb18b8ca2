// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes, parsed as an ARP packet and as a neighbour advertisement: a LAN host may send anything.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/neighbour_probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct neighbour_answer answer;

	if (neighbour_read_arp(data, size, &answer) && (answer.ip.family != AF_INET || !answer.has_mac))
		abort();
	if (neighbour_read_advertisement(data, size, &answer) && (answer.ip.family != AF_INET6 || answer.ifindex))
		abort();
	return 0;
}
