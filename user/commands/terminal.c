// SPDX-License-Identifier: GPL-2.0-only
/*
 * Breaking lines: a word that is longer than the terminal stays whole, and the terminal breaks it.
 */
#include "commands/terminal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/util.h"

size_t terminal_width(FILE *stream)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = {};

	if (!isatty(fileno(stream)))
		return 0;
	if (columns && atoi(columns) > 0)
		return atoi(columns);
	return ioctl(fileno(stream), TIOCGWINSZ, &size) ? 0 : size.ws_col;
}

size_t terminal_count(const char *text)
{
	size_t count = 0;

	for (; *text; text++) {
		if (!strncmp(text, "\033[", 2)) /* of color.h: up to its final 'm' */
			text += strcspn(text, "m");
		else
			count += ((unsigned char)*text & 0xc0) != 0x80;
		if (!*text)
			break;
	}
	return count;
}

/* The first word of the text, with the blanks before it and a line end after it. */
static char *take_part(char **text)
{
	size_t len = strspn(*text, " ");
	char *part;

	len += strcspn(*text + len, " \n");
	len += (*text)[len] == '\n';
	part = strndup(*text, len);
	*text += len;
	return part;
}

static void print_wrapped(FILE *stream, size_t width, size_t indent, char *text)
{
	size_t column = 0;

	while (*text) {
		cleanup_free char *part = take_part(&text);
		size_t len = part ? terminal_count(part) : 0, blanks = part ? strspn(part, " ") : 0;
		bool ends = len && part[len ? strlen(part) - 1 : 0] == '\n';

		if (!part)
			return;
		if (column > indent && column + len - ends > width) {
			fprintf(stream, "\n%*s%s", (int)indent, "", part + blanks);
			column = indent + len - blanks;
		} else {
			fputs(part, stream);
			column += len;
		}
		if (ends)
			column = 0;
	}
	fputc('\n', stream);
}

void terminal_print(FILE *stream, size_t indent, const char *format, ...)
{
	cleanup_free char *text = NULL;
	size_t width = terminal_width(stream);
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		return;
	if (width)
		print_wrapped(stream, width, indent < width / 2 ? indent : width / 4, text);
	else
		fprintf(stream, "%s\n", text);
}
