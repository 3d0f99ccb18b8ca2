// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines to stderr.
 */
#include "journal.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *about;
static bool is_journal;

/* systemd.exec(5): the device and inode number of the stream that the journal reads. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%lu:%lu", &device, &inode) == 2 && !fstat(STDERR_FILENO, &st) &&
	       st.st_dev == device && st.st_ino == inode;
}

void journal_begin(const char *tunnel)
{
	about = tunnel;
	is_journal = stderr_is_journal();
}

void journal(const char *priority, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* the journal adds the program's name itself */
	fprintf(stderr, "%s%s: %s\n", is_journal ? priority : "wgvia: ", about, line);
}
