/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What WireGuard's AllowedIPs mean for prefixes: as few prefixes as cover exactly the same addresses, and which of
 * them a set of prefixes leaves out. Pure.
 */
#ifndef WGVIA_ALLOWED_IPS_H
#define WGVIA_ALLOWED_IPS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/ip.h"
#include "host/wireguard.h"

/*
 * The fewest prefixes that have exactly these addresses, in order: contained ones go, adjacent halves join. In place,
 * O(n log n).
 */
void prefixes_aggregate(struct prefixes *prefixes);

/*
 * The prefixes that the peers may send from, aggregated. The array is the caller's to free; it is untouched on failure.
 * All addresses of a family (0.0.0.0/0 or ::/0 of one peer, or ranges that add up to it) are refused with a hint,
 * unless `keep_default`. 0, -ENOMEM, or -EINVAL with `error` set.
 */
int allowed_ips_aggregate(const struct wireguard *wireguard, bool keep_default, struct prefixes *prefixes,
			  struct error *error);

/*
 * Appends to `parts` what of `range` no prefix of `covering` has, as few prefixes as say it; no more than `max` of
 * them, and then the range is not looked at to its end. `covering` is as prefixes_reduce() or prefixes_aggregate()
 * makes it. 0 or -ENOMEM.
 */
int prefixes_uncovered(const struct prefixes *covering, const struct prefix *range, size_t max, struct prefixes *parts);

#endif
