// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages to the service manager, and the watchdog's interval.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/notify.h"
#include "base/util.h"

/* A socket of that name, as in $NOTIFY_SOCKET. */
static int listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(address.sun_path, name, strlen(name));
	if (*name == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + strlen(name)),
			 0);
	return fd;
}

static void expect(int fd, const char *message)
{
	char text[256] = "";

	assert_true(recv(fd, text, sizeof(text) - 1, 0) >= 0);
	assert_string_equal(text, message);
	assert_int_equal(recv(fd, text, sizeof(text), 0), -1);
}

static void a_message_is_one_datagram(void **state)
{
	char path[64], abstract[64];
	const char *const names[] = {path, abstract};

	(void)state;
	snprintf(path, sizeof(path), "/tmp/wgvia-notify-%d", getpid());
	snprintf(abstract, sizeof(abstract), "@wgvia-notify-%d", getpid());
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_fd int fd = listen_at(names[i]);

		setenv("NOTIFY_SOCKET", names[i], 1);
		notify("RELOADING=1\nMONOTONIC_USEC=%d", 5);
		expect(fd, "RELOADING=1\nMONOTONIC_USEC=5");
	}
	unlink(path);
}

static void a_path_may_be_as_long_as_an_address(void **state)
{
	char folder[] = "/tmp/wgvia-notify-XXXXXX", path[110];
	cleanup_fd int fd = -1;

	(void)state;
	assert_non_null(mkdtemp(folder));
	memset(path, 'x', sizeof(path));
	memcpy(path, folder, strlen(folder));
	path[strlen(folder)] = '/';
	path[sizeof(((struct sockaddr_un *)0)->sun_path)] = '\0';
	fd = listen_at(path);
	setenv("NOTIFY_SOCKET", path, 1);
	notify("READY=1");
	expect(fd, "READY=1");
	unlink(path);
	rmdir(folder);
}

static void without_a_listener_nothing_happens(void **state)
{
	static const char *const names[] = {"", "/", "@", "relative", "vsock:2:1", "/nonexistent/wgvia"};
	char longest[200];

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	notify("READY=1");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		notify("READY=1");
	}
	memset(longest, '/', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	setenv("NOTIFY_SOCKET", longest, 1);
	notify("READY=1");
}

static void a_watchdog_is_for_the_process_that_is_named(void **state)
{
	static const struct {
		const char *usec, *pid;
		uint64_t milliseconds;
	} rows[] = {
		{NULL, NULL, 0},      {"60000000", NULL, 60000}, {"60000000", "self", 60000},
		{"60000000", "1", 0}, {"60000000", "", 0},	 {"0", NULL, 0},
		{"", NULL, 0},	      {"-5", NULL, 0},		 {"60000000x", NULL, 0},
		{"500", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char self[16];

		snprintf(self, sizeof(self), "%d", getpid());
		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
		if (rows[i].usec)
			setenv("WATCHDOG_USEC", rows[i].usec, 1);
		if (rows[i].pid)
			setenv("WATCHDOG_PID", strcmp(rows[i].pid, "self") ? rows[i].pid : self, 1);
		assert_int_equal(notify_watchdog(), rows[i].milliseconds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_one_datagram),
		cmocka_unit_test(a_path_may_be_as_long_as_an_address),
		cmocka_unit_test(without_a_listener_nothing_happens),
		cmocka_unit_test(a_watchdog_is_for_the_process_that_is_named),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
