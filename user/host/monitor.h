/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Listening to rtnetlink: what changes in this network namespace, as it happens. What does not matter to an instance is
 * left out here (other routes than those that the bypass list and the default gateway follow); what follows from a
 * change is agent/agent.c's.
 */
#ifndef WGVIA_MONITOR_H
#define WGVIA_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "host/rtnl.h"

struct monitor;

enum monitor_kind {
	MONITOR_LINK,	   /* `link` is new, or has changed */
	MONITOR_LINK_GONE, /* `link` */
	MONITOR_ADDRESS,   /* `link.ifindex` has one more, or it is another now */
	MONITOR_ADDRESS_GONE,
	MONITOR_ROUTE,
	MONITOR_NEIGHBOUR, /* `ip` on `link.ifindex` is `neighbour` */
	MONITOR_OVERRUN,   /* something was lost: read everything anew */
};

struct monitor_event {
	enum monitor_kind kind;
	struct netdev netdev;
	struct ip ip;
	struct neighbour neighbour;
};

typedef void (*monitor_handler)(void *data, const struct monitor_event *event);

/* `receive_buffer` in bytes, 0: a large one. 0 or -errno. */
int monitor_open(struct monitor **monitor, unsigned int receive_buffer);
void monitor_close(struct monitor **monitor); /* for cleanup(); NULL inside is fine */
int monitor_fd(const struct monitor *monitor);
/*
 * Routes through this device matter, too, and those that overlap `ranges`, which is read at each event. 0: there is no
 * device.
 */
void monitor_set_tunnel(struct monitor *monitor, uint32_t ifindex, const struct prefixes *ranges);
/* Hands over what has come in, or of a flood a good part. 0 or -errno. */
int monitor_read(struct monitor *monitor, monitor_handler handler, void *data);

#endif
