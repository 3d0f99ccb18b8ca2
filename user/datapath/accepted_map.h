/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `accepted`: findings that `check` does not count, with their reasons. The packet path does not read it.
 */
#ifndef WGVIA_ACCEPTED_MAP_H
#define WGVIA_ACCEPTED_MAP_H

#include "config/accepted.h"

/* Entries that wgvia would not have written are left out. The list is the caller's to free. 0 or -errno. */
int accepted_map_read(int fd, struct accepted *accepted);
/* Makes the map hold these, and no others. 0 or -errno. */
int accepted_map_write(int fd, const struct accepted *accepted);

#endif
