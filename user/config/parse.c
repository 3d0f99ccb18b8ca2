// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statements: the words of `up`, of `route`, and of a line in a file.
 */
#include "config/parse.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "config/watch.h"
#include "config/words.h"

void route_words_free(struct route_words *route)
{
	free(route->others);
	*route = (struct route_words){};
}

void request_free(struct request *request)
{
	for (size_t i = 0; i < request->route_count; i++)
		route_words_free(&request->routes[i]);
	for (size_t i = 0; i < request->source_count; i++)
		route_words_free(&request->sources[i]);
	free(request->routes);
	free(request->bypass);
	free(request->also);
	free(request->accepted.all);
	for (size_t i = 0; i < request->file_count; i++)
		free(request->files[i]);
	free(request->files);
	*request = (struct request){};
}

const char *from_text(const struct route_words *route, char text[PREFIX_TEXT_LEN])
{
	if (!route->source)
		return prefix_text(&route->from, text);
	snprintf(text, PREFIX_TEXT_LEN, "%s", source_words[route->source]);
	return text;
}

/* A source that no packet from a tunnel may have (RFC 4291, 2.7; RFC 1122, 3.2.1.3). */
static int check_source(const struct prefix *prefix, const char *text, struct error *error)
{
	/* of a wider one: what is not to be forwarded is left to the kernel anyway */
	if (!prefix_stays_on_link(prefix))
		return 0;
	if (ip_is_multicast(&prefix->ip))
		return error_usage(error, "'%s' is multicast, which cannot be a source", text);
	if (ip_is_link_local(&prefix->ip))
		return error_usage(error, "'%s' is link-local, which no router forwards", text);
	return error_usage(error, "'%s' is loopback, which no router forwards", text);
}

static int check_gateway(const struct route_words *route, const struct hop_words *hop, const char *tunnel,
			 struct error *error)
{
	char via[IP_TEXT_LEN], from[PREFIX_TEXT_LEN];

	ip_text(&hop->via, via);
	if (!strcmp(hop->dev, tunnel))
		return error_usage(error, "dev '%s' is the tunnel itself: the firewall's device is needed", tunnel);
	if (!hop->via.family)
		return 0;
	if (route->from.ip.family == AF_INET6 && hop->via.family == AF_INET)
		return error_usage(error, "IPv6 prefix '%s' cannot go via IPv4 gateway '%s'", from_text(route, from),
				   via);
	if (ip_is_multicast(&hop->via) || (hop->via.family == AF_INET && hop->via.addr[0] >= 240))
		return error_usage(error, "via '%s' is multicast or broadcast, which cannot be a gateway", via);
	if (ip_is_unspecified(&hop->via) || ip_is_loopback(&hop->via) ||
	    (hop->via.family == AF_INET && !hop->via.addr[0]))
		return error_usage(error, "via '%s' is not a gateway address", via);
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

/* Devices left out are not known yet: plan/plan.c finds what is the same then. */
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
	from_text(route, from);
	if (!route->via.family)
		return error_usage(error, "'%s' needs a first gateway before 'or %s': via ADDRESS", from, via);
	for (size_t i = 0; i < route->other_count; i++)
		twice |= is_same_hop(&route->others[i], hop);
	if (twice)
		return error_usage(error, "'%s' is given twice for '%s'", via, from);
	if (route->other_count == ROUTE_OTHERS)
		return error_usage(error, "too many gateways for '%s': %d at most", from, WGVIA_FAILOVER_HOPS);
	if (check_gateway(route, hop, tunnel, error))
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

static int take_health(struct cursor *cursor, struct route_words *route, struct error *error)
{
	char from[PREFIX_TEXT_LEN], text[WATCH_TEXT_LEN];

	if (!next_is(cursor, "health"))
		return 0;
	from_text(route, from);
	if (!route->via.family)
		return error_usage(error, "'%s' needs a gateway before 'health': via ADDRESS", from);
	if (watch_take(cursor, &route->watch, error))
		return -EINVAL;
	route->watch_given = true;
	if (route->watch.family && route->watch.family != route->from.ip.family)
		return error_usage(error, "'health %s' needs an %s address: the packets are those of '%s'",
				   watch_text(&route->watch, text), route->from.ip.family == AF_INET ? "IPv4" : "IPv6",
				   from);
	return next_is(cursor, "health") ? error_usage(error, "'health' is given twice for '%s'", from) : 0;
}

/* "[via ADDRESS] [dev DEV] [or ADDRESS [dev DEV]]... [health KIND]", of a route whose `from` is there */
static int take_gateways(struct cursor *cursor, const char *tunnel, struct route_words *route, struct error *error)
{
	struct hop_words first;
	const char *value;

	for (;;) {
		if (next_is(cursor, "via") && !route->via.family) {
			value = take_value(cursor, error);
			if (!value || parse_ip(value, &route->via, error))
				return -EINVAL;
			if (route->source)
				route->from.ip.family = route->via.family;
		} else if (next_is(cursor, "dev") && !route->dev[0]) {
			value = take_value(cursor, error);
			if (!value || parse_ifname(value, route->dev, error))
				return -EINVAL;
		} else {
			break;
		}
	}
	first = first_hop(route);
	if (check_gateway(route, &first, tunnel, error))
		return -EINVAL;
	return take_others(cursor, tunnel, route, error) ? -EINVAL : take_health(cursor, route, error);
}

/* Of what is no prefix: it may have been meant as one of the words. */
static int hint_words(const char *value, struct error *error)
{
	if (!strpbrk(value, "./:"))
		error_hint(error, "words for prefixes are 'addresses' and 'allowed-ips'");
	return -EINVAL;
}

/* "PREFIX|addresses|allowed-ips ...", at the value of `from` */
static int take_route(struct cursor *cursor, const char *tunnel, struct route_words *route, struct error *error)
{
	const char *value = take_value(cursor, error);
	char from[PREFIX_TEXT_LEN];
	int source;

	*route = (struct route_words){};
	if (!value)
		return -EINVAL;
	source = word_find(source_words, WGVIA_SOURCE_COUNT, value);
	if (source > WGVIA_SOURCE_NAMED)
		route->source = source;
	else if (parse_prefix(value, &route->from, error))
		return hint_words(value, error);
	else if (check_source(&route->from, value, error))
		return -EINVAL;
	if (take_gateways(cursor, tunnel, route, error))
		return -EINVAL;
	if (next_is(cursor, "via") && route->source)
		return error_usage(error,
				   "'via' is given twice: another family needs a 'from %s' of its own, and 'or "
				   "ADDRESS' names further gateways",
				   source_words[route->source]);
	if (next_is(cursor, "via"))
		return error_usage(error, "'via' is given twice for '%s': 'or ADDRESS' names further gateways",
				   from_text(route, from));
	return 0;
}

static bool is_same_source(const struct route_words *a, const struct route_words *b)
{
	uint8_t a_family = a->from.ip.family, b_family = b->from.ip.family;

	return a->source == b->source && a_family == b_family;
}

/* The route moves into the request. */
static int add_source(struct request *request, struct route_words *route, struct error *error)
{
	const char *word = source_words[route->source], *family = "";
	bool twice = false;

	if (route->from.ip.family)
		family = route->from.ip.family == AF_INET ? " for IPv4" : " for IPv6";
	for (size_t i = 0; i < request->source_count; i++)
		twice |= is_same_source(&request->sources[i], route);
	if (!twice) {
		request->sources[request->source_count++] = *route;
		return 0;
	}
	route_words_free(route);
	return request->without_from
		       ? error_usage(error, "'via' is given twice%s: 'or ADDRESS' names further gateways", family)
		       : error_usage(error, "from '%s' is given twice%s", word, family);
}

static int check_from(const struct request *request, struct error *error)
{
	return request->without_from && request->from_given
		       ? error_usage(error,
				     "'via' without 'from' is for the prefixes of '%s': it does not go with 'from'",
				     request->tunnel)
		       : 0;
}

static int take_from(struct cursor *cursor, struct request *request, struct error *error)
{
	struct route_words route, *added;

	request->from_given = true;
	if (check_from(request, error))
		return -EINVAL;
	if (take_route(cursor, request->tunnel, &route, error)) {
		route_words_free(&route);
		return -EINVAL;
	}
	if (route.source)
		return add_source(request, &route, error);
	added = array_grow(&request->routes, &request->route_count, sizeof(*added));
	if (!added) {
		route_words_free(&route);
		return error_system(error, ENOMEM, "cannot read 'from'");
	}
	*added = route;
	return 0;
}

/* "via ADDRESS [dev DEV] [or ADDRESS [dev DEV]]... [health KIND]" in the place of `from`: the interface's addresses */
static int take_own(struct cursor *cursor, struct request *request, struct error *error)
{
	struct route_words route = {.source = WGVIA_SOURCE_ADDRESSES};

	request->without_from = true;
	if (check_from(request, error))
		return -EINVAL;
	if (take_gateways(cursor, request->tunnel, &route, error)) {
		route_words_free(&route);
		return -EINVAL;
	}
	return add_source(request, &route, error);
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

#define ROUTE "from PREFIX|addresses|allowed-ips [via ADDRESS] [dev DEV] [or ADDRESS [dev DEV]]... [health KIND]"
#define STATEMENTS ROUTE ", bypass PREFIX, mode, on-fail, outside, mss, return"
#define FILE_STATEMENTS STATEMENTS ", accept FINDING reason TEXT"

/* "FINDING reason TEXT", at `accept`; a file's line ends with it */
static int take_accept(struct cursor *cursor, struct request *request, struct error *error)
{
	const char *finding = take_value(cursor, error);
	char reason[sizeof(struct wgvia_acceptance) + 1] = "";
	size_t len = 0;

	if (!finding)
		return -EINVAL;
	if (!next_is(cursor, "reason"))
		return error_usage(error, "'accept %s' needs a reason: accept %s reason TEXT", finding, finding);
	if (cursor->word + 1 == cursor->end)
		return error_usage(error, "'reason' needs a text");
	while (++cursor->word < cursor->end)
		if (len < sizeof(reason)) /* what is longer is refused as that */
			len += snprintf(reason + len, sizeof(reason) - len, "%s%s", len ? " " : "", *cursor->word);
	return accepted_add(&request->accepted, finding, reason, error);
}

static int take_statement(struct cursor *cursor, struct request *request, struct error *error)
{
	const char *value;

	if (next_is(cursor, "from"))
		return take_from(cursor, request, error);
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
	if (next_is(cursor, "outside")) {
		value = take_only_value(cursor, &request->outside_given, error);
		return value ? parse_outside(value, &request->outside, error) : -EINVAL;
	}
	if (next_is(cursor, "mss")) {
		value = take_only_value(cursor, &request->mss_given, error);
		return value ? parse_mss(value, &request->mss, error) : -EINVAL;
	}
	if (next_is(cursor, "return"))
		return take_return(cursor, request, error);
	if (request->is_file && next_is(cursor, "accept"))
		return take_accept(cursor, request, error);
	return check_end(cursor, request->is_file ? FILE_STATEMENTS : STATEMENTS, error);
}

int parse_statement(int count, char **words, struct request *request, struct error *error)
{
	struct cursor cursor = {words, words + count};
	int ret;

	request->is_file = true;
	ret = take_statement(&cursor, request, error);
	return ret ? ret : check_end(&cursor, "a line is one statement, " FILE_STATEMENTS, error);
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
		ret = next_is(&cursor, "via") ? take_own(&cursor, request, error)
					      : take_statement(&cursor, request, error);
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
		return error_usage(error, "'from PREFIX' is needed after '%s'", tunnel);
	ret = take_route(&cursor, tunnel, route, error);
	return ret ? ret : check_end(&cursor, ROUTE, error);
}
