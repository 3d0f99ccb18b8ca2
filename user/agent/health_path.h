/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "health forward|ping|tcp": what a gateway must do to count as having answered, and how far it got since it last did.
 * First its neighbour answer is awaited, then a packet goes through it. The answer to that packet is an answer in the
 * sense of health.h. Pure, like health.h.
 */
#ifndef WGVIA_HEALTH_PATH_H
#define WGVIA_HEALTH_PATH_H

#include <stdbool.h>

#include "agent/health.h"
#include "host/path_probe.h"
#include "wgvia_abi.h"

enum health_stage {
	HEALTH_STAGE_NOTHING,
	HEALTH_STAGE_NEIGHBOUR, /* its neighbour answer arrived */
	HEALTH_STAGE_FORWARDED, /* the request came back */
	HEALTH_STAGE_REFUSED,	/* the service refused the connection */
};

struct health_path {
	enum health_stage stage; /* the furthest since the last answer; for a dead gateway, of its last try */
	bool wanted;		 /* a try waits for the neighbour answer */
};

/* A try is due, which begins with a neighbour request. Call it before health_tick() counts the try. */
void health_path_try(struct health_path *path, const struct health *health);
/* The neighbour has answered. True: send the packet now. */
bool health_path_neighbour(struct health_path *path);
/* The result of the packet. True: it counts as an answer. */
bool health_path_event(struct health_path *path, enum path_event event);
/* What the gateway lacks, according to the observations; WGVIA_FAULT_NONE: not even a neighbour answer arrived. */
enum wgvia_fault health_path_fault(const struct health_path *path, enum wgvia_watch_kind kind);

#endif
