/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages to the service manager. systemd keeps the protocol of sd_notify(3) stable, and other service managers
 * implement it, so the program does not need libsystemd.
 */
#ifndef WGVIA_NOTIFY_H
#define WGVIA_NOTIFY_H

#include <stdint.h>

/* Sends lines "NAME=VALUE" to $NOTIFY_SOCKET. Without a listener it does nothing; it never waits. */
void notify(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The interval in milliseconds within which "WATCHDOG=1" is expected ($WATCHDOG_USEC, $WATCHDOG_PID); 0: never. */
uint64_t notify_watchdog(void);

#endif
