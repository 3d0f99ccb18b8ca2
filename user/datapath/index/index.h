/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image of an index (bpf/index/index_lines.h), which the packet path reads instead of a large prefix map. Pure: no
 * I/O.
 */
#ifndef WGVIA_INDEX_H
#define WGVIA_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "config/state.h"

struct index_image {
	void *lines; /* of INDEX_LINE bytes each, the head first */
	size_t count;
};

/*
 * The image for the state's prefixes of one family, which were read when the map's change count was `changes`. With
 * `counting` in the state, the lines contain its counters as well. The caller frees the lines. 0, -ENOMEM, or -E2BIG
 * for what an index cannot hold: more than INDEX_TABLES prefix lengths or 65,535 gateways.
 */
int index_make(const struct state *state, uint8_t family, uint64_t changes, struct index_image *image);

#endif
