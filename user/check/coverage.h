/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ranges of WireGuard's AllowedIPs, or parts of them, outside every prefix: the data of the finding "uncovered_peer",
 * by peer.
 */
#ifndef WGVIA_COVERAGE_H
#define WGVIA_COVERAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "host/wireguard.h"

struct gap {
	uint32_t peer;	     /* index in `wireguard.peers` */
	struct prefix range; /* of its AllowedIPs */
	struct prefix part;  /* of the range, or all of it: outside every prefix */
};

struct coverage {
	const struct wireguard *wireguard; /* owned by the host view */
	struct gap *gaps;		   /* sorted by the peers' keys, range and part */
	size_t gap_count;
	size_t peer_count; /* of peers with a gap */
};

void coverage_free(struct coverage *coverage);
/* The end of the gaps from `first` on that have the same peer, or the same range. */
size_t coverage_peer_end(const struct coverage *coverage, size_t first);
size_t coverage_range_end(const struct coverage *coverage, size_t first);

struct examined;
/* Commands that cover the gaps from `first` to before `end`, joined by "&&", as far as there is room; see finding.h. */
void coverage_words(const struct examined *examined, size_t first, size_t end, char *remedy);

#endif
