/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the rtnl_*.c put a question to the kernel: rtnl_request(), what it asks for behind that, rtnl_ask(). Nobody
 * else's.
 */
#ifndef WGVIA_RTNL_ASK_H
#define WGVIA_RTNL_ASK_H

#include <libmnl/libmnl.h>

#include "rtnl.h"

/* The socket's one buffer holds it: the next request overwrites it. */
struct nlmsghdr *rtnl_request(struct rtnl *rtnl, uint16_t type, uint16_t flags);
/* Sends the request and calls back for each message of the answer. A callback's error is negative errno in errno. */
int rtnl_ask(struct rtnl *rtnl, const struct nlmsghdr *header, mnl_cb_t callback, void *data);
/* Asks again where the kernel's tables changed in the middle of a dump; `reset` empties what was gathered. */
int rtnl_ask_again(struct rtnl *rtnl, int (*once)(struct rtnl *rtnl, void *data), void (*reset)(void *data),
		   void *data);
/* For callbacks: "return rtnl_fail(ENOMEM)". */
int rtnl_fail(int err);

#endif
