/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions about one gateway of an instance that several findings ask.
 */
#ifndef WGVIA_CHECK_GATEWAYS_H
#define WGVIA_CHECK_GATEWAYS_H

#include "check/finding.h"

/* Whether the agent has found it dead: check_gateways() reports it then. */
bool check_is_dead(const struct examined *examined, const struct wgvia_hop *hop);

#endif
