// SPDX-License-Identifier: GPL-2.0-only
/*
 * A flowtable forwards what comes by its own devices, and leaves what comes by others to the ordinary path. A device
 * that is removed leaves it, and does not return with its name: a tunnel that was re-created has to be added again.
 */
#include "check/flowtables.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

/* Whether a word of the list is this name, or a pattern for it: newer versions of nft have "eth*". */
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

static void add_missing(const struct flowtable *flowtable, const char *name, char *missing, size_t size)
{
	size_t used = strlen(missing);

	if (!has_device(flowtable, name))
		snprintf(missing + used, size - used, "%s%s", used ? ", " : "", name);
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
	for (size_t i = 0; i < ruleset->flowtable_count; i++) {
		const struct flowtable *flowtable = &ruleset->flowtables[i];
		char missing[256] = "", remedy[FINDING_REMEDY];

		if (!flowtable->name || !is_used(ruleset, i))
			continue;
		add_missing(flowtable, traffic->tunnel->name, missing, sizeof(missing));
		for (size_t j = 0; j < traffic->gateways.count; j++)
			add_missing(flowtable, traffic->gateways.all[j]->name, missing, sizeof(missing));
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
