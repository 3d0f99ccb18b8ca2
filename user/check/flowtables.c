// SPDX-License-Identifier: GPL-2.0-only
/*
 * A flowtable only forwards what arrives by its own devices. A device that is removed leaves the flowtable, and does
 * not return when its name does: a tunnel that was re-created must be added again.
 */
#include "check/flowtables.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "config/failover.h"

/* Whether an entry of the list is this name, or a pattern that matches it: newer versions of nft have "eth*". */
static bool has_device(const struct flowtable *flowtable, const char *name)
{
	const char *word = flowtable->devices;

	while (*(word += strspn(word, " "))) {
		size_t len = strcspn(word, " ");
		bool is_pattern = word[len - 1] == '*';

		if (is_pattern ? !strncmp(word, name, len - 1) : strlen(name) == len && !strncmp(word, name, len))
			return true;
		word += len;
	}
	return false;
}

#define DEPTH 8 /* the kernel's MAX_NEST_DEV */

/*
 * A device is served by the one that it is on as well: the kernel looks through VLANs and bridges
 * (ndo_fill_forward_path()), but not through bonds and macvlans. A PPPoE device does not report which one that is.
 */
static bool is_served(const struct flowtable *flowtable, const struct netdevs *netdevs, const struct netdev *netdev,
		      int depth)
{
	if (!netdev || depth > DEPTH)
		return false;
	if (has_device(flowtable, netdev->name) || !strcmp(netdev->kind, "ppp"))
		return true;
	if (!strcmp(netdev->kind, "vlan"))
		return is_served(flowtable, netdevs, netdev_by_index(netdevs, netdev->lower), depth + 1);
	for (size_t i = 0; i < netdevs->count && !strcmp(netdev->kind, "bridge"); i++)
		if (netdevs->all[i].master == netdev->ifindex &&
		    is_served(flowtable, netdevs, &netdevs->all[i], depth + 1))
			return true;
	return false;
}

static void add_missing(const struct flowtable *flowtable, const struct netdevs *netdevs, const struct netdev *netdev,
			char *missing, size_t size)
{
	size_t used = strlen(missing);

	if (!is_served(flowtable, netdevs, netdev, 0))
		snprintf(missing + used, size - used, "%s%s", used ? ", " : "", netdev->name);
}

/* What the flowtable's table is for: AF_INET, AF_INET6, or 0 for both. */
static uint8_t family_of(const struct flowtable *flowtable)
{
	if (!strncmp(flowtable->name, "ip ", 3))
		return AF_INET;
	return strncmp(flowtable->name, "ip6 ", 4) ? 0 : AF_INET6;
}

static bool has_hop(const struct gateway_list *list, uint32_t ifindex)
{
	for (uint32_t i = 0; list && i < list->content.count; i++)
		if (list->content.hops[i].ifindex == ifindex)
			return true;
	return false;
}

/* Whether one of the family's prefixes has a gateway there. */
static bool is_for_family(const struct state *state, uint32_t ifindex, uint8_t family)
{
	if (!family)
		return true;
	for (size_t i = 0; i < state->gateway_count; i++) {
		const struct gateway_entry *entry = &state->gateways[i];

		if (entry->from.ip.family == family &&
		    (entry->value.ifindex == ifindex || has_hop(failover_find(state, &entry->value), ifindex)))
			return true;
	}
	return false;
}

static bool is_used(const struct ruleset *ruleset, size_t flowtable)
{
	for (size_t i = 0; i < ruleset->flow_count; i++) {
		const struct flow_rule *flow = &ruleset->flows[i];

		if (flow->flowtable == flowtable &&
		    scope_is_redirected(scope_both(ruleset->chains[flow->chain].at[HOOK_FORWARD], flow->scope)))
			return true;
	}
	return false;
}

void check_flowtables(struct examined *examined, const struct ruleset *ruleset, const struct traffic *traffic)
{
	const struct netdevs *netdevs = traffic->plan->netdevs;

	for (size_t i = 0; i < ruleset->flowtable_count; i++) {
		const struct flowtable *flowtable = &ruleset->flowtables[i];
		char missing[256] = "", remedy[FINDING_REMEDY];

		if (!flowtable->name || !is_used(ruleset, i))
			continue;
		if (traffic->tunnel->ifindex) /* one that does not exist cannot be in it */
			add_missing(flowtable, netdevs, traffic->tunnel, missing, sizeof(missing));
		for (size_t j = 0; j < traffic->gateways.count; j++)
			if (is_for_family(&traffic->plan->state, traffic->gateways.all[j]->ifindex,
					  family_of(flowtable)))
				add_missing(flowtable, netdevs, traffic->gateways.all[j], missing, sizeof(missing));
		if (!*missing)
			continue;
		snprintf(remedy, sizeof(remedy), "nft 'add flowtable %s { devices = { %s }; }'", flowtable->name,
			 missing);
		finding_add(examined, SEVERITY_INFO, "flowtable", remedy,
			    "rules put connections of the prefixes into the flowtable '%s', which lacks dev %s: "
			    "packets from that device take the ordinary path, at full cost",
			    flowtable->name, missing);
	}
}
