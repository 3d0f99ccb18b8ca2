// SPDX-License-Identifier: GPL-2.0-only
/*
 * What arrives from the LAN, parsed as an echo packet, an ICMP error or a TCP segment: anybody there may send anything.
 * What is parsed and written again must parse the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/icmp.h"
#include "host/tcp_segment.h"

static void fuzz_segment(uint8_t family, const uint8_t *data, size_t size)
{
	struct tcp_segment segment, again;
	uint8_t packet[TCP_SEGMENT_MAX];

	if (!tcp_read_segment(family, data, size, &segment))
		return;
	if (!tcp_read_segment(family, packet, tcp_make_segment(&segment, packet), &again) || again.seq != segment.seq ||
	    again.to_port != segment.to_port || !ip_equal(&again.from, &segment.from))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (int i = 0; i < 2; i++) {
		struct icmp_message message, again;
		uint8_t packet[ICMP_ECHO_MAX];
		size_t len;

		fuzz_segment(families[i], data, size);
		if (!icmp_read(families[i], data, size, &message))
			continue;
		if (message.refusal >= REFUSAL_COUNT)
			abort();
		len = icmp_make_echo(&message.echo, packet);
		if (!icmp_read(families[i], packet, len, &again) || again.refused || again.echo.id != message.echo.id ||
		    again.echo.token != message.echo.token || !ip_equal(&again.echo.to, &message.echo.to))
			abort();
	}
	return 0;
}
