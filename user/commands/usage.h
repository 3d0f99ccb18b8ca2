/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Help, from the tables of commands and options.
 */
#ifndef WGVIA_USAGE_H
#define WGVIA_USAGE_H

#include <stdio.h>

#include "commands/table.h"

/* All commands and options. */
void usage_print(FILE *out);
/* One command: usage, words, an example. */
void usage_print_command(const struct command *command, FILE *out);

#endif
