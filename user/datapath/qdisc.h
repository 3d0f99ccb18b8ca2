/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clsact qdiscs that filters need: ours, told by a folder qdisc_IFINDEX_NETNS, or somebody's that is there already.
 * One that somebody makes in place of ours, on a device of the same ifindex in the same namespace, looks like ours.
 */
#ifndef WGVIA_QDISC_H
#define WGVIA_QDISC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Makes it where there is none. `*made`: it was not there. */
int qdisc_make(const char *folder, uint32_t ifindex, bool *made, struct error *error);
/* Takes it away where it is ours and no filter is in it. What fails leaves it known as ours. */
int qdisc_remove(const char *folder, uint32_t ifindex);
int qdisc_remove_all(const char *folder);
/* Forgets those that no longer exist: their devices, or network namespaces, were removed. */
void qdisc_forget_gone(const char *folder);

#endif
