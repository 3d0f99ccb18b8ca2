/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors and notes on standard error.
 */
#ifndef WGVIA_MESSAGE_H
#define WGVIA_MESSAGE_H

#include "base/context.h"

/* "wgvia: TEXT", and a line "hint: HINT" if there is one. */
void message_print(const struct error *error);
/* Reports that the folder of --pin-dir does not exist: a command that finds nothing in it succeeds nevertheless. */
void message_no_pin_dir(const struct context *context);

#endif
