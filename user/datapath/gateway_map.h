/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `gateways`: the state of an instance's gateways, as its agent sees them. The agent creates it beside the
 * instance's other pins; an instance without an agent has no such map. It is kept when `up` replaces the instance.
 */
#ifndef WGVIA_GATEWAY_MAP_H
#define WGVIA_GATEWAY_MAP_H

#include "datapath/instance.h"

struct gateway_health {
	struct wgvia_hop hop; /* sorted by memcmp() in arrays */
	struct wgvia_gateway_health health;
};

struct gateway_healths {
	struct gateway_health *all;
	size_t count;
};

/*
 * Makes the map contain exactly these, which it sorts; entries that do not fit are omitted. The lock on `root` must be
 * held. A missing instance is a success. 0 or -errno.
 */
int gateway_map_write(const char *root, const char *tunnel, struct gateway_healths *healths);
/*
 * When the agent last confirmed the map, in seconds of CLOCK_BOOTTIME. It is the pin's time of modification, which
 * needs no lock. UINT64_MAX: the pin does not exist.
 */
void gateway_map_set_time(const char *root, const char *tunnel, uint64_t seconds);
uint64_t gateway_map_time(const char *root, const char *tunnel);
/* Removes the map's pin: the state becomes unknown. The lock on `root` must be held. */
void gateway_map_remove(const char *root, const char *tunnel);
/*
 * The content of the map, sorted; empty without such a map. Values that no agent writes are replaced by "unknown". The
 * caller frees the array. 0 or -ENOMEM.
 */
int gateway_map_read(const char *root, const char *tunnel, struct gateway_healths *healths);
/* `healths` must be sorted. NULL: no entry for this gateway. */
const struct gateway_health *gateway_map_find(const struct gateway_healths *healths, const struct wgvia_hop *hop);

#endif
