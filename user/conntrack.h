/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * This host's connection tracker, as far as a change from mode fast to mode stack needs it.
 */
#ifndef WGVIA_CONNTRACK_H
#define WGVIA_CONNTRACK_H

#include "state.h"

/*
 * Deletes the entries of connections that mode fast has carried past the connection tracker. What they say of sequence
 * numbers is as old as the change to fast, so every packet of such a connection would be "invalid" to it, while one
 * that it has never seen it picks up in the middle (nf_conntrack_tcp_loose). Connections with this host itself, in the
 * tunnel, and on the bypass list, which the tracker has seen all the time, stay. 0 or -errno; nothing to track is a
 * success.
 */
int conntrack_forget(const struct state *state);

#endif
