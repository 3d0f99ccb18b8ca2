// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules that nft prints as JSON, described in libnftables-json(5). There, an extension of iptables-nft is {"xt":
 * {"type": "match" or "target", "name": "TCPMSS"}}, or {"xt": null} before nft 1.0.6, without its content: chains with
 * such rules are read from iptables-nft-save.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "check/ruleset.h"
#include "check/ruleset_nft.h"

struct reader {
	struct ruleset *ruleset;
	const struct traffic *traffic;
	bool is_live;		     /* nft and the kernel may be asked for missing data */
	struct json_object *known;   /* see nft_ask_elements() */
	struct json_object *devices; /* see ruleset_nft_kernel_devices(); NULL: not requested yet */
};

/* --- statements --- */

/*
 * A statement that is not here acts on packets. Statements that only concern connection tracking do not matter, because
 * redirected packets are not tracked; nor does a mark taken from there.
 */
static const struct statement {
	const char *name;
	unsigned int flags;
	enum rule_verdict verdict;
	bool is_limit; /* a condition that cannot be evaluated */
} statements[] =
	{
		{"masquerade", RULE_NAT, VERDICT_ACCEPT, false},
		{"snat", RULE_NAT, VERDICT_ACCEPT, false},
		{"dnat", RULE_NAT, VERDICT_ACCEPT, false},
		{"redirect", RULE_NAT, VERDICT_ACCEPT, false},
		{"drop", RULE_DROPS, VERDICT_DROP, false},
		{"reject", RULE_DROPS, VERDICT_DROP, false},
		{"queue", RULE_DROPS, VERDICT_UNKNOWN, false},
		{"accept", RULE_ACCEPTS, VERDICT_ACCEPT, false},
		{"limit", 0, VERDICT_CONTINUE, true},
		{"quota", 0, VERDICT_CONTINUE, true},
		{"counter", 0, VERDICT_CONTINUE, false},
		{"comment", 0, VERDICT_CONTINUE, false},
		{"jump", 0, VERDICT_JUMP, false},
		{"goto", 0, VERDICT_GOTO, false},
		{"return", 0, VERDICT_RETURN, false},
		{"continue", 0, VERDICT_CONTINUE, false},
		{"notrack", 0, VERDICT_CONTINUE, false},
		{"ct count", 0, VERDICT_CONTINUE, true},
		{"ct helper", 0, VERDICT_CONTINUE, false},
		{"ct timeout", 0, VERDICT_CONTINUE, false},
		{"ct expectation", 0, VERDICT_CONTINUE, false},
		{"set", RULE_ACTS, VERDICT_CONTINUE, true},
		{"map", RULE_ACTS, VERDICT_CONTINUE, true},
		{"meter", RULE_ACTS, VERDICT_CONTINUE, true},
		{"synproxy", RULE_ACTS, VERDICT_UNKNOWN, false},
		{"fwd", RULE_ACTS, VERDICT_UNKNOWN, false},
},
  extensions[] = {
	  {"MASQUERADE", RULE_NAT, VERDICT_ACCEPT, false},
	  {"SNAT", RULE_NAT, VERDICT_ACCEPT, false},
	  {"DNAT", RULE_NAT, VERDICT_ACCEPT, false},
	  {"REDIRECT", RULE_NAT, VERDICT_ACCEPT, false},
	  {"NETMAP", RULE_NAT, VERDICT_ACCEPT, false},
	  {"REJECT", RULE_DROPS, VERDICT_DROP, false},
	  {"NFQUEUE", RULE_DROPS, VERDICT_UNKNOWN, false},
	  {"TCPMSS", RULE_CLAMP, VERDICT_CONTINUE, false},
	  {"CT", 0, VERDICT_CONTINUE, false},
	  {"NOTRACK", 0, VERDICT_CONTINUE, false},
	  {"CONNMARK", 0, VERDICT_CONTINUE, false},
	  {"CONNSECMARK", 0, VERDICT_CONTINUE, false},
	  {"LOG", RULE_ACTS, VERDICT_CONTINUE, false},
	  {"NFLOG", RULE_ACTS, VERDICT_CONTINUE, false},
	  {"MARK", RULE_ACTS, VERDICT_CONTINUE, false},
	  {"CHECKSUM", RULE_ACTS, VERDICT_CONTINUE, false},
	  {"DSCP", RULE_ACTS, VERDICT_CONTINUE, false},
	  {"SET", RULE_ACTS, VERDICT_CONTINUE, false},
};

/* A rule, as far as it is read. */
struct nft_rule {
	struct json_object *json;
	size_t chain;
	struct condition condition;
	unsigned int flags;
	char text[RULESET_NFT_KEY]; /* how a user finds it */
};

/* An extension without a name may be anything that its table allows. */
static const struct statement *statement_of_extension(const struct nft_rule *rule, struct json_object *extension)
{
	static const struct statement acts = {"", RULE_ACTS, VERDICT_UNKNOWN, false},
				      drops = {"", RULE_DROPS, VERDICT_UNKNOWN, false},
				      translates = {"", RULE_NAT, VERDICT_ACCEPT, false};
	const char *name = nft_text(extension, "name");

	if (!*name)
		return strcmp(nft_text(rule->json, "table"), "nat") ? &drops : &translates;
	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++)
		if (!strcmp(name, extensions[i].name))
			return &extensions[i];
	return &acts;
}

static void add_step(struct reader *reader, const struct nft_rule *rule, const struct condition *condition,
		     enum rule_verdict verdict, size_t target)
{
	ruleset_add_step(reader->ruleset, rule->chain, condition, verdict, target, rule->text);
}

/* {"type": "match" or "target", "name": ...}, or null: that is all that nft prints. */
static void read_extension(struct reader *reader, struct nft_rule *rule, struct json_object *extension)
{
	bool is_match = !strcmp(nft_text(extension, "type"), "match");
	const struct statement *statement = statement_of_extension(rule, extension);

	if (is_match || !extension)
		rule->condition = condition_both(rule->condition, condition_unread());
	if (is_match)
		return;
	rule->flags |= statement->flags;
	add_step(reader, rule, &rule->condition, statement->verdict, SIZE_MAX);
}

/* "tcp option maxseg size set ...", "meta mark set ..." */
static unsigned int flags_of_mangle(struct json_object *mangle)
{
	struct json_object *key = nft_member(mangle, "key"), *value = nft_member(mangle, "value");

	if (!strcmp(nft_text(nft_member(key, "tcp option"), "name"), "maxseg"))
		return RULE_CLAMP | (json_object_get_int(value) & 0xffff) << RULE_MSS_SHIFT;
	return nft_member(key, "ct") || nft_member(value, "ct") ? 0 : RULE_ACTS;
}

static const struct statement *find_statement(const char *name)
{
	static const struct statement acts = {"", RULE_ACTS, VERDICT_CONTINUE, false};

	for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
		if (!strcmp(name, statements[i].name))
			return &statements[i];
	return &acts;
}

static size_t add_jump(struct reader *reader, const struct nft_rule *rule, struct json_object *target,
		       struct scope scope)
{
	size_t to = ruleset_chain(reader->ruleset, nft_text(rule->json, "family"), nft_text(rule->json, "table"),
				  nft_text(target, "target"));

	ruleset_add_jump(reader->ruleset, rule->chain, to, scope);
	return to;
}

/*
 * {"drop": null}, {"jump": {"target": ...}}, of a rule or of a map's element, under the condition. Returns its flags.
 */
static unsigned int read_verdict(struct reader *reader, const struct nft_rule *rule, struct json_object *verdict,
				 struct condition *condition)
{
	unsigned int flags = 0;

	if (!json_object_is_type(verdict, json_type_object))
		return flags;
	json_object_object_foreach (verdict, name, content) {
		const struct statement *statement = find_statement(name);
		size_t target = SIZE_MAX;

		if (statement->is_limit)
			*condition = condition_both(*condition, condition_unread());
		if (statement->verdict == VERDICT_JUMP || statement->verdict == VERDICT_GOTO)
			target = add_jump(reader, rule, content, condition->scope);
		flags |= statement->flags;
		add_step(reader, rule, condition, statement->verdict, target);
	}
	return flags;
}

/* "@NAME" becomes {"set": [ELEMENT, ...]}; NULL: its elements are unknown. */
static struct json_object *elements_of(struct reader *reader, const struct nft_rule *rule, const char *type,
				       struct json_object *value)
{
	const char *name = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";

	if (*name != '@')
		return nft_member(value, "set");
	return reader->is_live ? nft_ask_elements(reader->known, rule->json, type, name + 1) : NULL;
}

/* Assumes everything that a map may do if its elements are unknown. */
static void read_unknown_map(struct reader *reader, struct nft_rule *rule)
{
	rule->flags |= RULE_DROPS;
	add_step(reader, rule, &rule->condition, VERDICT_UNKNOWN, SIZE_MAX);
}

/* {"key": EXPRESSION, "data": {"set": [[VALUE, VERDICT], ...]}}, or "@NAME" for the data */
static void read_map(struct reader *reader, struct nft_rule *rule, struct json_object *vmap)
{
	struct json_object *key = nft_member(vmap, "key"),
			   *elements = elements_of(reader, rule, "map", nft_member(vmap, "data"));
	unsigned int flags = 0, invalid = RULE_INVALID;

	if (!json_object_is_type(elements, json_type_array)) {
		read_unknown_map(reader, rule);
		return;
	}
	for (size_t i = 0; i < nft_items(elements); i++) {
		struct json_object *element = json_object_array_get_idx(elements, i), *value;
		struct condition left;
		unsigned int one;

		if (nft_items(element) != 2)
			continue;
		value = nft_value(json_object_array_get_idx(element, 0));
		left = condition_both(rule->condition, nft_condition(reader->traffic, key, "==", value));
		if (scope_is_empty(left.scope))
			continue;
		one = read_verdict(reader, rule, json_object_array_get_idx(element, 1), &left);
		if ((one & RULE_DROPS) && !nft_is_invalid(key, value))
			invalid = 0;
		flags |= one;
	}
	rule->flags |= flags & RULE_DROPS ? flags | invalid : flags;
}

/* --- rules and chains --- */

static void read_match(struct reader *reader, struct nft_rule *rule, struct json_object *match)
{
	struct json_object *left = nft_member(match, "left"), *right = nft_member(match, "right"), *set = NULL;
	const char *op = nft_text(match, "op");

	if (json_object_is_type(right, json_type_string) && json_object_get_string(right)[0] == '@')
		set = elements_of(reader, rule, "set", right);
	rule->condition = condition_both(rule->condition, nft_condition(reader->traffic, left, op, set ? set : right));
	if (strcmp(op, "!=") != 0 && nft_is_invalid(left, right))
		rule->flags |= RULE_INVALID;
}

/* {"op": "add", "flowtable": "@NAME"} */
static void read_flow(struct reader *reader, struct nft_rule *rule, struct json_object *flow)
{
	const char *name = nft_text(flow, "flowtable");
	char key[RULESET_NFT_KEY];

	ruleset_nft_key(key, nft_text(rule->json, "family"), nft_text(rule->json, "table"), name + (*name == '@'));
	ruleset_add_flow(reader->ruleset, rule->chain, key, rule->condition.scope);
	rule->flags |= RULE_ACTS;
}

static void read_statement(struct reader *reader, struct nft_rule *rule, struct json_object *statement)
{
	struct json_object *match = nft_member(statement, "match"), *vmap = nft_member(statement, "vmap"),
			   *mangle = nft_member(statement, "mangle"), *flow = nft_member(statement, "flow"), *extension;

	if (match)
		read_match(reader, rule, match);
	else if (vmap)
		read_map(reader, rule, vmap);
	else if (mangle)
		rule->flags |= flags_of_mangle(mangle);
	else if (flow)
		read_flow(reader, rule, flow);
	else if (json_object_object_get_ex(statement, "xt", &extension))
		read_extension(reader, rule, extension);
	else
		rule->flags |= read_verdict(reader, rule, statement, &rule->condition);
}

static void read_rule(struct reader *reader, struct json_object *json)
{
	const char *family = nft_text(json, "family"), *table = nft_text(json, "table"),
		   *name = nft_text(json, "chain"), *handle = nft_text(json, "handle");
	struct nft_rule rule = {json, ruleset_chain(reader->ruleset, family, table, name),
				condition_family(reader->traffic, family), 0, ""};
	struct json_object *expr = nft_member(json, "expr");
	char *undo = NULL;

	if (rule.chain == SIZE_MAX || reader->ruleset->chains[rule.chain].is_read)
		return;
	snprintf(rule.text, sizeof(rule.text), "%s %s %s handle %s", family, table, name, handle);
	/* conditions precede what depends on them */
	for (size_t i = 0; i < nft_items(expr) && !scope_is_empty(rule.condition.scope); i++)
		read_statement(reader, &rule, json_object_array_get_idx(expr, i));
	if ((rule.flags & RULE_NAT) && asprintf(&undo, "nft delete rule %s", rule.text) < 0)
		undo = NULL;
	ruleset_add_rule(reader->ruleset, rule.chain, rule.condition.scope, rule.flags, undo);
}

/* Marks the chain if the rule has content that only iptables-nft-save prints. */
static void mark_extensions(struct reader *reader, struct json_object *rule)
{
	struct ruleset *ruleset = reader->ruleset;
	struct json_object *expr = nft_member(rule, "expr");
	size_t chain =
		ruleset_chain(ruleset, nft_text(rule, "family"), nft_text(rule, "table"), nft_text(rule, "chain"));

	for (size_t i = 0; i < nft_items(expr) && chain != SIZE_MAX; i++)
		if (json_object_object_get_ex(json_object_array_get_idx(expr, i), "xt", NULL))
			ruleset->chains[chain].has_extensions = true;
}

static bool needs_save(const struct ruleset *ruleset, const char *family)
{
	for (size_t i = 0; i < ruleset->chain_count; i++)
		if (ruleset->chains[i].has_extensions && !strcmp(ruleset->chains[i].family, family))
			return true;
	return false;
}

static void read_extensions(struct reader *reader)
{
	static const char *const families[] = {"ip", "ip6"};
	struct ruleset *ruleset = reader->ruleset;

	for (size_t i = 0; i < ARRAY_SIZE(families) && reader->is_live; i++)
		if (needs_save(ruleset, families[i]))
			ruleset_read_iptables_nft(ruleset, reader->traffic, families[i]);
	for (size_t i = 0; i < ruleset->chain_count; i++)
		ruleset->extensions_unread |= ruleset->chains[i].has_extensions && !ruleset->chains[i].is_read;
}

/* The devices of a chain at ingress or egress. Older versions of nft do not print them. */
static struct sides sides_of_chain(struct reader *reader, struct json_object *chain)
{
	struct json_object *devices = nft_member(chain, "dev");
	struct sides sides = {};
	char key[RULESET_NFT_KEY];

	if (!devices && reader->is_live) {
		if (!reader->devices)
			reader->devices = ruleset_nft_kernel_devices();
		ruleset_nft_key(key, nft_text(chain, "family"), nft_text(chain, "table"), nft_text(chain, "name"));
		devices = nft_member(reader->devices, key);
	}
	if (json_object_is_type(devices, json_type_string))
		return traffic_device(reader->traffic, DEVICE_NAME, json_object_get_string(devices));
	for (size_t i = 0; i < nft_items(devices); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(devices, i));

		sides = sides_any(sides, traffic_device(reader->traffic, DEVICE_NAME, name ? name : ""));
	}
	return sides;
}

/* Appends a name to the list, which it takes over. NULL if out of memory. */
static char *add_name(char *list, struct json_object *name)
{
	const char *text = json_object_get_string(name);
	char *longer = NULL;

	if (list && asprintf(&longer, "%s%s ", list, text ? text : "") < 0)
		longer = NULL;
	free(list);
	return longer;
}

/* "dev" is a name, or several; it is missing if the flowtable lost its devices. */
static void read_flowtable(struct reader *reader, struct json_object *flowtable)
{
	struct json_object *devices = nft_member(flowtable, "dev");
	char key[RULESET_NFT_KEY], *list = strdup(" ");

	if (json_object_is_type(devices, json_type_string))
		list = add_name(list, devices);
	for (size_t i = 0; i < nft_items(devices); i++)
		list = add_name(list, json_object_array_get_idx(devices, i));
	ruleset_nft_key(key, nft_text(flowtable, "family"), nft_text(flowtable, "table"), nft_text(flowtable, "name"));
	ruleset_add_flowtable(reader->ruleset, key, list);
}

static void read_chain(struct reader *reader, struct json_object *chain)
{
	const char *family = nft_text(chain, "family"), *hook = nft_text(chain, "hook");
	size_t number = ruleset_chain(reader->ruleset, family, nft_text(chain, "table"), nft_text(chain, "name"));
	struct scope scope = scope_of_family(reader->traffic, family);

	if (number == SIZE_MAX)
		return;
	if (!strcmp(hook, "ingress"))
		scope_narrow(&scope, SCOPE_FROM, sides_of_chain(reader, chain));
	if (!strcmp(hook, "egress"))
		scope_narrow(&scope, SCOPE_TO, sides_of_chain(reader, chain));
	ruleset_hook(&reader->ruleset->chains[number], hook, scope, !strcmp(nft_text(chain, "policy"), "drop"));
}

/* Each item of the list that is a "chain" or a "rule". */
static void each(struct reader *reader, struct json_object *list, const char *type,
		 void (*function)(struct reader *reader, struct json_object *item))
{
	for (size_t i = 0; i < nft_items(list); i++) {
		struct json_object *item = nft_member(json_object_array_get_idx(list, i), type);

		if (item)
			function(reader, item);
	}
}

static bool add_all(struct reader *reader, struct json_object *all)
{
	struct json_object *list = nft_member(all, "nftables");

	if (!json_object_is_type(list, json_type_array))
		return false;
	reader->known = json_object_new_object();
	each(reader, list, "chain", read_chain);
	each(reader, list, "flowtable", read_flowtable);
	each(reader, list, "rule", mark_extensions);
	read_extensions(reader);
	each(reader, list, "rule", read_rule);
	json_object_put(reader->known);
	json_object_put(reader->devices);
	return true;
}

bool ruleset_add_nft(struct ruleset *ruleset, const struct traffic *traffic, struct json_object *all)
{
	struct reader reader = {.ruleset = ruleset, .traffic = traffic};

	return add_all(&reader, all);
}

void ruleset_read_nft(struct ruleset *ruleset, const struct traffic *traffic)
{
	struct reader reader = {.ruleset = ruleset, .traffic = traffic, .is_live = true};
	/* without the elements of sets, which may be many */
	struct json_object *all = nft_ask("-t list ruleset", SIZE_MAX);

	all = all ? all : nft_ask("list ruleset", SIZE_MAX); /* -t requires nft 0.9.3 */
	if (!add_all(&reader, all))
		ruleset->nft_unread = ruleset_nft_kernel_has_chains();
	json_object_put(all);
}
