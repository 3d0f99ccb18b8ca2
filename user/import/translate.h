/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands in a wg-quick file's hooks mean together, and what wgvia has for it. It knows no text: commands
 * come from shell.c and iproute.c, and import.c makes the result.
 */
#ifndef WGVIA_TRANSLATE_H
#define WGVIA_TRANSLATE_H

#include "config/parse.h"
#include "import/iproute.h"
#include "import/shell.h"
#include "import/wgquick.h"

/* A command of a hook; or all of a line that is no hook, or whose shell nobody here reads. */
struct step {
	const struct wgquick_line *line;
	const char *text; /* in the line's value */
	size_t len;
	struct shell_command command; /* with %i replaced; word_count is 0 where there is none */
	struct iproute ip;
	bool gone; /* wgvia takes its place */
	char *remark;
};

/* A routing table of the recipe: rules lead to it that are taken. */
struct table {
	uint8_t family;
	char name[IPROUTE_TABLE];
	bool stays; /* a rule that is not taken leads to it, too */
	const struct step *gateway;
};

struct translation {
	struct request *request; /* what wgvia can do; the caller's */
	const char *tunnel;
	struct wgquick_line *lines;
	size_t line_count;
	struct step *steps;
	size_t step_count;
	struct table *tables;
	size_t table_count;
	const char *table_word; /* the value of Table; NULL: none */
	struct prefix *moved;	/* into the main table */
	size_t moved_count;
	bool no_memory;
};

/* Puts what wgvia can do into `request`, and says of each step whether it is gone, or what there is to say. */
void translate(struct translation *translation);
/* Another remark on the same step stands behind the first. What holds a key is not said. */
void translation_remark(struct translation *translation, struct step *step, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* "from PREFIX via ADDRESS dev DEV" into `text`: a statement of the configuration, and words of `up`. */
#define RECIPE_STATEMENT 160
const char *translation_statement(const struct route_words *route, char text[RECIPE_STATEMENT]);
/* Whether the value of Table names a table that is no more. */
bool translation_table_is_gone(const struct translation *translation, const char *word);

#endif
