// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stages of a try.
 */
#include "agent/health_path.h"

void health_path_try(struct health_path *path, const struct health *health)
{
	if (!health->sent || health->state == HEALTH_DEAD)
		path->stage = HEALTH_STAGE_NOTHING;
	path->wanted = true;
}

static void reach(struct health_path *path, enum health_stage stage)
{
	if (path->stage < stage)
		path->stage = stage;
}

bool health_path_neighbour(struct health_path *path)
{
	bool wanted = path->wanted;

	path->wanted = false;
	reach(path, HEALTH_STAGE_NEIGHBOUR);
	return wanted;
}

bool health_path_event(struct health_path *path, enum path_event event)
{
	if (event == PATH_FORWARDED)
		reach(path, HEALTH_STAGE_FORWARDED);
	else if (event == PATH_REFUSED)
		reach(path, HEALTH_STAGE_REFUSED);
	return event == PATH_ANSWERED;
}

enum wgvia_fault health_path_fault(const struct health_path *path, enum wgvia_watch_kind kind)
{
	switch (path->stage) {
	case HEALTH_STAGE_NEIGHBOUR:
		return kind == WGVIA_WATCH_PING	 ? WGVIA_FAULT_PING
		       : kind == WGVIA_WATCH_TCP ? WGVIA_FAULT_TCP
						 : WGVIA_FAULT_FORWARD;
	case HEALTH_STAGE_FORWARDED:
		return WGVIA_FAULT_RETURN;
	case HEALTH_STAGE_REFUSED:
		return WGVIA_FAULT_REFUSED;
	default:
		return WGVIA_FAULT_NONE;
	}
}
