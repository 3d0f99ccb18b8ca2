// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about prefixes that overlap with this host's own LANs.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "check/finding.h"
#include "plan/lan.h"
#include "plan/points.h"

#define RANGES_MAX 4 /* nobody reads a command with more */

/* Replaces the prefix by the ranges in the tunnel, so that no client bypasses the firewall. */
static void narrow_words(const struct examined *examined, const struct prefix *from, const struct prefixes *ranges,
			 char remedy[FINDING_REMEDY])
{
	const struct state *state = &examined->plan.state;
	const struct gateway_entry *entry = state_find_gateway(state, from);
	char words[FINDING_REMEDY], text[PREFIX_TEXT_LEN];
	size_t len = 0;

	prefix_text(from, text);
	if (!examined->is_running || !entry || ranges->count > RANGES_MAX) {
		snprintf(remedy, FINDING_REMEDY, "wgvia up %s, with 'from %s'%s instead of '%s'", examined->tunnel,
			 prefix_text(&ranges->all[0], words), more_text(ranges->count, words + PREFIX_TEXT_LEN), text);
		return;
	}
	remedy[0] = '\0';
	for (size_t i = 0; i < ranges->count && len < FINDING_REMEDY; i++) {
		if (state_find_gateway(state, &ranges->all[i]))
			continue;
		finding_route_words(examined, "add", state, &ranges->all[i], &entry->value, words);
		len += snprintf(remedy + len, FINDING_REMEDY - len, "%s && ", words);
	}
	if (len < FINDING_REMEDY)
		snprintf(remedy + len, FINDING_REMEDY - len, "wgvia route del %s from %s", examined->tunnel, text);
}

/* For networks without a gateway, such as those of containers: the finding `reach` names the same command. */
static void bypass_words(const struct examined *examined, const struct prefix *lan, char remedy[FINDING_REMEDY])
{
	char text[PREFIX_TEXT_LEN];

	snprintf(remedy, FINDING_REMEDY, "wgvia bypass add %s %s", examined->tunnel, prefix_text(lan, text));
}

static void add_own(struct examined *examined, const struct lan_conflict *conflict)
{
	const struct plan *plan = &examined->plan;
	enum severity severity = plan->state.ret == WGVIA_RETURN_VIA ? SEVERITY_WARNING : SEVERITY_ERROR;
	char text[LAN_TEXT], remedy[FINDING_REMEDY] = "";
	struct prefixes ranges = {};

	if (!lan_narrower(&plan->state, &plan->points, &examined->host->addresses, &conflict->from, &ranges) &&
	    ranges.count)
		narrow_words(examined, &conflict->from, &ranges, remedy);
	else if (examined->is_running && !points_is_gateway(plan, conflict->lan_ifindex))
		bypass_words(examined, &conflict->lan, remedy);
	free(ranges.all);
	finding_add(examined, conflict->free.family ? SEVERITY_INFO : severity, "own_address", remedy, "%s",
		    lan_text(conflict, &plan->state, plan->netdevs, text));
}

static void add_clients(struct examined *examined, const struct lan_conflict *conflict)
{
	const struct plan *plan = &examined->plan;
	bool heals = plan->state.ret == WGVIA_RETURN_VIA;
	char text[LAN_TEXT], remedy[FINDING_REMEDY] = "";
	struct examined mended = *examined;

	mended.plan.state.ret = WGVIA_RETURN_VIA;
	if (!heals)
		finding_up_words(&mended, plan->state.mode, remedy);
	finding_add(examined, heals ? SEVERITY_INFO : SEVERITY_WARNING, "lan", remedy, "%s",
		    lan_text(conflict, &plan->state, plan->netdevs, text));
}

void check_lans(struct examined *examined)
{
	const struct lan_conflicts *conflicts = &examined->plan.lans;

	for (size_t i = 0; i < conflicts->count && examined->has_plan; i++)
		if (conflicts->all[i].own.family)
			add_own(examined, &conflicts->all[i]);
		else
			add_clients(examined, &conflicts->all[i]);
}
