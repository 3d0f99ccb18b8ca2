/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An agent's changes to a running instance's state when something changes: re-created devices, a new meaning of a
 * configuration file, the health of gateways. Pure: no I/O.
 */
#ifndef WGVIA_RECONCILE_H
#define WGVIA_RECONCILE_H

#include "agent/health.h"
#include "base/netdev.h"
#include "config/state.h"

/* The name of the device that had this ifindex. */
struct device_name {
	uint32_t ifindex;
	char name[IFNAMSIZ];
};

struct device_names {
	struct device_name *all;
	size_t count;
};

/* Remembers the names of those links by which the state's gateways are reached. 0 or -ENOMEM. */
int reconcile_learn(struct device_names *names, const struct netdevs *netdevs, const struct state *state);
/* The same, for a name that was found out in another way. */
int reconcile_learn_name(struct device_names *names, uint32_t ifindex, const char *name);
const char *reconcile_name(const struct device_names *names, uint32_t ifindex); /* NULL: unknown */
bool reconcile_knows(const struct device_names *names, const char *name);

/*
 * Moves gateways whose device was removed, if another device now has its name, to that device. Returns the number of
 * affected prefixes and lists.
 */
size_t reconcile_devices(struct state *state, const struct device_names *names, const struct netdevs *netdevs);

/*
 * The meaning of a file changed from `base` to `fresh`: prefixes that still match `base` are changed to match `fresh`;
 * what somebody changed by hand since then stays. Only a prefix without a named gateway, in the file and in `state`,
 * gets the default route's. 0, -ENOMEM or -ENOSPC.
 */
int reconcile_file(struct state *state, const struct state *base, const struct state *fresh);

typedef enum health_state (*reconcile_health_of)(const void *data, const struct wgvia_hop *hop);
/* Called for each prefix that moves; `down`: it has no gateway left. */
typedef void (*reconcile_moved)(void *data, const struct gateway_entry *from, const struct wgvia_gateway *to);
/* Chooses among each prefix's gateways; see health_choose(). Returns the number of values that changed. */
size_t reconcile_health(struct state *state, reconcile_health_of health_of, reconcile_moved moved, void *data);

#endif
