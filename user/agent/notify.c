// SPDX-License-Identifier: GPL-2.0-only
/*
 * One datagram per message.
 */
#include "agent/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"

/* A path, or after "@" an abstract name (unix(7)). 0: neither, or too long. */
static socklen_t read_address(struct sockaddr_un *address)
{
	const char *text = getenv("NOTIFY_SOCKET");
	size_t len = text ? strlen(text) : 0;

	if (len < 2 || len > sizeof(address->sun_path) || (*text != '/' && *text != '@'))
		return 0;
	memcpy(address->sun_path, text, len);
	if (*text == '@')
		address->sun_path[0] = '\0';
	return offsetof(struct sockaddr_un, sun_path) + len;
}

void notify(const char *format, ...)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t len = read_address(&address);
	cleanup_fd int fd = -1;
	char text[1024];
	va_list args;

	if (!len)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&address, len);
}

/* A variable with a number of at least 1; 0: it has no such value. */
static uint64_t read_number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	uint64_t number;

	if (!text || *text < '0' || *text > '9')
		return 0;
	number = strtoull(text, &end, 10);
	return *end ? 0 : number;
}

uint64_t notify_watchdog(void)
{
	if (getenv("WATCHDOG_PID") && read_number("WATCHDOG_PID") != (uint64_t)getpid())
		return 0;
	return read_number("WATCHDOG_USEC") / 1000;
}
