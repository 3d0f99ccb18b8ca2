/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `check --probe` asks of which gateway: the probes (host/probe.h), each with the prefix and the gateway that it
 * is about. What the answers mean is probe.c's.
 */
#ifndef WGVIA_CHECK_PROBING_H
#define WGVIA_CHECK_PROBING_H

#include "check/finding.h"
#include "host/probe.h"

/* What a probe is about. */
struct question {
	const struct gateway_entry *entry; /* the state's */
	struct gateway_entry asked;	   /* the same with the gateway that is probed, of those of its list */
};

/* What is being put together, and the words for one probe's findings. */
struct probing {
	struct examined *examined;
	const struct addresses *own; /* this host's, of all devices */
	struct probe *probes;
	struct question *questions; /* what each of them is about */
	size_t count;
};

struct story {
	struct probing *probing;
	const struct probe *probe;
	const struct gateway_entry *entry;
	bool stands_by; /* the prefix has another one of its gateways in force */
	char from[PREFIX_TEXT_LEN], via[IP_TEXT_LEN], vpn[IP_TEXT_LEN], lan[IP_TEXT_LEN];
	const char *dev;
};

/*
 * A probe for each prefix that holds an address of the tunnel and each of its gateways. What cannot be probed becomes a
 * finding that says so.
 */
void probing_choose(struct probing *probing);
void probing_free(struct probing *probing);
/* The words for what probe `i` has found. */
struct story probing_story(struct probing *probing, size_t i);

#endif
