/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of commands: their names and arguments, and their descriptions for help.
 */
#ifndef WGVIA_TABLE_H
#define WGVIA_TABLE_H

#include <stddef.h>

#include "commands/command.h"

#define COMMAND_WORDS 16 /* maximum number that a command's help explains */

struct command {
	const char *name;
	command_function function; /* NULL: handled by main(), such as help */
	const char *usage;	   /* the words after the name; lines after the first begin with 21 spaces */
	const char *description;
	struct {
		const char *word, *meaning;
	} words[COMMAND_WORDS];	    /* in the order of `usage`; an empty one is last */
	const char *example;	    /* one line */
	const char *const *options; /* its own options, NULL at the end; NULL: none */
	bool lists;		    /* accepts the options -4, -6 and -br */
};

extern const struct command command_table[];
extern const size_t command_count;
/* Handled by main(): not in the list of commands. */
extern const struct command command_help, command_version;

/*
 * The command with that name, or the one whose name begins with it, as in `ip`; NULL with the error set: there is none,
 * or more than one.
 */
const struct command *command_find(const char *word, struct error *error);

#endif
