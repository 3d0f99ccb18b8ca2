/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * This host's connection tracker, as far as a change between mode fast and mode stack needs it.
 */
#ifndef WGVIA_CONNTRACK_H
#define WGVIA_CONNTRACK_H

#include "config/state.h"

/*
 * Deletes the entries of connections that mode fast has carried past the connection tracker. What they say of sequence
 * numbers is as old as the change to fast, so every packet of such a connection would be "invalid" to it, while one
 * that it has never seen it picks up in the middle (nf_conntrack_tcp_loose). Connections with this host itself, in the
 * tunnel, and on the bypass list, which the tracker has seen all the time, stay. 0 or -errno; nothing to track is a
 * success.
 */
int conntrack_forget(const struct state *state);

/*
 * On the way to mode fast: for a moment the tracker sees one direction of a connection only, and what acknowledges data
 * that it has not seen is "invalid" to it, which rulesets drop. So it is told to let TCP pass in whatever window, for
 * the connections that mode fast is to carry (IP_CT_TCP_FLAG_BE_LIBERAL, as if it had picked them up in the middle).
 */
int conntrack_relax(const struct state *state);

#endif
