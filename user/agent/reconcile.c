// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of a state, one kind of cause after the other.
 */
#include "agent/reconcile.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "config/failover.h"
#include "config/source.h"

/* --- devices --- */

const char *reconcile_name(const struct device_names *names, uint32_t ifindex)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->all[i].ifindex == ifindex)
			return names->all[i].name;
	return NULL;
}

bool reconcile_knows(const struct device_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->all[i].name, name))
			return true;
	return false;
}

int reconcile_learn_name(struct device_names *names, uint32_t ifindex, const char *name)
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

int reconcile_learn(struct device_names *names, const struct netdevs *netdevs, const struct state *state)
{
	struct hops hops = {};
	int ret = failover_hops(state, &hops);

	for (size_t i = 0; i < hops.count && !ret; i++) {
		const struct netdev *netdev = netdev_by_index(netdevs, hops.all[i].ifindex);

		if (netdev)
			ret = reconcile_learn_name(names, netdev->ifindex, netdev->name);
	}
	free(hops.all);
	return ret;
}

/* The device's present ifindex; the same one if nothing can or must change. */
static uint32_t find_device(uint32_t ifindex, const struct device_names *names, const struct netdevs *netdevs)
{
	const char *name = netdev_by_index(netdevs, ifindex) ? NULL : reconcile_name(names, ifindex);
	const struct netdev *netdev = name ? netdev_by_name(netdevs, name) : NULL;

	return netdev && netdev_is_ethernet(netdev) ? netdev->ifindex : ifindex;
}

static bool move_device(uint32_t *ifindex, const struct device_names *names, const struct netdevs *netdevs)
{
	uint32_t old = *ifindex;

	*ifindex = old ? find_device(old, names, netdevs) : 0;
	return *ifindex != old;
}

size_t reconcile_devices(struct state *state, const struct device_names *names, const struct netdevs *netdevs)
{
	size_t count = 0;

	for (size_t i = 0; i < state->gateway_count; i++)
		count += move_device(&state->gateways[i].value.ifindex, names, netdevs);
	for (size_t i = 0; i < state->source_count; i++)
		count += move_device(&state->sources[i].value.ifindex, names, netdevs);
	for (size_t i = 0; i < state->list_count; i++)
		for (uint32_t j = 0; j < state->lists[i].content.count; j++)
			count += move_device(&state->lists[i].content.hops[j].ifindex, names, netdevs);
	return count;
}

/* --- a configuration file --- */

/* Sets `value` to `other`, which is one of `from`'s, with its list and source in `state`. */
static int take_over(struct state *state, const struct state *from, const struct wgvia_gateway *other,
		     struct wgvia_gateway *value)
{
	const struct gateway_list *list = failover_find(from, other);
	struct wgvia_hop hop = hop_of(other);
	uint32_t number = 0;
	int ret = list ? failover_add(state, &list->content, &number) : 0;

	*value = hop_value(&hop, number);
	value->flags |= other->flags & WGVIA_GATEWAY_SOURCE;
	return ret;
}

/* plan_running() updates what follows the host. */
static bool follows_host(const struct gateway_entry *entry)
{
	return entry && source_of(&entry->value) != WGVIA_SOURCE_NAMED;
}

/* Prefixes that neither the file nor, since then, a command named a gateway for. */
static int follow_default(struct state *state, const struct state *fresh)
{
	int ret = 0;

	for (size_t i = 0; i < state->gateway_count && !ret; i++) {
		struct gateway_entry *entry = &state->gateways[i];
		const struct gateway_entry *new = state_find_gateway(fresh, &entry->from);

		if (new && source_is_default(&entry->value) && source_is_default(&new->value) &&
		    !failover_same_way(state, &entry->value, fresh, &new->value))
			ret = take_over(state, fresh, &new->value, &entry->value);
	}
	return ret;
}

/* Prefixes of `base` that were not changed by hand; `state` stays sorted. */
static int follow_old(struct state *state, const struct state *base, const struct state *fresh)
{
	int ret = 0;

	for (size_t i = 0; i < base->gateway_count && !ret; i++) {
		const struct gateway_entry *old = &base->gateways[i];
		const struct gateway_entry *new = state_find_gateway(fresh, &old->from);
		struct gateway_entry *entry = state_find_gateway(state, &old->from);

		if (!entry || follows_host(entry) || follows_host(old) || follows_host(new) ||
		    source_is_default(&entry->value) != source_is_default(&old->value) ||
		    !failover_same_way(state, &entry->value, base, &old->value) ||
		    (new && failover_same_way(fresh, &new->value, base, &old->value)))
			continue;
		if (new)
			ret = take_over(state, fresh, &new->value, &entry->value);
		else
			state_remove_gateway(state, entry);
	}
	return ret;
}

/* Appends the prefixes that are new in `fresh` to `state`. */
static int follow_new(struct state *state, const struct state *base, const struct state *fresh)
{
	size_t count = state->gateway_count;
	int ret = 0;

	for (size_t i = 0; i < fresh->gateway_count && !ret; i++) {
		const struct gateway_entry *new = &fresh->gateways[i];
		struct state in_order = {.gateways = state->gateways, .gateway_count = count};
		struct wgvia_gateway value;

		if (follows_host(new) || state_find_gateway(base, &new->from) ||
		    state_find_gateway(&in_order, &new->from))
			continue;
		ret = take_over(state, fresh, &new->value, &value);
		ret = ret ? ret : state_add_gateway(state, &new->from, &value);
	}
	return ret;
}

/* The values for the prefixes of a source. */
static int follow_sources(struct state *state, const struct state *base, const struct state *fresh)
{
	int ret = 0;

	for (size_t i = 0; i < state->source_count && !ret; i++) {
		struct source_entry *entry = &state->sources[i];
		const struct source_entry *old = source_find(base, entry->source, entry->family);
		const struct source_entry *new = source_find(fresh, entry->source, entry->family);

		if (old && new && source_same(state, entry, base, old) && !source_same(base, old, fresh, new))
			ret = take_over(state, fresh, &new->value, &entry->value);
	}
	return ret;
}

int reconcile_file(struct state *state, const struct state *base, const struct state *fresh)
{
	int ret = follow_default(state, fresh);

	ret = ret ? ret : follow_old(state, base, fresh);
	ret = ret ? ret : follow_new(state, base, fresh);
	ret = ret ? ret : follow_sources(state, base, fresh);
	state_sort(state);
	return ret;
}

/* --- health --- */

/* For a prefix without a list: its only gateway. */
static void choose_gateway(const struct gateway_list *list, struct wgvia_gateway *value, reconcile_health_of health_of,
			   const void *data)
{
	enum health_state states[WGVIA_FAILOVER_HOPS];
	struct wgvia_failover hops = {.count = 1, .hops = {hop_of(value)}};
	int current = list ? failover_current(list, value) : 0, chosen;

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
		failover_take(value, &hops.hops[chosen]);
}

size_t reconcile_health(struct state *state, reconcile_health_of health_of, reconcile_moved moved, void *data)
{
	size_t count = 0;

	for (size_t i = 0; i < state->gateway_count; i++) {
		struct gateway_entry *entry = &state->gateways[i];
		struct wgvia_gateway value = entry->value;

		choose_gateway(failover_find(state, &value), &value, health_of, data);
		if (!memcmp(&value, &entry->value, sizeof(value)))
			continue;
		moved(data, entry, &value);
		entry->value = value;
		count++;
	}
	return count;
}
