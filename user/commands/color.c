// SPDX-License-Identifier: GPL-2.0-only
/*
 * Escape codes of ECMA-48 (SGR).
 */
#include "commands/color.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

static enum color_when chosen = COLOR_AUTO;

void color_choose(enum color_when when)
{
	chosen = when;
}

bool color_parse(const char *word, enum color_when *when)
{
	static const char *const words[] = {"auto", "always", "never"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(word, words[i])) {
			*when = (enum color_when)i;
			return true;
		}
	return false;
}

static bool has_colors(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (chosen != COLOR_AUTO)
		return chosen == COLOR_ALWAYS;
	return isatty(fileno(stream)) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

const char *color_bad(FILE *stream)
{
	return has_colors(stream) ? "\033[31m" : "";
}

const char *color_off(FILE *stream)
{
	return has_colors(stream) ? "\033[0m" : "";
}
