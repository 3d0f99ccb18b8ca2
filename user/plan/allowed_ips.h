/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * WireGuard's AllowedIPs as prefixes: the fewest prefixes that cover exactly the same addresses, and the part that a
 * set of prefixes does not cover. Pure.
 */
#ifndef WGVIA_ALLOWED_IPS_H
#define WGVIA_ALLOWED_IPS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/ip.h"
#include "host/wireguard.h"

/*
 * Reduces them to the fewest prefixes with exactly these addresses, sorted: removes contained ones, joins adjacent
 * halves. In place, O(n log n).
 */
void prefixes_aggregate(struct prefixes *prefixes);

/*
 * The prefixes from which the peers may send, aggregated. The caller frees the array; it is untouched on failure. All
 * addresses of a family (0.0.0.0/0 or ::/0 of one peer, or ranges that add up to it) are refused with a hint, unless
 * `keep_default`. 0, -ENOMEM, or -EINVAL with `error` set.
 */
int allowed_ips_aggregate(const struct wireguard *wireguard, bool keep_default, struct prefixes *prefixes,
			  struct error *error);

/*
 * Appends to `parts` the part of `range` that no prefix of `covering` contains, as the fewest prefixes; at most `max`
 * of them, then it stops. `covering` must come from prefixes_reduce() or prefixes_aggregate(). 0 or -ENOMEM.
 */
int prefixes_uncovered(const struct prefixes *covering, const struct prefix *range, size_t max, struct prefixes *parts);

#endif
