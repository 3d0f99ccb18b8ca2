// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as the answer at the socket of a WireGuard in user space, in pieces as a socket delivers them; then the
 * result is aggregated, without losing any address. The first byte is the size of the pieces. netlink.c covers the
 * kernel's answers.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "host/wireguard_read.h"
#include "plan/allowed_ips.h"

static void check_peers(const struct wireguard *wireguard)
{
	struct prefixes aggregated = {};
	struct error error;

	if (allowed_ips_aggregate(wireguard, true, &aggregated, &error))
		abort();
	for (size_t i = 0; i < wireguard->allowed_count; i++) {
		struct prefixes parts = {};

		if (wireguard->allowed[i].peer >= wireguard->peer_count ||
		    wireguard->allowed[i].prefix.len > ip_bits(wireguard->allowed[i].prefix.ip.family) ||
		    prefixes_uncovered(&aggregated, &wireguard->allowed[i].prefix, 1, &parts) || parts.count)
			abort();
	}
	free(aggregated.all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(wireguard_free) struct wireguard wireguard = {};
	struct wireguard_answer answer = {.wireguard = &wireguard};
	size_t piece = size ? data[0] + 1 : 0, len = 0, at = 1;
	ssize_t taken = 0;
	char *text;

	if (size < 2)
		return 0;
	text = malloc(size); /* exactly the input's size, so that reading one byte too far is detected */
	while (at < size && taken >= 0) {
		size_t more = piece < size - at ? piece : size - at;

		memcpy(text + len, data + at, more);
		at += more;
		len += more;
		taken = wireguard_take_lines(&answer, text, len);
		if (taken > 0) {
			len -= taken;
			memmove(text, text + taken, len);
		}
	}
	free(text);
	if (answer.is_ended && answer.errnum < 0)
		abort();
	check_peers(&wireguard);
	return 0;
}
