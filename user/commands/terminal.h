/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines on a terminal: its width, and text that is wrapped at words. Elsewhere a line stays whole.
 */
#ifndef WGVIA_TERMINAL_H
#define WGVIA_TERMINAL_H

#include <stdio.h>

/* Columns of the stream's terminal; 0: it is not a terminal, or its width is unknown. */
size_t terminal_width(FILE *stream);
/* Number of visible characters of a UTF-8 text, without the codes of color.h. */
size_t terminal_count(const char *text);

/*
 * Prints the text and a newline. On a terminal, it wraps the text at words, and indents continuation lines by `indent`
 * spaces. The text may contain newlines.
 */
void terminal_print(FILE *stream, size_t indent, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
