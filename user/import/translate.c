// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules, tables and routes: each step is replaced, kept, or gets a remark.
 */
#include "import/translate.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "import/rules.h"

void translation_remark(struct translation *translation, struct step *step, const char *format, ...)
{
	cleanup_free char *text = NULL;
	char *both = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0) {
		text = NULL;
		translation->no_memory = true;
		return;
	}
	if (wgquick_holds_key(text, (size_t)len))
		strcpy(text, "not used");
	if (asprintf(&both, "%s%s%s", step->remark ? step->remark : "", step->remark ? "; " : "", text) < 0) {
		translation->no_memory = true;
		return;
	}
	free(step->remark);
	step->remark = both;
}

static bool adds(const struct step *step, enum iproute_object object)
{
	bool comes_up = step->line->key == WGQUICK_PRE_UP || step->line->key == WGQUICK_POST_UP;

	return step->ip.object == object && step->ip.action == IPROUTE_ADD && comes_up;
}

static bool is_route_add(const struct step *step)
{
	return adds(step, IPROUTE_ROUTE);
}

static bool is_rule_add(const struct step *step)
{
	return adds(step, IPROUTE_RULE);
}

/* Its meaning is completely known, and wgvia has an equivalent. */
static bool is_plain(const struct step *step)
{
	return !step->command.expands && !step->ip.not_clear && !step->ip.extra;
}

static bool is_in_table(const struct step *step, uint8_t family, const char *table)
{
	return step->ip.family == family && !strcmp(step->ip.table, table);
}

static bool is_default_via(const struct translation *translation, const struct step *step)
{
	return is_route_add(step) && is_plain(step) && !step->ip.prefix.len && !step->ip.type && step->ip.via.family &&
	       strcmp(step->ip.dev, translation->tunnel) != 0;
}

/* Of several default routes the one with the lowest metric, as in the kernel. */
static const struct step *find_gateway(const struct translation *translation, uint8_t family, const char *table)
{
	const struct step *best = NULL;

	for (size_t i = 0; i < translation->step_count; i++) {
		const struct step *step = &translation->steps[i];

		if (is_default_via(translation, step) && is_in_table(step, family, table) &&
		    (!best || step->ip.preference < best->ip.preference))
			best = step;
	}
	return best;
}

static struct table *find_table(const struct translation *translation, const struct step *step)
{
	for (size_t i = 0; i < translation->table_count; i++)
		if (is_in_table(step, translation->tables[i].family, translation->tables[i].name))
			return &translation->tables[i];
	return NULL;
}

static struct route_words *find_route(const struct translation *translation, const struct prefix *from)
{
	const struct request *request = translation->request;

	for (size_t i = 0; i < request->route_count; i++)
		if (!prefix_compare(&request->routes[i].from, from))
			return &request->routes[i];
	return NULL;
}

const char *translation_statement(const struct route_words *route, char text[RECIPE_STATEMENT])
{
	char from[PREFIX_TEXT_LEN], via[IP_TEXT_LEN];

	snprintf(text, RECIPE_STATEMENT, "from %s via %s%s%s", prefix_text(&route->from, from),
		 ip_text(&route->via, via), route->dev[0] ? " dev " : "", route->dev);
	return text;
}

/* Whether `up` accepts it, by trying. */
static bool is_accepted(struct translation *translation, struct step *rule, const struct route_words *route)
{
	char text[RECIPE_STATEMENT], tunnel[IFNAMSIZ], *words[8] = {(char *)translation->tunnel};
	cleanup(route_words_free) struct route_words parsed = {};
	struct error error;
	int count = 1;

	for (const char *c = route->dev; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_=+.-@", *c)) { /* it will be in a line of shell */
			translation_remark(translation, rule, "stays as it is: '%c' in the name of a device", *c);
			return false;
		}
	translation_statement(route, text);
	for (char *rest = text, *word; (word = strtok_r(rest, " ", &rest));)
		words[count++] = word;
	if (!parse_route(count, words, tunnel, &parsed, &error))
		return true;
	translation_remark(translation, rule, "stays as it is: %s", error.text);
	return false;
}

static void add_table(struct translation *translation, const struct step *rule, const struct step *gateway)
{
	struct table *table = find_table(translation, rule);

	if (!table)
		table = array_grow(&translation->tables, &translation->table_count, sizeof(*table));
	if (!table) {
		translation->no_memory = true;
		return;
	}
	table->family = rule->ip.family;
	strcpy(table->name, rule->ip.table);
	table->gateway = gateway;
}

/* Replaces a rule "from PREFIX table T" with a default route in T; others keep their remark until all are known. */
static void take_rule(struct translation *translation, struct step *rule)
{
	const struct step *gateway = find_gateway(translation, rule->ip.family, rule->ip.table);
	struct route_words route = {.from = rule->ip.prefix}, *other;

	if (!gateway) {
		translation_remark(
			translation, rule,
			"stays as it is: table %s has no 'default via ADDRESS' in this file that import reads",
			rule->ip.table);
		return;
	}
	route.via = gateway->ip.via;
	memcpy(route.dev, gateway->ip.dev, sizeof(route.dev));
	other = find_route(translation, &route.from);
	if (other && (!ip_equal(&other->via, &route.via) || strcmp(other->dev, route.dev) != 0)) {
		translation_remark(translation, rule,
				   "stays as it is: another rule has a gateway for this prefix already");
		return;
	}
	if (!is_accepted(translation, rule, &route))
		return;
	if (!other) {
		other = array_grow(&translation->request->routes, &translation->request->route_count, sizeof(*other));
		if (!other) {
			translation->no_memory = true;
			return;
		}
		*other = route;
	}
	rule->gone = true;
	add_table(translation, rule, gateway);
}

/* Why wgvia has no equivalent for a rule that refers to a custom table. */
static void remark_rule(struct translation *translation, struct step *rule)
{
	char to[PREFIX_TEXT_LEN];

	if (rule->remark)
		return;
	if (rule->command.expands)
		translation_remark(translation, rule, "stays as it is: import does not know what the shell inserts");
	else if (rule->ip.not_clear)
		translation_remark(translation, rule, "stays as it is: '%s' is not clear", rule->ip.not_clear);
	else if (rule->ip.extra)
		translation_remark(translation, rule,
				   "stays as it is: wgvia has no '%s', it matches on the source only", rule->ip.extra);
	else if (rule->ip.to.ip.family && rule->ip.to.len && iproute_table_is_kernels(rule->ip.table))
		translation_remark(translation, rule,
				   "stays as it is, but no longer has an effect: 'bypass %s' does this for all "
				   "prefixes",
				   prefix_text(&rule->ip.to, to));
	else if (rule->ip.to.ip.family && rule->ip.to.len)
		translation_remark(translation, rule,
				   "stays as it is: wgvia has no 'to', it matches on the source only");
	else if (!rule->ip.prefix.len && !iproute_table_is_kernels(rule->ip.table))
		translation_remark(translation, rule,
				   "stays as it is: it matches every source, and wgvia needs 'from PREFIX'");
	else
		translation_remark(translation, rule,
				   "stays as it is, but no longer affects packets of the prefixes from the tunnel");
}

static bool is_recipes_rule(const struct step *step)
{
	return is_rule_add(step) && is_plain(step) && step->ip.prefix.len && !step->ip.to.len &&
	       !iproute_table_is_kernels(step->ip.table);
}

static void take_rules(struct translation *translation)
{
	for (size_t i = 0; i < translation->step_count && !translation->no_memory; i++)
		if (is_recipes_rule(&translation->steps[i]))
			take_rule(translation, &translation->steps[i]);
	for (size_t i = 0; i < translation->step_count; i++) {
		struct step *step = &translation->steps[i];
		struct table *table = is_rule_add(step) && !step->gone ? find_table(translation, step) : NULL;

		if (is_rule_add(step) && !step->gone)
			remark_rule(translation, step);
		if (table)
			table->stays = true;
	}
}

/* iproute2 would choose the first by preference, wgvia chooses the longest. */
static void remark_overlaps(struct translation *translation)
{
	for (size_t i = 0; i < translation->step_count; i++) {
		struct step *step = &translation->steps[i];
		const struct route_words *own, *other = translation->request->routes;

		if (!is_rule_add(step) || !step->gone)
			continue;
		own = find_route(translation, &step->ip.prefix);
		for (size_t j = 0; j < translation->request->route_count; j++, other++)
			if (own != other && prefix_covers(&own->from, &other->from) &&
			    !ip_equal(&own->via, &other->via)) {
				translation_remark(translation, step,
						   "overlaps with another prefix: wgvia uses the longest match, "
						   "whatever the preference of the rules");
				break;
			}
	}
}

/* ---- other content of the tables ---- */

static size_t tables_of_family(const struct translation *translation, uint8_t family)
{
	size_t count = 0;

	for (size_t i = 0; i < translation->table_count; i++)
		count += translation->tables[i].family == family;
	return count;
}

static void take_bypass(struct translation *translation, struct step *step)
{
	struct request *request = translation->request;
	struct prefix *to;
	char text[PREFIX_TEXT_LEN];

	prefix_text(&step->ip.prefix, text);
	if (tables_of_family(translation, step->ip.family) > 1) {
		translation_remark(translation, step,
				   "not taken over: 'bypass %s' would apply to the prefixes of the other table, too",
				   text);
		return;
	}
	translation_remark(translation, step,
			   "is 'bypass %s' now: remove that if the firewall has to see connections with it", text);
	for (size_t i = 0; i < request->bypass_count; i++)
		if (!prefix_compare(&request->bypass[i], &step->ip.prefix))
			return;
	to = array_grow(&request->bypass, &request->bypass_count, sizeof(*to));
	if (to)
		*to = step->ip.prefix;
	else
		translation->no_memory = true;
}

/* Whether the main table routes all of the prefix into the tunnel, by routes of wg-quick and of the hooks. */
static bool is_covered(const struct translation *translation, const struct prefix *to)
{
	bool automatic = !translation->table_word || !strcmp(translation->table_word, "auto");

	for (size_t i = 0; i < translation->line_count; i++) {
		const struct wgquick_line *line = &translation->lines[i];
		cleanup_free char *copy = NULL;
		struct prefix prefix;

		if (line->misplaced ||
		    (line->key != WGQUICK_ADDRESS && (line->key != WGQUICK_ALLOWED_IPS || !automatic)))
			continue;
		copy = strdup(line->value);
		for (char *rest = copy, *word; rest && (word = strtok_r(rest, ", \t", &rest));)
			if (iproute_prefix(word, 0, &prefix) && prefix.len && prefix_covers(&prefix, to))
				return true;
	}
	for (size_t i = 0; i < translation->step_count; i++) {
		const struct step *step = &translation->steps[i];

		if (is_route_add(step) && is_plain(step) && !step->ip.type && !step->ip.via.family &&
		    !strcmp(step->ip.dev, translation->tunnel) && iproute_table_is_kernels(step->ip.table) &&
		    prefix_covers(&step->ip.prefix, to))
			return true;
	}
	for (size_t i = 0; i < translation->moved_count; i++)
		if (prefix_covers(&translation->moved[i], to))
			return true;
	return false;
}

/*
 * The recipe's own "PREFIX dev TUNNEL". Without its table, this host's answers and mode stack find the tunnel only by
 * the main table, from which `up` also derives what is reached through the tunnel.
 */
static void take_tunnel_route(struct translation *translation, struct step *step, const struct prefix *to)
{
	char text[PREFIX_TEXT_LEN];
	struct prefix *moved;

	if (is_covered(translation, to))
		return;
	moved = array_grow(&translation->moved, &translation->moved_count, sizeof(*moved));
	if (!moved) {
		translation->no_memory = true;
		return;
	}
	*moved = *to;
	translation_remark(translation, step, "moved into the main table: nothing else there leads %s into the tunnel",
			   prefix_text(to, text));
}

static void remark_second_default(struct translation *translation, struct step *step)
{
	char via[IP_TEXT_LEN];

	if (step->ip.via.family)
		translation_remark(
			translation, step,
			"not taken over: 'or %s' after the first gateway makes it the second, for 'wgvia run'",
			ip_text(&step->ip.via, via));
	else
		translation_remark(translation, step, "not taken over: a gateway has an address");
}

static void take_route(struct translation *translation, const struct table *table, struct step *step)
{
	const struct iproute *ip = &step->ip;
	const struct step *gateway = table->gateway;
	bool is_default = !ip->prefix.len;

	if (step == gateway)
		return;
	if (step->command.expands)
		translation_remark(translation, step, "not taken over: import does not know what the shell inserts");
	else if (ip->not_clear)
		translation_remark(translation, step, "not taken over: '%s' is not clear", ip->not_clear);
	else if (ip->extra)
		translation_remark(translation, step, "not taken over: wgvia has no '%s'", ip->extra);
	else if (ip->type && strcmp(ip->type, "throw") != 0)
		translation_remark(translation, step,
				   is_default
					   ? "not needed: 'on-fail drop', the default, lets nothing bypass the firewall"
					   : "not taken over: wgvia does not drop by destination, the firewall has to");
	else if (ip->via.family && ip_equal(&ip->via, &gateway->ip.via) && !strcmp(ip->dev, gateway->ip.dev))
		return; /* the same path as all other traffic */
	else if (is_default)
		remark_second_default(translation, step);
	else if (ip->via.family)
		translation_remark(translation, step,
				   "not taken over: wgvia has one route for a prefix; "
				   "'bypass PREFIX' leaves a destination to the main table");
	else if (!ip->type && !ip->dev[0])
		translation_remark(translation, step, "not taken over: a route needs 'via ADDRESS' or 'dev DEV'");
	else if (!ip->type && !strcmp(ip->dev, translation->tunnel))
		take_tunnel_route(translation, step, &ip->prefix);
	else
		take_bypass(translation, step);
}

static void take_routes(struct translation *translation)
{
	for (size_t i = 0; i < translation->step_count && !translation->no_memory; i++) {
		struct step *step = &translation->steps[i];
		const struct table *table = step->ip.object == IPROUTE_ROUTE ? find_table(translation, step) : NULL;

		if (table) {
			if (is_route_add(step))
				take_route(translation, table, step);
			step->gone = !table->stays && step->ip.action != IPROUTE_LOOK;
			if (table->stays && is_route_add(step))
				translation_remark(translation, step,
						   "stays as well: a rule that stays leads to table %s", table->name);
		} else if (is_route_add(step) && !iproute_table_is_kernels(step->ip.table)) {
			translation_remark(translation, step,
					   "stays as it is: no rule that was taken over leads to table %s",
					   step->ip.table);
		}
	}
}

/* Whether this rule deletes a rule that was replaced. */
static bool is_mirror(const struct translation *translation, const struct step *step)
{
	const struct table *table = find_table(translation, step);

	if (step->ip.object != IPROUTE_RULE || step->ip.action != IPROUTE_DELETE || !is_plain(step) || step->ip.to.len)
		return false;
	if (!step->ip.prefix.len && table && !table->stays && !step->ip.preference)
		return true; /* "ip rule del table T" */
	for (size_t i = 0; i < translation->step_count; i++) {
		const struct step *rule = &translation->steps[i];

		if (!is_rule_add(rule) || !rule->gone || rule->ip.family != step->ip.family)
			continue;
		if ((!*step->ip.table || !strcmp(step->ip.table, rule->ip.table)) &&
		    (!step->ip.prefix.len || !prefix_compare(&step->ip.prefix, &rule->ip.prefix)) &&
		    (!step->ip.preference || step->ip.preference == rule->ip.preference) &&
		    (step->ip.prefix.len || step->ip.preference))
			return true;
	}
	return false;
}

bool translation_table_is_gone(const struct translation *translation, const char *word)
{
	char name[IPROUTE_TABLE];
	bool gone = false;

	if (!word || !iproute_table(word, name))
		return false;
	for (size_t i = 0; i < translation->table_count; i++) {
		if (strcmp(translation->tables[i].name, name) != 0)
			continue;
		if (translation->tables[i].stays)
			return false;
		gone = true;
	}
	return gone;
}

/* "Table = T": wg-quick itself fills the recipe's table with the AllowedIPs. */
static void take_table_line(struct translation *translation)
{
	struct step *line = NULL;

	if (!translation_table_is_gone(translation, translation->table_word))
		return;
	for (size_t i = 0; i < translation->step_count; i++)
		if (translation->steps[i].line->value == translation->table_word)
			line = &translation->steps[i];
	translation_remark(translation, line, "is 'Table = off' now, as no rule leads to that table any more");
	for (size_t i = 0; i < translation->line_count && !translation->no_memory; i++) {
		cleanup_free char *copy = NULL;
		struct prefix prefix;

		if (translation->lines[i].key != WGQUICK_ALLOWED_IPS || translation->lines[i].misplaced)
			continue;
		copy = strdup(translation->lines[i].value);
		for (char *rest = copy, *word; rest && (word = strtok_r(rest, ", \t", &rest));)
			if (iproute_prefix(word, 0, &prefix) && prefix.len)
				take_tunnel_route(translation, line, &prefix);
	}
}

/* ---- the rest of the file ---- */

static const char *program_of(const struct step *step)
{
	const char *slash = step->command.word_count ? strrchr(step->command.words[0], '/') : NULL;

	return !step->command.word_count ? "" : slash ? slash + 1 : step->command.words[0];
}

static bool has_word(const struct step *step, const char *word)
{
	for (size_t i = 0; i < step->command.word_count; i++)
		if (!strcmp(step->command.words[i], word))
			return true;
	return false;
}

static bool is_netfilter(const struct step *step)
{
	const char *program = program_of(step);

	if (!strcmp(program, "nft"))
		return true;
	return (!strncmp(program, "iptables", 8) || !strncmp(program, "ip6tables", 9)) &&
	       (has_word(step, "FORWARD") || has_word(step, "POSTROUTING") || has_word(step, "PREROUTING"));
}

static void remark_others(struct translation *translation)
{
	for (size_t i = 0; i < translation->step_count; i++) {
		struct step *step = &translation->steps[i];

		step->gone |= is_mirror(translation, step);
		if (step->gone)
			continue;
		if (!strcmp(program_of(step), "wgvia"))
			translation_remark(translation, step,
					   "stays as it is: wgvia is called here already, and one call is enough");
		if (!is_netfilter(step) || (step->line->key != WGQUICK_PRE_UP && step->line->key != WGQUICK_POST_UP))
			continue;
		if (rules_is_clamp(step))
			translation_remark(translation, step, "stays as it is; in mode fast 'mss' takes its place");
		else
			translation_remark(translation, step,
					   "stays as it is; 'mode stack' is for it, as mode fast bypasses netfilter");
	}
}

void translate(struct translation *translation)
{
	take_rules(translation);
	if (translation->no_memory || !translation->table_count)
		return;
	remark_overlaps(translation);
	take_routes(translation);
	take_table_line(translation);
	remark_others(translation);
}
