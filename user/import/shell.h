/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Splits a line of shell from a wg-quick hook into simple commands. Pure, and not a shell: it reads words, quotes, `;`,
 * `&&`, `|| true` and output to /dev/null, and refuses anything else.
 */
#ifndef WGVIA_SHELL_H
#define WGVIA_SHELL_H

#include <stdbool.h>
#include <stddef.h>

struct shell_command {
	size_t start, len;     /* its text in the line, with `|| true` and redirections, without surrounding blanks */
	const char *separator; /* the one before it: ";" or "&&"; "" for the first command */
	char **words;	       /* unquoted */
	size_t word_count;     /* at least 1 */
	bool expands;	       /* a word contains a variable or a pattern: its value is known only at run time */
};

/* The caller frees the commands with shell_free(). 0, -EINVAL for syntax that it does not read, or -ENOMEM. */
int shell_split(const char *line, struct shell_command **commands, size_t *count);
void shell_free(struct shell_command *commands, size_t count);

#endif
