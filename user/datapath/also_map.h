/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "return ... also ADDRESS|MAC" in the maps: MAC addresses in `senders`, addresses in `failover` under a key of their
 * own. What a probe has found is in `senders` as well, and is left as it is.
 */
#ifndef WGVIA_ALSO_MAP_H
#define WGVIA_ALSO_MAP_H

#include "config/state.h"
#include "datapath/instance.h"

/* 0 or -errno. Entries that wgvia would not have written are left out. */
int also_map_read(const struct instance *instance, struct also *also);
/* Adds what `to` has and `from`, which is in the maps, has not. 0 or -errno. */
int also_map_write(const struct instance *instance, const struct also *from, const struct also *to);
/* Takes out what `from` has and `kept` has not. */
void also_map_clean(const struct instance *instance, const struct also *from, const struct also *kept);

#endif
