/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device that leaves, before the whole of the host is looked at.
 */
#ifndef WGVIA_LEAVER_H
#define WGVIA_LEAVER_H

#include <stdint.h>

#include "base/error.h"

/*
 * Detaches the programs that have moved with a device of this ifindex to another network namespace, where they would
 * decide on packets that are none of the instance's; `*directions` has 1 << enum wgvia_direction of each. Nothing to
 * detach is a success. 0, or negative, not always with `error` set.
 */
int leaver_release(const char *root, const char *tunnel, uint32_t ifindex, uint32_t *directions, struct error *error);

#endif
