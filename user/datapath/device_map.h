/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `devices`: the tunnel, and the devices that an egress program is attached to; a gateway may be reached by the
 * Ethernet devices among them. The kernel takes devices out of it that go.
 */
#ifndef WGVIA_DEVICE_MAP_H
#define WGVIA_DEVICE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/point.h"

/* Whether an Ethernet device is there. */
bool device_map_has(int map, uint32_t ifindex);
/* Whether what the map has to hold for this point is there. */
bool device_map_has_point(int map, const struct point *point);
/*
 * Adds the point's device, of this network namespace, where the map has to hold it; `*key` is the new entry's, 0 where
 * there is none. 0 or -errno.
 */
int device_map_add(int map, const struct point *point, uint32_t *key);
void device_map_remove(int map, uint32_t key);
/* Removes all but the tunnel and those of the points. */
void device_map_keep(int map, const struct point *points, size_t count);

/* The tunnel's ifindex; 0: there is none. */
uint32_t device_map_tunnel(int map);
/* 0 or -errno. */
int device_map_set_tunnel(int map, uint32_t ifindex);

#endif
