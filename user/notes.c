// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plan's notes as data and as text.
 */
#include "notes.h"

#include <stdio.h>

json *notes_of_taken(const struct plan *plan)
{
	char from[PREFIX_TEXT_LEN], via[IP_TEXT_LEN], more[32], text[RESOLVE_NOTE];
	json *notes = print_array();

	for (size_t i = 0; i < plan->resolved_count; i++) {
		const struct resolved *resolved = &plan->resolved[i];
		const struct link *dev = link_by_index(&plan->links, resolved->value.ifindex);
		struct ip ip = gateway_ip(&resolved->value);

		if (resolved->words.via.family && resolved->words.dev[0])
			continue;
		more[0] = '\0';
		if (resolved->count > 1)
			snprintf(more, sizeof(more), " and %zu more", resolved->count - 1);
		snprintf(text, sizeof(text), "from %s%s via %s dev %s", prefix_text(&resolved->first, from), more,
			 ip_text(&ip, via), dev->name);
		print_append_text(notes, text);
	}
	return notes;
}

void notes_of_plan(json *notes, const struct plan *plan, bool changed)
{
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
}

void notes_print(const json *value)
{
	json *notes = print_member(value, "notes");

	for (size_t i = 0; i < json_object_array_length(notes); i++)
		printf("%s: %s\n", print_text(value, "interface"),
		       json_object_get_string(json_object_array_get_idx(notes, i)));
}
