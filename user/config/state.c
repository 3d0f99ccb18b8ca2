// SPDX-License-Identifier: GPL-2.0-only
/*
 * An instance's content as a value.
 */
#include "config/state.h"

#include <string.h>
#include <sys/socket.h>

#include "base/util.h"

void state_free(struct state *state)
{
	free(state->gateways);
	free(state->bypass);
	free(state->lists);
	free(state->accepted.all);
	*state = (struct state){};
}

static int compare_macs(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(((struct also *)0)->macs[0]));
}

void also_sort(struct also *also)
{
	qsort(also->macs, also->mac_count, sizeof(also->macs[0]), compare_macs);
}

/* Unused hops count: leftovers of another program must be replaced. */
bool also_equal(const struct also *a, const struct also *b)
{
	return a->mac_count == b->mac_count && !memcmp(a->macs, b->macs, sizeof(a->macs)) &&
	       !memcmp(&a->hops, &b->hops, sizeof(a->hops));
}

bool also_has_mac(const struct also *also, const uint8_t mac[6])
{
	for (size_t i = 0; i < also->mac_count; i++)
		if (!compare_macs(also->macs[i], mac))
			return true;
	return false;
}

int state_add_gateway(struct state *state, const struct prefix *from, const struct wgvia_gateway *value)
{
	struct gateway_entry *entry = array_grow(&state->gateways, &state->gateway_count, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	*entry = (struct gateway_entry){*from, *value, value->counter};
	entry->value.counter = 0;
	return 0;
}

int state_add_bypass(struct state *state, const struct prefix *to, enum wgvia_verdict verdict, uint32_t flags)
{
	struct bypass_entry *entry = array_grow(&state->bypass, &state->bypass_count, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	*entry = (struct bypass_entry){*to, {verdict, flags}};
	return 0;
}

/* Both tables have entries that begin with their prefix, sorted by it. */
static int compare_entries(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

static void *find(const void *table, size_t count, size_t size, const struct prefix *prefix)
{
	return count ? bsearch(prefix, table, count, size, compare_entries) : NULL;
}

/* The entry of the longest prefix that covers `prefix`. */
static void *cover(const void *table, size_t count, size_t size, const struct prefix *prefix)
{
	void *entry = NULL;

	for (int len = prefix->len; len >= 0 && !entry; len--)
		entry = find(table, count, size, &(struct prefix){ip_mask(prefix->ip, len), len});
	return entry;
}

static void *match(const void *table, size_t count, size_t size, const struct ip *ip)
{
	struct prefix whole = prefix_of_ip(ip);

	return cover(table, count, size, &whole);
}

void state_sort(struct state *state)
{
	size_t kept = 0;

	if (state->gateway_count)
		qsort(state->gateways, state->gateway_count, sizeof(*state->gateways), compare_entries);
	for (size_t i = 0; i < state->gateway_count; i++) {
		if (kept && !compare_entries(&state->gateways[kept - 1], &state->gateways[i]))
			kept--;
		state->gateways[kept++] = state->gateways[i];
	}
	state->gateway_count = kept;

	kept = 0;
	if (state->bypass_count)
		qsort(state->bypass, state->bypass_count, sizeof(*state->bypass), compare_entries);
	for (size_t i = 0; i < state->bypass_count; i++) {
		struct wgvia_bypass *last = kept ? &state->bypass[kept - 1].value : NULL,
				    *value = &state->bypass[i].value;

		if (last && !compare_entries(&state->bypass[kept - 1], &state->bypass[i])) {
			if (value->verdict < last->verdict)
				last->verdict = value->verdict;
			last->flags |= value->flags;
		} else {
			state->bypass[kept++] = state->bypass[i];
		}
	}
	state->bypass_count = kept;
}

struct gateway_entry *state_find_gateway(const struct state *state, const struct prefix *from)
{
	return find(state->gateways, state->gateway_count, sizeof(*state->gateways), from);
}

struct bypass_entry *state_find_bypass(const struct state *state, const struct prefix *to)
{
	return find(state->bypass, state->bypass_count, sizeof(*state->bypass), to);
}

struct gateway_entry *state_match_gateway(const struct state *state, const struct ip *ip)
{
	return match(state->gateways, state->gateway_count, sizeof(*state->gateways), ip);
}

struct bypass_entry *state_match_bypass(const struct state *state, const struct ip *ip)
{
	return match(state->bypass, state->bypass_count, sizeof(*state->bypass), ip);
}

struct bypass_entry *state_covering_bypass(const struct state *state, const struct prefix *prefix)
{
	return cover(state->bypass, state->bypass_count, sizeof(*state->bypass), prefix);
}

struct gateway_entry *state_covering_gateway(const struct state *state, const struct prefix *prefix)
{
	struct gateway_entry *entry = NULL;

	for (int len = 0; len <= prefix->len && !entry; len++)
		entry = state_find_gateway(state, &(struct prefix){ip_mask(prefix->ip, len), len});
	return entry;
}

struct gateway_entry *state_overlapping_gateway(const struct state *state, const struct prefix *prefix)
{
	struct gateway_entry *entry = state_covering_gateway(state, prefix);
	size_t first;

	if (entry || !prefix_inside(state->gateways, state->gateway_count, sizeof(*entry), prefix, &first))
		return entry;
	return &state->gateways[first];
}

size_t state_count_gateways(const struct state *state, const struct prefix *prefix)
{
	size_t first;

	return prefix_inside(state->gateways, state->gateway_count, sizeof(*state->gateways), prefix, &first);
}

void state_remove_gateway(struct state *state, struct gateway_entry *entry)
{
	size_t behind = &state->gateways[state->gateway_count] - (entry + 1);

	memmove(entry, entry + 1, behind * sizeof(*entry));
	state->gateway_count--;
}

bool bypass_is_known(const struct wgvia_bypass *value)
{
	return (value->verdict >= WGVIA_LOCAL && value->verdict <= WGVIA_BYPASS) || value->verdict == WGVIA_REDIRECTED;
}

bool bypass_is_admin(const struct wgvia_bypass *value)
{
	return value->flags & WGVIA_BYPASS_ADMIN ||
	       (value->verdict == WGVIA_BYPASS && !(value->flags & WGVIA_BYPASS_EGRESS));
}

struct ip gateway_ip(const struct wgvia_gateway *gateway)
{
	struct ip ip = {.family = gateway->family == AF_INET ? AF_INET : AF_INET6};

	memcpy(ip.addr, gateway->addr, ip_bits(ip.family) / 8);
	return ip;
}

struct wgvia_gateway gateway_value(const struct ip *via, uint32_t ifindex)
{
	struct wgvia_gateway value = {.ifindex = ifindex, .family = via->family};

	memcpy(value.addr, via->addr, sizeof(value.addr));
	return value;
}
