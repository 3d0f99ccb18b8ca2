// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines for the user outside the command's output.
 */
#include "commands/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/journal.h"
#include "commands/color.h"
#include "commands/terminal.h"
#include "datapath/pins.h"

void message_print(const struct error *error)
{
	const char *priority = stderr_is_journal() ? JOURNAL_ERR : "";

	terminal_print(stderr, 7, "%s%s%s%s%s", color_bad(stderr), priority, *priority ? "" : "wgvia: ", error->text,
		       color_off(stderr));
	if (error->hint[0])
		terminal_print(stderr, 6, "%shint: %s", priority, error->hint);
}

void message_no_pin_dir(const struct context *context)
{
	struct error note = {};

	if (!strcmp(context->pin_dir, PINS_DEFAULT) || !access(context->pin_dir, F_OK) || errno != ENOENT)
		return;
	error_refuse(&note, "no instance in '%s': there is no such folder", context->pin_dir);
	message_print(&note);
}
