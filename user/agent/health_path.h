/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "health forward|ping|tcp": what a gateway has to do until it has answered, and how far it has come since it last did.
 * First its neighbour answer is awaited, then a packet goes through it, and the answer to that is what health.h calls
 * an answer. Pure, as health.h is.
 */
#ifndef WGVIA_HEALTH_PATH_H
#define WGVIA_HEALTH_PATH_H

#include <stdbool.h>

#include "agent/health.h"
#include "host/path_probe.h"
#include "wgvia_abi.h"

enum health_stage {
	HEALTH_STAGE_NOTHING,
	HEALTH_STAGE_NEIGHBOUR, /* its neighbour answer is there */
	HEALTH_STAGE_FORWARDED, /* the request came back */
	HEALTH_STAGE_REFUSED,	/* the service has refused the connection */
};

struct health_path {
	enum health_stage stage; /* the furthest since the last answer; of one that is dead, of its last try */
	bool wanted;		 /* a try waits for the neighbour answer */
};

/* A try is due, which begins with a neighbour request; before health_tick() counts it. */
void health_path_try(struct health_path *path, const struct health *health);
/* The neighbour has answered. True: the packet is to be sent now. */
bool health_path_neighbour(struct health_path *path);
/* What came of the packet. True: that is the answer. */
bool health_path_event(struct health_path *path, enum path_event event);
/* What the gateway lacks by what was seen; WGVIA_FAULT_NONE: not even a neighbour answer was. */
enum wgvia_fault health_path_fault(const struct health_path *path, enum wgvia_watch_kind kind);

#endif
