// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plan's notes as data and as text.
 */
#include "notes.h"

#include <stdio.h>

#include "lists.h"

json *notes_of_plan(const struct plan *plan, bool changed)
{
	const char *problem = lists_problem(&plan->state, plan->state.keep_choice);
	json *notes = print_array();
	char text[RESOLVE_NOTE];

	for (size_t i = 0; i < plan->note_count; i++)
		print_append_text(notes, plan->notes[i]);
	for (size_t i = 0; i < plan->left_out_count; i++) {
		snprintf(text, sizeof(text), "dev %s is left out: wgvia does not watch what this host sends there",
			 plan->left_out[i]->name);
		print_append_text(notes, text);
	}
	if (changed && plan->state.mode == WGVIA_FAST)
		print_append_text(notes, "mode fast: FORWARD rules, conntrack and NAT of this host do not see this "
					 "traffic ('mode stack' keeps them)");
	if (problem)
		print_append_text(notes, problem);
	return notes;
}

void notes_print(const json *value)
{
	json *notes = print_member(value, "notes");

	for (size_t i = 0; i < json_object_array_length(notes); i++)
		printf("%s: %s\n", print_text(value, "interface"),
		       json_object_get_string(json_object_array_get_idx(notes, i)));
}
