/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options that every command accepts, before and after its name, and the choice of the command. A command's own
 * options remain among its words.
 */
#ifndef WGVIA_OPTIONS_H
#define WGVIA_OPTIONS_H

#include <stdio.h>

#include "commands/table.h"

struct options {
	const struct command *command; /* NULL: no command given */
	char **words;		       /* after the command's name */
	int word_count;
	const char *netns; /* NULL: the caller's network namespace */
	bool help, version;
};

/*
 * Parses the command line. Global settings go into the context, and errors as well. The words must be freed by
 * options_free(), on failure as well.
 */
int options_parse(int argc, char **argv, struct options *options, struct context *context);
void options_free(struct options *options); /* also for cleanup() */

/* A line for each option; continuation lines begin with spaces. */
void options_print(FILE *out);

#endif
