/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `lost`: packets that the kernel dropped after a redirect, by the kernel's reason; and the program that counts
 * them (bpf/lost.bpf.c). The agent attaches the program and pins it in the instance's folder. It counts until the
 * instance is removed, even while no agent runs. Kernels without BTF, and those that refuse the program, do not count.
 */
#ifndef WGVIA_LOST_H
#define WGVIA_LOST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "datapath/instance.h"
#include "wgvia_abi.h"

/* Makes sure that this build's program counts losses. Keeps existing counts. The lock must be held. 0 or -errno. */
int lost_attach(const struct instance *instance);
/* Whether a program, of any build, counts them now. */
bool lost_is_counted(const struct instance *instance);
/* The same by the folder of pins, for callers that have not opened the instance. */
bool lost_is_counted_at(const char *root, const char *tunnel);
/* Removes the counting program of the instance that this one replaced. */
void lost_tidy(const struct instance *instance);

struct lost_count {
	char reason[48]; /* the kernel's name, such as "neigh_failed"; "neighbour", "other", "unknown": wgvia_abi.h */
	struct wgvia_counter counter;
};

struct lost_counts {
	const char *problem; /* why there are no counts; NULL: losses are counted */
	struct lost_count *all;
	size_t count;
};

/* The reasons that occurred, and the usual ones, in the kernel's order. 0, or negative with `error` set. */
int lost_read(const struct instance *instance, struct lost_counts *counts, struct error *error);
void lost_free(struct lost_counts *counts); /* also for cleanup() */

#endif
