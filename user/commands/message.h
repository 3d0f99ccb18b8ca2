/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors and notes on standard error.
 */
#ifndef WGVIA_MESSAGE_H
#define WGVIA_MESSAGE_H

#include "base/context.h"

/* "wgvia: TEXT", and a line "hint: HINT" where there is one. */
void message_print(const struct error *error);
/* Says so where the folder of --pin-dir does not exist: a command that finds nothing in it succeeds all the same. */
void message_no_pin_dir(const struct context *context);

#endif
