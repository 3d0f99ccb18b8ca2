/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probes of `check --probe` (host/probe.h), each with its prefix and gateway. probe.c interprets the answers.
 */
#ifndef WGVIA_CHECK_PROBING_H
#define WGVIA_CHECK_PROBING_H

#include "check/finding.h"
#include "host/probe.h"

/* The subject of a probe. */
struct question {
	const struct gateway_entry *entry; /* owned by the state */
	struct gateway_entry asked;	   /* the same with the probed gateway of its list */
};

/* The probes during their collection, and the data for one probe's findings. */
struct probing {
	struct examined *examined;
	const struct addresses *own; /* of this host, on all devices */
	struct probe *probes;
	struct question *questions; /* the subject of each probe */
	size_t count;
};

struct story {
	struct probing *probing;
	const struct probe *probe;
	const struct gateway_entry *entry;
	bool stands_by; /* another gateway of the prefix is in force */
	char from[PREFIX_TEXT_LEN], via[IP_TEXT_LEN], vpn[IP_TEXT_LEN], lan[IP_TEXT_LEN];
	const char *dev;
};

/*
 * One probe for each gateway of each prefix that contains an address of the tunnel. What cannot be probed becomes a
 * finding.
 */
void probing_choose(struct probing *probing);
void probing_free(struct probing *probing);
/* The data for the findings of probe `i`. */
struct story probing_story(struct probing *probing, size_t i);

#endif
