/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A line of shell, as it stands in a wg-quick hook, taken apart into simple commands. Pure, and no shell: what is more
 * than words, quotes, `;`, `&&`, `|| true` and output sent to /dev/null it does not read, and says so.
 */
#ifndef WGVIA_SHELL_H
#define WGVIA_SHELL_H

#include <stdbool.h>
#include <stddef.h>

struct shell_command {
	size_t start, len;     /* its text in the line: `|| true` and redirections included, blanks around it not */
	const char *separator; /* what stands before it: ";" or "&&"; "" before the first */
	char **words;	       /* without their quotes */
	size_t word_count;     /* 1 at least */
	bool expands;	       /* a word holds a variable or a pattern: what it says is known at run time alone */
};

/* The commands are the caller's to free by shell_free(). 0, -EINVAL for what it does not read, or -ENOMEM. */
int shell_split(const char *line, struct shell_command **commands, size_t *count);
void shell_free(struct shell_command *commands, size_t count);

#endif
