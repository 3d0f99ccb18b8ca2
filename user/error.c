// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors as values. One line each, lower case, the object in quotes, the cause last.
 */
#include "error.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set_text(struct error *error, int status, const char *format, va_list args)
{
	error->status = status;
	error->hint[0] = '\0';
	vsnprintf(error->text, sizeof(error->text), format, args);
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
	/* "No such device" in the middle of a line, but not "RTNETLINK ..." */
	if (len + 3 < sizeof(error->text) && islower((unsigned char)error->text[len + 3]))
		error->text[len + 2] = (char)tolower((unsigned char)error->text[len + 2]);
	if (errnum == EPERM || errnum == EACCES)
		error_hint(error, "root is needed (CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON)");
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
	if (len < (int)sizeof(error->text))
		snprintf(error->text + len, sizeof(error->text) - len, "%s", text);
}

void error_hint(struct error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->hint, sizeof(error->hint), format, args);
	va_end(args);
}
