/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions about one gateway of an instance that several findings need.
 */
#ifndef WGVIA_CHECK_GATEWAYS_H
#define WGVIA_CHECK_GATEWAYS_H

#include "check/finding.h"

/* Whether the agent found it dead: check_gateways() reports that. */
bool check_is_dead(const struct examined *examined, const struct wgvia_hop *hop);

#endif
