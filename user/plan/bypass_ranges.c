// SPDX-License-Identifier: GPL-2.0-only
/*
 * Questions about a complete list: which ranges are reached through the tunnel, and whether prefixes cover them.
 */
#include "base/util.h"
#include "plan/bypass.h"

int bypass_tunnel_ranges(const struct state *state, struct prefixes *ranges)
{
	struct prefixes found = {};

	for (size_t i = 0; i < state->bypass_count; i++) {
		const struct bypass_entry *entry = &state->bypass[i];
		struct prefix *range;

		if (entry->value.verdict != WGVIA_TUNNEL ||
		    (found.count && prefix_covers(&found.all[found.count - 1], &entry->to)))
			continue;
		range = array_grow(&found.all, &found.count, sizeof(*range));
		if (!range) {
			free(found.all);
			return -ENOMEM;
		}
		*range = entry->to;
	}
	*ranges = found;
	return 0;
}

/* Whether a prefix, or an exception inside the range, covers `range` as a whole. */
static bool is_covered_by_one(const struct state *state, const struct prefix *range)
{
	const struct bypass_entry *entry = NULL; /* the longest one */

	for (int len = range->len; len >= 0; len--) {
		struct prefix outer = {ip_mask(range->ip, len), len};

		entry = entry ? entry : state_find_bypass(state, &outer);
		if (state_find_gateway(state, &outer))
			return true;
	}
	return entry && entry->value.verdict == WGVIA_REDIRECTED;
}

bool bypass_is_covered(const struct state *state, const struct prefix *range)
{
	struct prefix halves[2] = {{range->ip, range->len + 1}, {range->ip, range->len + 1}};

	if (is_covered_by_one(state, range))
		return true;
	if (!state_count_gateways(state, range))
		return false;
	halves[1].ip.addr[range->len / 8] |= 0x80 >> range->len % 8;
	return bypass_is_covered(state, &halves[0]) && bypass_is_covered(state, &halves[1]);
}
