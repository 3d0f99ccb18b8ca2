// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about this host's netfilter, which mode fast goes around in both directions, as nft prints it: rules of
 * iptables-nft are in there too, those of iptables-legacy are not.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "finding.h"
#include "util.h"

/* The whole ruleset as JSON; NULL where nft is not installed or says nothing. */
static struct json_object *read_ruleset(void)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *ruleset = NULL;
	FILE *nft = popen("nft -j list ruleset 2>/dev/null", "re");
	char buffer[16384];
	size_t len;

	while (nft && tokener && !ruleset && (len = fread(buffer, 1, sizeof(buffer), nft)))
		ruleset = json_tokener_parse_ex(tokener, buffer, (int)len);
	if (nft)
		pclose(nft);
	if (tokener)
		json_tokener_free(tokener);
	return ruleset;
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

static const char *text(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name);

	return value ? json_object_get_string(value) : "";
}

/* Whether somewhere below `value` an object has that member. */
static bool has_member(struct json_object *value, const char *name)
{
	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			if (has_member(json_object_array_get_idx(value, i), name))
				return true;
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key,
					   child) if (!strcmp(key, name) || has_member(child, name)) return true;
	}
	return false;
}

/* The hook of the rule's own chain; a chain without one is jumped to from anywhere: "". */
static const char *hook_of(struct json_object *list, struct json_object *rule)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *chain = member(json_object_array_get_idx(list, i), "chain");

		if (chain && !strcmp(text(chain, "table"), text(rule, "table")) &&
		    !strcmp(text(chain, "family"), text(rule, "family")) &&
		    !strcmp(text(chain, "name"), text(rule, "chain")))
			return text(chain, "hook");
	}
	return "";
}

struct found {
	unsigned int forward, nat, clamp, invalid;
	bool policy_drop;
	char where[128]; /* of the first forward rule */
};

static void look_at_rule(struct json_object *list, struct json_object *rule, struct found *found)
{
	struct json_object *expressions = member(rule, "expr");
	const char *hook = hook_of(list, rule), *words = expressions ? json_object_to_json_string(expressions) : "";

	if (has_member(expressions, "masquerade") || has_member(expressions, "snat") ||
	    has_member(expressions, "dnat") || has_member(expressions, "redirect"))
		found->nat++;
	if (strstr(words, "maxseg") || strstr(words, "TCPMSS"))
		found->clamp++;
	if (strcmp(hook, "forward"))
		return;
	if (!found->forward++)
		snprintf(found->where, sizeof(found->where), "%s %s %s", text(rule, "family"), text(rule, "table"),
			 text(rule, "chain"));
	if (strstr(words, "invalid") && has_member(expressions, "drop"))
		found->invalid++;
}

static void look_at_ruleset(struct json_object *list, struct found *found)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i), *rule = member(item, "rule"),
				   *chain = member(item, "chain");

		if (rule)
			look_at_rule(list, rule, found);
		if (chain && !strcmp(text(chain, "hook"), "forward") && !strcmp(text(chain, "policy"), "drop"))
			found->policy_drop = true;
	}
}

static void report_fast(struct examined *examined, const struct found *found, const char *stack)
{
	if (found->forward || found->policy_drop)
		finding_add(examined, SEVERITY_WARNING, "forward_rules", stack,
			    "this host filters in FORWARD (%s%u rules%s%s), and mode fast goes around it in both "
			    "directions",
			    found->policy_drop ? "policy drop, " : "", found->forward,
			    found->where[0] ? ", first in " : "", found->where);
	if (found->nat)
		finding_add(examined, SEVERITY_WARNING, "nat", stack,
			    "this host has %u rules that translate addresses, and mode fast goes around them",
			    found->nat);
	if (found->clamp)
		finding_add(examined, SEVERITY_WARNING, "mss_clamp", stack,
			    "this host has %u rules that clamp the MSS, and mode fast goes around them: large "
			    "downloads may hang "
			    "where Packet Too Big is filtered",
			    found->clamp);
}

void check_netfilter(struct examined *examined)
{
	struct json_object *ruleset = read_ruleset(), *list = ruleset ? member(ruleset, "nftables") : NULL;
	struct found found = {};
	char stack[128];

	if (list)
		look_at_ruleset(list, &found);
	snprintf(stack, sizeof(stack), "wgvia up %s ... mode stack", examined->tunnel);
	if (examined->plan.state.mode == WGVIA_FAST)
		report_fast(examined, &found, stack);
	else if (found.nat)
		finding_add(examined, SEVERITY_WARNING, "nat", "",
			    "this host has %u rules that translate addresses: what is translated to an address outside "
			    "of the "
			    "prefixes leaves as the kernel routes it, and not by the firewall",
			    found.nat);
	if (examined->plan.state.mode == WGVIA_FAST && found.invalid)
		finding_add(examined, SEVERITY_INFO, "ct_invalid", "",
			    "FORWARD drops packets of state invalid: what mode fast leaves to the kernel (fragments of "
			    "packets "
			    "that are too big) may meet it");
	json_object_put(ruleset);
}
