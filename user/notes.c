// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plan's notes as data and as text.
 */
#include "notes.h"

#include <stdio.h>

#include "lists.h"
#include "statement.h"

/* Whether the words leave something out that this host gave. */
static bool left_out(const struct route_words *words)
{
	bool left = !words->via.family || !words->dev[0];

	for (size_t i = 0; i < words->other_count; i++)
		left |= !words->others[i].dev[0];
	return left;
}

json *notes_of_taken(const struct plan *plan)
{
	char from[PREFIX_TEXT_LEN], gateways[STATEMENT_MAX], more[32], text[STATEMENT_MAX + 32];
	json *notes = print_array();

	for (size_t i = 0; i < plan->resolved_count; i++) {
		const struct resolved *resolved = &plan->resolved[i];

		if (!left_out(&resolved->words))
			continue;
		more[0] = '\0';
		if (resolved->count > 1)
			snprintf(more, sizeof(more), " and %zu more", resolved->count - 1);
		snprintf(text, sizeof(text), "from %s%s %s", prefix_text(&resolved->first, from), more,
			 statement_of_gateways(&plan->state, &resolved->value, &plan->links, gateways));
		print_append_text(notes, text);
	}
	return notes;
}

void notes_of_plan(json *notes, const struct plan *plan, bool changed)
{
	const char *problem = lists_problem(&plan->state, plan->state.keep_choice);
	char text[RESOLVE_NOTE];

	for (size_t i = 0; i < plan->note_count; i++)
		print_append_text(notes, plan->notes[i]);
	for (size_t i = 0; i < plan->left_out_count; i++) {
		snprintf(text, sizeof(text), "dev %s is left out: wgvia does not watch what this host sends there",
			 plan->left_out[i]->name);
		print_append_text(notes, text);
	}
	if (changed && plan->state.mode == WGVIA_FAST && plan->state.tunnel_ifindex)
		print_append_text(notes, "mode fast: FORWARD rules, conntrack and NAT of this host do not see this "
					 "traffic ('mode stack' keeps them)");
	if (problem)
		print_append_text(notes, problem);
}

void notes_print(const json *value)
{
	json *notes = print_member(value, "notes");

	for (size_t i = 0; i < json_object_array_length(notes); i++)
		printf("%s: %s\n", print_text(value, "interface"),
		       json_object_get_string(json_object_array_get_idx(notes, i)));
}
