/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `failover`: preference lists between the kernel and a state. The packet path does not follow a list, so an
 * obsolete one does no harm. A list must be in the map before a prefix refers to it.
 */
#ifndef WGVIA_FAILOVER_MAP_H
#define WGVIA_FAILOVER_MAP_H

#include "config/state.h"

/* Adds the content of the map; omits invalid lists, which bpftool can write. 0 or -errno. */
int failover_map_read(int fd, struct state *state);
/*
 * Adds the lists of `to` whose number is not in `from`, which is the content of the map: a number always means the same
 * content. 0 or -errno.
 */
int failover_map_write(int fd, const struct state *from, const struct state *to);
/* Removes the lists of `from` whose number is not in `kept`. */
void failover_map_clean(int fd, const struct state *from, const struct state *kept);

#endif
