/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the bypass list that follows from the host: its addresses, the scopes, and what the kernel would send
 * into the tunnel. Pure: rules and routes are arguments.
 */
#ifndef WGVIA_BYPASS_H
#define WGVIA_BYPASS_H

#include "config/state.h"
#include "host/rtnl.h"

/* The kernel's input for routing a packet that comes out of the tunnel. */
struct fib {
	const struct rule *rules;
	size_t rule_count;
	const struct route *routes; /* `through` is the tunnel */
	size_t route_count;
	const char *iif; /* the tunnel's name */
	const char *vrf; /* of the tunnel's VRF; NULL: it is in none */
	uint32_t vrf_table;
};

/*
 * Adds the host's entries to state->bypass, which must contain only the administrator's, and sorts it. The state's
 * prefixes, which must be sorted, are the sources of the packets in question. 0 or -ENOMEM.
 *
 * An address is WGVIA_TUNNEL if the kernel's longest match for it, in the tables that the rules lead to, is a route
 * through the tunnel: for packets of the prefixes, or for packets back to them. Inside such a range, a destination that
 * the kernel would send elsewhere gets an entry with WGVIA_REDIRECTED.
 */
int bypass_fill(const struct fib *fib, struct state *state);

/*
 * The first rule from `*next` on for which it is unclear whether it matches packets of the state's prefixes, because it
 * depends on data that the list does not have (ports, marks of TC, part of the prefixes ...). bypass_fill() treats it
 * as not matching. NULL: there is none.
 */
const struct rule *bypass_unclear_rule(const struct fib *fib, const struct state *state, size_t *next);

/*
 * The widest entries with WGVIA_TUNNEL, sorted, without nested ones, ignoring routes elsewhere inside them. The caller
 * frees the array. 0 or -ENOMEM.
 */
int bypass_tunnel_ranges(const struct state *state, struct prefixes *ranges);
/* Whether each address of `range` is in a prefix of the state, or on the list as not reached through the tunnel. */
bool bypass_is_covered(const struct state *state, const struct prefix *range);

#endif
