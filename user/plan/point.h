/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where programs are attached, or are to be attached.
 */
#ifndef WGVIA_POINT_H
#define WGVIA_POINT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "wgvia_abi.h"

/* Ethernet devices that one instance can be attached to. */
#define POINT_DEVICES 256

/* A place to attach a program. */
struct point {
	enum wgvia_direction direction;
	uint32_t ifindex;
	bool l3; /* no link header in front of the packet */
};

struct points {
	struct point *all;
	size_t count;
};

static inline void points_free(struct points *points) /* also for cleanup() */
{
	free(points->all);
	*points = (struct points){};
}

#endif
