// SPDX-License-Identifier: GPL-2.0-only
/*
 * Differences as data and as text.
 */
#include "commands/changes.h"

#include <stdio.h>
#include <string.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "commands/plan_notes.h"
#include "config/diff.h"
#include "config/failover.h"
#include "config/source.h"
#include "config/statement.h"
#include "config/watch.h"

struct making {
	json *changes;
	const struct netdevs *netdevs;
};

static void add_gateway(json *item, const struct difference *difference, const struct netdevs *netdevs)
{
	const struct wgvia_gateway *value = &difference->gateway->value;
	const struct gateway_list *list = failover_find(difference->state, value);
	struct wgvia_hop hop = hop_of(value);
	char from[PREFIX_TEXT_LEN], watch[WATCH_TEXT_LEN];
	json *gateways;

	print_add_text(item, "from", prefix_text(&difference->gateway->from, from));
	print_add_text(item, "source", source_words[source_of(value)]);
	print_add_hop(item, &hop, netdevs);
	if (!list)
		return;
	gateways = print_array();
	for (uint32_t i = 0; i < list->content.count; i++) {
		json *gateway = print_object();

		print_add_hop(gateway, &list->content.hops[i], netdevs);
		print_append(gateways, gateway);
	}
	print_add(item, "gateways", gateways);
	if (list->content.watch.kind)
		print_add_text(item, "health_kind", watch_text(&list->content.watch, watch));
}

static void add_bypass(json *item, const struct bypass_entry *entry)
{
	char to[PREFIX_TEXT_LEN];

	print_add_text(item, "to", prefix_text(&entry->to, to));
	print_add_text(item, "verdict", word_of(verdict_words, WGVIA_VERDICT_COUNT, entry->value.verdict));
}

static void add_accepted(json *item, const struct acceptance *accepted)
{
	print_add_text(item, "accept", accepted->finding.name);
	print_add_text(item, "reason", accepted->why.reason);
}

static void add_source(json *item, const char *words)
{
	char source[16];

	snprintf(source, sizeof(source), "%.*s", (int)strcspn(words, " "), words);
	print_add_text(item, "source", source);
}

/* "on-fail drop": the statement's first word is the key, as `show` writes it. */
static void add_setting(json *item, const char *statement)
{
	size_t len = strcspn(statement, " ");
	char key[16];

	snprintf(key, sizeof(key), "%.*s", (int)len, statement);
	for (char *dash = key; (dash = strchr(dash, '-'));)
		*dash = '_';
	print_add_text(item, key, statement + len + 1);
}

static void add_change(const struct difference *difference, void *data)
{
	const struct making *making = data;
	char statement[STATEMENT_MAX + 32];
	json *item = print_object();

	snprintf(statement, sizeof(statement), "%s%s", difference->statement, difference->comment);
	print_add_text(item, "action", difference->is_added ? "add" : "del");
	print_add_text(item, "statement", statement);
	if (difference->gateway)
		add_gateway(item, difference, making->netdevs);
	else if (difference->bypass)
		add_bypass(item, difference->bypass);
	else if (difference->accepted)
		add_accepted(item, difference->accepted);
	else if (!strncmp(difference->statement, "from ", strlen("from ")))
		add_source(item, difference->statement + strlen("from "));
	else
		add_setting(item, difference->statement);
	print_append(making->changes, item);
}

json *changes_of_states(const struct state *from, const struct state *to, const struct netdevs *netdevs)
{
	struct making making = {print_array(), netdevs};

	diff_states(from, to, netdevs, add_change, &making);
	return making.changes;
}

json *changes_of_plan(const struct session *session)
{
	return changes_of_states(session->is_running ? &session->state : NULL, &session->plan.state,
				 session->plan.netdevs);
}

static void print_change(const json *item)
{
	printf("%c %s\n", strcmp(print_text(item, "action"), "add") ? '-' : '+', print_text(item, "statement"));
}

static void print_all(const struct context *context, const json *value)
{
	print_each(print_member(value, "changes"), print_change);
	notes_print(context, value);
}

void changes_print(const struct session *session, json *changes, json *notes, bool as_text)
{
	cleanup(print_release) json *values = print_array();
	json *value = print_object();

	print_add_text(value, "interface", session->tunnel);
	print_add(value, "changes", changes);
	print_add(value, "notes", notes);
	print_append(values, value);
	print_instances(session->context, values, true, as_text ? print_all : notes_print);
}
