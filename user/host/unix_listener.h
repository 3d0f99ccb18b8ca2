/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether this network namespace has the listener of a UNIX socket: all network namespaces that share a file system see
 * the same path, which does not show where its server runs.
 */
#ifndef WGVIA_UNIX_LISTENER_H
#define WGVIA_UNIX_LISTENER_H

/*
 * Whether a socket of this process's network namespace listens at the path (NETLINK_SOCK_DIAG, which needs no
 * privilege): 1, 0, or -errno if that is unknown.
 */
int unix_listener_is_own(const char *path);

#endif
