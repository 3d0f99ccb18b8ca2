/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device that comes, before the whole of the host is looked at.
 *
 * At a device that has just come the egress program stands before the first packet leaves by it, and before
 * anything else is known of the device. Gateways are reached by it when the instance has taken it in; until then, what
 * concerns a prefix and would leave there to its destination is dropped and counted (no_gateway).
 */
#ifndef WGVIA_NEWCOMER_H
#define WGVIA_NEWCOMER_H

#include "base/error.h"
#include "base/netdev.h"
#include "datapath/programs.h"

/*
 * Attaches the program that the caller holds to the device, and pins it as any other of the instance's; the next change
 * of the instance takes it in, or away. Where there is no such instance, or program, nothing is done. 1 where it
 * was attached, 0, or negative with `error` set.
 */
int newcomer_guard(const char *root, const char *tunnel, const struct programs *programs, const struct netdev *netdev,
		   struct error *error);

#endif
