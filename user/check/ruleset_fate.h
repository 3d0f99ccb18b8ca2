/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the chains at a hook do to a new TCP connection from a prefix, as far as their rules can be evaluated. Pure.
 */
#ifndef WGVIA_RULESET_FATE_H
#define WGVIA_RULESET_FATE_H

#include <stddef.h>
#include <stdint.h>

#include "check/ruleset.h"

enum fate_kind {
	FATE_ACCEPTED, /* some connections may be dropped, if a rule names them */
	FATE_PARTLY,   /* dropped, except for some that a rule names */
	FATE_UNKNOWN,
	FATE_DROPPED,
};

#define FATE_UNREAD 3

struct fate {
	enum fate_kind what;
	const struct chain *chain;	 /* the base chain that decides; NULL: accepted, or no chain */
	enum packet_kind packet;	 /* the packet that it does not accept */
	const char *unread[FATE_UNREAD]; /* for FATE_UNKNOWN: the first rules that cannot be evaluated */
	size_t unread_count;		 /* number of all of them */
};

/* The worst result of the base chains there, for packets of AF_INET or AF_INET6. 0 or -ENOMEM. */
int ruleset_fate(const struct ruleset *ruleset, enum hook hook, uint8_t family, struct fate *fate);

#endif
