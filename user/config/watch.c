// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words to values and back, and the list that a gateway is on.
 */
#include "config/watch.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "config/failover.h"
#include "config/parse.h"

static int set_address(struct wgvia_watch *watch, const char *text, struct error *error)
{
	struct ip ip;

	if (parse_ip(text, &ip, error))
		return -EINVAL;
	if (ip_is_multicast(&ip) || ip_is_unspecified(&ip) || ip_is_loopback(&ip) || ip_is_link_local(&ip) ||
	    (ip.family == AF_INET && (!ip.addr[0] || ip.addr[0] >= 240)))
		return error_usage(error, "'%s' cannot be reached through a gateway", text);
	watch->family = ip.family;
	memcpy(watch->addr, ip.addr, sizeof(watch->addr));
	return 0;
}

/* "192.0.2.3:443", "[2001:db8::3]:443" */
static int set_service(struct wgvia_watch *watch, const char *text, struct error *error)
{
	const char *colon = strrchr(text, ':'), *begin = text, *end = colon;
	char address[IP_TEXT_LEN];
	unsigned int port;

	if (colon && text[0] == '[') {
		begin++;
		end = colon[-1] == ']' ? colon - 1 : NULL;
	} else if (colon && memchr(text, ':', colon - text)) {
		end = NULL; /* ambiguous: an IPv6 address, or a shorter one and a port */
	}
	if (!end || end <= begin || (size_t)(end - begin) >= sizeof(address))
		return error_usage(error, "'%s' is not ADDRESS:PORT: 192.0.2.3:443 or [2001:db8::3]:443", text);
	memcpy(address, begin, end - begin);
	address[end - begin] = '\0';
	if (set_address(watch, address, error) || parse_number("port", colon + 1, 1, UINT16_MAX, &port, error))
		return -EINVAL;
	if ((watch->family == AF_INET6) != (text[0] == '['))
		return error_usage(error, "'%s' is not ADDRESS:PORT: 192.0.2.3:443 or [2001:db8::3]:443", text);
	watch->port = port;
	return 0;
}

int watch_take(struct cursor *cursor, struct wgvia_watch *watch, struct error *error)
{
	const char *word = take_value(cursor, error), *value = NULL;
	int kind = word ? word_find(watch_words, WGVIA_WATCH_COUNT, word) : -1;

	if (!word)
		return -EINVAL;
	if (kind < 0)
		return error_usage(error,
				   "'%s' is not a kind of health: neighbour, forward, ping ADDRESS or tcp "
				   "ADDRESS:PORT",
				   word);
	*watch = (struct wgvia_watch){.kind = kind};
	if (kind == WGVIA_WATCH_NEIGHBOUR || kind == WGVIA_WATCH_FORWARD)
		return 0;
	if (cursor->word == cursor->end)
		return error_usage(error, "'health %s' needs %s", word,
				   kind == WGVIA_WATCH_TCP ? "ADDRESS:PORT" : "an ADDRESS");
	value = *cursor->word++;
	return kind == WGVIA_WATCH_TCP ? set_service(watch, value, error) : set_address(watch, value, error);
}

struct ip watch_ip(const struct wgvia_watch *watch)
{
	struct ip ip = {.family = watch->family};

	memcpy(ip.addr, watch->addr, sizeof(ip.addr));
	return ip;
}

/* "192.0.2.3", "[2001:db8::3]:443"; empty without an address. */
static const char *target_text(const struct wgvia_watch *watch, char text[WATCH_TEXT_LEN])
{
	struct ip ip = watch_ip(watch);
	char address[IP_TEXT_LEN];

	text[0] = '\0';
	if (!watch->family)
		return text;
	ip_text(&ip, address);
	if (watch->kind == WGVIA_WATCH_TCP)
		snprintf(text, WATCH_TEXT_LEN, ip.family == AF_INET ? "%s:%u" : "[%s]:%u", address, watch->port);
	else
		snprintf(text, WATCH_TEXT_LEN, "%s", address);
	return text;
}

const char *watch_text(const struct wgvia_watch *watch, char text[WATCH_TEXT_LEN])
{
	const char *word = word_of(watch_words, WGVIA_WATCH_COUNT, watch->kind);
	char target[WATCH_TEXT_LEN];

	snprintf(text, WATCH_TEXT_LEN, "%s%s%.*s", word, watch->family ? " " : "", WATCH_TEXT_LEN - 12,
		 target_text(watch, target));
	return text;
}

const char *watch_fault(const struct wgvia_watch *watch, enum wgvia_fault fault, char text[WATCH_FAULT_LEN])
{
	const char *words = word_of(fault_words, WGVIA_FAULT_COUNT, fault);
	char target[WATCH_TEXT_LEN];

	if (fault < WGVIA_FAULT_PING)
		snprintf(text, WATCH_FAULT_LEN, "%s", words);
	else
		snprintf(text, WATCH_FAULT_LEN, "%s %s", watch->family ? target_text(watch, target) : "its target",
			 words);
	return text;
}

bool watch_equal(const struct wgvia_watch *a, const struct wgvia_watch *b)
{
	return !memcmp(a, b, sizeof(*a));
}

bool watch_is_valid(const struct wgvia_watch *watch)
{
	struct wgvia_watch clean = {.kind = watch->kind};
	bool has_address = watch->kind == WGVIA_WATCH_PING || watch->kind == WGVIA_WATCH_TCP;

	if (watch->kind >= WGVIA_WATCH_COUNT)
		return false;
	if (!has_address)
		return watch_equal(watch, &clean);
	if (watch->family != AF_INET && watch->family != AF_INET6)
		return false;
	clean.family = watch->family;
	memcpy(clean.addr, watch->addr, ip_bits(watch->family) / 8);
	if (watch->kind == WGVIA_WATCH_TCP && watch->port && watch->port <= UINT16_MAX)
		clean.port = watch->port;
	return watch_equal(watch, &clean) && (watch->kind != WGVIA_WATCH_TCP || clean.port);
}

static bool is_on(const struct wgvia_failover *list, const struct wgvia_hop *hop)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (hop_equal(&list->hops[i], hop))
			return true;
	return false;
}

struct wgvia_watch watch_of(const struct state *state, const struct wgvia_hop *hop)
{
	for (size_t i = 0; i < state->list_count; i++)
		if (state->lists[i].content.watch.kind && is_on(&state->lists[i].content, hop))
			return state->lists[i].content.watch;
	return (struct wgvia_watch){};
}

/* A gateway as it is in one list. */
struct listed {
	struct wgvia_hop hop;
	struct wgvia_watch watch;
};

static int compare_hops(const void *a, const void *b)
{
	return memcmp(&((const struct listed *)a)->hop, &((const struct listed *)b)->hop, sizeof(struct wgvia_hop));
}

static size_t collect(const struct state *state, struct listed *all)
{
	size_t count = 0;

	for (size_t i = 0; i < state->list_count; i++)
		for (uint32_t j = 0; j < state->lists[i].content.count; j++)
			all[count++] = (struct listed){state->lists[i].content.hops[j], state->lists[i].content.watch};
	return count;
}

int watch_find_conflict(const struct state *state, struct wgvia_hop *hop, struct wgvia_watch ways[2])
{
	cleanup_free struct listed *all = calloc(state->list_count + 1, sizeof(*all) * WGVIA_FAILOVER_HOPS);
	size_t count;

	if (!all)
		return -ENOMEM;
	count = collect(state, all);
	qsort(all, count, sizeof(*all), compare_hops);
	for (size_t i = 1; i < count; i++) {
		if (compare_hops(&all[i - 1], &all[i]) || watch_equal(&all[i - 1].watch, &all[i].watch))
			continue;
		*hop = all[i].hop;
		ways[0] = all[i - 1].watch;
		ways[1] = all[i].watch;
		return 1;
	}
	return 0;
}
