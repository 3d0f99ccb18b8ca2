/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an agent changes in a running instance's state when the world changes: devices that were made anew, what a
 * configuration file means now, gateways that are well or not. Pure: it asks nobody.
 */
#ifndef WGVIA_RECONCILE_H
#define WGVIA_RECONCILE_H

#include "agent/health.h"
#include "base/netdev.h"
#include "config/state.h"

/* Which device an ifindex was. */
struct device_name {
	uint32_t ifindex;
	char name[IFNAMSIZ];
};

struct device_names {
	struct device_name *all;
	size_t count;
};

/* Remembers the names of those links at which gateways of the state stand. 0 or -ENOMEM. */
int reconcile_learn(struct device_names *names, const struct netdevs *netdevs, const struct state *state);
/* As above, where it was found out by other means. */
int reconcile_learn_name(struct device_names *names, uint32_t ifindex, const char *name);
const char *reconcile_name(const struct device_names *names, uint32_t ifindex); /* NULL: not known */
bool reconcile_knows(const struct device_names *names, const char *name);

/*
 * Gateways whose device has gone, and another one has its name: they are at that one now. Returns how many prefixes
 * and lists that concerns.
 */
size_t reconcile_devices(struct state *state, const struct device_names *names, const struct netdevs *netdevs);

/*
 * What a file means has changed from `base` to `fresh`: the prefixes that are still as `base` has them become as
 * `fresh` has them; what somebody has changed by hand since stays. 0, -ENOMEM or -ENOSPC.
 */
int reconcile_file(struct state *state, const struct state *base, const struct state *fresh);

typedef enum health_state (*reconcile_health_of)(const void *data, const struct wgvia_hop *hop);
/* Called for each prefix that moves; `down`: none of its gateways is left. */
typedef void (*reconcile_moved)(void *data, const struct gateway_entry *from, const struct wgvia_gateway *to);
/* Chooses among each prefix's gateways; see health_choose(). Returns how many values changed. */
size_t reconcile_health(struct state *state, reconcile_health_of health_of, reconcile_moved moved, void *data);

#endif
