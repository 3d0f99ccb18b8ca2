/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's log: one line on stderr for each thing that happens. Where stderr is systemd's journal, each begins with
 * its priority, as sd-daemon(3) says.
 */
#ifndef WGVIA_LOG_H
#define WGVIA_LOG_H

#include "base/journal.h" /* priorities */

/* Looks at what stderr is; `tunnel` is what all lines are about, and the caller's. */
void log_begin(const char *tunnel);
/* From here on each line is handed to `sink`, and not written. */
void log_divert(void (*sink)(const char *priority, const char *tunnel, const char *line));
/* `priority` is one of base/journal.h's. */
void log_line(const char *priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
