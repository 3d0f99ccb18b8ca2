/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `sources`: the values for prefixes that follow the host. The packet path does not read it.
 */
#ifndef WGVIA_SOURCE_MAP_H
#define WGVIA_SOURCE_MAP_H

#include "config/state.h"

/* Reads into `state`; omits entries that wgvia would not have written. 0 or -errno. */
int source_map_read(int fd, struct state *state);
/* Makes the map contain exactly the sources of `state`. 0 or -errno. */
int source_map_write(int fd, const struct state *state);

#endif
