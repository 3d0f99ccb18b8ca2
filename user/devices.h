/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `devices`: the tunnel, and by which Ethernet devices a gateway may be reached, because the egress program
 * stands there. The kernel takes devices out of it that go.
 */
#ifndef WGVIA_DEVICES_H
#define WGVIA_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "point.h"

/* Whether such a point's device is one for gateways. */
bool devices_holds(const struct point *point);
bool devices_has(int map, uint32_t ifindex);
/* Adds a device of this network namespace. `*is_new`: it was not there. 0 or -errno. */
int devices_add(int map, uint32_t ifindex, bool *is_new);
void devices_remove(int map, uint32_t ifindex);
/* Removes all but the tunnel and those of the points. */
void devices_keep(int map, const struct point *points, size_t count);

/* The tunnel's ifindex; 0: there is none. */
uint32_t devices_tunnel(int map);
/* 0 or -errno. */
int devices_set_tunnel(int map, uint32_t ifindex);

#endif
