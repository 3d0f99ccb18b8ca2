// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plan's notes as data and as text.
 */
#include "commands/plan_notes.h"

#include <stdio.h>

#include "base/abi_words.h"
#include "commands/terminal.h"
#include "config/failover.h"
#include "config/source.h"
#include "config/statement.h"

/* Whether the words omit something that this host provided. */
static bool left_out(const struct route_words *words)
{
	bool left = !words->via.family || !words->dev[0];

	for (size_t i = 0; i < words->other_count; i++)
		left |= !words->others[i].dev[0];
	return left;
}

/* What a source found, shown by its first prefix. */
static void add_source(json *notes, const struct plan *plan, const struct source_entry *source)
{
	char from[PREFIX_TEXT_LEN], gateways[STATEMENT_MAX], more[MORE_TEXT_LEN], text[STATEMENT_MAX + 48];
	const struct gateway_entry *first = NULL;
	size_t count = 0;

	for (size_t i = 0; i < plan->state.gateway_count; i++) {
		const struct gateway_entry *entry = &plan->state.gateways[i];

		if (source_of(&entry->value) == source->source && entry->from.ip.family == source->family && !count++)
			first = entry;
	}
	if (!first)
		return;
	snprintf(text, sizeof(text), "from %s%s %s (%s)", prefix_text(&first->from, from), more_text(count, more),
		 statement_of_gateways(&plan->state, &first->value, plan->netdevs, gateways),
		 source_words[source->source]);
	print_append_text(notes, text);
}

json *notes_of_taken(const struct plan *plan)
{
	char from[PREFIX_TEXT_LEN], gateways[STATEMENT_MAX], more[MORE_TEXT_LEN], text[STATEMENT_MAX + 32];
	json *notes = print_array();

	for (size_t i = 0; i < plan->resolved_count; i++) {
		const struct resolved *resolved = &plan->resolved[i];

		if (!left_out(&resolved->words))
			continue;
		snprintf(text, sizeof(text), "from %s%s %s", prefix_text(&resolved->first, from),
			 more_text(resolved->count, more),
			 statement_of_gateways(&plan->state, &resolved->value, plan->netdevs, gateways));
		print_append_text(notes, text);
	}
	for (size_t i = 0; i < plan->state.source_count; i++)
		add_source(notes, plan, &plan->state.sources[i]);
	return notes;
}

void notes_of_lans(json *notes, const struct plan *plan, const struct prefix *from)
{
	char text[LAN_TEXT], line[LAN_TEXT + 64];

	for (size_t i = 0; i < plan->lans.count; i++) {
		const struct lan_conflict *conflict = &plan->lans.all[i];

		if (from && (conflict->own.family ? prefix_compare(from, &conflict->from)
						  : !prefix_overlaps(from, &conflict->from)))
			continue;
		snprintf(line, sizeof(line), "%s ('wgvia check %s')",
			 lan_text(conflict, &plan->state, plan->netdevs, text), plan->state.tunnel);
		print_append_text(notes, line);
	}
}

void notes_of_plan(json *notes, const struct plan *plan, bool changed)
{
	const char *problem = failover_problem(&plan->state, plan->state.keep_choice);
	char text[PLAN_NOTE];

	for (size_t i = 0; i < plan->note_count; i++)
		print_append_text(notes, plan->notes[i]);
	notes_of_lans(notes, plan, NULL);
	for (size_t i = 0; i < plan->left_out_count; i++) {
		snprintf(text, sizeof(text),
			 "dev %s is not covered: wgvia does not see packets that this host sends there",
			 plan->left_out[i]->name);
		print_append_text(notes, text);
	}
	if (changed && plan->state.mode == WGVIA_FAST && plan->state.tunnel_ifindex)
		print_append_text(notes, "mode fast: FORWARD rules, conntrack and NAT of this host do not see this "
					 "traffic ('mode stack' keeps them)");
	if (problem)
		print_append_text(notes, problem);
	if (changed && !plan->state.keep_choice && source_is_used(&plan->state, WGVIA_SOURCE_ALLOWED_IPS))
		print_append_text(notes, "no agent is running: new peers are in no prefix until the next command "
					 "('wgvia run')");
}

void notes_print(const struct context *context, const json *value)
{
	json *notes = print_member(value, "notes");

	(void)context;
	for (size_t i = 0; i < json_object_array_length(notes); i++)
		terminal_print(stdout, 4, "%s: %s", print_text(value, "interface"),
			       json_object_get_string(json_object_array_get_idx(notes, i)));
}
