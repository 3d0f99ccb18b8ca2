/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options that every command has, before it and behind it, and the choice of the command. A command's own options
 * stay among its words.
 */
#ifndef WGVIA_OPTIONS_H
#define WGVIA_OPTIONS_H

#include <stdio.h>

#include "commands/table.h"

struct options {
	const struct command *command; /* NULL: no word at all */
	char **words;		       /* behind the command's own */
	int word_count;
	const char *netns; /* NULL: the caller's network namespace */
	bool help, version;
};

/*
 * Takes the command line apart. What belongs to the context goes there, errors too. The words are to be freed by
 * options_free(), on failure as well.
 */
int options_parse(int argc, char **argv, struct options *options, struct context *context);
void options_free(struct options *options); /* for cleanup(), too */

/* A line for each option, and further ones that begin with spaces. */
void options_print(FILE *out);

#endif
