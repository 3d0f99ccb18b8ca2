// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia monitor [IFACE]: events as they happen, a line each, from every process that changes an instance. It reads
 * events from the socket at once and queues them for a slow reader, because the socket has room for only a few
 * datagrams.
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "base/journal.h"
#include "base/util.h"
#include "commands/command.h"
#include "commands/output.h"
#include "config/parse.h"
#include "host/event_bus.h"

#define WAITING_MAX 100000 /* lines queued for a reader that does not read; further ones are lost, and counted */

struct line {
	struct line *next;
	char text[];
};

struct watch {
	struct context *context;
	const char *tunnel; /* empty: all */
	struct event_listener *listener;
	struct line *first, **end;
	size_t waiting;
	uint64_t lost;
};

static void watch_free(struct watch *watch)
{
	while (watch->first) {
		struct line *line = watch->first;

		watch->first = line->next;
		free(line);
	}
	event_listener_close(&watch->listener);
}

static void add_line(struct watch *watch, const char *text)
{
	size_t size = strlen(text) + 2;
	struct line *line = watch->waiting < WAITING_MAX ? malloc(sizeof(*line) + size) : NULL;

	if (!line) {
		watch->lost++;
		return;
	}
	line->next = NULL;
	snprintf(line->text, size, "%s\n", text);
	*watch->end = line;
	watch->end = &line->next;
	watch->waiting++;
}

/* "10:00:01.123456 wg6 TEXT" */
static void add_event_text(struct watch *watch, const json *event)
{
	time_t seconds = (time_t)print_number(event, "time");
	const char *fraction = strchr(print_text(event, "time"), '.'), *tunnel = print_text(event, "interface");
	cleanup_free char *text = NULL;
	char clock[16];
	struct tm tm;

	strftime(clock, sizeof(clock), "%T", localtime_r(&seconds, &tm));
	if (asprintf(&text, "%s%s %s%s%s", clock, fraction ? fraction : "", tunnel, *tunnel ? " " : "",
		     print_text(event, "text")) < 0)
		text = NULL;
	if (text)
		add_line(watch, text);
	else
		watch->lost++;
}

/* The event as received; `datagram`: its sender. NULL: this process. */
static void add_event(struct watch *watch, const json *event, const json *datagram)
{
	cleanup(print_release) json *value = print_object();

	if (!watch->context->json) {
		add_event_text(watch, event);
		return;
	}
	print_add_members(value, event);
	if (datagram) {
		print_add_text(value, "command", print_text(datagram, "command"));
		print_add_number(value, "pid", print_number(datagram, "pid"));
	}
	add_line(watch, print_line_text(value));
}

static void add_lost(struct watch *watch)
{
	cleanup(event_free) struct event event = {};
	cleanup(print_release) json *value = NULL;

	watch->lost += event_listener_lost(watch->listener);
	if (!watch->lost || watch->waiting >= WAITING_MAX)
		return;
	event = event_make(EVENT_LOST, JOURNAL_WARNING, NULL, "%" PRIu64 " events were lost", watch->lost);
	event_add_number(&event, "events", watch->lost);
	value = event_json(&event, print_realtime());
	watch->lost = 0;
	add_event(watch, value, NULL);
}

static void add_datagram(struct watch *watch, const json *datagram)
{
	const json *events = print_member(datagram, "events");

	for (size_t i = 0; i < json_object_array_length(events); i++) {
		const json *event = json_object_array_get_idx(events, i);

		if (!json_object_is_type(event, json_type_object))
			continue;
		if (!watch->tunnel[0] || !strcmp(watch->tunnel, print_text(event, "interface")))
			add_event(watch, event, datagram);
	}
}

/* Reads everything that has arrived. */
static void receive(struct watch *watch)
{
	json *datagram;

	while ((datagram = event_listener_next(watch->listener, watch->context->pin_dir))) {
		add_datagram(watch, datagram);
		json_object_put(datagram);
	}
	add_lost(watch);
}

/* Writes the first queued line; a pipe that poll() reports as writable accepts a page without blocking. */
static int write_line(struct watch *watch)
{
	struct line *line = watch->first;
	int ret = 0;

	if (fputs(line->text, stdout) < 0 || fflush(stdout))
		ret = error_system(&watch->context->error, errno, "cannot write the output");
	watch->first = line->next;
	if (!watch->first)
		watch->end = &watch->first;
	watch->waiting--;
	free(line);
	return ret;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* At the end: drops lines that the reader does not read. */
static int write_rest(struct watch *watch)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	int ret = 0;

	while (!ret && watch->first && poll(&out, 1, 0) > 0)
		ret = write_line(watch);
	return ret;
}

/* Runs until a signal ends it; 0, or negative with the error set. */
static int follow(struct watch *watch, int signals)
{
	struct pollfd fds[] = {{.events = POLLIN}, {.events = POLLIN}, {.events = POLLIN}, {.fd = STDOUT_FILENO}};
	struct pollfd *signal = &fds[2], *out = &fds[3];
	int ret = 0;

	event_listener_fds(watch->listener, &fds[0].fd, &fds[1].fd);
	signal->fd = signals;
	while (!ret && !signal->revents) {
		/* without a queued line, it only matters whether the reader has exited */
		out->events = watch->first ? POLLOUT : 0;
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return error_system(&watch->context->error, errno, "cannot wait for events");
		receive(watch);
		if (watch->first && out->revents)
			ret = write_line(watch);
		else if (out->revents & (POLLERR | POLLHUP))
			ret = error_system(&watch->context->error, EPIPE, "cannot write the output");
	}
	return ret ? ret : write_rest(watch);
}

int cmd_monitor(struct context *context, int argc, char **argv)
{
	cleanup(watch_free) struct watch watch = {.context = context};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	char tunnel[IFNAMSIZ] = "";
	cleanup_fd int signals = -1;
	int ret = argc ? parse_tunnel(argc, argv, tunnel, &context->error) : 0;

	if (ret)
		return ret;
	watch.tunnel = tunnel;
	watch.end = &watch.first;
	sigaction(SIGPIPE, &ignore, NULL); /* if the reader exits, writing returns an error */
	signals = open_signals();
	if (signals < 0)
		return error_system(&context->error, errno, "cannot wait for signals");
	ret = event_listener_open(&watch.listener, &context->error);
	if (ret)
		return ret;
	fprintf(stderr, "listening on %s%s%s\n", *tunnel ? "'" : "", *tunnel ? tunnel : "all instances",
		*tunnel ? "'" : "");
	return follow(&watch, signals);
}
