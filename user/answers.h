/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which MAC addresses answer for the gateways that are probed: two hosts that do are a fault, or an attack.
 */
#ifndef WGVIA_ANSWERS_H
#define WGVIA_ANSWERS_H

#include "probe.h"
#include "solicit.h"

#define ANSWERS_MAX 4
struct answers {
	size_t count;
	uint8_t macs[ANSWERS_MAX][6];
};

/* Asks for each gateway once; NULL where that cannot be done. */
struct solicit *answers_ask(const struct probe *probes, size_t count);
/*
 * What has come in, or comes within a moment, into answers[count], which are zeros: those of a gateway under its first
 * probe.
 */
void answers_take(struct solicit *solicit, const struct probe *probes, size_t count, struct answers *answers);

#endif
