/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The difference of two states in the user's words: what one would take away and add by hand. What the host adds by
 * itself (its addresses, the scopes, the tunnel's prefixes) is in no file and so in no difference. Pure.
 */
#ifndef WGVIA_DIFF_H
#define WGVIA_DIFF_H

#include "base/netdev.h"
#include "config/state.h"

/* One statement that is removed or added. All that it points to lives as long as the states. */
struct difference {
	bool is_added;
	const char *statement;		     /* in words, until the next one */
	const char *comment;		     /* " # ...", where the words do not show the difference; else empty */
	const struct state *state;	     /* the one that the statement is in */
	const struct gateway_entry *gateway; /* of "from ..."; else NULL */
	const struct bypass_entry *bypass;   /* of "bypass ..."; else NULL */
	const struct acceptance *accepted;   /* of "accept ..."; else NULL */
};

/*
 * Calls `visit` for mode, on-fail, outside, mss, counters, return, sources, prefixes, bypass list, accepted findings,
 * each in order; of the same prefix, what is removed comes first. `from` NULL: nothing is running.
 */
void diff_states(const struct state *from, const struct state *to, const struct netdevs *netdevs,
		 void (*visit)(const struct difference *difference, void *data), void *data);

/*
 * Takes over into `to` the entries of `from` that are the same in words and differ in what no words tell: that a
 * gateway was marked down, which of a list is in force, and that a bypass was written without the flag. A configuration
 * is no news about these.
 */
void diff_keep(const struct state *from, struct state *to);

#endif
