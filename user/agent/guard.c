// SPDX-License-Identifier: GPL-2.0-only
/*
 * What cannot wait for the next step of a keeper: programs at a device that was just added or removed.
 */
#include <string.h>

#include "agent/converge.h"
#include "agent/log.h"
#include "base/util.h"
#include "datapath/leaver.h"
#include "datapath/newcomer.h"
#include "plan/points.h"
#include "session/change_list.h"

/* A gateway's device is known by its name, before it is up. */
static bool may_be_way_out(const struct keeper *keeper, const struct netdev *netdev)
{
	return reconcile_knows(&keeper->names, netdev->name) || points_is_way_out(&keeper->netdevs, netdev);
}

static void log_attachment(const struct netdev *netdev, enum wgvia_direction direction, bool attached)
{
	cleanup(event_free) struct event event = change_list_attachment(
		log_tunnel(), attached ? "attached" : "detached", netdev->name, netdev->ifindex, direction);

	log_event(&event);
}

void keeper_guard(struct keeper *keeper, const struct netdev *netdev)
{
	const struct netdev *known = netdev_by_index(&keeper->netdevs, netdev->ifindex);
	struct context *context = keeper->context;

	if (!keeper->present || !strcmp(netdev->name, keeper->words->tunnel) || !may_be_way_out(keeper, netdev) ||
	    (known && !keeper->again && may_be_way_out(keeper, known)) ||
	    (!netdev_is_ethernet(netdev) && !netdev_is_l3(netdev)))
		return;
	/* a failure here recurs in the next step, which reports it */
	if (newcomer_guard(context->pin_dir, keeper->words->tunnel, &keeper->programs, netdev, &context->error) > 0) {
		keeper_remember_name(keeper, netdev);
		log_attachment(netdev, WGVIA_EGRESS, true);
	}
	context->error = (struct error){};
}

void keeper_let_go(struct keeper *keeper, const struct netdev *netdev)
{
	struct context *context = keeper->context;
	uint32_t directions;

	/* the next step detaches the rest, and reports it */
	leaver_release(context->pin_dir, keeper->words->tunnel, netdev->ifindex, &directions, &context->error);
	for (int direction = 0; direction < WGVIA_DIRECTION_COUNT; direction++)
		if (directions & 1u << direction)
			log_attachment(netdev, direction, false);
	context->error = (struct error){};
}
