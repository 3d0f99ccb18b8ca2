/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a change between mode fast and mode stack requires of this host's connection tracker.
 */
#ifndef WGVIA_CONNTRACK_H
#define WGVIA_CONNTRACK_H

#include "config/state.h"

/*
 * Deletes the entries of connections whose packets bypassed the connection tracker in mode fast. Their sequence numbers
 * are from the time of the change to fast, so the tracker would consider every packet "invalid", while it picks up an
 * unknown connection in the middle (nf_conntrack_tcp_loose). It keeps connections of this host itself, in the tunnel,
 * and on the bypass list, which the tracker saw all the time. 0 or -errno; it is a success if nothing is tracked.
 */
int conntrack_forget(const struct state *state);

/*
 * Before a change to mode fast: for a moment the tracker sees only one direction of a connection. To it, an
 * acknowledgement of data that it has not seen is "invalid", and rulesets drop that. So this makes it accept TCP
 * outside the window for the connections that mode fast will carry (IP_CT_TCP_FLAG_BE_LIBERAL, as if it had picked them
 * up in the middle).
 */
int conntrack_relax(const struct state *state);

#endif
