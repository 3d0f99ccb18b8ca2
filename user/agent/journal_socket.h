/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages with custom fields to systemd's journal. Its native protocol is stable and documented
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/), so the program does not need libsystemd.
 */
#ifndef WGVIA_JOURNAL_SOCKET_H
#define WGVIA_JOURNAL_SOCKET_H

#include <stdbool.h>

#include "base/event.h"

/*
 * Sends MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, MESSAGE_ID, WGVIA_INTERFACE, WGVIA_EVENT, and WGVIA_NAME for each field.
 * It may block like a write to stderr. False: the journal did not receive it.
 */
bool journal_send(const struct event *event);

#endif
