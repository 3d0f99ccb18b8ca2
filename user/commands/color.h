/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Red, where it may be: on a terminal, or where the user asks for it.
 */
#ifndef WGVIA_COLOR_H
#define WGVIA_COLOR_H

#include <stdbool.h>
#include <stdio.h>

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* For the whole process; COLOR_AUTO unless it is called: on a terminal, without NO_COLOR (https://no-color.org). */
void color_choose(enum color_when when);
/* "auto", "always" or "never"; false: another word. */
bool color_parse(const char *word, enum color_when *when);

/* The escape code that begins what is wrong, and the one that ends it; empty where the stream has no colours. */
const char *color_bad(FILE *stream);
const char *color_off(FILE *stream);

#endif
