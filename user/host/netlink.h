/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A netlink socket with libmnl: netlink_request(), then the attributes, then netlink_ask(). The callers (rtnl_*.c,
 * conntrack.c and others) know the messages.
 */
#ifndef WGVIA_NETLINK_H
#define WGVIA_NETLINK_H

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdbool.h>

struct netlink;

/* `bus`: NETLINK_ROUTE, NETLINK_NETFILTER ... 0 or -errno. */
int netlink_open(struct netlink **netlink, int bus);
void netlink_close(struct netlink **netlink); /* for cleanup(); *netlink may be NULL */

/* Overwrites the last answer in memory, which contains keys. */
void netlink_wipe(struct netlink *netlink);

/*
 * `fixed`: the size of the header before the attributes, in the request, where it is zeroed, and in the answer. The
 * request is in the socket's only buffer: the next one overwrites it.
 */
struct nlmsghdr *netlink_request(struct netlink *netlink, uint16_t type, uint16_t flags, size_t fixed);
/*
 * Sends the request and calls back for each message of the answer that is not shorter than `fixed`. A callback that
 * fails sets errno: see netlink_fail().
 */
int netlink_ask(struct netlink *netlink, const struct nlmsghdr *header, mnl_cb_t callback, void *data);
/* Repeats the request if the kernel's tables changed during a dump; `reset` discards the results so far. */
int netlink_ask_again(struct netlink *netlink, int (*once)(struct netlink *netlink, void *data),
		      void (*reset)(void *data), void *data);
/* For callbacks: "return netlink_fail(ENOMEM)". */
int netlink_fail(int err);

/*
 * Whether netlink_ask() failed because the kernel lacks the requested address family (ipv6.disable=1). If another
 * handler takes the request (PF_UNSPEC), a dump returns entries of other families instead.
 */
static inline bool netlink_lacks_family(int ret)
{
	return ret == -EAFNOSUPPORT || ret == -EOPNOTSUPP;
}

#endif
