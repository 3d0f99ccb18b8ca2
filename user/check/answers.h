/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MAC addresses that answer for the probed gateways: two hosts that answer for one address are a fault, or an
 * attack.
 */
#ifndef WGVIA_ANSWERS_H
#define WGVIA_ANSWERS_H

#include "host/probe.h"

#define ANSWERS_MAX 4
struct answers {
	size_t count;
	uint8_t macs[ANSWERS_MAX][6];
};

/*
 * Asks for each gateway once, and stores the answers that arrive within a moment in answers[count], which must be
 * zeroed; a gateway's answers are stored with its first probe. If it cannot ask, there are no answers.
 */
void answers_get(const struct probe *probes, size_t count, struct answers *answers);

#endif
