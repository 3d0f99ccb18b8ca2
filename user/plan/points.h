/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The points of a plan: the tunnel, and every device by which packets may leave. Pure.
 */
#ifndef WGVIA_POINTS_H
#define WGVIA_POINTS_H

#include "plan/plan.h"

/* Fills in plan->points, ->left_out and ->devices from its state and devices. 0 or -ENOMEM. */
int points_find(struct plan *plan, const struct netdev *tunnel);
/* Whether a gateway, active or on standby, is reached by the device. */
bool points_is_gateway(const struct plan *plan, uint32_t ifindex);
/* Whether this host may send packets by the device in its present state, whether or not it is a gateway's device. */
bool points_is_way_out(const struct netdevs *netdevs, const struct netdev *netdev);

#endif
