/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `gateways`: how an instance's gateways are, as its agent sees them. The agent creates it beside the
 * instance's other pins, which an instance that has no agent lacks; it moves along when `up` replaces the instance.
 */
#ifndef WGVIA_GATEWAY_MAP_H
#define WGVIA_GATEWAY_MAP_H

#include "datapath/instance.h"

struct gateway_health {
	struct wgvia_hop hop; /* in the order of memcmp(), where there are several */
	struct wgvia_gateway_health health;
};

struct gateway_healths {
	struct gateway_health *all;
	size_t count;
};

/*
 * Makes the map hold these, which it puts in order, and no others; what the map has no room for is left out. The lock
 * on `root` is held. No instance is a success. 0 or -errno.
 */
int gateway_map_write(const char *root, const char *tunnel, struct gateway_healths *healths);
/* Removes the map's pin: nothing is known. The lock on `root` is held. */
void gateway_map_remove(const char *root, const char *tunnel);
/*
 * What the map holds, in order; nothing where there is no such map. Values that no agent writes are replaced by those
 * that say nothing. The array is the caller's. 0 or -ENOMEM.
 */
int gateway_map_read(const char *root, const char *tunnel, struct gateway_healths *healths);
/* Of healths that are in order; NULL: there is none for this gateway. */
const struct gateway_health *gateway_map_find(const struct gateway_healths *healths, const struct wgvia_hop *hop);

#endif
