/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A new device: the immediate reaction, before the host is read as a whole.
 *
 * The egress program is attached to a new device before the first packet leaves by it, and before anything else is
 * known about the device. Gateways are reached by it once the instance includes it. Until then, a packet that concerns
 * a prefix and would leave there directly to its destination is dropped and counted (no_gateway).
 */
#ifndef WGVIA_NEWCOMER_H
#define WGVIA_NEWCOMER_H

#include "base/error.h"
#include "base/netdev.h"
#include "datapath/programs.h"

/*
 * Attaches the program that the caller holds to the device, and pins it like the instance's others. The next change of
 * the instance includes or removes it. Without such an instance or program, it does nothing. 1 if the program was
 * attached, 0, or negative with `error` set.
 */
int newcomer_guard(const char *root, const char *tunnel, const struct programs *programs, const struct netdev *netdev,
		   struct error *error);

#endif
