// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about WireGuard's peers: addresses that they may send from (AllowedIPs) and that are in no prefix. A route
 * into the tunnel that no prefix covers is check_routes()' "outside", an error: this host sends there. Here it is a
 * warning, as AllowedIPs are what a peer may do and not what it does; and with `outside drop`, by which the
 * administrator has decided what becomes of such packets, information.
 */
#include "check/coverage.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "check/finding.h"
#include "config/source.h"
#include "plan/allowed_ips.h"

#define PARTS_MAX 16   /* of one range */
#define COMMANDS_MAX 4 /* more make no line that anybody reads */

void coverage_free(struct coverage *coverage)
{
	free(coverage->gaps);
	*coverage = (struct coverage){};
}

size_t coverage_peer_end(const struct coverage *coverage, size_t first)
{
	size_t end = first;

	while (end < coverage->gap_count && coverage->gaps[end].peer == coverage->gaps[first].peer)
		end++;
	return end;
}

size_t coverage_range_end(const struct coverage *coverage, size_t first)
{
	size_t end = first;

	while (end < coverage->gap_count && !prefix_compare(&coverage->gaps[end].range, &coverage->gaps[first].range))
		end++;
	return end;
}

/* --- gathering --- */

/* Every address of a family, or the half of them that routes for that are made of; 2000::/3 is all that is public. */
static bool is_everywhere(const struct prefix *range)
{
	return range->len <= (range->ip.family == AF_INET ? 1 : 3);
}

/* The prefixes of the plan, reduced; the array is the caller's. 0 or -ENOMEM. */
static int find_covering(const struct state *state, struct prefixes *covering)
{
	covering->all = calloc(state->gateway_count + 1, sizeof(*covering->all));
	if (!covering->all)
		return -ENOMEM;
	covering->count = state->gateway_count;
	for (size_t i = 0; i < covering->count; i++)
		covering->all[i] = state->gateways[i].from;
	prefixes_reduce(covering);
	return 0;
}

/* Ranges for which a prefix is no remedy: this host's own LANs are in it, too. */
struct everywhere {
	const struct allowed_ip *first;
	size_t count;
};

static int add_gaps(struct coverage *coverage, const struct allowed_ip *allowed, const struct prefixes *covering)
{
	struct prefixes parts = {};
	int ret = prefixes_uncovered(covering, &allowed->prefix, PARTS_MAX, &parts);

	for (size_t i = 0; i < parts.count && !ret; i++) {
		struct gap *gap = array_grow(&coverage->gaps, &coverage->gap_count, sizeof(*gap));

		ret = gap ? 0 : -ENOMEM;
		if (gap)
			*gap = (struct gap){allowed->peer, allowed->prefix, parts.all[i]};
	}
	free(parts.all);
	return ret;
}

/* By key, as wireguard-go reports its peers in another order each time. */
static int compare_gaps(const void *a, const void *b, void *coverage)
{
	const struct wireguard_peer *peers = ((const struct coverage *)coverage)->wireguard->peers;
	const struct gap *one = a, *other = b;
	int order = memcmp(peers[one->peer].public_key, peers[other->peer].public_key, WIREGUARD_KEY);

	order = order ? order : (one->peer > other->peer) - (one->peer < other->peer);
	order = order ? order : prefix_compare(&one->range, &other->range);
	return order ? order : prefix_compare(&one->part, &other->part);
}

static int find_gaps(struct examined *examined, struct everywhere *everywhere)
{
	const bool forwards4 = examined_forwards(examined, AF_INET), forwards6 = examined_forwards(examined, AF_INET6);
	struct coverage *coverage = &examined->coverage;
	struct prefixes covering = {};
	int ret = find_covering(&examined->plan.state, &covering);

	for (size_t i = 0; i < coverage->wireguard->allowed_count && !ret; i++) {
		const struct allowed_ip *allowed = &coverage->wireguard->allowed[i];

		if (!(allowed->prefix.ip.family == AF_INET ? forwards4 : forwards6) ||
		    prefix_stays_on_link(&allowed->prefix) || prefixes_cover(&covering, &allowed->prefix))
			continue;
		if (!is_everywhere(&allowed->prefix))
			ret = add_gaps(coverage, allowed, &covering);
		else if (!everywhere->count++)
			everywhere->first = allowed;
	}
	free(covering.all);
	if (coverage->gap_count)
		qsort_r(coverage->gaps, coverage->gap_count, sizeof(*coverage->gaps), compare_gaps, coverage);
	for (size_t i = 0; i < coverage->gap_count; i = coverage_peer_end(coverage, i))
		coverage->peer_count++;
	return ret;
}

/* --- telling --- */

void coverage_words(const struct examined *examined, size_t first, size_t end, char *remedy)
{
	struct prefixes parts = {calloc(end - first + 1, sizeof(*parts.all)), end - first};
	char words[FINDING_REMEDY];
	size_t len = 0;
	bool is_command = true;

	remedy[0] = '\0';
	for (size_t i = 0; i < parts.count && parts.all; i++)
		parts.all[i] = examined->coverage.gaps[first + i].part;
	if (parts.all)
		prefixes_aggregate(&parts);
	for (size_t i = 0; parts.all && i < parts.count && i < COMMANDS_MAX; i++) {
		is_command = finding_cover_words(examined, &parts.all[i], words);
		if (i && (!is_command || len + strlen(words) + sizeof(" && ") > FINDING_REMEDY))
			break;
		len += snprintf(remedy + len, FINDING_REMEDY - len, "%s%s", i ? " && " : "", words);
		if (!is_command)
			break;
	}
	free(parts.all);
}

static enum severity severity_of(const struct examined *examined)
{
	return examined_drops_outside(examined) ? SEVERITY_INFO : SEVERITY_WARNING;
}

/*
 * Whether `from allowed-ips` would cover this gap, and what peers get later: of its family, no peer may send from
 * everywhere, by one range or by several, and it is not in force already.
 */
static bool does_following_help(const struct examined *examined, uint8_t family)
{
	struct prefixes all = {};
	struct error ignored = {};
	bool helps = !source_find(&examined->plan.state, WGVIA_SOURCE_ALLOWED_IPS, family);

	if (allowed_ips_aggregate(examined->coverage.wireguard, true, &all, &ignored))
		return false;
	for (size_t i = 0; i < all.count; i++)
		helps &= all.all[i].ip.family != family || all.all[i].len;
	free(all.all);
	return helps;
}

static void add_uncovered(struct examined *examined)
{
	const struct coverage *coverage = &examined->coverage;
	const struct gap *first = coverage->gaps;
	char key[WIREGUARD_KEY_TEXT], range[PREFIX_TEXT_LEN], part[PREFIX_TEXT_LEN], whole[PREFIX_TEXT_LEN + 32] = "";
	char parts[MORE_TEXT_LEN], peers[MORE_TEXT_LEN], remedy[FINDING_REMEDY];

	if (prefix_compare(&first->range, &first->part))
		snprintf(whole, sizeof(whole), " (part of its AllowedIPs '%s')", prefix_text(&first->range, range));
	coverage_words(examined, 0, coverage->gap_count, remedy);
	finding_add(examined, severity_of(examined), "uncovered_peer", remedy,
		    "no prefix covers '%s'%s%s, from which peer '%s'%s may send: what comes from there %s%s",
		    prefix_text(&first->part, part), whole, more_text(coverage->gap_count, parts),
		    wireguard_key_text(coverage->wireguard->peers[first->peer].public_key, key),
		    more_text(coverage->peer_count, peers), examined_outside_fate(examined),
		    does_following_help(examined, first->part.ip.family) ? "; 'from allowed-ips' follows the peers"
									 : "");
}

static void add_everywhere(struct examined *examined, const struct everywhere *everywhere)
{
	const struct wireguard_peer *peer = &examined->coverage.wireguard->peers[everywhere->first->peer];
	char key[WIREGUARD_KEY_TEXT], range[PREFIX_TEXT_LEN], more[MORE_TEXT_LEN], remedy[FINDING_REMEDY];

	snprintf(remedy, sizeof(remedy), "wgvia route add %s from PREFIX, for each network at the peer's site",
		 examined->tunnel);
	finding_add(examined, severity_of(examined), "any_source", remedy,
		    "peer '%s' may send from '%s'%s, as an exit node or another site does: what is in no prefix %s",
		    wireguard_key_text(peer->public_key, key), prefix_text(&everywhere->first->prefix, range),
		    more_text(everywhere->count, more), examined_outside_fate(examined));
}

void check_coverage(struct examined *examined)
{
	const struct netdev *tunnel = netdev_by_name(examined->plan.netdevs, examined->tunnel);
	struct everywhere everywhere = {};
	struct error error = {};
	int ret;

	if (!tunnel || !examined->has_plan || !examined->plan.state.gateway_count)
		return;
	examined->coverage.wireguard = &examined->host->wireguard;
	ret = host_view_wireguard(examined->host, tunnel, &error);
	if (ret == -EOPNOTSUPP)
		return;
	if (ret) {
		finding_add(examined, SEVERITY_WARNING, "wireguard", error.hint,
			    "%s: it is not known whether the prefixes cover its peers' AllowedIPs", error.text);
		return;
	}
	if (find_gaps(examined, &everywhere))
		return;
	if (examined->coverage.gap_count)
		add_uncovered(examined);
	if (everywhere.count)
		add_everywhere(examined, &everywhere);
}
