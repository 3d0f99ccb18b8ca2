/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages to the service manager. systemd keeps the protocol of sd_notify(3) stable, and other service managers
 * implement it. The program needs nothing else of libsystemd.
 */
#ifndef WGVIA_NOTIFY_H
#define WGVIA_NOTIFY_H

#include <stdint.h>

/* Lines "NAME=VALUE", to $NOTIFY_SOCKET. Without a listener nothing happens; it does not wait. */
void notify(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Within how many milliseconds "WATCHDOG=1" is expected, again and again ($WATCHDOG_USEC, $WATCHDOG_PID); 0: never. */
uint64_t notify_watchdog(void);

#endif
