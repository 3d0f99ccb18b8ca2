// SPDX-License-Identifier: GPL-2.0-only
/*
 * From words to values. A message says what is allowed and shows the offending word.
 */
#include "parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "util.h"
#include "words.h"

void route_words_free(struct route_words *route)
{
	free(route->others);
	*route = (struct route_words){};
}

void request_free(struct request *request)
{
	for (size_t i = 0; i < request->route_count; i++)
		route_words_free(&request->routes[i]);
	free(request->routes);
	free(request->bypass);
	free(request->also);
	*request = (struct request){};
}

int parse_ip(const char *text, struct ip *ip, struct error *error)
{
	struct ip result = {};

	if (inet_pton(AF_INET, text, result.addr) == 1) {
		result.family = AF_INET;
	} else if (inet_pton(AF_INET6, text, result.addr) == 1) {
		result.family = AF_INET6;
		if (!memcmp(result.addr, (uint8_t[12]){[10] = 0xff, [11] = 0xff}, 12))
			return error_usage(error, "'%s' is an IPv4-mapped address, which no packet carries", text);
	} else if (strchr(text, '/')) {
		return error_usage(error, "'%s' is no address: a prefix length does not belong here", text);
	} else {
		return error_usage(error, "'%s' is no IPv4 or IPv6 address", text);
	}
	*ip = result;
	return 0;
}

/* A decimal number of at most three digits, no leading zero, nothing around it; -1 otherwise. */
static int parse_len(const char *text)
{
	int len = 0;

	if (!*text || strlen(text) > 3 || (text[0] == '0' && text[1]))
		return -1;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return -1;
		len = len * 10 + *text - '0';
	}
	return len;
}

int parse_prefix(const char *text, struct prefix *prefix, struct error *error)
{
	char address[IP_TEXT_LEN], right[PREFIX_TEXT_LEN];
	const char *slash = strchr(text, '/');
	size_t address_len = slash ? (size_t)(slash - text) : strlen(text);
	struct prefix result = {};
	struct ip ip = {};
	int len;

	if (address_len >= sizeof(address))
		return error_usage(error, "'%s' is no prefix: ADDRESS/LENGTH is needed", text);
	memcpy(address, text, address_len);
	address[address_len] = '\0';
	if (parse_ip(address, &ip, error)) {
		bool mapped = strstr(error->text, "mapped");

		return error_usage(error,
				   mapped ? "'%s' is an IPv4-mapped prefix, which no packet is from"
					  : "'%s' is no prefix: ADDRESS/LENGTH is needed",
				   text);
	}
	len = slash ? parse_len(slash + 1) : (int)ip_bits(ip.family);
	if (len < 0 || len > (int)ip_bits(ip.family))
		return error_usage(error, "'%s' has no valid length: 0 to %u is needed for IPv%d", text,
				   ip_bits(ip.family), ip.family == AF_INET ? 4 : 6);
	result = (struct prefix){ip_mask(ip, len), len};
	if (!ip_equal(&result.ip, &ip))
		return error_usage(error, "'%s' has host bits set: '%s' is the prefix", text,
				   prefix_text(&result, right));
	*prefix = result;
	return 0;
}

int parse_ifname(const char *text, char name[IFNAMSIZ], struct error *error)
{
	size_t len = strlen(text);

	if (len >= IFNAMSIZ)
		return error_usage(error, "'%s' is no interface name: %d characters at most", text, IFNAMSIZ - 1);
	if (!len || !strcmp(text, ".") || !strcmp(text, ".."))
		return error_usage(error, "'%s' is no interface name", text);
	for (const char *c = text; *c; c++)
		if (*c == '/' || *c == ':' || isspace((unsigned char)*c))
			return error_usage(error, "'%s' is no interface name: no '/', ':' or white space", text);
	strncpy(name, text, IFNAMSIZ); /* fills it up with zeros */
	return 0;
}

int parse_mode(const char *text, enum wgvia_mode *mode, struct error *error)
{
	int value = word_find(mode_words, WORDS_MODE, text);

	if (value < 0)
		return error_usage(error, "'%s' is no mode: fast or stack", text);
	*mode = value;
	return 0;
}

int parse_on_fail(const char *text, enum wgvia_on_fail *on_fail, struct error *error)
{
	int value = word_find(on_fail_words, WORDS_ON_FAIL, text);

	if (value < 0)
		return error_usage(error, "'%s' is no action for on-fail: drop or pass", text);
	*on_fail = value;
	return 0;
}

int parse_return(const char *text, enum wgvia_return *ret, struct error *error)
{
	int value = word_find(return_words, WORDS_RETURN, text);

	if (value < 0)
		return error_usage(error, "'%s' is not an action for return: via, any or drop", text);
	*ret = value;
	return 0;
}

/* Six bytes in hexadecimal, each of two digits, with ':' between them. */
static bool parse_mac(const char *text, uint8_t mac[6])
{
	int end = 0;

	return strlen(text) == 17 &&
	       sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
		      &mac[5], &end) == 6 &&
	       end == 17 && strspn(text, "0123456789abcdefABCDEF:") == 17;
}

/* The words that are left. */
struct cursor {
	char **word;
	char **end;
};

static bool next_is(const struct cursor *cursor, const char *keyword)
{
	return cursor->word < cursor->end && !strcmp(*cursor->word, keyword);
}

/* The word behind the keyword at the cursor, which moves behind both; NULL: there is none, and the error is set. */
static const char *take_value(struct cursor *cursor, struct error *error)
{
	const char *keyword = *cursor->word++;

	if (cursor->word == cursor->end) {
		error_usage(error, "'%s' needs a value", keyword);
		return NULL;
	}
	return *cursor->word++;
}

static int take_tunnel(struct cursor *cursor, char tunnel[IFNAMSIZ], struct error *error)
{
	if (cursor->word == cursor->end)
		return error_usage(error, "which interface? IFACE is missing");
	return parse_ifname(*cursor->word++, tunnel, error);
}

/* A source that no packet from a tunnel may have (RFC 4291, 2.7; RFC 1122, 3.2.1.3). */
static int check_source(const struct prefix *prefix, const char *text, struct error *error)
{
	if (!prefix->len) /* everything: what is not to be forwarded is left to the kernel anyway */
		return 0;
	if (ip_is_multicast(&prefix->ip))
		return error_usage(error, "'%s' is multicast, which is no source", text);
	if (ip_is_link_local(&prefix->ip))
		return error_usage(error, "'%s' is link-local, which no router forwards", text);
	if (ip_is_loopback(&prefix->ip))
		return error_usage(error, "'%s' is loopback, which no router forwards", text);
	return 0;
}

static int check_gateway(const struct prefix *prefix, const struct hop_words *hop, const char *tunnel,
			 struct error *error)
{
	char via[IP_TEXT_LEN], from[PREFIX_TEXT_LEN];

	ip_text(&hop->via, via);
	prefix_text(prefix, from);
	if (!strcmp(hop->dev, tunnel))
		return error_usage(error, "dev '%s' is the tunnel itself: the firewall's device is needed", tunnel);
	if (!hop->via.family)
		return 0;
	if (prefix->ip.family == AF_INET6 && hop->via.family == AF_INET)
		return error_usage(error, "IPv6 prefix '%s' cannot go via IPv4 gateway '%s'", from, via);
	if (ip_is_multicast(&hop->via) || (hop->via.family == AF_INET && hop->via.addr[0] >= 240))
		return error_usage(error, "via '%s' is multicast or broadcast, which is no gateway", via);
	if (ip_is_unspecified(&hop->via) || ip_is_loopback(&hop->via) ||
	    (hop->via.family == AF_INET && !hop->via.addr[0]))
		return error_usage(error, "via '%s' is no address of a gateway", via);
	if (hop->via.family == AF_INET6 && ip_is_link_local(&hop->via) && !hop->dev[0])
		return error_usage(error, "via '%s' is link-local: its device is needed, 'dev DEV'", via);
	return 0;
}

static struct hop_words first_hop(const struct route_words *route)
{
	struct hop_words hop = {.via = route->via};

	memcpy(hop.dev, route->dev, sizeof(hop.dev));
	return hop;
}

/* Devices left out are not known yet: resolve.c finds what is the same then. */
static bool is_same_hop(const struct hop_words *a, const struct hop_words *b)
{
	return ip_equal(&a->via, &b->via) && !strcmp(a->dev, b->dev);
}

/* Adds a gateway of less preference than those that the route has. */
static int add_hop(struct route_words *route, const struct hop_words *hop, const char *tunnel, struct error *error)
{
	struct hop_words first = first_hop(route), *other;
	char via[IP_TEXT_LEN], from[PREFIX_TEXT_LEN];
	bool twice = is_same_hop(&first, hop);

	ip_text(&hop->via, via);
	prefix_text(&route->from, from);
	if (!route->via.family)
		return error_usage(error, "'%s' needs a first gateway before 'or %s': via ADDRESS", from, via);
	for (size_t i = 0; i < route->other_count; i++)
		twice |= is_same_hop(&route->others[i], hop);
	if (twice)
		return error_usage(error, "'%s' is given twice for '%s'", via, from);
	if (route->other_count == ROUTE_OTHERS)
		return error_usage(error, "too many gateways for '%s': %d at most", from, WGVIA_FAILOVER_HOPS);
	if (check_gateway(&route->from, hop, tunnel, error))
		return -EINVAL;
	other = array_grow(&route->others, &route->other_count, sizeof(*other));
	if (!other)
		return error_system(error, ENOMEM, "cannot read 'or'");
	*other = *hop;
	return 0;
}

static int take_others(struct cursor *cursor, const char *tunnel, struct route_words *route, struct error *error)
{
	while (next_is(cursor, "or")) {
		struct hop_words hop = {};
		const char *value = take_value(cursor, error);

		if (!value || parse_ip(value, &hop.via, error))
			return -EINVAL;
		if (next_is(cursor, "dev")) {
			value = take_value(cursor, error);
			if (!value || parse_ifname(value, hop.dev, error))
				return -EINVAL;
		}
		if (add_hop(route, &hop, tunnel, error))
			return -EINVAL;
	}
	return 0;
}

static int take_route(struct cursor *cursor, const char *tunnel, struct route_words *route, struct error *error)
{
	const char *value = take_value(cursor, error);
	struct hop_words first;

	*route = (struct route_words){};
	if (!value || parse_prefix(value, &route->from, error) || check_source(&route->from, value, error))
		return -EINVAL;
	for (;;) {
		if (next_is(cursor, "via") && !route->via.family) {
			value = take_value(cursor, error);
			if (!value || parse_ip(value, &route->via, error))
				return -EINVAL;
		} else if (next_is(cursor, "dev") && !route->dev[0]) {
			value = take_value(cursor, error);
			if (!value || parse_ifname(value, route->dev, error))
				return -EINVAL;
		} else {
			break;
		}
	}
	first = first_hop(route);
	if (check_gateway(&route->from, &first, tunnel, error))
		return -EINVAL;
	return take_others(cursor, tunnel, route, error);
}

/* As take_value(), of a keyword that may be there once in all. */
static const char *take_only_value(struct cursor *cursor, bool *given, struct error *error)
{
	if (*given) {
		error_usage(error, "'%s' is given twice", *cursor->word);
		return NULL;
	}
	*given = true;
	return take_value(cursor, error);
}

static int take_also(struct cursor *cursor, struct also_words *also, struct error *error)
{
	const char *value = take_value(cursor, error);

	*also = (struct also_words){};
	if (!value)
		return -EINVAL;
	also->is_mac = parse_mac(value, also->mac);
	if (also->is_mac && also->mac[0] & 1)
		return error_usage(error, "'%s' is the MAC address of a group, which sends nothing", value);
	if (also->is_mac)
		return 0;
	if (parse_ip(value, &also->hop.via, error))
		return error_usage(error, "'%s' is not a MAC address or an IP address", value);
	if (next_is(cursor, "dev")) {
		value = take_value(cursor, error);
		if (!value || parse_ifname(value, also->hop.dev, error))
			return -EINVAL;
	}
	return 0;
}

/* "via|any|drop [also ADDRESS [dev DEV]|also MAC]...", at the value of `return` */
static int take_return(struct cursor *cursor, struct request *request, struct error *error)
{
	const char *value = take_only_value(cursor, &request->ret_given, error);

	if (!value || parse_return(value, &request->ret, error))
		return -EINVAL;
	if (request->ret == WGVIA_RETURN_ANY && next_is(cursor, "also"))
		return error_usage(error, "'return any' accepts frames from everybody: 'also' goes with via or drop");
	while (next_is(cursor, "also")) {
		struct also_words *also = array_grow(&request->also, &request->also_count, sizeof(*also));

		if (!also)
			return error_system(error, ENOMEM, "cannot read 'also'");
		if (take_also(cursor, also, error))
			return -EINVAL;
	}
	return 0;
}

#define ROUTE "from PREFIX [via ADDRESS] [dev DEV] [or ADDRESS [dev DEV]]..."
#define STATEMENTS ROUTE ", bypass PREFIX, mode, on-fail, return"

static int check_end(const struct cursor *cursor, const char *allowed, struct error *error)
{
	if (cursor->word == cursor->end)
		return 0;
	return error_usage(error, "unexpected word '%s': %s", *cursor->word, allowed);
}

static int take_statement(struct cursor *cursor, struct request *request, struct error *error)
{
	const char *value;

	if (next_is(cursor, "from")) {
		struct route_words *route = array_grow(&request->routes, &request->route_count, sizeof(*route));

		return route ? take_route(cursor, request->tunnel, route, error)
			     : error_system(error, ENOMEM, "cannot read 'from'");
	}
	if (next_is(cursor, "bypass")) {
		struct prefix *prefix = array_grow(&request->bypass, &request->bypass_count, sizeof(*prefix));

		if (!prefix)
			return error_system(error, ENOMEM, "cannot read 'bypass'");
		value = take_value(cursor, error);
		return value ? parse_prefix(value, prefix, error) : -EINVAL;
	}
	if (next_is(cursor, "mode")) {
		value = take_only_value(cursor, &request->mode_given, error);
		return value ? parse_mode(value, &request->mode, error) : -EINVAL;
	}
	if (next_is(cursor, "on-fail")) {
		value = take_only_value(cursor, &request->on_fail_given, error);
		return value ? parse_on_fail(value, &request->on_fail, error) : -EINVAL;
	}
	if (next_is(cursor, "return"))
		return take_return(cursor, request, error);
	return check_end(cursor, STATEMENTS, error);
}

int parse_statement(int count, char **words, struct request *request, struct error *error)
{
	struct cursor cursor = {words, words + count};
	int ret = take_statement(&cursor, request, error);

	return ret ? ret : check_end(&cursor, "a line is one statement, " STATEMENTS, error);
}

/* Of equal prefixes, which are in one array, the first comes first. */
static int compare_pointers(const void *a, const void *b)
{
	const struct route_words *const *first = a, *const *second = b;
	int order = prefix_compare(&(*first)->from, &(*second)->from);

	return order ? order : (*first > *second) - (*first < *second);
}

int parse_find_twice(const struct request *request, size_t *first, size_t *second, struct error *error)
{
	cleanup_free const struct route_words **sorted = NULL;
	bool found = false;

	if (request->route_count < 2)
		return 0;
	sorted = calloc(request->route_count, sizeof(*sorted));
	if (!sorted)
		return error_system(error, ENOMEM, "cannot read 'from'");
	for (size_t i = 0; i < request->route_count; i++)
		sorted[i] = &request->routes[i];
	qsort(sorted, request->route_count, sizeof(*sorted), compare_pointers);
	for (size_t i = 1; i < request->route_count; i++) {
		size_t index = sorted[i] - request->routes;

		if (prefix_compare(&sorted[i - 1]->from, &sorted[i]->from) || (found && index > *second))
			continue;
		*first = sorted[i - 1] - request->routes;
		*second = index;
		found = true;
	}
	return found;
}

int parse_up(int argc, char **argv, struct request *request, struct error *error)
{
	struct cursor cursor = {argv, argv + argc};
	char text[PREFIX_TEXT_LEN];
	size_t first = 0, second = 0;
	int ret;

	*request = (struct request){};
	ret = take_tunnel(&cursor, request->tunnel, error);
	while (!ret && cursor.word < cursor.end)
		ret = take_statement(&cursor, request, error);
	ret = ret ? ret : parse_find_twice(request, &first, &second, error);
	return ret <= 0 ? ret
			: error_usage(error, "from '%s' is given twice",
				      prefix_text(&request->routes[second].from, text));
}

int parse_route(int argc, char **argv, char tunnel[IFNAMSIZ], struct route_words *route, struct error *error)
{
	struct cursor cursor = {argv, argv + argc};
	int ret = take_tunnel(&cursor, tunnel, error);

	*route = (struct route_words){};
	if (ret)
		return ret;
	if (!next_is(&cursor, "from"))
		return error_usage(error, "'from PREFIX' is needed behind '%s'", tunnel);
	ret = take_route(&cursor, tunnel, route, error);
	return ret ? ret : check_end(&cursor, ROUTE, error);
}

static int parse_number(const char *keyword, const char *text, unsigned int min, unsigned int max, unsigned int *number,
			struct error *error)
{
	unsigned long value = 0;
	const char *digit = text;

	while (isdigit((unsigned char)*digit) && value <= max)
		value = value * 10 + *digit++ - '0';
	if (!*text || *digit || value < min || value > max)
		return error_usage(error, "%s '%s' is no number from %u to %u", keyword, text, min, max);
	*number = value;
	return 0;
}

static int parse_explain_direction(const char *text, enum explain_direction *direction, struct error *error)
{
	if (!strcmp(text, "out"))
		*direction = EXPLAIN_OUT;
	else if (!strcmp(text, "in"))
		*direction = EXPLAIN_IN;
	else
		return error_usage(error, "'%s' is no direction: in or out", text);
	return 0;
}

static int take_explain_word(struct cursor *cursor, struct explain_words *words, struct error *error)
{
	const char *keyword = *cursor->word, *value;
	static const char *const keywords[] = {"from", "to", "len", "hop-limit", "dir"};
	int which = word_find(keywords, ARRAY_SIZE(keywords), keyword);

	if (which < 0)
		return check_end(cursor, "from ADDRESS, to ADDRESS, len N, hop-limit N, dir in|out", error);
	value = take_value(cursor, error);
	if (!value)
		return -EINVAL;
	switch (which) {
	case 0:
		return parse_ip(value, &words->from, error);
	case 1:
		return parse_ip(value, &words->to, error);
	case 2:
		return parse_number(keyword, value, 20, EXPLAIN_LEN_MAX, &words->len, error);
	case 3:
		return parse_number(keyword, value, 0, 255, &words->hop_limit, error);
	default:
		return parse_explain_direction(value, &words->direction, error);
	}
}

int parse_explain(int argc, char **argv, struct explain_words *words, struct error *error)
{
	struct cursor cursor = {argv, argv + argc};
	int ret;

	*words = (struct explain_words){.len = 100, .hop_limit = 64};
	ret = take_tunnel(&cursor, words->tunnel, error);
	while (!ret && cursor.word < cursor.end)
		ret = take_explain_word(&cursor, words, error);
	if (ret)
		return ret;
	if (!words->from.family || !words->to.family)
		return error_usage(error, "which packet? 'from ADDRESS to ADDRESS' is needed behind '%s'",
				   words->tunnel);
	if (words->from.family != words->to.family)
		return error_usage(error, "a packet is either IPv4 or IPv6, from and to");
	if (words->from.family == AF_INET6 && words->len < 40)
		return error_usage(error, "len '%u' is too short for IPv6: 40 at least", words->len);
	return 0;
}

static int parse_verdict(const char *text, uint32_t *verdicts, struct error *error)
{
	int value = word_find(verdict_words, WGVIA_VERDICT_COUNT, text);

	if (value < 0)
		return error_usage(error, "'%s' is no verdict: redirected, returned, outside, no_gateway ...", text);
	*verdicts |= 1u << value;
	return 0;
}

static int take_trace_word(struct cursor *cursor, struct trace_words *words, struct error *error)
{
	static const char *const keywords[] = {"from", "to", "verdict", "count"};
	const char *keyword = *cursor->word, *value;
	int which = word_find(keywords, ARRAY_SIZE(keywords), keyword);

	if (which < 0)
		return check_end(cursor, "from PREFIX, to PREFIX, verdict V, count N", error);
	if ((which == 0 && words->from.ip.family) || (which == 1 && words->to.ip.family) ||
	    (which == 3 && words->count))
		return error_usage(error, "'%s' is given twice", keyword);
	value = take_value(cursor, error);
	if (!value)
		return -EINVAL;
	switch (which) {
	case 0:
		return parse_prefix(value, &words->from, error);
	case 1:
		return parse_prefix(value, &words->to, error);
	case 2:
		return parse_verdict(value, &words->verdicts, error);
	default:
		return parse_number(keyword, value, 1, 1000000000, &words->count, error);
	}
}

int parse_trace(int argc, char **argv, struct trace_words *words, struct error *error)
{
	struct cursor cursor = {argv, argv + argc};
	int ret;

	*words = (struct trace_words){};
	ret = take_tunnel(&cursor, words->tunnel, error);
	while (!ret && cursor.word < cursor.end)
		ret = take_trace_word(&cursor, words, error);
	if (ret)
		return ret;
	if (words->from.ip.family && words->to.ip.family && words->from.ip.family != words->to.ip.family)
		return error_usage(error, "a packet is either IPv4 or IPv6, from and to");
	return 0;
}

int parse_bypass(int argc, char **argv, char tunnel[IFNAMSIZ], struct prefix *prefix, struct error *error)
{
	struct cursor cursor = {argv, argv + argc};
	int ret = take_tunnel(&cursor, tunnel, error);

	if (ret)
		return ret;
	if (cursor.word == cursor.end)
		return error_usage(error, "which prefix? PREFIX is needed behind '%s'", tunnel);
	ret = parse_prefix(*cursor.word++, prefix, error);
	return ret ? ret : check_end(&cursor, "one PREFIX", error);
}

/* "1", "0.25": seconds with at most three decimals, as milliseconds. */
static int parse_seconds(const char *keyword, const char *text, unsigned int min, unsigned int max,
			 unsigned int *milliseconds, struct error *error)
{
	const char *point = strchr(text, '.'), *digit = text;
	unsigned long value = 0;
	int decimals = 3;

	for (; *digit && value <= max; digit++) {
		if (digit == point && digit > text && digit[1])
			continue;
		if (!isdigit((unsigned char)*digit) || (point && digit > point && !decimals--))
			break;
		value = value * 10 + *digit - '0';
	}
	for (int scale = point ? decimals : 3; scale > 0 && value <= max; scale--)
		value *= 10;
	if (!*text || *digit || value < min || value > max)
		return error_usage(error, "%s '%s' is no number of seconds from %g to %g", keyword, text, min / 1000.0,
				   max / 1000.0);
	*milliseconds = value;
	return 0;
}

static const char *const run_keywords[] = {"interval", "hold", "tries"};

static int take_run_word(struct cursor *cursor, struct run_words *words, unsigned int *seen, struct error *error)
{
	const char *keyword = *cursor->word, *value;
	int which = word_find(run_keywords, ARRAY_SIZE(run_keywords), keyword);

	if (which < 0)
		return check_end(cursor, "[FILE] [interval SECONDS] [hold SECONDS] [tries N]", error);
	if (*seen & 1u << which)
		return error_usage(error, "'%s' is given twice", keyword);
	*seen |= 1u << which;
	value = take_value(cursor, error);
	if (!value)
		return -EINVAL;
	switch (which) {
	case 0:
		return parse_seconds(keyword, value, 100, 60000, &words->interval, error);
	case 1:
		return parse_seconds(keyword, value, 0, 3600000, &words->hold, error);
	default:
		return parse_number(keyword, value, 1, 10, &words->tries, error);
	}
}

int parse_run(int argc, char **argv, struct run_words *words, struct error *error)
{
	struct cursor cursor = {argv, argv + argc};
	unsigned int seen = 0;
	int ret;

	*words = (struct run_words){.interval = 1000, .hold = 10000, .tries = 3};
	ret = take_tunnel(&cursor, words->tunnel, error);
	if (!ret && cursor.word < cursor.end && word_find(run_keywords, ARRAY_SIZE(run_keywords), *cursor.word) < 0)
		words->path = *cursor.word++;
	while (!ret && cursor.word < cursor.end)
		ret = take_run_word(&cursor, words, &seen, error);
	return ret;
}
