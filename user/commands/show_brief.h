/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `show -br`: an instance in one line.
 */
#ifndef WGVIA_SHOW_BRIEF_H
#define WGVIA_SHOW_BRIEF_H

#include "commands/output.h"

/* From the output of `show` for an instance: the number of prefixes, and each gateway once. */
json *show_brief(const json *instance);
void show_brief_print(const struct context *context, const json *value);

#endif
