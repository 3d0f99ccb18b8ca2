// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events to their readers.
 */
#include "agent/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "agent/journal_socket.h"
#include "base/util.h"
#include "host/event_bus.h"

static const char *about;
static bool is_journal;
static void (*divert)(const struct event *event);

void log_begin(const char *tunnel)
{
	about = tunnel;
	is_journal = stderr_is_journal();
}

const char *log_tunnel(void)
{
	return about;
}

void log_divert(void (*sink)(const struct event *event))
{
	divert = sink;
}

void log_event(const struct event *event)
{
	const char *text = event->text ? event->text : "";

	event_bus_add(event);
	/* the journal adds the program's name itself */
	if (divert)
		divert(event);
	else if (!is_journal)
		fprintf(stderr, "wgvia: %s: %s\n", about, text);
	else if (!journal_send(event))
		fprintf(stderr, "%s%s: %s\n", event->priority, about, text);
}

static void log_text(enum event_kind kind, const char *priority, const char *state, const char *format, va_list args)
{
	cleanup_free char *text = NULL;
	cleanup(event_free) struct event event = {};

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	event = event_make(kind, priority, about, "%s", text ? text : "");
	if (state)
		event_add_text(&event, "state", state);
	log_event(&event);
}

void log_line(enum event_kind kind, const char *priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_text(kind, priority, NULL, format, args);
	va_end(args);
}

void log_state(enum event_kind kind, const char *priority, const char *state, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_text(kind, priority, state, format, args);
	va_end(args);
}
