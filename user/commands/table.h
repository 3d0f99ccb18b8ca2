/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of commands: what each is called, what it takes, and how help describes it.
 */
#ifndef WGVIA_TABLE_H
#define WGVIA_TABLE_H

#include <stddef.h>

#include "commands/command.h"

#define COMMAND_WORDS 16 /* that a command explains, at most */

struct command {
	const char *name;
	command_function function; /* NULL: main's own, such as help */
	const char *usage;	   /* the words behind the name; lines after the first begin with 21 spaces */
	const char *description;
	struct {
		const char *word, *meaning;
	} words[COMMAND_WORDS];	    /* in the order of `usage`; an empty one ends them */
	const char *example;	    /* one line */
	const char *const *options; /* its own ones, NULL at the end; NULL: none */
	bool lists;		    /* takes the options -4, -6 and -br */
};

extern const struct command command_table[];
extern const size_t command_count;
/* Those that only `word` itself, or main, knows: no line in the list of commands. */
extern const struct command command_help, command_version;

/*
 * The command of that name, or the one whose name begins so, as `ip` has it; NULL with the error set: there is none, or
 * more than one.
 */
const struct command *command_find(const char *word, struct error *error);

#endif
