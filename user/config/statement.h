/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From values to the words that parse.c reads: one statement of the command line, or one line of a configuration file.
 * A value that no words can express, as bpftool can write it, becomes words that are refused by name when they are
 * read, so that it is not lost on the way.
 */
#ifndef WGVIA_STATEMENT_H
#define WGVIA_STATEMENT_H

#include <stdbool.h>

#include "base/netdev.h"
#include "config/state.h"

#define STATEMENT_MAX 1200 /* of a prefix with all gateways that it may have, of `return` with all that it may */

/* "ADDRESS dev DEV" */
const char *statement_of_hop(const struct wgvia_hop *hop, const struct netdevs *netdevs, char text[STATEMENT_MAX]);
/*
 * "via ADDRESS dev DEV [or ADDRESS dev DEV]... [health KIND]", into `text`, which is returned: the gateways of the value's list in
 * `state`, in order of preference, or the value's one. `links` are this host's.
 */
const char *statement_of_gateways(const struct state *state, const struct wgvia_gateway *value,
				  const struct netdevs *netdevs, char text[STATEMENT_MAX]);
/* "from PREFIX via ...": the same for an entry of `state`. */
const char *statement_of_gateway(const struct state *state, const struct gateway_entry *entry,
				 const struct netdevs *netdevs, char text[STATEMENT_MAX]);
/*
 * "from addresses via ..." and the like, a line for each source, and one for both families where each goes by the
 * default route. Returns how many.
 */
size_t statement_of_sources(const struct state *state, const struct netdevs *netdevs,
			    char lines[SOURCES_MAX][STATEMENT_MAX]);
/* "bypass PREFIX", of an entry that is the administrator's. */
const char *statement_of_bypass(const struct bypass_entry *entry, char text[STATEMENT_MAX]);
const char *statement_of_mode(const struct state *state, char text[STATEMENT_MAX]);
const char *statement_of_on_fail(const struct state *state, char text[STATEMENT_MAX]);
const char *statement_of_outside(const struct state *state, char text[STATEMENT_MAX]);
const char *statement_of_mss(const struct state *state, char text[STATEMENT_MAX]);
const char *statement_of_counting(const struct state *state, char text[STATEMENT_MAX]);
/* "return via [also ADDRESS dev DEV]... [also MAC]..." */
const char *statement_of_return(const struct state *state, const struct netdevs *netdevs, char text[STATEMENT_MAX]);

/* "accept FINDING reason TEXT" */
const char *statement_of_accept(const struct acceptance *acceptance, char text[STATEMENT_MAX]);

/* Whether the entry is on the administrator's list, flagged or not; what the host is left alone for is not. */
bool statement_has_bypass(const struct bypass_entry *entry);

#endif
