// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines to stderr.
 */
#include "agent/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/journal.h"

static const char *about;
static bool is_journal;
static void (*divert)(const char *priority, const char *tunnel, const char *line);

void log_begin(const char *tunnel)
{
	about = tunnel;
	is_journal = stderr_is_journal();
}

void log_divert(void (*sink)(const char *priority, const char *tunnel, const char *line))
{
	divert = sink;
}

void log_line(const char *priority, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* the journal adds the program's name itself */
	if (divert)
		divert(priority, about, line);
	else
		fprintf(stderr, "%s%s: %s\n", is_journal ? priority : "wgvia: ", about, line);
}
