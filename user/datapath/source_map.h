/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `sources`: what prefixes get that follow the host. The packet path does not read it.
 */
#ifndef WGVIA_SOURCE_MAP_H
#define WGVIA_SOURCE_MAP_H

#include "config/state.h"

/* Into `state`; entries that wgvia would not have written are left out. 0 or -errno. */
int source_map_read(int fd, struct state *state);
/* Makes the map hold the sources of `state`, and no others. 0 or -errno. */
int source_map_write(int fd, const struct state *state);

#endif
