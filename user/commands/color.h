/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Red text, if allowed: on a terminal, or if the user asks for it.
 */
#ifndef WGVIA_COLOR_H
#define WGVIA_COLOR_H

#include <stdbool.h>
#include <stdio.h>

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* For the whole process. The default is COLOR_AUTO: on a terminal, without NO_COLOR (https://no-color.org). */
void color_choose(enum color_when when);
/* "auto", "always" or "never"; false: another word. */
bool color_parse(const char *word, enum color_when *when);

/* The escape code for something wrong, and the one that ends it; empty if the stream has no colours. */
const char *color_bad(FILE *stream);
const char *color_off(FILE *stream);

#endif
