// SPDX-License-Identifier: GPL-2.0-only
/*
 * iproute2's syntax (ip.c, iproute.c, iprule.c, lib/utils.c of iproute2 6.1).
 */
#include "import/iproute.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/abi_words.h"
#include "base/error.h"
#include "base/util.h"
#include "config/parse.h"

struct words {
	char *const *word;
	char *const *end;
};

/* iproute2's matches(): accepts any prefix of the word. */
static bool matches(const char *word, const char *full)
{
	return *word && !strncmp(word, full, strlen(word));
}

/* The index of the first entry that begins with the word; -1: none. */
static int find_match(const char *const *table, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (matches(word, table[i]))
			return (int)i;
	return -1;
}

bool iproute_table(const char *word, char table[IPROUTE_TABLE])
{
	char *end;
	unsigned long number = strtoul(word, &end, 0);

	if (strlen(word) >= IPROUTE_TABLE || !*word)
		return false;
	if (!isdigit((unsigned char)*word) || *end)
		strcpy(table, word);
	else if (number == 253)
		strcpy(table, "default");
	else if (number == 254)
		strcpy(table, "main");
	else if (number == 255)
		strcpy(table, "local");
	else
		snprintf(table, IPROUTE_TABLE, "%lu", number);
	return true;
}

bool iproute_table_is_kernels(const char *table)
{
	return !*table || !strcmp(table, "main") || !strcmp(table, "local") || !strcmp(table, "default");
}

/* get_addr_ipv4(): missing octets at the end are 0. */
static bool read_ipv4(const char *text, struct ip *ip)
{
	*ip = (struct ip){.family = AF_INET};
	for (int i = 0; i < 4; i++) {
		unsigned int octet = 0;

		if (!isdigit((unsigned char)*text))
			return false;
		while (isdigit((unsigned char)*text) && octet <= 255)
			octet = octet * 10 + *text++ - '0';
		if (octet > 255)
			return false;
		ip->addr[i] = octet;
		if (!*text)
			return true;
		if (*text++ != '.')
			return false;
	}
	return false;
}

/* An address of the family; 0 means either family. */
static bool read_ip(const char *text, uint8_t family, struct ip *ip)
{
	*ip = (struct ip){.family = AF_INET6};
	if (strchr(text, ':'))
		return family != AF_INET && inet_pton(AF_INET6, text, ip->addr) == 1;
	return family != AF_INET6 && read_ipv4(text, ip);
}

/* get_netmask(): a length or, for IPv4, a dotted mask. */
static bool read_len(const char *text, uint8_t family, uint8_t *len)
{
	struct ip mask;
	char *end;
	unsigned long number = strtoul(text, &end, 0);

	if (isdigit((unsigned char)*text) && !*end && number <= ip_bits(family)) {
		*len = number;
		return true;
	}
	if (family != AF_INET || !strchr(text, '.') || !read_ipv4(text, &mask))
		return false;
	for (*len = 0; *len <= 32; ++*len) {
		struct ip ones = {AF_INET, {255, 255, 255, 255}};

		ones = ip_mask(ones, *len);
		if (ip_equal(&ones, &mask))
			return true;
	}
	return false;
}

bool iproute_prefix(const char *text, uint8_t family, struct prefix *prefix)
{
	const char *slash = strchr(text, '/');
	char address[IP_TEXT_LEN];
	struct ip ip;

	*prefix = (struct prefix){};
	if (!strcmp(text, "default") || !strcmp(text, "any") || !strcmp(text, "all")) {
		prefix->ip.family = family;
		return true;
	}
	if ((slash ? (size_t)(slash - text) : strlen(text)) >= sizeof(address))
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)(slash ? slash - text : (long)strlen(text)), text);
	if (!read_ip(address, family, &ip))
		return false;
	prefix->len = ip_bits(ip.family);
	if (slash && !read_len(slash + 1, ip.family, &prefix->len))
		return false;
	prefix->ip = ip_mask(ip, prefix->len);
	return true;
}

static bool has_value(const struct words *words)
{
	return words->word + 1 < words->end;
}

/* The first address determines the family, unless an option did. */
static void learn_family(struct iproute *command, uint8_t family)
{
	if (!command->family)
		command->family = family;
}

static void take_table(struct words *words, struct iproute *command)
{
	if (!has_value(words) || !iproute_table(*++words->word, command->table))
		command->not_clear = *words->word;
}

static void take_preference(struct words *words, struct iproute *command)
{
	unsigned long number;
	char *end;

	if (!has_value(words)) {
		command->not_clear = *words->word;
		return;
	}
	number = strtoul(*++words->word, &end, 0);
	if (*end || !isdigit((unsigned char)**words->word) || number > UINT32_MAX)
		command->not_clear = *words->word;
	else
		command->preference = number;
}

static void take_prefix(struct words *words, struct iproute *command, struct prefix *prefix)
{
	if (!iproute_prefix(*words->word, command->family, prefix))
		command->not_clear = *words->word;
	else
		learn_family(command, prefix->ip.family);
}

/* via [inet|inet6] ADDRESS */
static void take_via(struct words *words, struct iproute *command)
{
	uint8_t family = command->family;

	if (has_value(words) && (!strcmp(words->word[1], "inet") || !strcmp(words->word[1], "inet6")))
		family = strcmp(*++words->word, "inet") ? AF_INET6 : AF_INET;
	else if (has_value(words))
		learn_family(command, strchr(words->word[1], ':') ? AF_INET6 : AF_INET);
	if (!has_value(words) || !read_ip(*++words->word, family, &command->via))
		command->not_clear = *words->word;
}

static void take_dev(struct words *words, struct iproute *command)
{
	struct error error;

	if (!has_value(words) || parse_ifname(*++words->word, command->dev, &error))
		command->not_clear = *words->word;
}

static void skip_value(struct words *words, struct iproute *command)
{
	if (has_value(words))
		words->word++;
	else
		command->not_clear = *words->word;
}

/* Route options that do not affect the path. */
static bool is_harmless_route_option(const char *word)
{
	static const char *const options[] = {"src", "scope", "pref", "proto"};

	return word_find(options, ARRAY_SIZE(options), word) >= 0 || matches(word, "protocol");
}

/* Options with a value that have no equivalent in wgvia. */
static bool is_route_option(const char *word)
{
	static const char *const options[] = {"advmss",	  "congctl",  "expires",  "features", "from",
					      "hoplimit", "initcwnd", "initrwnd", "mtu",      "nhid",
					      "quickack", "realm",    "realms",	  "rto_min",  "rtt",
					      "rttvar",	  "tos",      "vrf",	  "window"};

	return word_find(options, ARRAY_SIZE(options), word) >= 0 || matches(word, "dsfield");
}

static void take_route_word(struct words *words, struct iproute *command)
{
	static const char *const types[] = {"local",	   "nat",      "broadcast", "brd",   "anycast", "multicast",
					    "unreachable", "prohibit", "blackhole", "throw", "xresolve"};
	const char *word = *words->word;

	if (!strcmp(word, "via")) {
		take_via(words, command);
	} else if (!strcmp(word, "dev") || !strcmp(word, "oif")) {
		take_dev(words, command);
	} else if (!strcmp(word, "onlink") || !strcmp(word, "unicast")) {
		return;
	} else if (is_harmless_route_option(word)) {
		skip_value(words, command);
	} else if (is_route_option(word)) {
		command->extra = word;
		if (!strcmp(word, "mtu") && has_value(words) && !strcmp(words->word[1], "lock"))
			words->word++;
		skip_value(words, command);
	} else if (!strcmp(word, "to") && has_value(words)) {
		words->word++;
		take_prefix(words, command, &command->prefix);
	} else if (word_find(types, ARRAY_SIZE(types), word) >= 0) {
		command->type = word;
	} else if (matches(word, "metric") || matches(word, "priority") || !strcmp(word, "preference")) {
		take_preference(words, command);
	} else if (matches(word, "table")) {
		take_table(words, command);
	} else if (!strcmp(word, "nexthop") || !strcmp(word, "encap")) {
		command->extra = word;
		words->word = words->end - 1; /* it includes all remaining words */
	} else {
		take_prefix(words, command, &command->prefix);
	}
}

/* Selectors and actions with a value that have no equivalent in wgvia. */
static bool is_rule_option(const char *word)
{
	static const char *const options[] = {"iif",
					      "dev",
					      "oif",
					      "fwmark",
					      "tos",
					      "realms",
					      "sup_pl",
					      "sup_group",
					      "goto",
					      "nat",
					      "map-to",
					      "uidrange",
					      "ipproto",
					      "sport",
					      "dport",
					      "tun_id",
					      "type",
					      "suppress_prefixlength",
					      "suppress_ifgroup"};

	return word_find(options, ARRAY_SIZE(options), word) >= 0 || matches(word, "dsfield");
}

static void take_rule_word(struct words *words, struct iproute *command)
{
	static const char *const alone[] = {"not", "l3mdev", "unreachable", "prohibit", "blackhole", "nop"};
	const char *word = *words->word;
	bool from = !strcmp(word, "from"), to = !strcmp(word, "to");

	if (word_find(alone, ARRAY_SIZE(alone), word) >= 0) {
		command->extra = word;
	} else if ((from || to) && has_value(words)) {
		words->word++;
		take_prefix(words, command, from ? &command->prefix : &command->to);
	} else if (is_rule_option(word)) {
		command->extra = word;
		skip_value(words, command);
	} else if (matches(word, "preference") || matches(word, "order") || matches(word, "priority")) {
		take_preference(words, command);
	} else if (matches(word, "table") || !strcmp(word, "lookup")) {
		take_table(words, command);
	} else if (matches(word, "protocol")) {
		skip_value(words, command);
	} else {
		command->not_clear = word;
	}
}

/* In the order of do_iproute() and do_iprule(). */
static bool take_action(const char *word, struct iproute *command)
{
	static const struct {
		const char *word;
		enum iproute_action action;
	} route[] = {{"add", IPROUTE_ADD},     {"change", IPROUTE_ADD},	   {"chg", IPROUTE_ADD},
		     {"replace", IPROUTE_ADD}, {"prepend", IPROUTE_ADD},   {"append", IPROUTE_ADD},
		     {"test", IPROUTE_LOOK},   {"delete", IPROUTE_DELETE}, {"list", IPROUTE_LOOK},
		     {"show", IPROUTE_LOOK},   {"lst", IPROUTE_LOOK},	   {"get", IPROUTE_LOOK},
		     {"flush", IPROUTE_FLUSH}, {"save", IPROUTE_LOOK},	   {"restore", IPROUTE_LOOK}},
	  rule[] = {{"list", IPROUTE_LOOK},	{"lst", IPROUTE_LOOK},	   {"show", IPROUTE_LOOK},
		    {"save", IPROUTE_LOOK},	{"restore", IPROUTE_LOOK}, {"add", IPROUTE_ADD},
		    {"delete", IPROUTE_DELETE}, {"flush", IPROUTE_FLUSH}};
	bool is_rule = command->object == IPROUTE_RULE;

	for (size_t i = 0; i < (is_rule ? ARRAY_SIZE(rule) : ARRAY_SIZE(route)); i++)
		if (matches(word, is_rule ? rule[i].word : route[i].word)) {
			command->action = is_rule ? rule[i].action : route[i].action;
			return true;
		}
	return false;
}

/* ip [-4|-6|-family NAME]...; false: an option with another purpose (-batch, -netns), or an unknown one */
static bool take_options(struct words *words, struct iproute *command)
{
	static const char *const without_value[] = {"-statistics", "-details", "-oneline", "-json", "-force"};

	while (++words->word < words->end && **words->word == '-') {
		const char *option = *words->word;

		if (option[1] == '-')
			option++;
		if (!strcmp(option, "-4")) {
			command->family = AF_INET;
		} else if (!strcmp(option, "-6")) {
			command->family = AF_INET6;
		} else if (matches(option, "-family") && option[1] && has_value(words)) {
			words->word++;
			if (strcmp(*words->word, "inet") != 0 && strcmp(*words->word, "inet6") != 0)
				return false;
			command->family = strcmp(*words->word, "inet") ? AF_INET6 : AF_INET;
		} else if (!option[1] || find_match(without_value, ARRAY_SIZE(without_value), option) < 0) {
			return false;
		}
	}
	return words->word < words->end;
}

static bool take_object(const char *word, struct iproute *command)
{
	/* from ip.c, in its order, for words with a common beginning */
	static const char *const objects[] = {"address", "addrlabel", "maddress", "route", "rule"};
	int object = find_match(objects, ARRAY_SIZE(objects), word);

	command->object = object == 3 ? IPROUTE_ROUTE : object == 4 ? IPROUTE_RULE : IPROUTE_OTHER;
	return command->object != IPROUTE_OTHER;
}

static bool is_ip(const char *word)
{
	const char *slash = strrchr(word, '/');

	return !strcmp(slash ? slash + 1 : word, "ip");
}

/* After an unclear word: finds at least the table. */
static void find_table(struct words *words, struct iproute *command)
{
	for (; words->word < words->end; words->word++)
		if ((matches(*words->word, "table") && (*words->word)[1]) || !strcmp(*words->word, "lookup"))
			if (has_value(words) && iproute_table(words->word[1], command->table))
				return;
}

struct iproute iproute_read(char *const *list, size_t count)
{
	struct words words = {list, list + count};
	struct iproute command = {};

	if (!count || !is_ip(*list) || !take_options(&words, &command) || !take_object(*words.word, &command))
		return (struct iproute){};
	if (++words.word == words.end)
		return command; /* they are listed */
	if (!take_action(*words.word, &command))
		command.not_clear = *words.word;
	while (!command.not_clear && ++words.word < words.end) {
		if (command.object == IPROUTE_RULE)
			take_rule_word(&words, &command);
		else
			take_route_word(&words, &command);
	}
	if (command.not_clear)
		find_table(&words, &command);
	learn_family(&command, AF_INET);
	if (command.prefix.len == 0 && command.action == IPROUTE_ADD && command.object == IPROUTE_ROUTE)
		command.prefix.ip.family = command.family; /* "default" came before the family was known */
	if ((command.prefix.ip.family && command.prefix.ip.family != command.family) ||
	    (command.to.ip.family && command.to.ip.family != command.family))
		command.not_clear = command.not_clear ? command.not_clear : list[count - 1];
	return command;
}
