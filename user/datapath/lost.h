/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `lost`: what the kernel dropped after a redirect, by the kernel's reason; and the program that counts it
 * (bpf/lost.bpf.c). The agent attaches it, pinned in the instance's folder: it counts until the instance is taken down,
 * also while no agent runs. Kernels without BTF, and those that do not let it be attached, have none.
 */
#ifndef WGVIA_LOST_H
#define WGVIA_LOST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "datapath/instance.h"
#include "wgvia_abi.h"

/*
 * Sees to it that losses are counted, by this build's program. What has been counted is kept. The lock is held. 0 or
 * -errno.
 */
int lost_attach(const struct instance *instance);
/* Whether they are counted now, by whatever build's program. */
bool lost_is_counted(const struct instance *instance);
/* The same by the folder of pins, for somebody who has not opened the instance. */
bool lost_is_counted_at(const char *root, const char *tunnel);
/* Removes what counts for another instance, whose place this one has taken. */
void lost_tidy(const struct instance *instance);

struct lost_count {
	char reason[48]; /* the kernel's name, as "neigh_failed"; "neighbour", "other" and "unknown": see wgvia_abi.h */
	struct wgvia_counter counter;
};

struct lost_counts {
	const char *problem; /* why nothing is known; NULL: they are counted */
	struct lost_count *all;
	size_t count;
};

/* The reasons that have occurred, and the usual ones, in the kernel's order. 0, or negative with `error` set. */
int lost_read(const struct instance *instance, struct lost_counts *counts, struct error *error);
void lost_free(struct lost_counts *counts); /* for cleanup(), too */

#endif
