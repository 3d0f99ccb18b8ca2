/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cleanup attributes, a growing array, a hash. Nothing specific to wgvia.
 */
#ifndef WGVIA_UTIL_H
#define WGVIA_UTIL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define cleanup(function) __attribute__((cleanup(function)))
#define cleanup_fd cleanup(cleanup_close_fd)
#define cleanup_free cleanup(cleanup_free_memory)

static inline void cleanup_close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_free_memory(void *pointer)
{
	free(*(void **)pointer);
}

/* Passes a descriptor on: the variable's cleanup finds -1. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/*
 * Makes room for one more element of `size` bytes in an array of `count`, whose capacity is the next power of two. New
 * memory is zeroed. Returns the new element, or NULL if out of memory; the array stays valid then.
 */
static inline void *array_grow(void *array_pointer, size_t *count, size_t size)
{
	void **array = array_pointer;

	if (!(*count & (*count - 1))) { /* 0 or a power of two: full */
		void *grown = reallocarray(*array, *count ? *count * 2 : 1, size);

		if (!grown)
			return NULL;
		*array = grown;
	}
	return __builtin_memset((char *)*array + (*count)++ * size, 0, size);
}

/* FNV-1a, starting from HASH_EMPTY: it distinguishes inputs, but does not resist attacks. */
#define HASH_EMPTY 0xcbf29ce484222325

static inline uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ ((const uint8_t *)data)[i]) * 0x100000001b3;
	return hash;
}

#endif
