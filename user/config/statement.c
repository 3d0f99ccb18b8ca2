// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values to words.
 */
#include "config/statement.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "config/failover.h"
#include "config/watch.h"

static int print_hop(char *text, size_t size, const struct wgvia_hop *hop, const struct netdevs *netdevs)
{
	const struct netdev *dev = netdev_by_index(netdevs, hop->ifindex);
	bool is_ip = hop->family == AF_INET || hop->family == AF_INET6;
	struct wgvia_gateway value = hop_value(hop, 0);
	char via[IP_TEXT_LEN], number[24];
	struct ip ip = gateway_ip(&value);

	snprintf(number, sizeof(number), "ifindex:%u", hop->ifindex); /* a device name cannot contain a colon */
	return snprintf(text, size, "%s dev %s", is_ip ? ip_text(&ip, via) : "?", dev ? dev->name : number);
}

const char *statement_of_hop(const struct wgvia_hop *hop, const struct netdevs *netdevs, char text[STATEMENT_MAX])
{
	print_hop(text, STATEMENT_MAX, hop, netdevs);
	return text;
}

const char *statement_of_gateways(const struct state *state, const struct wgvia_gateway *value,
				  const struct netdevs *netdevs, char text[STATEMENT_MAX])
{
	const struct gateway_list *list = failover_find(state, value);
	struct wgvia_failover hops = {.count = 1, .hops = {hop_of(value)}};
	char watch[WATCH_TEXT_LEN];
	size_t len = 0;

	if (list)
		hops = list->content;
	for (uint32_t i = 0; i < hops.count; i++) {
		len += snprintf(text + len, STATEMENT_MAX - len, i ? " or " : "via ");
		len += print_hop(text + len, STATEMENT_MAX - len, &hops.hops[i], netdevs);
	}
	if (hops.watch.kind)
		snprintf(text + len, STATEMENT_MAX - len, " health %s", watch_text(&hops.watch, watch));
	return text;
}

const char *statement_of_gateway(const struct state *state, const struct gateway_entry *entry,
				 const struct netdevs *netdevs, char text[STATEMENT_MAX])
{
	char from[PREFIX_TEXT_LEN], gateways[STATEMENT_MAX];

	snprintf(text, STATEMENT_MAX, "from %s %.*s", prefix_text(&entry->from, from),
		 STATEMENT_MAX - PREFIX_TEXT_LEN - 8, statement_of_gateways(state, &entry->value, netdevs, gateways));
	return text;
}

size_t statement_of_sources(const struct state *state, const struct netdevs *netdevs,
			    char lines[SOURCES_MAX][STATEMENT_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < state->source_count; i++) {
		const struct source_entry *entry = &state->sources[i];
		const struct netdev *dev = netdev_by_index(netdevs, entry->value.ifindex);
		char gateways[STATEMENT_MAX];
		int len;

		len = snprintf(lines[count], STATEMENT_MAX, "from %s", source_words[entry->source]);
		if (entry->value.family)
			snprintf(lines[count] + len, STATEMENT_MAX - len, " %.*s", STATEMENT_MAX - 32,
				 statement_of_gateways(state, &entry->value, netdevs, gateways));
		else if (dev)
			snprintf(lines[count] + len, STATEMENT_MAX - len, " dev %s", dev->name);
		count += !count || strcmp(lines[count - 1], lines[count]) != 0;
	}
	return count;
}

const char *statement_of_bypass(const struct bypass_entry *entry, char text[STATEMENT_MAX])
{
	char to[PREFIX_TEXT_LEN];

	snprintf(text, STATEMENT_MAX, "bypass %s", prefix_text(&entry->to, to));
	return text;
}

const char *statement_of_mode(const struct state *state, char text[STATEMENT_MAX])
{
	snprintf(text, STATEMENT_MAX, "mode %s", mode_words[state->mode]);
	return text;
}

const char *statement_of_on_fail(const struct state *state, char text[STATEMENT_MAX])
{
	snprintf(text, STATEMENT_MAX, "on-fail %s", on_fail_words[state->on_fail]);
	return text;
}

const char *statement_of_outside(const struct state *state, char text[STATEMENT_MAX])
{
	snprintf(text, STATEMENT_MAX, "outside %s", outside_words[state->outside]);
	return text;
}

const char *statement_of_mss(const struct state *state, char text[STATEMENT_MAX])
{
	if (state->mss <= WGVIA_MSS_AUTO)
		snprintf(text, STATEMENT_MAX, "mss %s", state->mss == WGVIA_MSS_AUTO ? "auto" : "off");
	else
		snprintf(text, STATEMENT_MAX, "mss %u", state->mss);
	return text;
}

const char *statement_of_counting(const struct state *state, char text[STATEMENT_MAX])
{
	snprintf(text, STATEMENT_MAX, "counters %s", counting_words[state->counting]);
	return text;
}

const char *statement_of_return(const struct state *state, const struct netdevs *netdevs, char text[STATEMENT_MAX])
{
	const struct also *also = &state->also;
	char mac[MAC_TEXT_LEN];
	size_t len = snprintf(text, STATEMENT_MAX, "return %s", return_words[state->ret]);

	for (uint32_t i = 0; i < also->hops.count; i++) {
		len += snprintf(text + len, STATEMENT_MAX - len, " also ");
		len += print_hop(text + len, STATEMENT_MAX - len, &also->hops.hops[i], netdevs);
	}
	for (size_t i = 0; i < also->mac_count; i++)
		len += snprintf(text + len, STATEMENT_MAX - len, " also %s", mac_text(also->macs[i], mac));
	return text;
}

const char *statement_of_accept(const struct acceptance *acceptance, char text[STATEMENT_MAX])
{
	snprintf(text, STATEMENT_MAX, "accept %s reason %s", acceptance->finding.name, acceptance->why.reason);
	return text;
}

bool statement_has_bypass(const struct bypass_entry *entry)
{
	return bypass_is_admin(&entry->value) || !bypass_is_known(&entry->value);
}
