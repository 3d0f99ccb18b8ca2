// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares two states and their programs.
 */
#include "session/change_list.h"

#include <stdio.h>
#include <string.h>

#include "base/abi_words.h"
#include "base/journal.h"
#include "base/util.h"
#include "config/diff.h"
#include "config/failover.h"
#include "config/source.h"
#include "config/statement.h"

void change_list_free(struct change_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		event_free(&list->events[i]);
	free(list->events);
	*list = (struct change_list){};
}

static bool is_room(struct change_list *list, enum event_kind kind)
{
	return list->counts[kind]++ < CHANGES_MAX;
}

/* Takes ownership of the event. */
static void add(struct change_list *list, struct event *event)
{
	struct event *place = array_grow(&list->events, &list->count, sizeof(*place));

	if (place)
		*place = *event;
	else
		event_free(event);
}

/* --- the tunnel and the programs --- */

static void add_instance(struct change_list *list, const struct plan *plan)
{
	struct event event;

	if (!is_room(list, EVENT_INSTANCE))
		return;
	event = event_make(EVENT_INSTANCE, JOURNAL_NOTICE, list->tunnel, "the instance is up: %zu prefixes, mode %s",
			   plan->state.gateway_count, word_of(mode_words, WORDS_MODE, plan->state.mode));
	event_add_text(&event, "state", "up");
	event_add_number(&event, "prefixes", plan->state.gateway_count);
	add(list, &event);
}

static void add_tunnel(struct change_list *list, const struct state *running, const struct plan *plan)
{
	uint32_t before = running ? running->tunnel_ifindex : 0, now = plan->state.tunnel_ifindex;
	struct event event;

	if (before == now || !is_room(list, EVENT_TUNNEL))
		return;
	if (now && before)
		event = event_make(EVENT_TUNNEL, JOURNAL_NOTICE, list->tunnel,
				   "the tunnel was re-created (ifindex %u, now %u): attached again", before, now);
	else if (now)
		event = event_make(EVENT_TUNNEL, JOURNAL_NOTICE, list->tunnel,
				   "the tunnel exists (ifindex %u): attached", now);
	else
		event = event_make(EVENT_TUNNEL, JOURNAL_NOTICE, list->tunnel,
				   "the tunnel was removed: waiting for it");
	event_add_text(&event, "state", !now ? "removed" : before ? "re-created" : "present");
	if (now)
		event_add_number(&event, "ifindex", now);
	add(list, &event);
}

struct event change_list_attachment(const char *tunnel, const char *state, const char *dev, uint32_t ifindex,
				    enum wgvia_direction direction)
{
	const char *preposition = strcmp(state, "detached") ? "to" : "from";
	struct event event = event_make(EVENT_ATTACHMENT, JOURNAL_INFO, tunnel, "%s %s %s, direction %s", state,
					preposition, dev, direction_words[direction]);

	event_add_text(&event, "state", state);
	event_add_text(&event, "dev", dev);
	event_add_number(&event, "ifindex", ifindex);
	event_add_text(&event, "direction", direction_words[direction]);
	return event;
}

static const char *device_name(const struct change_list *list, const struct netdevs *netdevs, uint32_t ifindex,
			       char text[IFNAMSIZ])
{
	const struct netdevs *sources[] = {netdevs, list->known, list->also_known};

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		if (sources[i] && netdev_by_index(sources[i], ifindex))
			return netdev_name(sources[i], ifindex, text);
	return netdev_name(netdevs, ifindex, text);
}

static void add_attachment(struct change_list *list, const struct netdevs *netdevs, const char *state,
			   enum wgvia_direction direction, uint32_t ifindex)
{
	char text[IFNAMSIZ];
	struct event event;

	if (!is_room(list, EVENT_ATTACHMENT))
		return;
	event = change_list_attachment(list->tunnel, state, device_name(list, netdevs, ifindex, text), ifindex,
				       direction);
	add(list, &event);
}

static bool is_at(const struct point *point, const struct attachment *attachment)
{
	return attachment->direction == point->direction && attachment->ifindex == point->ifindex;
}

/*
 * A link that exists, but is not in force, counts as missing: for example, of a device that was in another namespace.
 */
static bool was_attached(const struct instance *instance, const struct point *point)
{
	for (size_t i = 0; i < instance->attachment_count; i++)
		if (is_at(point, &instance->attachments[i]))
			return true;
	return false;
}

static bool is_planned(const struct plan *plan, const struct attachment *attachment)
{
	for (size_t i = 0; i < plan->points.count; i++)
		if (is_at(&plan->points.all[i], attachment))
			return true;
	return false;
}

static void add_attachments(struct change_list *list, const struct instance *instance, const struct plan *plan)
{
	for (size_t i = 0; i < instance->attachment_count; i++) {
		const struct attachment *old = &instance->attachments[i];

		if (!is_planned(plan, old))
			add_attachment(list, plan->netdevs, "detached", old->direction, old->ifindex);
	}
	for (size_t i = 0; i < plan->points.count; i++) {
		const struct point *point = &plan->points.all[i];

		if (!instance_attachment(instance, point))
			add_attachment(list, plan->netdevs, was_attached(instance, point) ? "re-attached" : "attached",
				       point->direction, point->ifindex);
	}
}

static void take_out(struct change_list *list, const struct event *event)
{
	for (size_t i = 0; i < list->count && event->text; i++) {
		struct event *one = &list->events[i];

		if (one->kind != event->kind || !one->text || strcmp(one->text, event->text) != 0)
			continue;
		event_free(one);
		memmove(one, one + 1, (--list->count - i) * sizeof(*one));
		list->counts[event->kind]--;
		return;
	}
}

void change_list_keep_attached(struct change_list *list, const struct instance *instance, const struct plan *plan)
{
	cleanup_free struct attachment *all = NULL;
	size_t count = 0;

	if (attach_list(instance->folder, &all, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		char text[IFNAMSIZ];
		struct event event = change_list_attachment(list->tunnel, "detached",
							    device_name(list, plan->netdevs, all[i].ifindex, text),
							    all[i].ifindex, all[i].direction);

		if (!is_planned(plan, &all[i]))
			take_out(list, &event);
		event_free(&event);
	}
}

/* --- the state --- */

/* Whether it is exempt because of the host itself; config/diff.c handles the administrator's. */
static bool is_hosts(const struct bypass_entry *entry)
{
	return entry && !statement_has_bypass(entry);
}

/* Entries for this host's addresses, and those that follow from its routes. */
static void add_exempt(struct change_list *list, bool is_added, const struct bypass_entry *entry)
{
	enum event_kind kind = entry->value.verdict == WGVIA_LOCAL ? EVENT_ADDRESS : EVENT_ROUTE;
	const char *verdict = word_of(verdict_words, WGVIA_VERDICT_COUNT, entry->value.verdict);
	char text[PREFIX_TEXT_LEN];
	struct event event;

	if (!is_room(list, kind))
		return;
	event = event_make(kind, JOURNAL_NOTICE, list->tunnel, "%c %s (%s): %s", is_added ? '+' : '-',
			   prefix_text(&entry->to, text), verdict, is_added ? "exempt" : "no longer exempt");
	event_add_text(&event, "action", is_added ? "add" : "del");
	event_add_text(&event, "to", text);
	event_add_text(&event, "verdict", verdict);
	add(list, &event);
}

static void add_bypass(struct change_list *list, const struct state *from, const struct state *to)
{
	size_t i = 0, j = 0;

	while (i < from->bypass_count || j < to->bypass_count) {
		const struct bypass_entry *old = i < from->bypass_count ? &from->bypass[i] : NULL;
		const struct bypass_entry *new = j < to->bypass_count ? &to->bypass[j] : NULL;
		int order = !old ? 1 : !new ? -1 : prefix_compare(&old->to, &new->to);
		bool had = order <= 0 && is_hosts(old), has = order >= 0 && is_hosts(new);

		if (had && !(has && old->value.verdict == new->value.verdict))
			add_exempt(list, false, old);
		if (has && !(had && old->value.verdict == new->value.verdict))
			add_exempt(list, true, new);
		i += order <= 0;
		j += order >= 0;
	}
}

struct visit {
	struct change_list *list;
	const struct netdevs *netdevs;
};

static enum event_kind kind_of(const struct difference *difference)
{
	if (difference->gateway)
		return EVENT_PREFIX;
	if (difference->bypass)
		return EVENT_BYPASS;
	if (difference->accepted)
		return EVENT_ACCEPT;
	return strncmp(difference->statement, "from ", strlen("from ")) != 0 ? EVENT_SETTING : EVENT_SOURCE;
}

static void add_prefix_fields(struct event *event, const struct difference *difference, const struct netdevs *netdevs)
{
	const struct wgvia_gateway *value = &difference->gateway->value;
	char from[PREFIX_TEXT_LEN], via[IP_TEXT_LEN], dev[IFNAMSIZ];
	struct ip ip = gateway_ip(value);

	event_add_text(event, "from", prefix_text(&difference->gateway->from, from));
	event_add_text(event, "source", source_words[source_of(value)]);
	event_add_text(event, "via", ip_text(&ip, via));
	event_add_text(event, "dev", netdev_name(netdevs, value->ifindex, dev));
}

/* "on-fail drop": the first word is the name of the setting. */
static void add_setting_fields(struct event *event, const char *statement)
{
	size_t len = strcspn(statement, " ");
	char name[16];

	snprintf(name, sizeof(name), "%.*s", (int)len, statement);
	event_add_text(event, "setting", name);
	event_add_text(event, "value", statement + len + 1);
}

static void add_fields(struct event *event, const struct difference *difference, const struct netdevs *netdevs)
{
	char text[PREFIX_TEXT_LEN];

	event_add_text(event, "action", difference->is_added ? "add" : "del");
	switch (event->kind) {
	case EVENT_PREFIX:
		add_prefix_fields(event, difference, netdevs);
		break;
	case EVENT_BYPASS:
		event_add_text(event, "to", prefix_text(&difference->bypass->to, text));
		break;
	case EVENT_ACCEPT:
		event_add_text(event, "accept", difference->accepted->finding.name);
		break;
	case EVENT_SOURCE:
		snprintf(text, sizeof(text), "%s", difference->statement + strlen("from "));
		text[strcspn(text, " ")] = '\0';
		event_add_text(event, "source", text);
		break;
	default:
		add_setting_fields(event, difference->statement);
	}
}

static void add_statement(const struct difference *difference, void *data)
{
	const struct visit *visit = data;
	enum event_kind kind = kind_of(difference);
	struct event event;

	if (!is_room(visit->list, kind))
		return;
	event = event_make(kind, JOURNAL_NOTICE, visit->list->tunnel, "%c %s%s", difference->is_added ? '+' : '-',
			   difference->statement, difference->comment);
	add_fields(&event, difference, visit->netdevs);
	add(visit->list, &event);
}

void change_list_plan(struct change_list *list, const struct instance *instance, const struct state *running,
		      const struct plan *plan)
{
	struct visit visit = {list, plan->netdevs};

	list->tunnel = plan->state.tunnel;
	if (!running)
		add_instance(list, plan);
	add_tunnel(list, running, plan);
	add_attachments(list, instance, plan);
	diff_states(running, &plan->state, plan->netdevs, add_statement, &visit);
	if (running)
		add_bypass(list, running, &plan->state);
}

void change_list_visit(const struct change_list *list, void (*visit)(const struct event *event))
{
	for (size_t i = 0; i < list->count; i++)
		visit(&list->events[i]);
	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
		if (list->counts[kind] > CHANGES_MAX) {
			size_t more = list->counts[kind] - CHANGES_MAX;
			cleanup(event_free) struct event event =
				event_make(kind, JOURNAL_NOTICE, list->tunnel, "and %zu more changes (%s)", more,
					   event_words[kind]);

			event_add_number(&event, "more", more);
			visit(&event);
		}
}
