// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single conditions of rules in the format of iptables-save. What is not understood is unread.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "check/ruleset.h"
#include "check/ruleset_iptables.h"

char *iptables_word(char **line)
{
	char *begin = *line + strspn(*line, " \n"), *end;

	if (!*begin)
		return NULL;
	if (*begin == '"') {
		begin++;
		for (end = begin; *end && *end != '"'; end++)
			if (*end == '\\' && end[1])
				end++;
	} else {
		end = begin + strcspn(begin, " \n");
	}
	*line = *end ? end + 1 : end;
	*end = '\0';
	return begin;
}

/* The words of one condition. */
struct option {
	const struct traffic *traffic;
	const char *family;
	char *value, *second; /* the second one of --tcp-flags */
};

/* "A,B": one of these */
static struct condition any_of(char *list, struct condition (*condition_of)(const char *word))
{
	struct condition any = condition_never();
	char *rest = list;

	for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ","))
		any = condition_any(any, condition_of(word));
	any.scope = SCOPE_ALL;
	return any;
}

static struct condition in_device(const struct option *option)
{
	return condition_device(option->traffic, SCOPE_FROM,
				traffic_device(option->traffic, DEVICE_NAME, option->value));
}

static struct condition out_device(const struct option *option)
{
	return condition_device(option->traffic, SCOPE_TO, traffic_device(option->traffic, DEVICE_NAME, option->value));
}

static struct condition source(const struct option *option)
{
	return condition_address(option->traffic, SCOPE_FROM, option->family,
				 traffic_prefix(option->traffic, option->value));
}

static struct condition destination(const struct option *option)
{
	return condition_address(option->traffic, SCOPE_TO, option->family,
				 traffic_prefix(option->traffic, option->value));
}

/* "0x7" or "0x7/0xff", as iptables prints groups; names are in /etc/iproute2/group. */
static struct sides sides_of_group(const struct option *option)
{
	char *end;
	uint32_t group = strtoul(option->value, &end, 0), mask = UINT32_MAX;

	if (*end == '/')
		mask = strtoul(end + 1, &end, 0);
	return *end ? traffic_device(option->traffic, DEVICE_GROUP, option->value)
		    : traffic_group(option->traffic, group, mask);
}

static struct condition in_group(const struct option *option)
{
	return condition_device(option->traffic, SCOPE_FROM, sides_of_group(option));
}

static struct condition out_group(const struct option *option)
{
	return condition_device(option->traffic, SCOPE_TO, sides_of_group(option));
}

static struct condition protocol(const struct option *option)
{
	return condition_protocol(option->value);
}

static struct condition state(const struct option *option)
{
	return any_of(option->value, condition_state);
}

static struct condition status(const struct option *option)
{
	return any_of(option->value, condition_status);
}

static struct condition direction(const struct option *option)
{
	return condition_direction(option->value);
}

/* Local destinations are exempt. */
static struct condition condition_type(const char *word)
{
	static const char *const exempt[] = {"LOCAL", "BROADCAST", "ANYCAST", "MULTICAST"};

	for (size_t i = 0; i < ARRAY_SIZE(exempt); i++)
		if (!strcmp(word, exempt[i]))
			return condition_never();
	return strcmp(word, "UNICAST") ? condition_unread() : condition_always();
}

static struct condition address_type(const struct option *option)
{
	struct condition any = condition_never();
	char *rest = option->value;

	for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ","))
		any = condition_any(any, condition_type(word));
	return any;
}

static unsigned int flags_of(char *list)
{
	unsigned int flags = 0;

	for (char *word = strsep(&list, ","); word; word = strsep(&list, ","))
		flags |= tcp_flag(word);
	return flags;
}

static struct condition flags(const struct option *option)
{
	unsigned int mask = flags_of(option->value);

	return option->second ? condition_flags(mask, flags_of(option->second)) : condition_unread();
}

/* "PORT" or "LOW:HIGH" */
static struct condition port(const struct option *option)
{
	char *end;
	unsigned int low = strtoul(option->value, &end, 10);

	return *end == ':' ? condition_ports(low, strtoul(end + 1, NULL, 10)) : condition_some();
}

static struct condition some(const struct option *option)
{
	(void)option;
	return condition_some();
}

static struct condition always(const struct option *option)
{
	(void)option;
	return condition_always();
}

/* Routed packets are not bridged, and without another condition not fragments. */
static struct condition other_traffic(const struct option *option)
{
	(void)option;
	return condition_other_traffic();
}

static const struct option_words {
	const char *word;
	unsigned int values;
	struct condition (*condition)(const struct option *option);
} options[] = {
	{"-i", 1, in_device},
	{"-o", 1, out_device},
	{"-s", 1, source},
	{"-d", 1, destination},
	{"-p", 1, protocol},
	{"-f", 0, other_traffic},
	{"--src-group", 1, in_group},
	{"--dst-group", 1, out_group},
	{"--dst-type", 1, address_type},
	{"--src-type", 1, address_type},
	{"--ctstate", 1, state},
	{"--state", 1, state},
	{"--ctstatus", 1, status},
	{"--ctdir", 1, direction},
	{"--tcp-flags", 2, flags},
	{"--sport", 1, port},
	{"--dport", 1, port},
	{"--sports", 1, some},
	{"--dports", 1, some},
	{"--ports", 1, some},
	{"--dscp", 1, some},
	{"--comment", 1, always},
	{"--physdev-is-bridged", 0, other_traffic},
};

/* Modules whose options are all listed above, or concern protocols that `-p` already excludes. */
static const char *const modules[] = {"tcp",	 "udp",	 "icmp",     "icmp6",	 "sctp",      "conntrack", "state",
				      "comment", "dscp", "addrtype", "devgroup", "multiport", "physdev"};

/* A module without options may mean anything. */
static bool is_module_unread(const char *module)
{
	for (size_t i = 0; module && i < ARRAY_SIZE(modules); i++)
		if (!strcmp(module, modules[i]))
			return false;
	return true;
}

static const struct option_words *find_option(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (!strcmp(word, options[i].word))
			return &options[i];
	return NULL;
}

static void read_option(const struct traffic *traffic, const char *family, const struct option_words *words,
			char **line, bool negated, struct iptables_rule *rule)
{
	struct option option = {traffic, family, words->values > 0 ? iptables_word(line) : NULL,
				words->values > 1 ? iptables_word(line) : NULL};
	struct condition condition;

	if (words->values && !option.value)
		return;
	if (option.value && words->condition == state && !negated && !strcmp(option.value, "INVALID"))
		rule->flags |= RULE_INVALID;
	condition = words->condition(&option);
	rule->condition = condition_both(rule->condition, negated ? condition_not(condition) : condition);
}

/* "[!] -s PREFIX ... -j TARGET ..."; conditions precede the target. */
void iptables_read_rule(const struct traffic *traffic, const char *family, char *line, struct iptables_rule *rule)
{
	bool negated = false, is_unread = false;
	char *word;

	while ((word = iptables_word(&line)) && !rule->target) {
		const struct option_words *words = find_option(word);

		if (!strcmp(word, "-j") || !strcmp(word, "-g")) {
			rule->is_goto = word[1] == 'g';
			rule->target = iptables_word(&line);
		} else if (!strcmp(word, "-m")) {
			is_unread |= is_module_unread(iptables_word(&line));
		} else if (words) {
			read_option(traffic, family, words, &line, negated, rule);
		} else {
			is_unread |= *word == '-';
		}
		negated = !strcmp(word, "!");
	}
	if (is_unread)
		rule->condition = condition_both(rule->condition, condition_unread());
}
