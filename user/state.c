// SPDX-License-Identifier: GPL-2.0-only
/*
 * An instance's content as a value.
 */
#include "state.h"

#include <string.h>
#include <sys/socket.h>

#include "util.h"

void state_free(struct state *state)
{
	free(state->gateways);
	free(state->bypass);
	free(state->lists);
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

/* Unused hops count: what somebody else has left there is to be replaced. */
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
	*entry = (struct gateway_entry){*from, *value};
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

static int compare_gateways(const void *a, const void *b)
{
	return prefix_compare(&((const struct gateway_entry *)a)->from, &((const struct gateway_entry *)b)->from);
}

static int compare_bypass(const void *a, const void *b)
{
	return prefix_compare(&((const struct bypass_entry *)a)->to, &((const struct bypass_entry *)b)->to);
}

void state_sort(struct state *state)
{
	size_t kept = 0;

	if (state->gateway_count)
		qsort(state->gateways, state->gateway_count, sizeof(*state->gateways), compare_gateways);
	for (size_t i = 0; i < state->gateway_count; i++) {
		if (kept && !compare_gateways(&state->gateways[kept - 1], &state->gateways[i]))
			kept--;
		state->gateways[kept++] = state->gateways[i];
	}
	state->gateway_count = kept;

	kept = 0;
	if (state->bypass_count)
		qsort(state->bypass, state->bypass_count, sizeof(*state->bypass), compare_bypass);
	for (size_t i = 0; i < state->bypass_count; i++) {
		struct wgvia_bypass *last = kept ? &state->bypass[kept - 1].value : NULL,
				    *value = &state->bypass[i].value;

		if (last && !compare_bypass(&state->bypass[kept - 1], &state->bypass[i])) {
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
	struct gateway_entry key = {.from = *from};

	if (!state->gateway_count)
		return NULL;
	return bsearch(&key, state->gateways, state->gateway_count, sizeof(key), compare_gateways);
}

struct bypass_entry *state_find_bypass(const struct state *state, const struct prefix *to)
{
	struct bypass_entry key = {.to = *to};

	if (!state->bypass_count)
		return NULL;
	return bsearch(&key, state->bypass, state->bypass_count, sizeof(key), compare_bypass);
}

struct gateway_entry *state_match_gateway(const struct state *state, const struct ip *ip)
{
	for (int len = (int)ip_bits(ip->family); len >= 0; len--) {
		struct prefix prefix = {ip_mask(*ip, len), len};
		struct gateway_entry *entry = state_find_gateway(state, &prefix);

		if (entry)
			return entry;
	}
	return NULL;
}

struct bypass_entry *state_match_bypass(const struct state *state, const struct ip *ip)
{
	for (int len = (int)ip_bits(ip->family); len >= 0; len--) {
		struct prefix prefix = {ip_mask(*ip, len), len};
		struct bypass_entry *entry = state_find_bypass(state, &prefix);

		if (entry)
			return entry;
	}
	return NULL;
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
