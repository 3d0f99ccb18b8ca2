// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables of words. The table of verdicts is generated from the ABI header, so that none is missing.
 */
#include "base/abi_words.h"

#include <assert.h>
#include <string.h>

#define WORD(name, word) word,
const char *const verdict_words[WGVIA_VERDICT_COUNT] = {WGVIA_VERDICTS(WORD)};

const char *const direction_words[WGVIA_DIRECTION_COUNT] = {
	[WGVIA_OUT] = "out",
	[WGVIA_BACK] = "back",
	[WGVIA_EGRESS] = "egress",
};
static_assert(WGVIA_EGRESS == WGVIA_DIRECTION_COUNT - 1, "direction_words");

const char *const mode_words[WORDS_MODE] = {[WGVIA_FAST] = "fast", [WGVIA_STACK] = "stack"};
static_assert(WGVIA_STACK == WORDS_MODE - 1, "mode_words");

const char *const on_fail_words[WORDS_ON_FAIL] = {[WGVIA_DROP] = "drop", [WGVIA_PASS] = "pass"};
static_assert(WGVIA_PASS == WORDS_ON_FAIL - 1, "on_fail_words");

const char *const return_words[WORDS_RETURN] = {
	[WGVIA_RETURN_VIA] = "via",
	[WGVIA_RETURN_ANY] = "any",
	[WGVIA_RETURN_DROP] = "drop",
};
static_assert(WGVIA_RETURN_DROP == WORDS_RETURN - 1, "return_words");

const char *const outside_words[WORDS_OUTSIDE] = {[WGVIA_OUTSIDE_PASS] = "pass", [WGVIA_OUTSIDE_DROP] = "drop"};
static_assert(WGVIA_OUTSIDE_DROP == WORDS_OUTSIDE - 1, "outside_words");

const char *const counting_words[WORDS_COUNTING] = {[WGVIA_COUNT_VERDICTS] = "off", [WGVIA_COUNT_PREFIXES] = "prefix"};
static_assert(WGVIA_COUNT_PREFIXES == WORDS_COUNTING - 1, "counting_words");

const char *const source_words[WGVIA_SOURCE_COUNT] = {
	[WGVIA_SOURCE_NAMED] = "named",
	[WGVIA_SOURCE_ADDRESSES] = "addresses",
	[WGVIA_SOURCE_ALLOWED_IPS] = "allowed-ips",
};
static_assert(WGVIA_SOURCE_ALLOWED_IPS == WGVIA_SOURCE_COUNT - 1, "source_words");

const char *const health_words[WGVIA_HEALTH_COUNT] = {
	[WGVIA_HEALTH_UNKNOWN] = "unknown",
	[WGVIA_HEALTH_DEAD] = "dead",
	[WGVIA_HEALTH_HELD] = "held",
	[WGVIA_HEALTH_ALIVE] = "alive",
};
static_assert(WGVIA_HEALTH_ALIVE == WGVIA_HEALTH_COUNT - 1, "health_words");

const char *const fault_words[WGVIA_FAULT_COUNT] = {
	[WGVIA_FAULT_NONE] = "",
	[WGVIA_FAULT_NO_DEVICE] = "its device was removed",
	[WGVIA_FAULT_DEVICE_DOWN] = "its device is down",
	[WGVIA_FAULT_NO_CARRIER] = "its device has no carrier",
	[WGVIA_FAULT_MTU] = "its device has an MTU below IPv6's minimum of 1280",
	[WGVIA_FAULT_NO_ANSWER] = "it does not answer neighbour requests",
	[WGVIA_FAULT_NEIGHBOUR] = "the kernel's neighbour entry has failed",
	[WGVIA_FAULT_FORWARD] = "it does not forward echo requests from the prefix",
	[WGVIA_FAULT_RETURN] = "no return path: it does not forward echo replies to the prefix",
	[WGVIA_FAULT_PING] = "does not answer echo requests through it",
	[WGVIA_FAULT_TCP] = "does not answer connection attempts through it",
	[WGVIA_FAULT_REFUSED] = "refuses connections through it",
};
static_assert(WGVIA_FAULT_REFUSED == WGVIA_FAULT_COUNT - 1, "fault_words");

const char *const watch_words[WGVIA_WATCH_COUNT] = {
	[WGVIA_WATCH_NEIGHBOUR] = "neighbour",
	[WGVIA_WATCH_FORWARD] = "forward",
	[WGVIA_WATCH_PING] = "ping",
	[WGVIA_WATCH_TCP] = "tcp",
};
static_assert(WGVIA_WATCH_TCP == WGVIA_WATCH_COUNT - 1, "watch_words");

int word_find(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(words[i], word))
			return (int)i;
	return -1;
}

const char *word_of(const char *const *words, size_t count, unsigned int value)
{
	return value < count ? words[value] : "?";
}
