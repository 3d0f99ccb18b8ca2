/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who listens at a UNIX socket: a path is the same in all network namespaces that share a file system, and says nothing
 * about which of them its server is in.
 */
#ifndef WGVIA_UNIX_LISTENER_H
#define WGVIA_UNIX_LISTENER_H

/*
 * Whether a socket of this process's network namespace listens at the path (NETLINK_SOCK_DIAG, which needs no
 * privilege): 1, 0, or -errno where that cannot be known.
 */
int unix_listener_is_own(const char *path);

#endif
