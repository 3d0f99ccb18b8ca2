/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words for the ABI's values, the same for input and output.
 */
#ifndef WGVIA_ABI_WORDS_H
#define WGVIA_ABI_WORDS_H

#include <stddef.h>

#include "wgvia_abi.h"

#define WORDS_MODE 2
#define WORDS_ON_FAIL 2
#define WORDS_RETURN 3
#define WORDS_OUTSIDE 2
#define WORDS_COUNTING 2

extern const char *const verdict_words[WGVIA_VERDICT_COUNT];
extern const char *const direction_words[WGVIA_DIRECTION_COUNT];
extern const char *const mode_words[WORDS_MODE];
extern const char *const on_fail_words[WORDS_ON_FAIL];
extern const char *const return_words[WORDS_RETURN];
extern const char *const outside_words[WORDS_OUTSIDE];
extern const char *const counting_words[WORDS_COUNTING];
extern const char *const source_words[WGVIA_SOURCE_COUNT]; /* "addresses" */
extern const char *const health_words[WGVIA_HEALTH_COUNT];
/* "its device is down"; from WGVIA_FAULT_PING on, without the leading address: see config/watch.h */
extern const char *const fault_words[WGVIA_FAULT_COUNT];
extern const char *const watch_words[WGVIA_WATCH_COUNT];

/* The value of a word; -1: no such word. */
int word_find(const char *const *words, size_t count, const char *word);
/* The word of a value; "?" for a value without a word, which a map may hold. */
const char *word_of(const char *const *words, size_t count, unsigned int value);

#endif
