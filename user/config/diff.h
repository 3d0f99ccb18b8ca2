/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The difference of two states in the user's words: what one would remove and add by hand. It excludes what the host
 * adds by itself (its addresses, the scopes, the tunnel's prefixes), which is in no file. Pure.
 */
#ifndef WGVIA_DIFF_H
#define WGVIA_DIFF_H

#include "base/netdev.h"
#include "config/state.h"

/* One statement that is removed or added. The pointers are valid as long as the states. */
struct difference {
	bool is_added;
	const char *statement;		     /* in words; valid until the next one */
	const char *comment;		     /* " # ...", if the words do not show the difference; else empty */
	const struct state *state;	     /* the state that contains the statement */
	const struct gateway_entry *gateway; /* of "from ..."; else NULL */
	const struct bypass_entry *bypass;   /* of "bypass ..."; else NULL */
	const struct acceptance *accepted;   /* of "accept ..."; else NULL */
};

/*
 * Calls `visit` for mode, on-fail, outside, mss, counters, return, sources, prefixes, bypass list, accepted findings,
 * in this order. For the same prefix, the removal comes first. `from` NULL: nothing is running.
 */
void diff_states(const struct state *from, const struct state *to, const struct netdevs *netdevs,
		 void (*visit)(const struct difference *difference, void *data), void *data);

/*
 * Copies to `to` the entries of `from` that are the same in words but differ in what words do not express: that a
 * gateway was marked down, which gateway of a list is in force, and that a bypass was written without the flag. A
 * configuration contains no information about these.
 */
void diff_keep(const struct state *from, struct state *to);

#endif
