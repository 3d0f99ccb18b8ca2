// SPDX-License-Identifier: GPL-2.0-only
/*
 * Merging two sorted states.
 */
#include "config/diff.h"

#include <stdio.h>
#include <string.h>

#include "base/abi_words.h"
#include "config/failover.h"
#include "config/source.h"
#include "config/statement.h"

struct differences {
	const struct netdevs *netdevs;
	void (*visit)(const struct difference *difference, void *data);
	void *data;
};

static void tell_words(const struct differences *report, bool is_added, const struct state *state, const char *words)
{
	struct difference difference = {.is_added = is_added, .statement = words, .comment = "", .state = state};

	report->visit(&difference, report->data);
}

static void tell_change(const struct differences *report, const struct state *from, const struct state *to,
			const char *old, const char *new)
{
	if (!strcmp(old, new))
		return;
	if (from)
		tell_words(report, false, from, old);
	tell_words(report, true, to, new);
}

static void tell_setting(const struct differences *report, const struct state *from, const struct state *to,
			 const char *(*statement)(const struct state *state, char text[STATEMENT_MAX]))
{
	char old[STATEMENT_MAX] = "", new[STATEMENT_MAX];

	if (from)
		statement(from, old);
	statement(to, new);
	tell_change(report, from, to, old, new);
}

static void tell_return(const struct differences *report, const struct state *from, const struct state *to)
{
	char old[STATEMENT_MAX] = "", new[STATEMENT_MAX];

	if (from)
		statement_of_return(from, report->netdevs, old);
	statement_of_return(to, report->netdevs, new);
	tell_change(report, from, to, old, new);
}

static bool has_line(char lines[SOURCES_MAX][STATEMENT_MAX], size_t count, const char *line)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(lines[i], line))
			return true;
	return false;
}

static void diff_sources(const struct differences *report, const struct state *from, const struct state *to)
{
	char old[SOURCES_MAX][STATEMENT_MAX], new[SOURCES_MAX][STATEMENT_MAX];
	size_t old_count = statement_of_sources(from, report->netdevs, old);
	size_t new_count = statement_of_sources(to, report->netdevs, new);

	for (size_t i = 0; i < old_count; i++)
		if (!has_line(new, new_count, old[i]))
			tell_words(report, false, from, old[i]);
	for (size_t i = 0; i < new_count; i++)
		if (!has_line(old, old_count, new[i]))
			tell_words(report, true, to, new[i]);
}

static void tell_gateway(const struct differences *report, bool is_added, const struct state *state,
			 const struct gateway_entry *entry)
{
	uint32_t flags = entry->value.flags & WGVIA_GATEWAY_UNUSABLE;
	enum wgvia_source source = source_of(&entry->value);
	char text[STATEMENT_MAX], comment[48] = "";
	int len = 0;

	if (source)
		len = snprintf(comment, sizeof(comment), " (%s)", source_words[source]);
	if (flags)
		snprintf(comment + len, sizeof(comment) - len, " # flags 0x%x", flags);
	statement_of_gateway(state, entry, report->netdevs, text);
	report->visit(&(struct difference){is_added, text, comment, state, entry, NULL, NULL}, report->data);
}

static void diff_gateways(const struct differences *report, const struct state *from, const struct state *to)
{
	size_t i = 0, j = 0;

	while (i < from->gateway_count || j < to->gateway_count) {
		const struct gateway_entry *old = i < from->gateway_count ? &from->gateways[i] : NULL;
		const struct gateway_entry *new = j < to->gateway_count ? &to->gateways[j] : NULL;
		int order = !old ? 1 : !new ? -1 : prefix_compare(&old->from, &new->from);
		bool same = !order && failover_same(from, &old->value, to, &new->value);

		if (old && order <= 0 && !same)
			tell_gateway(report, false, from, old);
		if (new && order >= 0 && !same)
			tell_gateway(report, true, to, new);
		i += order <= 0;
		j += order >= 0;
	}
}

static void tell_bypass(const struct differences *report, bool is_added, const struct state *state,
			const struct bypass_entry *entry)
{
	char text[STATEMENT_MAX], comment[32] = "";

	if (!bypass_is_known(&entry->value))
		snprintf(comment, sizeof(comment), " # verdict %u", entry->value.verdict);
	statement_of_bypass(entry, text);
	report->visit(&(struct difference){is_added, text, comment, state, NULL, entry, NULL}, report->data);
}

static void diff_bypass(const struct differences *report, const struct state *from, const struct state *to)
{
	size_t i = 0, j = 0;

	while (i < from->bypass_count || j < to->bypass_count) {
		const struct bypass_entry *old = i < from->bypass_count ? &from->bypass[i] : NULL;
		const struct bypass_entry *new = j < to->bypass_count ? &to->bypass[j] : NULL;
		int order = !old ? 1 : !new ? -1 : prefix_compare(&old->to, &new->to);
		bool had = old && order <= 0 && statement_has_bypass(old);
		bool has = new && order >= 0 && statement_has_bypass(new);
		/* an invalid verdict is treated as a bypass, and the next write makes it one */
		bool same = had && has && bypass_is_known(&old->value) == bypass_is_known(&new->value);

		if (had && !same)
			tell_bypass(report, false, from, old);
		if (has && !same)
			tell_bypass(report, true, to, new);
		i += order <= 0;
		j += order >= 0;
	}
}

static void tell_accepted(const struct differences *report, bool is_added, const struct state *state,
			  const struct acceptance *accepted)
{
	char text[STATEMENT_MAX];

	statement_of_accept(accepted, text);
	report->visit(&(struct difference){is_added, text, "", state, NULL, NULL, accepted}, report->data);
}

static void diff_accepted(const struct differences *report, const struct state *from, const struct state *to)
{
	size_t i = 0, j = 0;

	while (i < from->accepted.count || j < to->accepted.count) {
		const struct acceptance *old = i < from->accepted.count ? &from->accepted.all[i] : NULL;
		const struct acceptance *new = j < to->accepted.count ? &to->accepted.all[j] : NULL;
		int order = !old ? 1 : !new ? -1 : strcmp(old->finding.name, new->finding.name);
		bool same = !order && !strcmp(old->why.reason, new->why.reason);

		if (order <= 0 && !same)
			tell_accepted(report, false, from, old);
		if (order >= 0 && !same)
			tell_accepted(report, true, to, new);
		i += order <= 0;
		j += order >= 0;
	}
}

void diff_states(const struct state *from, const struct state *to, const struct netdevs *netdevs,
		 void (*visit)(const struct difference *difference, void *data), void *data)
{
	static const struct state none;
	struct differences report = {netdevs, visit, data};

	tell_setting(&report, from, to, statement_of_mode);
	tell_setting(&report, from, to, statement_of_on_fail);
	tell_setting(&report, from, to, statement_of_outside);
	tell_setting(&report, from, to, statement_of_mss);
	tell_setting(&report, from, to, statement_of_counting);
	tell_return(&report, from, to);
	diff_sources(&report, from ? from : &none, to);
	diff_gateways(&report, from ? from : &none, to);
	diff_bypass(&report, from ? from : &none, to);
	diff_accepted(&report, from ? from : &none, to);
}

void diff_keep(const struct state *from, struct state *to)
{
	failover_keep_choice(to, from);
	for (size_t i = 0; i < to->gateway_count; i++) {
		struct gateway_entry *new = &to->gateways[i], *old = state_find_gateway(from, &new->from);
		struct wgvia_gateway up;

		if (!old || !(old->value.flags & WGVIA_GATEWAY_DOWN))
			continue;
		up = old->value;
		up.flags &= ~(WGVIA_GATEWAY_DOWN | WGVIA_GATEWAY_SOURCE);
		up.flags |= new->value.flags & WGVIA_GATEWAY_SOURCE;
		if (!memcmp(&up, &new->value, sizeof(up)))
			new->value.flags |= WGVIA_GATEWAY_DOWN;
	}
	for (size_t i = 0; i < to->bypass_count; i++) {
		struct bypass_entry *new = &to->bypass[i], *old = state_find_bypass(from, &new->to);

		if (old && old->value.verdict == WGVIA_BYPASS && new->value.verdict == WGVIA_BYPASS)
			new->value = old->value;
	}
}
