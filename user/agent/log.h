/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's log: exactly one event for each thing that happens. If stderr is the journal, it is a datagram with
 * fields for systemd's journal, otherwise a line on stderr. `wgvia monitor` receives it as well. If the journal's
 * socket cannot be reached, the line begins with its priority, as in sd-daemon(3).
 */
#ifndef WGVIA_LOG_H
#define WGVIA_LOG_H

#include "base/event.h"
#include "base/journal.h" /* priorities */

/* Determines what stderr is; `tunnel` is the interface of all lines, and the caller's. */
void log_begin(const char *tunnel);
/* From now on, passes each event to `sink` instead of writing it. */
void log_divert(void (*sink)(const struct event *event));
void log_event(const struct event *event);
/* An event without fields; `priority` is one of base/journal.h's. */
void log_line(enum event_kind kind, const char *priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* An event whose only field is "state". */
void log_state(enum event_kind kind, const char *priority, const char *state, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The interface of the log, for events. */
const char *log_tunnel(void);

#endif
