/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clsact qdiscs that filters need: ours, marked by a folder qdisc_IFINDEX_NETNS, or another program's that already
 * exists. If another program replaces ours, on a device with the same ifindex in the same namespace, its clsact counts
 * as ours.
 */
#ifndef WGVIA_QDISC_H
#define WGVIA_QDISC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Creates it if there is none. `*made`: it did not exist. */
int qdisc_make(const char *folder, uint32_t ifindex, bool *made, struct error *error);
/* Removes it if it is ours and contains no filter. On failure it remains known as ours. */
int qdisc_remove(const char *folder, uint32_t ifindex);
int qdisc_remove_all(const char *folder);
/* Removes the markers of qdiscs that no longer exist, because their device or network namespace was removed. */
void qdisc_forget_gone(const char *folder);

#endif
