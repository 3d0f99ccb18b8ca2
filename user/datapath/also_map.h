/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "return ... also ADDRESS|MAC" in the maps: MAC addresses in `senders`, addresses in `failover` under a special key.
 * Results of probes are in `senders` as well; this file does not touch them.
 */
#ifndef WGVIA_ALSO_MAP_H
#define WGVIA_ALSO_MAP_H

#include "config/state.h"
#include "datapath/instance.h"

/* 0 or -errno. Omits entries that wgvia would not have written. */
int also_map_read(const struct instance *instance, struct also *also);
/* Adds the entries of `to` that are not in `from`, which is the content of the maps. 0 or -errno. */
int also_map_write(const struct instance *instance, const struct also *from, const struct also *to);
/* Removes the entries of `from` that are not in `kept`. */
void also_map_clean(const struct instance *instance, const struct also *from, const struct also *kept);

#endif
