/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `failover`: preference lists between the kernel and a state. The packet path does not look at it, so that
 * what stays there too long does no harm; what a prefix refers to has to be there before it.
 */
#ifndef WGVIA_FAILOVER_MAP_H
#define WGVIA_FAILOVER_MAP_H

#include "config/state.h"

/* Adds what the map holds; what is no list, as bpftool can write it, is left out. 0 or -errno. */
int failover_map_read(int fd, struct state *state);
/* Adds those of `to` whose number `from`, which is in the map, does not have: a number stands for one content. 0 or
 * -errno. */
int failover_map_write(int fd, const struct state *from, const struct state *to);
/* Takes those of `from` away whose number `kept` does not have. */
void failover_map_clean(int fd, const struct state *from, const struct state *kept);

#endif
