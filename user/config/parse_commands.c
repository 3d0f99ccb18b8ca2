// SPDX-License-Identifier: GPL-2.0-only
/*
 * The words of commands that have no place in a configuration file.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "config/parse.h"
#include "config/words.h"

int parse_tunnel(int argc, char **argv, char tunnel[IFNAMSIZ], struct error *error)
{
	struct cursor cursor = {argv, argv + argc};
	int ret = take_tunnel(&cursor, tunnel, error);

	return ret ? ret : check_end(&cursor, "one IFACE", error);
}

int parse_bypass(int argc, char **argv, char tunnel[IFNAMSIZ], struct prefix *prefix, struct error *error)
{
	struct cursor cursor = {argv, argv + argc};
	int ret = take_tunnel(&cursor, tunnel, error);

	if (ret)
		return ret;
	if (cursor.word == cursor.end)
		return error_usage(error, "PREFIX is missing after '%s'", tunnel);
	ret = parse_prefix(*cursor.word++, prefix, error);
	return ret ? ret : check_end(&cursor, "one PREFIX", error);
}

static int parse_explain_direction(const char *text, enum explain_direction *direction, struct error *error)
{
	if (!strcmp(text, "out"))
		*direction = EXPLAIN_OUT;
	else if (!strcmp(text, "in"))
		*direction = EXPLAIN_IN;
	else
		return error_usage(error, "'%s' is not a valid direction: in or out", text);
	return 0;
}

static int take_explain_word(struct cursor *cursor, struct explain_words *words, unsigned int *seen,
			     struct error *error)
{
	static const char *const names[] = {"from", "to", "len", "hop-limit", "dir"};
	static const struct keywords keywords = {names, ARRAY_SIZE(names), 0,
						 "from ADDRESS, to ADDRESS, len N, hop-limit N, dir in|out"};
	const char *value;
	int which = take_keyword(cursor, &keywords, seen, &value, error);

	switch (which) {
	case 0:
		return parse_ip(value, &words->from, error);
	case 1:
		return parse_ip(value, &words->to, error);
	case 2:
		return parse_number(names[which], value, 20, EXPLAIN_LEN_MAX, &words->len, error);
	case 3:
		return parse_number(names[which], value, 0, 255, &words->hop_limit, error);
	case 4:
		return parse_explain_direction(value, &words->direction, error);
	default:
		return which;
	}
}

int parse_explain(int argc, char **argv, struct explain_words *words, struct error *error)
{
	struct cursor cursor = {argv, argv + argc};
	unsigned int seen = 0;
	int ret;

	*words = (struct explain_words){.len = 100, .hop_limit = 64};
	ret = take_tunnel(&cursor, words->tunnel, error);
	while (!ret && cursor.word < cursor.end)
		ret = take_explain_word(&cursor, words, &seen, error);
	if (ret)
		return ret;
	if (!words->from.family || !words->to.family)
		return error_usage(error, "'from ADDRESS to ADDRESS' is missing after '%s'", words->tunnel);
	if (words->from.family != words->to.family)
		return error_usage(error, "'from' and 'to' are not of the same address family");
	if (words->from.family == AF_INET6 && words->len < 40)
		return error_usage(error, "len '%u' is too short for IPv6: the minimum is 40", words->len);
	return 0;
}

static int parse_verdict(const char *text, uint32_t *verdicts, struct error *error)
{
	int value = word_find(verdict_words, WGVIA_VERDICT_COUNT, text);

	if (value < 0)
		return error_usage(error, "'%s' is not a valid verdict: redirected, returned, outside, no_gateway ...",
				   text);
	*verdicts |= 1u << value;
	return 0;
}

static int take_trace_word(struct cursor *cursor, struct trace_words *words, unsigned int *seen, struct error *error)
{
	static const char *const names[] = {"from", "to", "count", "verdict"};
	static const struct keywords keywords = {names, ARRAY_SIZE(names), 1u << 0 | 1u << 1 | 1u << 2,
						 "from PREFIX, to PREFIX, verdict V, count N"};
	const char *value;
	int which = take_keyword(cursor, &keywords, seen, &value, error);

	switch (which) {
	case 0:
		return parse_prefix(value, &words->from, error);
	case 1:
		return parse_prefix(value, &words->to, error);
	case 2:
		return parse_number(names[which], value, 1, 1000000000, &words->count, error);
	case 3:
		return parse_verdict(value, &words->verdicts, error);
	default:
		return which;
	}
}

int parse_trace(int argc, char **argv, struct trace_words *words, struct error *error)
{
	struct cursor cursor = {argv, argv + argc};
	unsigned int seen = 0;
	int ret;

	*words = (struct trace_words){};
	ret = take_tunnel(&cursor, words->tunnel, error);
	while (!ret && cursor.word < cursor.end)
		ret = take_trace_word(&cursor, words, &seen, error);
	if (ret)
		return ret;
	if (words->from.ip.family && words->to.ip.family && words->from.ip.family != words->to.ip.family)
		return error_usage(error, "'from' and 'to' are not of the same address family");
	return 0;
}

static const char *const run_keywords[] = {"interval", "hold", "tries"};

static int take_run_word(struct cursor *cursor, struct run_words *words, unsigned int *seen, struct error *error)
{
	static const struct keywords keywords = {run_keywords, ARRAY_SIZE(run_keywords), ~0u,
						 "[FILE] [interval SECONDS] [hold SECONDS] [tries N]"};
	const char *value;
	int which = take_keyword(cursor, &keywords, seen, &value, error);

	switch (which) {
	case 0:
		return parse_seconds(run_keywords[which], value, 100, 60000, &words->interval, error);
	case 1:
		return parse_seconds(run_keywords[which], value, 0, 3600000, &words->hold, error);
	case 2:
		return parse_number(run_keywords[which], value, 1, 10, &words->tries, error);
	default:
		return which;
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
