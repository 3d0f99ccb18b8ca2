// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables of words; the verdicts' own is made from the ABI header, so that it cannot miss one.
 */
#include "words.h"

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
