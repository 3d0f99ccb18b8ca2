/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines on a terminal: how wide it is, and text that is broken at words to fit. Elsewhere a line stays one.
 */
#ifndef WGVIA_TERMINAL_H
#define WGVIA_TERMINAL_H

#include <stdio.h>

/* Columns of the terminal that the stream leads to; 0: it leads to none, or to one that does not say. */
size_t terminal_width(FILE *stream);
/* How many characters a text of UTF-8 shows; the codes of color.h show none. */
size_t terminal_count(const char *text);

/*
 * Prints the text and a newline; on a terminal it is broken at words, and what follows a break begins with `indent`
 * spaces. The text may have newlines itself.
 */
void terminal_print(FILE *stream, size_t indent, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
