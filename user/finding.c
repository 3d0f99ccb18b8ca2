// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings and what they are made of. It looks at nothing by itself.
 */
#include "finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lists.h"
#include "util.h"
#include "words.h"

void finding_add(struct examined *examined, enum severity severity, const char *name, const char *remedy,
		 const char *format, ...)
{
	struct finding *finding = array_grow(&examined->findings, &examined->count, sizeof(*finding));
	va_list args;

	if (!finding)
		return;
	finding->severity = severity;
	finding->name = name;
	snprintf(finding->remedy, sizeof(finding->remedy), "%s", remedy);
	va_start(args, format);
	vsnprintf(finding->evidence, sizeof(finding->evidence), format, args);
	va_end(args);
}

bool examined_has_device(const struct examined *examined, uint32_t ifindex)
{
	return lists_has_device(&examined->plan.state, ifindex);
}

bool examined_has_family(const struct examined *examined, uint8_t family)
{
	for (size_t i = 0; i < examined->plan.state.gateway_count; i++)
		if (examined->plan.state.gateways[i].from.ip.family == family)
			return true;
	return false;
}

/* "from PREFIX via ADDRESS dev DEV ..." of all that was asked for; false where one cannot be said. */
static bool print_words(FILE *out, const struct examined *examined)
{
	const struct state *state = &examined->plan.state;
	char prefix[PREFIX_TEXT_LEN];

	for (size_t i = 0; i < state->gateway_count; i++) {
		const struct gateway_entry *entry = &state->gateways[i];
		struct resolve_words words = resolve_words(&examined->plan.links, state, &entry->value);

		if (!words.complete || (entry->value.flags & WGVIA_GATEWAY_UNUSABLE))
			return false;
		fprintf(out, " from %s %s", prefix_text(&entry->from, prefix), words.text);
	}
	for (size_t i = 0; i < state->bypass_count; i++)
		if (state->bypass[i].value.flags & WGVIA_BYPASS_ADMIN)
			fprintf(out, " bypass %s", prefix_text(&state->bypass[i].to, prefix));
	return true;
}

void finding_up_words(const struct examined *examined, enum wgvia_mode mode, char remedy[FINDING_REMEDY])
{
	cleanup_free char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	bool said = true;

	if (out) {
		fprintf(out, "wgvia up %s", examined->tunnel);
		if (examined->is_running)
			said = print_words(out, examined);
		if (mode == WGVIA_STACK)
			fprintf(out, " mode %s", mode_words[mode]);
		if (examined->is_running && examined->plan.state.on_fail == WGVIA_PASS)
			fprintf(out, " on-fail %s", on_fail_words[WGVIA_PASS]);
		fclose(out);
	}
	if (out && said && len < FINDING_REMEDY)
		strcpy(remedy, text);
	else
		snprintf(remedy, FINDING_REMEDY, "wgvia up %s, with the words that it was started with%s",
			 examined->tunnel, mode == WGVIA_STACK ? " and 'mode stack'" : "");
}
