// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of a state, one kind of cause after the other.
 */
#include "follow.h"

#include <stdio.h>
#include <string.h>

#include "lists.h"
#include "util.h"

/* --- devices --- */

const char *follow_name(const struct device_names *names, uint32_t ifindex)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->all[i].ifindex == ifindex)
			return names->all[i].name;
	return NULL;
}

bool follow_knows(const struct device_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->all[i].name, name))
			return true;
	return false;
}

int follow_learn_name(struct device_names *names, uint32_t ifindex, const char *name)
{
	struct device_name *known = NULL;

	for (size_t i = 0; i < names->count; i++)
		if (names->all[i].ifindex == ifindex)
			known = &names->all[i];
	if (!known)
		known = array_grow(&names->all, &names->count, sizeof(*known));
	if (!known)
		return -ENOMEM;
	known->ifindex = ifindex;
	snprintf(known->name, sizeof(known->name), "%s", name);
	return 0;
}

int follow_learn(struct device_names *names, const struct links *links, const struct state *state)
{
	struct hops hops = {};
	int ret = lists_hops(state, &hops);

	for (size_t i = 0; i < hops.count && !ret; i++) {
		const struct link *link = link_by_index(links, hops.all[i].ifindex);

		if (link)
			ret = follow_learn_name(names, link->ifindex, link->name);
	}
	free(hops.all);
	return ret;
}

/* The ifindex where the device is now; itself where nothing is to be done, or can be. */
static uint32_t find_device(uint32_t ifindex, const struct device_names *names, const struct links *links)
{
	const char *name = link_by_index(links, ifindex) ? NULL : follow_name(names, ifindex);
	const struct link *link = name ? link_by_name(links, name) : NULL;

	return link && link_is_ethernet(link) ? link->ifindex : ifindex;
}

size_t follow_devices(struct state *state, const struct device_names *names, const struct links *links)
{
	size_t count = 0;

	for (size_t i = 0; i < state->gateway_count; i++) {
		struct wgvia_gateway *value = &state->gateways[i].value;
		uint32_t ifindex = find_device(value->ifindex, names, links);

		count += value->ifindex != ifindex;
		value->ifindex = ifindex;
	}
	for (size_t i = 0; i < state->list_count; i++)
		for (uint32_t j = 0; j < state->lists[i].content.count; j++) {
			struct wgvia_hop *hop = &state->lists[i].content.hops[j];
			uint32_t ifindex = find_device(hop->ifindex, names, links);

			count += hop->ifindex != ifindex;
			hop->ifindex = ifindex;
		}
	return count;
}

/* --- a configuration file --- */

/* Whether they say the same, whatever is known of the gateway's health. */
static bool is_same(const struct state *a_state, const struct gateway_entry *a, const struct state *b_state,
		    const struct gateway_entry *b)
{
	struct wgvia_gateway a_value = a->value, b_value = b->value;

	a_value.flags &= ~WGVIA_GATEWAY_UNUSABLE;
	b_value.flags &= ~WGVIA_GATEWAY_UNUSABLE;
	return lists_same(a_state, &a_value, b_state, &b_value);
}

/* The value of `entry`, which is one of `from`'s, with its list in `state`. */
static int take_over(struct state *state, const struct state *from, const struct gateway_entry *entry,
		     struct wgvia_gateway *value)
{
	const struct gateway_list *list = lists_find(from, &entry->value);
	struct wgvia_hop hop = hop_of(&entry->value);
	uint32_t number = 0;
	int ret = list ? lists_add(state, &list->content, &number) : 0;

	*value = hop_value(&hop, number);
	return ret;
}

/* Prefixes that `base` has and that are not touched; `state` stays in order. */
static int follow_old(struct state *state, const struct state *base, const struct state *fresh)
{
	int ret = 0;

	for (size_t i = 0; i < base->gateway_count && !ret; i++) {
		const struct gateway_entry *old = &base->gateways[i];
		const struct gateway_entry *new = state_find_gateway(fresh, &old->from);
		struct gateway_entry *entry = state_find_gateway(state, &old->from);

		if (!entry || !is_same(state, entry, base, old) || (new && is_same(fresh, new, base, old)))
			continue;
		if (new)
			ret = take_over(state, fresh, new, &entry->value);
		else
			state_remove_gateway(state, entry);
	}
	return ret;
}

/* Prefixes that are new in `fresh`, at the end of `state`. */
static int follow_new(struct state *state, const struct state *base, const struct state *fresh)
{
	size_t count = state->gateway_count;
	int ret = 0;

	for (size_t i = 0; i < fresh->gateway_count && !ret; i++) {
		const struct gateway_entry *new = &fresh->gateways[i];
		struct state in_order = {.gateways = state->gateways, .gateway_count = count};
		struct wgvia_gateway value;

		if (state_find_gateway(base, &new->from) || state_find_gateway(&in_order, &new->from))
			continue;
		ret = take_over(state, fresh, new, &value);
		ret = ret ? ret : state_add_gateway(state, &new->from, &value);
	}
	return ret;
}

int follow_file(struct state *state, const struct state *base, const struct state *fresh)
{
	int ret = follow_old(state, base, fresh);

	ret = ret ? ret : follow_new(state, base, fresh);
	state_sort(state);
	return ret;
}

/* --- health --- */

/* Of a prefix without a list its one gateway. */
static void choose(const struct gateway_list *list, struct wgvia_gateway *value, follow_health_of health_of,
		   const void *data)
{
	enum health_state states[WGVIA_FAILOVER_HOPS];
	struct wgvia_failover hops = {1, {hop_of(value)}};
	int current = list ? lists_current(list, value) : 0, chosen;

	if (list)
		hops = list->content;
	for (uint32_t i = 0; i < hops.count; i++)
		states[i] = health_of(data, &hops.hops[i]);
	chosen = health_choose(states, (int)hops.count, current);
	if (chosen == HEALTH_KEEP)
		return;
	if (chosen == HEALTH_NONE)
		value->flags |= WGVIA_GATEWAY_DOWN;
	else if (chosen == current)
		value->flags &= ~WGVIA_GATEWAY_DOWN;
	else if (list)
		*value = hop_value(&hops.hops[chosen], list->number);
}

size_t follow_health(struct state *state, follow_health_of health_of, follow_moved moved, void *data)
{
	size_t count = 0;

	for (size_t i = 0; i < state->gateway_count; i++) {
		struct gateway_entry *entry = &state->gateways[i];
		struct wgvia_gateway value = entry->value;

		choose(lists_find(state, &value), &value, health_of, data);
		if (!memcmp(&value, &entry->value, sizeof(value)))
			continue;
		moved(data, entry, &value);
		entry->value = value;
		count++;
	}
	return count;
}
