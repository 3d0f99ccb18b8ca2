// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cursor over words.
 */
#include "config/words.h"

#include <errno.h>
#include <string.h>

#include "base/abi_words.h"
#include "config/parse.h"

bool next_is(const struct cursor *cursor, const char *keyword)
{
	return cursor->word < cursor->end && !strcmp(*cursor->word, keyword);
}

const char *take_value(struct cursor *cursor, struct error *error)
{
	const char *keyword = *cursor->word++;

	if (cursor->word == cursor->end) {
		error_usage(error, "'%s' needs a value", keyword);
		return NULL;
	}
	return *cursor->word++;
}

static bool is_keyword(const char *word)
{
	static const char *const keywords[] = {"from",	 "via",	    "dev",   "or",     "bypass",  "mode", "on-fail",
					       "return", "outside", "mss",   "also",   "to",	  "len",  "hop-limit",
					       "dir",	 "verdict", "count", "health", "counters"};

	return word_find(keywords, sizeof(keywords) / sizeof(keywords[0]), word) >= 0;
}

/* An interface may be named like a keyword or an address: then a keyword or nothing follows. */
static bool is_misplaced(const struct cursor *cursor)
{
	struct error ignored = {};
	struct prefix prefix;

	if (cursor->word + 1 >= cursor->end || is_keyword(cursor->word[1]))
		return false;
	return is_keyword(*cursor->word) || !parse_prefix(*cursor->word, &prefix, &ignored);
}

int take_tunnel(struct cursor *cursor, char tunnel[IFNAMSIZ], struct error *error)
{
	if (cursor->word == cursor->end)
		return error_usage(error, "IFACE is missing");
	if (is_misplaced(cursor))
		return error_usage(error, "IFACE comes first, before '%s'", *cursor->word);
	return parse_ifname(*cursor->word++, tunnel, error);
}

int check_end(const struct cursor *cursor, const char *allowed, struct error *error)
{
	if (cursor->word == cursor->end)
		return 0;
	return error_usage(error, "unexpected word '%s': %s", *cursor->word, allowed);
}

int take_keyword(struct cursor *cursor, const struct keywords *keywords, unsigned int *seen, const char **value,
		 struct error *error)
{
	int which = word_find(keywords->words, keywords->count, *cursor->word);

	if (which < 0)
		return check_end(cursor, keywords->allowed, error);
	if (*seen & keywords->once & 1u << which)
		return error_usage(error, "'%s' is given twice", *cursor->word);
	*seen |= 1u << which;
	*value = take_value(cursor, error);
	return *value ? which : -EINVAL;
}
