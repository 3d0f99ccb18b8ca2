// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about a running instance: what is attached, who stands before us, values that cannot be used, and what the
 * host has got since the last change.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent_lock.h"
#include "finding.h"
#include "index_map.h"
#include "lists.h"
#include "pins.h"
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

/* One finding for a device is enough. */
static bool is_said_of_egress(const struct examined *examined, const struct point *point)
{
	struct point egress = *point;

	egress.direction = WGVIA_EGRESS;
	return point->direction == WGVIA_BACK && !has_point(examined, &egress);
}

static void check_attachments(struct examined *examined)
{
	static const char *const meaning[WGVIA_DIRECTION_COUNT] = {
		[WGVIA_OUT] = "",
		[WGVIA_BACK] = ": hosts there can send to the prefixes past the firewall",
		[WGVIA_EGRESS] = ": this host can send packets of the prefixes past the firewall there",
	};
	char remedy[FINDING_REMEDY];

	finding_up_words(examined, examined->plan.state.mode, remedy);
	for (size_t i = 0; i < examined->plan.point_count; i++) {
		const struct point *point = &examined->plan.points[i];
		const struct link *dev = link_by_index(&examined->plan.links, point->ifindex);

		/* that a gateway is said to be on the loopback device is check_values()' */
		if (dev && !(dev->flags & IFF_LOOPBACK) && !has_point(examined, point) &&
		    !is_said_of_egress(examined, point))
			finding_add(examined, SEVERITY_ERROR, "attachment", remedy,
				    "the %s program does not stand at dev %s%s", direction_words[point->direction],
				    name_of(examined, point->ifindex), meaning[point->direction]);
	}
}

/* Whether an instance of wgvia has attached the program. */
static bool is_pinned(const char *root, uint32_t prog_id)
{
	cleanup_free char(*names)[IFNAMSIZ] = NULL;
	bool found = false;
	size_t count = 0;

	if (pins_list(root, &names, &count))
		return false;
	for (size_t i = 0; i < count && !found; i++) {
		struct attachment *attachments = NULL;
		char folder[PINS_PATH_MAX];
		size_t number = 0;

		if (pins_path(folder, root, names[i], PINS_CURRENT, NULL) || attach_list(folder, &attachments, &number))
			continue;
		for (size_t j = 0; j < number; j++)
			found |= attachments[j].prog_id == prog_id;
		free(attachments);
	}
	return found;
}

/* Another tunnel's program lets go on what is not its own; a filter that is no BPF may be told of in several parts. */
static bool is_worth_telling(const char *root, const struct attach_other *others, size_t i)
{
	if (others[i].name[0] ? !strncmp(others[i].name, "wgvia_", strlen("wgvia_"))
			      : is_pinned(root, others[i].prog_id))
		return false;
	return others[i].prog_id || !i || others[i - 1].prog_id || strcmp(others[i - 1].name, others[i].name) != 0;
}

static void check_programs_before(struct examined *examined)
{
	for (size_t i = 0; i < examined->instance.attachment_count; i++) {
		const struct attachment *attachment = &examined->instance.attachments[i];
		const char *name = name_of(examined, attachment->ifindex);
		struct attach_other others[16];
		size_t count = attachment->alive ? attach_list_before(attachment, others, ARRAY_SIZE(others)) : 0;
		char remedy[96];

		for (size_t j = 0; j < count; j++) {
			if (!is_worth_telling(examined->instance.root, others, j))
				continue;
			if (others[j].prog_id)
				snprintf(remedy, sizeof(remedy), "bpftool prog show id %u", others[j].prog_id);
			else
				snprintf(remedy, sizeof(remedy), "tc filter show dev %s %s", name,
					 attachment->direction == WGVIA_EGRESS ? "egress" : "ingress");
			finding_add(examined, SEVERITY_WARNING, "program_before", remedy,
				    "%s '%s' runs before the %s program at dev %s: what it ends does not reach wgvia",
				    others[j].kind, others[j].name[0] ? others[j].name : "?",
				    direction_words[attachment->direction], name);
		}
	}
}

static void check_values(struct examined *examined)
{
	const struct plan *plan = &examined->plan;
	struct prefixes local = {};
	char from[PREFIX_TEXT_LEN], remedy[FINDING_REMEDY];

	if (rtnl_get_local(examined->rtnl, &local))
		return;
	for (size_t i = 0; i < examined->running.gateway_count; i++) {
		const struct gateway_entry *entry = &examined->running.gateways[i];
		/* where we should stand, not where we do: that is check_attachments()' */
		const char *problem = resolve_problem(&plan->links, &local, plan->points, plan->point_count, entry);

		if (!problem)
			continue;
		prefix_text(&entry->from, from);
		snprintf(remedy, sizeof(remedy), "wgvia route replace %s from %s via ADDRESS dev DEV", examined->tunnel,
			 from);
		finding_add(examined, SEVERITY_ERROR, "value", remedy, "the gateway of '%s' cannot be used: %s", from,
			    problem);
	}
	free(local.all);
}

/* How many entries of `all` are not in `known` as they are; the first of them into `first`. */
static size_t count_strangers(const struct examined *examined, const struct state *all, const struct state *known,
			      const struct bypass_entry **first)
{
	size_t count = 0;

	for (size_t i = 0; i < all->bypass_count; i++) {
		const struct bypass_entry *entry = &all->bypass[i], *other = state_find_bypass(known, &entry->to);

		/* where no prefix is of the family, nobody looks at the list */
		if (examined_has_family(examined, entry->to.ip.family) &&
		    (!other || other->value.verdict != entry->value.verdict) && !count++)
			*first = entry;
	}
	return count;
}

/* What `up` would put on the list now, against what is on it. An address brings entries of its subnet along. */
static void check_bypass(struct examined *examined)
{
	const struct state *now = &examined->plan.state, *then = &examined->running;
	const struct bypass_entry *first = NULL;
	char text[PREFIX_TEXT_LEN], more[32] = "", remedy[FINDING_REMEDY];
	size_t missing = count_strangers(examined, now, then, &first), stale;

	finding_up_words(examined, now->mode, remedy);
	if (missing > 1)
		snprintf(more, sizeof(more), " and %zu more", missing - 1);
	if (missing) {
		finding_add(examined, SEVERITY_WARNING, "bypass", remedy,
			    "the bypass list is behind this host: it does not know '%s' (%s)%s",
			    prefix_text(&first->to, text), verdict_words[first->value.verdict], more);
		return;
	}
	stale = count_strangers(examined, then, now, &first);
	if (stale > 1)
		snprintf(more, sizeof(more), " and %zu more", stale - 1);
	if (stale)
		finding_add(
			examined, SEVERITY_WARNING, "bypass", remedy,
			"the bypass list is behind this host: it leaves '%s' (%s)%s alone, which is not so any more",
			prefix_text(&first->to, text),
			word_of(verdict_words, WGVIA_VERDICT_COUNT, first->value.verdict), more);
}

static void check_agent(struct examined *examined)
{
	const struct instance *instance = &examined->instance;
	const char *problem = lists_problem(&examined->running, agent_is_alive(instance->root, instance->tunnel));
	char remedy[FINDING_REMEDY];

	snprintf(remedy, sizeof(remedy), "wgvia run %s", examined->tunnel);
	if (problem)
		finding_add(examined, SEVERITY_WARNING, "agent", remedy, "%s", problem);
}

/* What costs time alone. An agent makes an index anew within seconds, and so does every change by a command. */
static void check_index(struct examined *examined)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const char *family = families[i] == AF_INET ? "IPv4" : "IPv6", *problem;
		size_t count;
		bool known;

		problem = index_map_problem(&examined->instance, &examined->running, families[i], &count, &known);
		if (problem && known)
			finding_add(examined, SEVERITY_INFO, "index", "",
				    "the %zu %s prefixes have no index, and each packet costs more: %s", count, family,
				    problem);
		else if (problem)
			finding_add(examined, SEVERITY_INFO, "index", "",
				    "it is not known whether the %zu %s prefixes have an index: %s", count, family,
				    problem);
	}
}

void check_instance(struct examined *examined)
{
	char remedy[FINDING_REMEDY];

	check_attachments(examined);
	check_programs_before(examined);
	check_values(examined);
	check_bypass(examined);
	check_agent(examined);
	check_index(examined);
	finding_up_words(examined, WGVIA_FAST, remedy);
	if (examined->instance.meta.mode >= WORDS_MODE)
		finding_add(examined, SEVERITY_ERROR, "value", remedy,
			    "the map 'meta' names no mode: it was written to by somebody else");
}
