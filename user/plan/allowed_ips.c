// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of addresses as prefixes: aggregation and differences.
 */
#include "plan/allowed_ips.h"

#include "base/util.h"

/* Whether they are the two halves of one prefix, lower half first. */
static bool are_halves(const struct prefix *low, const struct prefix *high)
{
	struct prefix whole = {low->ip, low->len - 1};
	struct ip first = ip_mask(low->ip, whole.len);

	/* sorted and not equal, so `low` is the lower half if both are inside */
	return low->len && low->len == high->len && ip_equal(&first, &low->ip) && prefix_contains(&whole, &high->ip);
}

void prefixes_aggregate(struct prefixes *prefixes)
{
	size_t kept = 0;

	prefixes_reduce(prefixes);
	for (size_t i = 0; i < prefixes->count; i++) {
		prefixes->all[kept++] = prefixes->all[i];
		/* the result of two halves may be a half itself */
		while (kept > 1 && are_halves(&prefixes->all[kept - 2], &prefixes->all[kept - 1]))
			prefixes->all[--kept - 1].len--;
	}
	prefixes->count = kept;
}

static int refuse_default(const struct wireguard *wireguard, const struct prefix *all, struct error *error)
{
	char text[PREFIX_TEXT_LEN], key[WIREGUARD_KEY_TEXT];
	size_t first = prefix_first(wireguard->allowed, wireguard->allowed_count, sizeof(*wireguard->allowed), all);

	prefix_text(all, text);
	if (first < wireguard->allowed_count && !prefix_compare(&wireguard->allowed[first].prefix, all))
		error_refuse(error, "peer '%s' may send from every address: its AllowedIPs have '%s'",
			     wireguard_key_text(wireguard->peers[wireguard->allowed[first].peer].public_key, key),
			     text);
	else
		error_refuse(error, "the peers may send from every address: their AllowedIPs add up to '%s'", text);
	error_hint(error, "name the networks instead: from PREFIX; or, to accept every address: from %s", text);
	return -EINVAL;
}

int allowed_ips_aggregate(const struct wireguard *wireguard, bool keep_default, struct prefixes *prefixes,
			  struct error *error)
{
	struct prefixes found = {calloc(wireguard->allowed_count + 1, sizeof(*found.all)), wireguard->allowed_count};

	if (!found.all)
		return error_system(error, ENOMEM, "cannot aggregate the peers' AllowedIPs");
	for (size_t i = 0; i < found.count; i++)
		found.all[i] = wireguard->allowed[i].prefix;
	prefixes_aggregate(&found);
	for (size_t i = 0; i < found.count && !keep_default; i++)
		if (!found.all[i].len) {
			int ret = refuse_default(wireguard, &found.all[i], error);

			free(found.all);
			return ret;
		}
	*prefixes = found;
	return 0;
}

int prefixes_uncovered(const struct prefixes *covering, const struct prefix *range, size_t max, struct prefixes *parts)
{
	struct prefix halves[2] = {{range->ip, range->len + 1}, {range->ip, range->len + 1}};
	size_t first;
	int ret;

	if (parts->count >= max || prefixes_cover(covering, range))
		return 0;
	if (!prefix_inside(covering->all, covering->count, sizeof(*covering->all), range, &first)) {
		struct prefix *part = array_grow(&parts->all, &parts->count, sizeof(*part));

		if (!part)
			return -ENOMEM;
		*part = *range;
		return 0;
	}
	halves[1].ip.addr[range->len / 8] |= 0x80 >> range->len % 8;
	ret = prefixes_uncovered(covering, &halves[0], max, parts);
	return ret ? ret : prefixes_uncovered(covering, &halves[1], max, parts);
}
