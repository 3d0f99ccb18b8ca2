// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors as values: one line each, lower case, the object in quotes, the cause last.
 */
#include "base/error.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/permissions.h"

void error_keep_on_one_line(char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

static void set_text(struct error *error, int status, const char *format, va_list args)
{
	error->status = status;
	error->hint[0] = '\0';
	vsnprintf(error->text, sizeof(error->text), format, args);
	error_keep_on_one_line(error->text);
}

int error_system(struct error *error, int errnum, const char *format, ...)
{
	va_list args;
	size_t len;

	va_start(args, format);
	set_text(error, 1, format, args);
	va_end(args);
	if (!errnum)
		return -EIO;
	len = strlen(error->text);
	snprintf(error->text + len, sizeof(error->text) - len, ": %s", strerror(errnum));
	/* "No such device" becomes lower case in the middle of a line, "RTNETLINK ..." does not */
	if (len + 3 < sizeof(error->text) && islower((unsigned char)error->text[len + 3]))
		error->text[len + 2] = (char)tolower((unsigned char)error->text[len + 2]);
	if (errnum == EPERM || errnum == EACCES)
		error_permissions(error, permissions_for_bpf(), errnum);
	return -errnum;
}

int error_refuse(struct error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_text(error, 1, format, args);
	va_end(args);
	return -EINVAL;
}

int error_usage(struct error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_text(error, 2, format, args);
	va_end(args);
	return -EINVAL;
}

void error_prefix(struct error *error, const char *format, ...)
{
	char text[sizeof(error->text)];
	va_list args;
	int len;

	memcpy(text, error->text, sizeof(text));
	va_start(args, format);
	len = vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	error_keep_on_one_line(error->text);
	if (len < (int)sizeof(error->text))
		snprintf(error->text + len, sizeof(error->text) - len, "%s", text);
}

void error_hint(struct error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->hint, sizeof(error->hint), format, args);
	va_end(args);
	error_keep_on_one_line(error->hint);
}

void error_permissions(struct error *error, uint64_t needed, int errnum)
{
	struct permissions own = permissions_own();
	char text[PERMISSIONS_TEXT_MAX];

	if (errnum == EPERM || errnum == EACCES)
		error_hint(error, "%s", permissions_hint(&own, needed, errnum, text));
}

const char *more_text(size_t count, char text[MORE_TEXT_LEN])
{
	text[0] = '\0';
	if (count > 1)
		snprintf(text, MORE_TEXT_LEN, " and %zu more", count - 1);
	return text;
}
