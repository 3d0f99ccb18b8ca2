/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's log: one event for each thing that happens, exactly once: a datagram with fields for systemd's journal
 * where stderr is the journal, else a line on stderr. `wgvia monitor` hears of it, too. Where the journal's socket
 * cannot be reached, the line begins with its priority, as sd-daemon(3) says.
 */
#ifndef WGVIA_LOG_H
#define WGVIA_LOG_H

#include "base/event.h"
#include "base/journal.h" /* priorities */

/* Looks at what stderr is; `tunnel` is what all lines are about, and the caller's. */
void log_begin(const char *tunnel);
/* From here on each event is handed to `sink`, and not written. */
void log_divert(void (*sink)(const struct event *event));
void log_event(const struct event *event);
/* An event without fields; `priority` is one of base/journal.h's. */
void log_line(enum event_kind kind, const char *priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* An event whose only field is "state". */
void log_state(enum event_kind kind, const char *priority, const char *state, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The interface that the log is about, for events. */
const char *log_tunnel(void);

#endif
