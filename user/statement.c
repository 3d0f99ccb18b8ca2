// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values to words.
 */
#include "statement.h"

#include <stdio.h>
#include <sys/socket.h>

#include "lists.h"
#include "words.h"

static int print_hop(char *text, size_t size, const struct wgvia_hop *hop, const struct links *links)
{
	const struct link *dev = link_by_index(links, hop->ifindex);
	bool is_ip = hop->family == AF_INET || hop->family == AF_INET6;
	struct wgvia_gateway value = hop_value(hop, 0);
	char via[IP_TEXT_LEN], number[24];
	struct ip ip = gateway_ip(&value);

	snprintf(number, sizeof(number), "ifindex:%u", hop->ifindex); /* no device's name has a colon */
	return snprintf(text, size, "%s dev %s", is_ip ? ip_text(&ip, via) : "?", dev ? dev->name : number);
}

const char *statement_of_gateways(const struct state *state, const struct wgvia_gateway *value,
				  const struct links *links, char text[STATEMENT_MAX])
{
	const struct gateway_list *list = lists_find(state, value);
	struct wgvia_failover hops = {1, {hop_of(value)}};
	size_t len = 0;

	if (list)
		hops = list->content;
	for (uint32_t i = 0; i < hops.count; i++) {
		len += snprintf(text + len, STATEMENT_MAX - len, i ? " or " : "via ");
		len += print_hop(text + len, STATEMENT_MAX - len, &hops.hops[i], links);
	}
	return text;
}

const char *statement_of_gateway(const struct state *state, const struct gateway_entry *entry,
				 const struct links *links, char text[STATEMENT_MAX])
{
	char from[PREFIX_TEXT_LEN], gateways[STATEMENT_MAX];

	snprintf(text, STATEMENT_MAX, "from %s %.*s", prefix_text(&entry->from, from),
		 STATEMENT_MAX - PREFIX_TEXT_LEN - 8, statement_of_gateways(state, &entry->value, links, gateways));
	return text;
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

const char *statement_of_return(const struct state *state, const struct links *links, char text[STATEMENT_MAX])
{
	const struct also *also = &state->also;
	size_t len = snprintf(text, STATEMENT_MAX, "return %s", return_words[state->ret]);

	for (uint32_t i = 0; i < also->hops.count; i++) {
		len += snprintf(text + len, STATEMENT_MAX - len, " also ");
		len += print_hop(text + len, STATEMENT_MAX - len, &also->hops.hops[i], links);
	}
	for (size_t i = 0; i < also->mac_count; i++) {
		const uint8_t *mac = also->macs[i];

		len += snprintf(text + len, STATEMENT_MAX - len, " also %02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
				mac[2], mac[3], mac[4], mac[5]);
	}
	return text;
}

bool statement_has_bypass(const struct bypass_entry *entry)
{
	return bypass_is_admin(&entry->value) || !bypass_is_known(&entry->value);
}
