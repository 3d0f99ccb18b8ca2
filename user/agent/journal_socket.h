/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages to systemd's journal with fields of their own. Its native protocol is stable and documented
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/); the program needs nothing else of libsystemd.
 */
#ifndef WGVIA_JOURNAL_SOCKET_H
#define WGVIA_JOURNAL_SOCKET_H

#include <stdbool.h>

#include "base/event.h"

/*
 * Sends MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, MESSAGE_ID, WGVIA_INTERFACE, WGVIA_EVENT, and WGVIA_NAME for each field.
 * It waits for the journal as a line on stderr does. False: the journal has not got it.
 */
bool journal_send(const struct event *event);

#endif
