// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two sorted states, merged.
 */
#include "diff.h"

#include <stdio.h>
#include <string.h>

#include "lists.h"
#include "statement.h"

struct report {
	const struct links *links;
	diff_line line;
	void *data;
};

static void tell(const struct report *report, char sign, const char *statement, const char *comment)
{
	char line[STATEMENT_MAX + 64];

	snprintf(line, sizeof(line), "%c %s%s", sign, statement, comment);
	report->line(report->data, line);
}

static void tell_setting(const struct report *report, const struct state *from, const struct state *to,
			 const char *(*statement)(const struct state *state, char text[STATEMENT_MAX]))
{
	char old[STATEMENT_MAX] = "", new[STATEMENT_MAX];

	if (from)
		statement(from, old);
	statement(to, new);
	if (!strcmp(old, new))
		return;
	if (from)
		tell(report, '-', old, "");
	tell(report, '+', new, "");
}

static void tell_return(const struct report *report, const struct state *from, const struct state *to)
{
	char old[STATEMENT_MAX] = "", new[STATEMENT_MAX];

	if (from)
		statement_of_return(from, report->links, old);
	statement_of_return(to, report->links, new);
	if (from && strcmp(old, new) != 0)
		tell(report, '-', old, "");
	if (strcmp(old, new) != 0)
		tell(report, '+', new, "");
}

static void tell_gateway(const struct report *report, char sign, const struct state *state,
			 const struct gateway_entry *entry)
{
	uint32_t flags = entry->value.flags & WGVIA_GATEWAY_UNUSABLE;
	char text[STATEMENT_MAX], comment[32] = "";

	if (flags)
		snprintf(comment, sizeof(comment), " # flags 0x%x", flags);
	tell(report, sign, statement_of_gateway(state, entry, report->links, text), comment);
}

static void diff_gateways(const struct report *report, const struct state *from, const struct state *to)
{
	size_t i = 0, j = 0;

	while (i < from->gateway_count || j < to->gateway_count) {
		const struct gateway_entry *old = i < from->gateway_count ? &from->gateways[i] : NULL;
		const struct gateway_entry *new = j < to->gateway_count ? &to->gateways[j] : NULL;
		int order = !old ? 1 : !new ? -1 : prefix_compare(&old->from, &new->from);
		bool same = !order && lists_same(from, &old->value, to, &new->value);

		if (old && order <= 0 && !same)
			tell_gateway(report, '-', from, old);
		if (new && order >= 0 && !same)
			tell_gateway(report, '+', to, new);
		i += order <= 0;
		j += order >= 0;
	}
}

static void tell_bypass(const struct report *report, char sign, const struct bypass_entry *entry)
{
	char text[STATEMENT_MAX], comment[32] = "";

	if (!bypass_is_known(&entry->value))
		snprintf(comment, sizeof(comment), " # verdict %u", entry->value.verdict);
	tell(report, sign, statement_of_bypass(entry, text), comment);
}

static void diff_bypass(const struct report *report, const struct state *from, const struct state *to)
{
	size_t i = 0, j = 0;

	while (i < from->bypass_count || j < to->bypass_count) {
		const struct bypass_entry *old = i < from->bypass_count ? &from->bypass[i] : NULL;
		const struct bypass_entry *new = j < to->bypass_count ? &to->bypass[j] : NULL;
		int order = !old ? 1 : !new ? -1 : prefix_compare(&old->to, &new->to);
		bool had = old && order <= 0 && statement_has_bypass(old);
		bool has = new && order >= 0 && statement_has_bypass(new);
		/* a verdict that is none is treated as a bypass, and written as one by whoever writes next */
		bool same = had && has && bypass_is_known(&old->value) == bypass_is_known(&new->value);

		if (had && !same)
			tell_bypass(report, '-', old);
		if (has && !same)
			tell_bypass(report, '+', new);
		i += order <= 0;
		j += order >= 0;
	}
}

void diff_states(const struct state *from, const struct state *to, const struct links *links, diff_line line,
		 void *data)
{
	struct report report = {links, line, data};
	struct state none = {};

	tell_setting(&report, from, to, statement_of_mode);
	tell_setting(&report, from, to, statement_of_on_fail);
	tell_return(&report, from, to);
	diff_gateways(&report, from ? from : &none, to);
	diff_bypass(&report, from ? from : &none, to);
}

void diff_keep(const struct state *from, struct state *to)
{
	lists_keep_choice(to, from);
	for (size_t i = 0; i < to->gateway_count; i++) {
		struct gateway_entry *new = &to->gateways[i], *old = state_find_gateway(from, &new->from);
		struct wgvia_gateway up;

		if (!old || !(old->value.flags & WGVIA_GATEWAY_DOWN))
			continue;
		up = old->value;
		up.flags &= ~WGVIA_GATEWAY_DOWN;
		if (!memcmp(&up, &new->value, sizeof(up)))
			new->value = old->value;
	}
	for (size_t i = 0; i < to->bypass_count; i++) {
		struct bypass_entry *new = &to->bypass[i], *old = state_find_bypass(from, &new->to);

		if (old && old->value.verdict == WGVIA_BYPASS && new->value.verdict == WGVIA_BYPASS)
			new->value = old->value;
	}
}
