/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many entries of one map at a time: by the kernel's batch operations if it has them for LPM tries (5.13), otherwise
 * one by one. This file does not know what a key or a value means.
 */
#ifndef WGVIA_MAP_BATCH_H
#define WGVIA_MAP_BATCH_H

#include <stddef.h>

/* Sizes in bytes, as in the kernel. Keys are contiguous, and so are values. */
struct map_layout {
	int fd;
	size_t key_size, value_size;
};
#define MAPS_KEY_MAX 32
#define MAPS_VALUE_MAX 64

/*
 * Sets or removes the entries in their order; it is not an error if an entry to be removed does not exist. 0, or -errno
 * of the first failure. `*done` is the number of entries that were processed, on failure as well.
 */
int map_batch_update(const struct map_layout *map, const void *keys, const void *values, size_t count, size_t *done);
int map_batch_delete(const struct map_layout *map, const void *keys, size_t count, size_t *done);

/* Receives one entry; 0, or -errno, which ends the reading. */
typedef int (*map_batch_reader)(void *data, const void *key, const void *value);
/* All entries, in the kernel's order. An entry that another process removes meanwhile may or may not be included. */
int map_batch_read(const struct map_layout *map, map_batch_reader reader, void *data);

#endif
