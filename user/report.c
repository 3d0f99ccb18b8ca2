// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two states, in the words of a log.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

#include "diff.h"
#include "journal.h"
#include "statement.h"
#include "util.h"
#include "words.h"

void report_free(struct report *report)
{
	for (size_t i = 0; i < report->count && i < REPORT_LINES; i++)
		free(report->lines[i]);
	*report = (struct report){};
}

void report_line(struct report *report, const char *format, ...)
{
	va_list args;

	if (report->count++ >= REPORT_LINES)
		return;
	va_start(args, format);
	if (vasprintf(&report->lines[report->count - 1], format, args) < 0)
		report->lines[--report->count] = NULL;
	va_end(args);
}

static void add_line(void *report, const char *line)
{
	report_line(report, "%s", line);
}

static void report_tunnel(struct report *report, const struct state *running, const struct plan *plan)
{
	uint32_t before = running ? running->tunnel_ifindex : 0, now = plan->state.tunnel_ifindex;

	if (now && running && before && before != now)
		report_line(report, "the tunnel was made anew (ifindex %u, now %u): attached again", before, now);
	else if (now && before != now)
		report_line(report, "the tunnel is there (ifindex %u): attached", now);
	else if (!now && before)
		report_line(report, "the tunnel has gone: waiting for it");
}

/* What the host itself is left alone for: diff.c tells of the administrator's. */
static bool is_hosts(const struct bypass_entry *entry)
{
	return entry && !statement_has_bypass(entry);
}

static void report_bypass(struct report *report, const struct state *from, const struct state *to)
{
	size_t i = 0, j = 0;

	while (i < from->bypass_count || j < to->bypass_count) {
		const struct bypass_entry *old = i < from->bypass_count ? &from->bypass[i] : NULL;
		const struct bypass_entry *new = j < to->bypass_count ? &to->bypass[j] : NULL;
		int order = !old ? 1 : !new ? -1 : prefix_compare(&old->to, &new->to);
		bool had = order <= 0 && is_hosts(old), has = order >= 0 && is_hosts(new);
		char text[PREFIX_TEXT_LEN];

		if (had && !(has && old->value.verdict == new->value.verdict))
			report_line(report, "- %s (%s) is left alone", prefix_text(&old->to, text),
				    word_of(verdict_words, WGVIA_VERDICT_COUNT, old->value.verdict));
		if (has && !(had && old->value.verdict == new->value.verdict))
			report_line(report, "+ %s (%s) is left alone", prefix_text(&new->to, text),
				    word_of(verdict_words, WGVIA_VERDICT_COUNT, new->value.verdict));
		i += order <= 0;
		j += order >= 0;
	}
}

void report_plan(struct report *report, const struct state *running, const struct plan *plan)
{
	report_tunnel(report, running, plan);
	diff_states(running, &plan->state, &plan->links, add_line, report);
	if (running)
		report_bypass(report, running, &plan->state);
}

void report_write(const struct report *report)
{
	for (size_t i = 0; i < report->count && i < REPORT_LINES; i++)
		journal(SD_NOTICE, "%s", report->lines[i]);
	if (report->count > REPORT_LINES)
		journal(SD_NOTICE, "and %zu changes more", report->count - REPORT_LINES);
}
