/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flowtables of nftables that rules put a prefix's connections into.
 */
#ifndef WGVIA_FLOWTABLES_H
#define WGVIA_FLOWTABLES_H

#include "check/finding.h"
#include "check/ruleset.h"
#include "check/traffic.h"

/* Those that lack the tunnel or a gateway's device: what comes by it does not get their shortcut. */
void check_flowtables(struct examined *examined, const struct ruleset *ruleset, const struct traffic *traffic);

#endif
