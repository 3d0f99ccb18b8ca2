/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Listening to rtnetlink: changes in this network namespace, as they happen. It filters out what cannot matter to an
 * instance (routes that neither the bypass list nor the default gateway depends on). agent/agent.c decides what follows
 * from a change.
 */
#ifndef WGVIA_MONITOR_H
#define WGVIA_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "host/rtnl.h"

struct monitor;

enum monitor_kind {
	MONITOR_LINK,	   /* `link` is new, or changed */
	MONITOR_LINK_GONE, /* `link` */
	MONITOR_ADDRESS,   /* `link.ifindex` got an address, or an address of it changed */
	MONITOR_ADDRESS_GONE,
	MONITOR_ROUTE,
	MONITOR_NEIGHBOUR, /* `ip` on `link.ifindex` is `neighbour` */
	MONITOR_OVERRUN,   /* something was lost: read everything again */
};

struct monitor_event {
	enum monitor_kind kind;
	struct netdev netdev;
	struct ip ip;
	struct neighbour neighbour;
};

typedef void (*monitor_handler)(void *data, const struct monitor_event *event);

/* `receive_buffer` in bytes; 0: a large one. 0 or -errno. */
int monitor_open(struct monitor **monitor, unsigned int receive_buffer);
void monitor_close(struct monitor **monitor); /* for cleanup(); *monitor may be NULL */
int monitor_fd(const struct monitor *monitor);
/*
 * Makes routes through this device matter, and those that overlap `ranges`, which is read at each event. 0: there is no
 * device.
 */
void monitor_set_tunnel(struct monitor *monitor, uint32_t ifindex, const struct prefixes *ranges);
/* Passes received events to the handler; during a flood, a limited number of them. 0 or -errno. */
int monitor_read(struct monitor *monitor, monitor_handler handler, void *data);

#endif
