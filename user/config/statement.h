/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From values to the words that parse.c reads: one statement of the command line, or one line of a configuration file.
 * bpftool can write values that no words express. Such a value becomes words that the parser refuses by name, so that
 * it is not lost silently.
 */
#ifndef WGVIA_STATEMENT_H
#define WGVIA_STATEMENT_H

#include <stdbool.h>

#include "base/netdev.h"
#include "config/state.h"

#define STATEMENT_MAX 1200 /* of a prefix or a `return` with the maximum number of gateways and addresses */

/* "ADDRESS dev DEV" */
const char *statement_of_hop(const struct wgvia_hop *hop, const struct netdevs *netdevs, char text[STATEMENT_MAX]);
/*
 * "via ADDRESS dev DEV [or ADDRESS dev DEV]... [health KIND]", into `text`, which is returned: the gateways of the
 * value's list in `state`, in order of preference, or the value's only gateway. `links` are this host's.
 */
const char *statement_of_gateways(const struct state *state, const struct wgvia_gateway *value,
				  const struct netdevs *netdevs, char text[STATEMENT_MAX]);
/* "from PREFIX via ...": the same for an entry of `state`. */
const char *statement_of_gateway(const struct state *state, const struct gateway_entry *entry,
				 const struct netdevs *netdevs, char text[STATEMENT_MAX]);
/*
 * "from addresses via ..." and similar, one line per source and family, or one for both families if each uses the
 * default route. Returns the number of lines.
 */
size_t statement_of_sources(const struct state *state, const struct netdevs *netdevs,
			    char lines[SOURCES_MAX][STATEMENT_MAX]);
/* "bypass PREFIX", for an entry of the administrator's. */
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

/* Whether the entry is on the administrator's list, flagged or not; false for an entry that the host adds. */
bool statement_has_bypass(const struct bypass_entry *entry);

#endif
