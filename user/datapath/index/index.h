/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image of an index (bpf/index/index_lines.h): what the packet path reads in place of a large prefix map. Pure: it
 * asks nobody.
 */
#ifndef WGVIA_INDEX_H
#define WGVIA_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "config/state.h"

struct index_image {
	void *lines; /* of INDEX_LINE bytes, the head first */
	size_t count;
};

/*
 * The image for the state's prefixes of one family, which were read when the map had been changed `changes` times. The
 * lines are the caller's to free. With `counting` in the state they have its counters, too. 0, -ENOMEM, or -E2BIG for
 * what an index cannot hold: more than INDEX_TABLES prefix lengths or 65,535 gateways.
 */
int index_make(const struct state *state, uint8_t family, uint64_t changes, struct index_image *image);

#endif
