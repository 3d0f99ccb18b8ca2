/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The difference of two states in the user's words: what one would take away and add by hand. What the host adds by
 * itself (its addresses, the scopes, the tunnel's prefixes) is in no file and so in no difference. Pure.
 */
#ifndef WGVIA_DIFF_H
#define WGVIA_DIFF_H

#include "netdev.h"
#include "state.h"

/* "- STATEMENT" or "+ STATEMENT"; the text is gone after the call. */
typedef void (*diff_line)(void *data, const char *line);

/*
 * Mode, on-fail, prefixes, bypass list, each in order, what goes before what comes for the same prefix. `from` NULL:
 * nothing is running. A line whose words do not tell why it differs says so in a comment behind them.
 */
void diff_states(const struct state *from, const struct state *to, const struct links *links, diff_line line,
		 void *data);

/*
 * Takes over into `to` the entries of `from` that are the same in words and differ in what no words tell: that a
 * gateway was marked down, which of a list is in force, and that a bypass was written without the flag. A configuration
 * is no news about these.
 */
void diff_keep(const struct state *from, struct state *to);

#endif
