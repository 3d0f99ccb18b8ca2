// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about a running instance: what is attached, who stands before us, values that cannot be used, and what the
 * host has got since the last change.
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

#include "finding.h"
#include "util.h"
#include "words.h"

static const char *name_of(const struct examined *examined, uint32_t ifindex)
{
	const struct link *link = link_by_index(&examined->plan.links, ifindex);

	return link ? link->name : "?";
}

static bool has_point(const struct examined *examined, const struct point *point)
{
	for (size_t i = 0; i < examined->instance.attachment_count; i++) {
		const struct attachment *attachment = &examined->instance.attachments[i];

		if (attachment->alive && attachment->direction == point->direction &&
		    attachment->ifindex == point->ifindex)
			return true;
	}
	return false;
}

static void check_attachments(struct examined *examined)
{
	for (size_t i = 0; i < examined->plan.point_count; i++) {
		const struct point *point = &examined->plan.points[i];

		if (!has_point(examined, point))
			finding_add(examined, SEVERITY_ERROR, "attachment",
				    "wgvia up, with the words that it was started with",
				    "the %s program does not stand at dev %s%s", direction_words[point->direction],
				    name_of(examined, point->ifindex),
				    point->direction == WGVIA_EGRESS
					    ? ": this host can send packets of the prefixes past the firewall there"
					    : "");
	}
}

static void check_programs_before(struct examined *examined)
{
	for (size_t i = 0; i < examined->instance.attachment_count; i++) {
		const struct attachment *attachment = &examined->instance.attachments[i];
		struct attach_other others[16];
		size_t count = attachment->alive ? attach_list_before(attachment, others, ARRAY_SIZE(others)) : 0;

		for (size_t j = 0; j < count; j++)
			finding_add(examined, SEVERITY_WARNING, "program_before", "",
				    "%s '%s' (program %u) runs before the %s program at dev %s: what it ends does not "
				    "reach "
				    "wgvia",
				    others[j].kind, others[j].name, others[j].prog_id,
				    direction_words[attachment->direction], name_of(examined, attachment->ifindex));
	}
}

static void check_values(struct examined *examined)
{
	struct prefixes local = {};
	struct point *points = NULL;
	size_t count = 0;
	char from[PREFIX_TEXT_LEN], remedy[200];

	if (rtnl_get_local(examined->rtnl, &local) ||
	    dataplane_points(&examined->instance, &examined->plan.links, &points, &count)) {
		free(local.all);
		return;
	}
	for (size_t i = 0; i < examined->running.gateway_count; i++) {
		const struct gateway_entry *entry = &examined->running.gateways[i];
		const char *problem = resolve_problem(&examined->plan.links, &local, points, count, entry);

		if (!problem)
			continue;
		prefix_text(&entry->from, from);
		snprintf(remedy, sizeof(remedy), "wgvia route replace %s from %s via ADDRESS dev DEV", examined->tunnel,
			 from);
		finding_add(examined, SEVERITY_ERROR, "value", remedy, "the gateway of '%s' cannot be used: %s", from,
			    problem);
	}
	free(points);
	free(local.all);
}

/* What `up` would put on the list now, against what is on it. */
static void check_bypass(struct examined *examined)
{
	const struct state *now = &examined->plan.state, *then = &examined->running;
	char text[PREFIX_TEXT_LEN];

	for (size_t i = 0; i < now->bypass_count; i++) {
		const struct bypass_entry *entry = &now->bypass[i], *old = state_find_bypass(then, &entry->to);

		if (!old || old->value.verdict != entry->value.verdict)
			finding_add(examined, SEVERITY_WARNING, "bypass",
				    "wgvia up, with the words that it was started with",
				    "'%s' is %s on this host, and the bypass list does not know it",
				    prefix_text(&entry->to, text), verdict_words[entry->value.verdict]);
	}
	for (size_t i = 0; i < then->bypass_count; i++)
		if (!state_find_bypass(now, &then->bypass[i].to))
			finding_add(examined, SEVERITY_WARNING, "bypass",
				    "wgvia up, with the words that it was started with",
				    "'%s' is on the bypass list, and not this host's any more",
				    prefix_text(&then->bypass[i].to, text));
}

void check_instance(struct examined *examined)
{
	check_attachments(examined);
	check_programs_before(examined);
	check_values(examined);
	check_bypass(examined);
	if (examined->instance.meta.mode >= WORDS_MODE)
		finding_add(examined, SEVERITY_ERROR, "value", "wgvia up, with the words that it was started with",
			    "the map 'meta' names no mode: it was written to by somebody else");
}
