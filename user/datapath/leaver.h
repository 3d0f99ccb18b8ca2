/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device that is removed: the immediate reaction, before the host is read as a whole.
 */
#ifndef WGVIA_LEAVER_H
#define WGVIA_LEAVER_H

#include <stdint.h>

#include "base/error.h"

/*
 * Detaches the programs that moved with a device of this ifindex to another network namespace, where they would decide
 * on packets that do not belong to the instance. `*directions` has 1 << enum wgvia_direction for each. Nothing to
 * detach is a success. 0, or negative, not always with `error` set.
 */
int leaver_release(const char *root, const char *tunnel, uint32_t ifindex, uint32_t *directions, struct error *error);

#endif
