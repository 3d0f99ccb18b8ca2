/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many entries of one map at a time: by the kernel's batch operations where it has them for LPM tries (5.13), entry by
 * entry elsewhere. What a key or a value means is not known here.
 */
#ifndef WGVIA_MAP_BATCH_H
#define WGVIA_MAP_BATCH_H

#include <stddef.h>

/* Sizes in bytes, as the kernel has them: keys lie one behind the other, and so do values. */
struct map_layout {
	int fd;
	size_t key_size, value_size;
};
#define MAPS_KEY_MAX 32
#define MAPS_VALUE_MAX 64

/*
 * Sets, or removes, the entries in their order; one that is to be removed and is not there is fine. 0, or -errno of the
 * first that failed. `*done` tells how many of the first are in force, on failure too.
 */
int map_batch_update(const struct map_layout *map, const void *keys, const void *values, size_t count, size_t *done);
int map_batch_delete(const struct map_layout *map, const void *keys, size_t count, size_t *done);

/* Gets one entry; 0, or -errno, which ends the reading. */
typedef int (*map_batch_reader)(void *data, const void *key, const void *value);
/* All entries, in the kernel's order. One that somebody else removes meanwhile may be missing or not. */
int map_batch_read(const struct map_layout *map, map_batch_reader reader, void *data);

#endif
