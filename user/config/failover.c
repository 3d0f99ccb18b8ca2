// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers of lists, and their contents.
 */
#include "config/failover.h"

#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "config/source.h"

#define NUMBERS (WGVIA_FAILOVER_LISTS + 1)

static uint32_t number_of(const struct wgvia_gateway *value)
{
	return value->flags >> WGVIA_GATEWAY_LIST_SHIFT;
}

static void set_number(struct wgvia_gateway *value, uint32_t number)
{
	value->flags = (value->flags & ((1u << WGVIA_GATEWAY_LIST_SHIFT) - 1)) | number << WGVIA_GATEWAY_LIST_SHIFT;
}

static const struct gateway_list *find_content(const struct state *state, const struct wgvia_failover *content)
{
	for (size_t i = 0; i < state->list_count; i++)
		if (!memcmp(&state->lists[i].content, content, sizeof(*content)))
			return &state->lists[i];
	return NULL;
}

/* By number: the index into `lists`, plus 1. The caller frees it. */
static uint32_t *make_index(const struct state *state)
{
	uint32_t *index = calloc(NUMBERS, sizeof(*index));

	for (size_t i = 0; index && i < state->list_count; i++)
		index[state->lists[i].number] = i + 1;
	return index;
}

const struct gateway_list *failover_find(const struct state *state, const struct wgvia_gateway *value)
{
	uint32_t number = number_of(value);

	for (size_t i = 0; number && i < state->list_count; i++)
		if (state->lists[i].number == number)
			return &state->lists[i];
	return NULL;
}

int failover_add(struct state *state, const struct wgvia_failover *content, uint32_t *number)
{
	const struct gateway_list *same = find_content(state, content);
	cleanup_free uint32_t *index = NULL;
	struct gateway_list *list;
	uint32_t free_number = 1;

	if (same) {
		*number = same->number;
		return 0;
	}
	index = make_index(state);
	if (!index)
		return -ENOMEM;
	while (free_number < NUMBERS && index[free_number])
		free_number++;
	if (free_number == NUMBERS)
		return -ENOSPC;
	list = array_grow(&state->lists, &state->list_count, sizeof(*list));
	if (!list)
		return -ENOMEM;
	*list = (struct gateway_list){free_number, *content};
	*number = free_number;
	return 0;
}

bool failover_in_use(const struct state *state)
{
	for (size_t i = 0; i < state->gateway_count; i++)
		if (failover_find(state, &state->gateways[i].value))
			return true;
	return false;
}

static void prune_value(const uint32_t *index, bool *used, struct wgvia_gateway *value)
{
	if (!index[number_of(value)])
		set_number(value, 0);
	used[number_of(value)] = true;
}

int failover_prune(struct state *state)
{
	cleanup_free uint32_t *index = make_index(state);
	cleanup_free bool *used = calloc(NUMBERS, sizeof(*used));
	size_t kept = 0;

	if (!index || !used)
		return -ENOMEM;
	for (size_t i = 0; i < state->gateway_count; i++)
		prune_value(index, used, &state->gateways[i].value);
	for (size_t i = 0; i < state->source_count; i++)
		prune_value(index, used, &state->sources[i].value);
	for (size_t i = 0; i < state->list_count; i++)
		if (used[state->lists[i].number])
			state->lists[kept++] = state->lists[i];
	state->list_count = kept;
	return 0;
}

static void rename_list(const uint32_t *renamed, struct wgvia_gateway *value)
{
	set_number(value, renamed[number_of(value)]);
}

int failover_number(struct state *state, const struct state *running)
{
	cleanup_free bool *taken = calloc(NUMBERS, sizeof(*taken));
	cleanup_free uint32_t *renamed = calloc(NUMBERS, sizeof(*renamed));
	uint32_t next = 1;

	if (!taken || !renamed)
		return -ENOMEM;
	for (size_t i = 0; i < running->list_count; i++)
		taken[running->lists[i].number] = true;
	for (size_t i = 0; i < running->gateway_count; i++)
		taken[number_of(&running->gateways[i].value)] = true;
	for (size_t i = 0; i < running->source_count; i++)
		taken[number_of(&running->sources[i].value)] = true;
	for (size_t i = 0; i < state->list_count; i++) {
		struct gateway_list *list = &state->lists[i];
		const struct gateway_list *same = find_content(running, &list->content);
		uint32_t old = list->number;

		if (same) {
			list->number = same->number;
		} else {
			while (next < NUMBERS && taken[next])
				next++;
			if (next == NUMBERS)
				return -ENOSPC;
			list->number = next++;
		}
		renamed[old] = list->number;
	}
	for (size_t i = 0; i < state->gateway_count; i++)
		rename_list(renamed, &state->gateways[i].value);
	for (size_t i = 0; i < state->source_count; i++)
		rename_list(renamed, &state->sources[i].value);
	return 0;
}

bool failover_same(const struct state *a_state, const struct wgvia_gateway *a, const struct state *b_state,
		   const struct wgvia_gateway *b)
{
	if (source_of(a) != source_of(b))
		return false;
	if (failover_find(a_state, a) || failover_find(b_state, b))
		return failover_same_way(a_state, a, b_state, b);
	return failover_same_way(a_state, a, b_state, b) && !((a->flags ^ b->flags) & WGVIA_GATEWAY_UNUSABLE);
}

bool failover_same_way(const struct state *a_state, const struct wgvia_gateway *a, const struct state *b_state,
		       const struct wgvia_gateway *b)
{
	const struct gateway_list *a_list = failover_find(a_state, a), *b_list = failover_find(b_state, b);
	struct wgvia_hop a_hop = hop_of(a), b_hop = hop_of(b);

	if (a_list || b_list)
		return a_list && b_list && !memcmp(&a_list->content, &b_list->content, sizeof(a_list->content));
	return hop_equal(&a_hop, &b_hop);
}

/* Whether the values have lists of the same gateways, watched in any way, and the same source. */
static bool has_same_gateways(const struct gateway_list *a_list, const struct wgvia_gateway *a,
			      const struct gateway_list *b_list, const struct wgvia_gateway *b)
{
	return a_list && b_list && a_list->content.count == b_list->content.count &&
	       !memcmp(a_list->content.hops, b_list->content.hops, sizeof(a_list->content.hops)) &&
	       !((a->flags ^ b->flags) & WGVIA_GATEWAY_SOURCE);
}

void failover_keep_choice(struct state *state, const struct state *running)
{
	for (size_t i = 0; i < state->gateway_count; i++) {
		struct wgvia_gateway *value = &state->gateways[i].value;
		const struct gateway_entry *old = state_find_gateway(running, &state->gateways[i].from);
		const struct gateway_list *list = failover_find(state, value);
		struct wgvia_hop hop;

		if (!old || !has_same_gateways(list, value, failover_find(running, &old->value), &old->value) ||
		    failover_current(list, &old->value) < 0)
			continue;
		hop = hop_of(&old->value);
		failover_take(value, &hop);
		value->flags |= old->value.flags & WGVIA_GATEWAY_DOWN;
	}
}

const char *failover_problem(const struct state *state, bool agent)
{
	bool first = true;

	if (agent || !failover_in_use(state))
		return NULL;
	for (size_t i = 0; i < state->gateway_count; i++) {
		const struct gateway_list *list = failover_find(state, &state->gateways[i].value);

		first &= !list || !failover_current(list, &state->gateways[i].value);
	}
	return first ? "no agent is running: the first gateway is used and not watched"
		     : "no agent is running: the gateways stay as the last agent left them and are not watched";
}

void hops_free(struct hops *hops)
{
	free(hops->all);
	*hops = (struct hops){};
}

static int add_hop(struct hops *hops, const struct wgvia_hop *hop)
{
	struct wgvia_hop *added;

	for (size_t i = hops->count; i-- > 0;) /* adjacent entries in the table are likely to have the same */
		if (hop_equal(&hops->all[i], hop))
			return 0;
	added = array_grow(&hops->all, &hops->count, sizeof(*added));
	if (!added)
		return -ENOMEM;
	*added = *hop;
	return 0;
}

int failover_hops(const struct state *state, struct hops *hops)
{
	struct hops found = {};
	int ret = 0;

	for (size_t i = 0; i < state->gateway_count && !ret; i++) {
		struct wgvia_hop hop = hop_of(&state->gateways[i].value);

		ret = add_hop(&found, &hop);
	}
	for (size_t i = 0; i < state->source_count && !ret; i++) {
		struct wgvia_hop hop = hop_of(&state->sources[i].value);

		ret = hop.family ? add_hop(&found, &hop) : 0;
	}
	for (size_t i = 0; i < state->list_count; i++)
		for (uint32_t j = 0; j < state->lists[i].content.count && !ret; j++)
			ret = add_hop(&found, &state->lists[i].content.hops[j]);
	if (ret)
		free(found.all);
	else
		*hops = found;
	return ret;
}

size_t failover_users(const struct state *state, const struct wgvia_hop *hop)
{
	size_t users = 0;

	for (size_t i = 0; i < state->gateway_count; i++) {
		struct wgvia_hop current = hop_of(&state->gateways[i].value);

		users += hop_equal(&current, hop);
	}
	return users;
}

struct wgvia_hop hop_of(const struct wgvia_gateway *value)
{
	struct wgvia_hop hop = {.ifindex = value->ifindex, .family = value->family};

	memcpy(hop.addr, value->addr, sizeof(hop.addr));
	return hop;
}

struct wgvia_gateway hop_value(const struct wgvia_hop *hop, uint32_t number)
{
	struct wgvia_gateway value = {.ifindex = hop->ifindex, .family = hop->family};

	memcpy(value.addr, hop->addr, sizeof(value.addr));
	set_number(&value, number);
	return value;
}

bool hop_equal(const struct wgvia_hop *a, const struct wgvia_hop *b)
{
	return !memcmp(a, b, sizeof(*a));
}

void failover_take(struct wgvia_gateway *value, const struct wgvia_hop *hop)
{
	enum wgvia_source source = source_of(value);

	*value = hop_value(hop, number_of(value));
	source_mark(value, source);
}

int failover_current(const struct gateway_list *list, const struct wgvia_gateway *value)
{
	struct wgvia_hop hop = hop_of(value);

	for (uint32_t i = 0; i < list->content.count; i++)
		if (hop_equal(&list->content.hops[i], &hop))
			return (int)i;
	return -1;
}
