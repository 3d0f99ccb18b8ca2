/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flowtables of nftables into which rules put a prefix's connections.
 */
#ifndef WGVIA_FLOWTABLES_H
#define WGVIA_FLOWTABLES_H

#include "check/finding.h"
#include "check/ruleset.h"
#include "check/traffic.h"

/* Reports those that lack the tunnel or a gateway's device: packets that arrive by it do not use the flowtable. */
void check_flowtables(struct examined *examined, const struct ruleset *ruleset, const struct traffic *traffic);

#endif
