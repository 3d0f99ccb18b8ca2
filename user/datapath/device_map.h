/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `devices`: the tunnel, and the devices to which an egress program is attached. Gateways may be reached by the
 * Ethernet devices among them. The kernel removes an entry when its device is removed.
 */
#ifndef WGVIA_DEVICE_MAP_H
#define WGVIA_DEVICE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/point.h"

/* Whether it contains this Ethernet device. */
bool device_map_has(int map, uint32_t ifindex);
/* Whether it contains the entry that this point needs. */
bool device_map_has_point(int map, const struct point *point);
/*
 * Adds the point's device, of this network namespace, if the point needs an entry. `*key` is the key of a new entry, or
 * 0. 0 or -errno.
 */
int device_map_add(int map, const struct point *point, uint32_t *key);
void device_map_remove(int map, uint32_t key);
/* Appends the points that the entries need: both programs at each device. 0 or -ENOMEM. */
int device_map_points(int map, struct points *points);
/* Removes all entries except those of the tunnel and of the points. */
void device_map_keep(int map, const struct point *points, size_t count);

/* The tunnel's ifindex; 0: there is none. */
uint32_t device_map_tunnel(int map);
/* 0 or -errno. */
int device_map_set_tunnel(int map, uint32_t ifindex);

#endif
