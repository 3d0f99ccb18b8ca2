// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two states, in the words of a log.
 */
#include "agent/change_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/log.h"
#include "base/abi_words.h"
#include "base/util.h"
#include "config/diff.h"
#include "config/statement.h"

void change_log_free(struct change_log *log)
{
	for (size_t i = 0; i < log->count && i < REPORT_LINES; i++)
		free(log->lines[i]);
	*log = (struct change_log){};
}

static void __attribute__((format(printf, 2, 3))) add_change(struct change_log *log, const char *format, ...)
{
	va_list args;

	if (log->count++ >= REPORT_LINES)
		return;
	va_start(args, format);
	if (vasprintf(&log->lines[log->count - 1], format, args) < 0)
		log->lines[--log->count] = NULL;
	va_end(args);
}

static void report_tunnel(struct change_log *log, const struct state *running, const struct plan *plan)
{
	uint32_t before = running ? running->tunnel_ifindex : 0, now = plan->state.tunnel_ifindex;

	if (now && running && before && before != now)
		add_change(log, "the tunnel was re-created (ifindex %u, now %u): attached again", before, now);
	else if (now && before != now)
		add_change(log, "the tunnel is there (ifindex %u): attached", now);
	else if (!now && before)
		add_change(log, "the tunnel was removed: waiting for it");
}

/* What is exempt because of the host itself; config/diff.c has the administrator's. */
static bool is_hosts(const struct bypass_entry *entry)
{
	return entry && !statement_has_bypass(entry);
}

static void report_bypass(struct change_log *log, const struct state *from, const struct state *to)
{
	size_t i = 0, j = 0;

	while (i < from->bypass_count || j < to->bypass_count) {
		const struct bypass_entry *old = i < from->bypass_count ? &from->bypass[i] : NULL;
		const struct bypass_entry *new = j < to->bypass_count ? &to->bypass[j] : NULL;
		int order = !old ? 1 : !new ? -1 : prefix_compare(&old->to, &new->to);
		bool had = order <= 0 && is_hosts(old), has = order >= 0 && is_hosts(new);
		char text[PREFIX_TEXT_LEN];

		if (had && !(has && old->value.verdict == new->value.verdict))
			add_change(log, "- %s (%s): no longer exempt", prefix_text(&old->to, text),
				   word_of(verdict_words, WGVIA_VERDICT_COUNT, old->value.verdict));
		if (has && !(had && old->value.verdict == new->value.verdict))
			add_change(log, "+ %s (%s): exempt", prefix_text(&new->to, text),
				   word_of(verdict_words, WGVIA_VERDICT_COUNT, new->value.verdict));
		i += order <= 0;
		j += order >= 0;
	}
}

static void report_statement(const struct difference *difference, void *data)
{
	add_change(data, "%c %s%s", difference->is_added ? '+' : '-', difference->statement, difference->comment);
}

void change_log_plan(struct change_log *log, const struct state *running, const struct plan *plan)
{
	report_tunnel(log, running, plan);
	diff_states(running, &plan->state, plan->netdevs, report_statement, log);
	if (running)
		report_bypass(log, running, &plan->state);
}

void change_log_write(const struct change_log *log)
{
	for (size_t i = 0; i < log->count && i < REPORT_LINES; i++)
		log_line(JOURNAL_NOTICE, "%s", log->lines[i]);
	if (log->count > REPORT_LINES)
		log_line(JOURNAL_NOTICE, "and %zu changes more", log->count - REPORT_LINES);
}
