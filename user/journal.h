/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's log: one line on stderr for each thing that happens. Where stderr is systemd's journal, each begins with
 * its priority, as sd-daemon(3) says.
 */
#ifndef WGVIA_JOURNAL_H
#define WGVIA_JOURNAL_H

#include <systemd/sd-daemon.h> /* SD_ERR, SD_WARNING, SD_NOTICE, SD_INFO */

/* Looks at what stderr is; `tunnel` is what all lines are about, and the caller's. */
void journal_begin(const char *tunnel);
/* `priority` is one of sd-daemon.h's. */
void journal(const char *priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
