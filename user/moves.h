/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prefixes that go from one gateway to another, for the log: those by the thousand that go the same way are one line.
 */
#ifndef WGVIA_MOVES_H
#define WGVIA_MOVES_H

#include "follow.h"

struct move {
	struct wgvia_gateway to;
	struct prefix first;
	size_t count; /* of prefixes */
};

struct moves {
	struct move *all;
	size_t count;
};

void moves_free(struct moves *moves); /* for cleanup(), too */
void moves_add(struct moves *moves, const struct prefix *from, const struct wgvia_gateway *to);
/* Into the log; `names` are those of the devices. */
void moves_write(const struct moves *moves, const struct device_names *names);

#endif
