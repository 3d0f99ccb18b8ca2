// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values to words.
 */
#include "statement.h"

#include <stdio.h>
#include <sys/socket.h>

#include "words.h"

const char *statement_of_gateway(const struct gateway_entry *entry, const struct links *links, char text[STATEMENT_MAX])
{
	const struct link *dev = link_by_index(links, entry->value.ifindex);
	bool is_ip = entry->value.family == AF_INET || entry->value.family == AF_INET6;
	char from[PREFIX_TEXT_LEN], via[IP_TEXT_LEN], number[24];
	struct ip ip = gateway_ip(&entry->value);

	snprintf(number, sizeof(number), "ifindex:%u", entry->value.ifindex); /* no device's name has a colon */
	snprintf(text, STATEMENT_MAX, "from %s via %s dev %s", prefix_text(&entry->from, from),
		 is_ip ? ip_text(&ip, via) : "?", dev ? dev->name : number);
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

bool statement_has_bypass(const struct bypass_entry *entry)
{
	return (entry->value.flags & WGVIA_BYPASS_ADMIN) || entry->value.verdict == WGVIA_BYPASS ||
	       !bypass_is_known(&entry->value);
}
