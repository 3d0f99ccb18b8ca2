// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings and what they are made of. It looks at nothing by itself.
 */
#include "finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lists.h"
#include "statement.h"
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
	for (size_t i = 0; i < examined->plan.device_count; i++)
		if (examined->plan.devices[i] == ifindex)
			return true;
	return false;
}

bool examined_has_family(const struct examined *examined, uint8_t family)
{
	const struct state *state = &examined->plan.state;

	/* in order, one family is in front and one at the end; a plan that failed may be out of order */
	for (size_t i = 0, j = state->gateway_count; i < j; i++)
		if (state->gateways[i].from.ip.family == family || state->gateways[--j].from.ip.family == family)
			return true;
	return false;
}

/* Whether the devices of the value's gateways are there. */
static bool has_devices(const struct examined *examined, const struct wgvia_gateway *value)
{
	const struct gateway_list *list = lists_find(&examined->plan.state, value);

	for (uint32_t i = 0; list && i < list->content.count; i++)
		if (!link_by_index(&examined->plan.links, list->content.hops[i].ifindex))
			return false;
	return link_by_index(&examined->plan.links, value->ifindex) &&
	       (value->family == AF_INET || value->family == AF_INET6);
}

/* "from PREFIX via ADDRESS dev DEV ..." of all that was asked for; false where one cannot be said. */
static bool print_words(FILE *out, const struct examined *examined)
{
	const struct state *state = &examined->plan.state;
	char prefix[PREFIX_TEXT_LEN];

	for (size_t i = 0; i < state->gateway_count; i++) {
		const struct gateway_entry *entry = &state->gateways[i];
		char statement[STATEMENT_MAX];

		if (!has_devices(examined, &entry->value) || (entry->value.flags & WGVIA_GATEWAY_UNUSABLE))
			return false;
		fprintf(out, " %s", statement_of_gateway(state, entry, &examined->plan.links, statement));
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
