// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer on every parser: the input is a command line, split at blanks. What is accepted must survive printing and
 * parsing again, and must keep the promises of config/parse.h; a refusal must be one line.
 *
 *   make fuzz && build/tests/fuzz/parse tests/fuzz/corpus/parse
 */
#include <stdint.h>
#include <string.h>

#include "base/util.h"
#include "config/parse.h"

#define WORDS_MAX 256

static void require(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static void check_error(int ret, const struct error *error)
{
	if (!ret)
		return;
	require(error->text[0] && !strchr(error->text, '\n') && error->status);
}

static void check_prefix(const struct prefix *prefix)
{
	char text[PREFIX_TEXT_LEN];
	struct ip masked = ip_mask(prefix->ip, prefix->len);
	struct prefix again;
	struct error error;

	require(prefix->len <= ip_bits(prefix->ip.family) && ip_equal(&masked, &prefix->ip));
	require(!parse_prefix(prefix_text(prefix, text), &again, &error));
	require(!prefix_compare(prefix, &again));
}

static void check_route(const struct route_words *route, const char *tunnel)
{
	if (route->source)
		require(route->source < WGVIA_SOURCE_COUNT && route->from.ip.family == route->via.family);
	else
		check_prefix(&route->from);
	require(strcmp(route->dev, tunnel));
	require(!(route->from.ip.family != route->via.family && route->from.len && route->via.family &&
		  ip_bits(route->from.ip.family) > ip_bits(route->via.family)));
	require(!route->via.family || (!ip_is_multicast(&route->via) && !ip_is_unspecified(&route->via)));
	require(route->other_count <= ROUTE_OTHERS && (!route->other_count || route->via.family));
	for (size_t i = 0; i < route->other_count; i++) {
		const struct hop_words *hop = &route->others[i];

		require(hop->via.family && strcmp(hop->dev, tunnel) != 0 && !ip_is_multicast(&hop->via));
		require(ip_bits(route->from.ip.family) <= ip_bits(hop->via.family) || !route->from.len ||
			route->from.ip.family == AF_INET);
	}
	require(!route->from.len || (!ip_is_multicast(&route->from.ip) && !ip_is_link_local(&route->from.ip)));
}

static void parse_others(int argc, char **argv)
{
	struct explain_words explain;
	struct trace_words trace;
	struct error error = {};
	int ret = parse_explain(argc, argv, &explain, &error);

	check_error(ret, &error);
	require(ret || (explain.from.family == explain.to.family && explain.len <= EXPLAIN_LEN_MAX));
	ret = parse_trace(argc, argv, &trace, &error);
	check_error(ret, &error);
	if (!ret && trace.from.ip.family)
		check_prefix(&trace.from);
	if (!ret && trace.to.ip.family)
		check_prefix(&trace.to);
	require(ret || !(trace.verdicts >> WGVIA_VERDICT_COUNT));
}

static void parse_all(int argc, char **argv)
{
	struct route_words route;
	char tunnel[IFNAMSIZ];
	struct error error = {};
	struct request request;
	struct run_words run;
	struct prefix prefix;
	int ret = parse_up(argc, argv, &request, &error);

	check_error(ret, &error);
	for (size_t i = 0; !ret && i < request.route_count; i++)
		check_route(&request.routes[i], request.tunnel);
	for (size_t i = 0; !ret && i < request.source_count; i++)
		check_route(&request.sources[i], request.tunnel);
	for (size_t i = 0; !ret && i < request.bypass_count; i++)
		check_prefix(&request.bypass[i]);
	request_free(&request);

	ret = parse_route(argc, argv, tunnel, &route, &error);
	check_error(ret, &error);
	if (!ret)
		check_route(&route, tunnel);
	route_words_free(&route);
	ret = parse_run(argc, argv, &run, &error);
	check_error(ret, &error);
	if (!ret)
		require(run.interval >= 100 && run.interval <= 60000 && run.hold <= 3600000 && run.tries >= 1 &&
			run.tries <= 10);
	ret = parse_bypass(argc, argv, tunnel, &prefix, &error);
	check_error(ret, &error);
	if (!ret)
		check_prefix(&prefix);
	parse_others(argc, argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = calloc(1, size + 1), *words[WORDS_MAX];
	int count = 0;

	if (!line)
		return 0;
	memcpy(line, data, size);
	for (char *rest = line, *word; count < WORDS_MAX && (word = strtok_r(rest, " \n", &rest));)
		words[count++] = word;
	parse_all(count, words);
	free(line);
	return 0;
}
