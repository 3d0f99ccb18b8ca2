/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map `accepted`: findings that `check` does not count, with their reasons. The packet path does not read it.
 */
#ifndef WGVIA_ACCEPTED_MAP_H
#define WGVIA_ACCEPTED_MAP_H

#include "config/accepted.h"

/* Omits entries that wgvia would not have written. The caller frees the list. 0 or -errno. */
int accepted_map_read(int fd, struct accepted *accepted);
/* Makes the map contain exactly these. 0 or -errno. */
int accepted_map_write(int fd, const struct accepted *accepted);

#endif
