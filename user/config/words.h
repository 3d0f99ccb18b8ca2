/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of parse_*.c: a cursor over words, and the values of keywords.
 */
#ifndef WGVIA_WORDS_H
#define WGVIA_WORDS_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* The remaining words. */
struct cursor {
	char **word;
	char **end;
};

bool next_is(const struct cursor *cursor, const char *keyword);
/*
 * Returns the word after the keyword at the cursor, and moves the cursor past both. NULL: there is none, and the error
 * is set.
 */
const char *take_value(struct cursor *cursor, struct error *error);
/* IFACE */
int take_tunnel(struct cursor *cursor, char tunnel[IFNAMSIZ], struct error *error);
/* Keywords of a command, each with a value. */
struct keywords {
	const char *const *words;
	size_t count;
	unsigned int once;   /* a bit for each keyword that may occur only once */
	const char *allowed; /* all of them, for a message */
};
/*
 * Takes the keyword at the cursor and its value. Returns the keyword's index, or negative with the error set. `*seen`
 * has a bit for each keyword that has occurred.
 */
int take_keyword(struct cursor *cursor, const struct keywords *keywords, unsigned int *seen, const char **value,
		 struct error *error);
/* Refuses a remaining word; `allowed`: the words that are valid there. */
int check_end(const struct cursor *cursor, const char *allowed, struct error *error);

/* Six bytes, each of two hexadecimal digits, with ':' between them. */
bool parse_mac(const char *text, uint8_t mac[6]);
int parse_number(const char *keyword, const char *text, unsigned int min, unsigned int max, unsigned int *number,
		 struct error *error);
/*
 * "1", "0.25": seconds with at most three decimals, returned as milliseconds; `min` and `max` are milliseconds as well.
 */
int parse_seconds(const char *keyword, const char *text, unsigned int min, unsigned int max, unsigned int *milliseconds,
		  struct error *error);

#endif
