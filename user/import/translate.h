/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The combined meaning of the commands in a wg-quick file's hooks, and its equivalent in wgvia. It does not parse text:
 * shell.c and iproute.c provide the commands, and import.c builds the result.
 */
#ifndef WGVIA_TRANSLATE_H
#define WGVIA_TRANSLATE_H

#include "config/parse.h"
#include "import/iproute.h"
#include "import/shell.h"
#include "import/wgquick.h"

/* A command of a hook; or a whole line that is not a hook, or whose shell syntax is not supported. */
struct step {
	const struct wgquick_line *line;
	const char *text; /* in the line's value */
	size_t len;
	struct shell_command command; /* with %i replaced; word_count is 0 if there is none */
	struct iproute ip;
	bool gone; /* replaced by wgvia */
	char *remark;
};

/* A routing table of the recipe: rules that are replaced refer to it. */
struct table {
	uint8_t family;
	char name[IPROUTE_TABLE];
	bool stays; /* a rule that is kept refers to it as well */
	const struct step *gateway;
};

struct translation {
	struct request *request; /* what wgvia can do; owned by the caller */
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

/* Puts what wgvia can do into `request`, and marks each step as gone or adds a remark to it. */
void translate(struct translation *translation);
/* Adds a remark; a second one on the same step comes after the first. It never shows text that contains a key. */
void translation_remark(struct translation *translation, struct step *step, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* "from PREFIX via ADDRESS dev DEV" into `text`: a statement of the configuration, and words of `up`. */
#define RECIPE_STATEMENT 160
const char *translation_statement(const struct route_words *route, char text[RECIPE_STATEMENT]);
/* Whether the value of Table names a table that no longer exists. */
bool translation_table_is_gone(const struct translation *translation, const char *word);

#endif
