/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The points of a plan: the tunnel, and every device that packets may leave by. Pure.
 */
#ifndef WGVIA_POINTS_H
#define WGVIA_POINTS_H

#include "plan/plan.h"

/* Fills in plan->points, ->left_out and ->devices from its state and devices. 0 or -ENOMEM. */
int points_find(struct plan *plan, const struct netdev *tunnel);
/* Whether the device leads to a gateway, active or standby. */
bool points_is_gateway(const struct plan *plan, uint32_t ifindex);
/* Whether what this host sends may leave by the device as it is now, a gateway's device or not. */
bool points_is_way_out(const struct netdevs *netdevs, const struct netdev *netdev);

#endif
