/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which MAC addresses answer for the gateways that are probed: two hosts that do are a fault, or an attack.
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
 * Asks for each gateway once, and takes what comes within a moment into answers[count], which are zeros: those of a
 * gateway under its first probe. Where it cannot ask, there are none.
 */
void answers_get(const struct probe *probes, size_t count, struct answers *answers);

#endif
