/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a path through a gateway works: packets in frames to the gateway's MAC address, and their answers. Here
 * nothing is judged and no time passes: the caller says when to send, and hears what came.
 *
 * "forward" is the echo of probe.h: to this host's own LAN address with hop limit 2, answered through the gateway
 * again. "ping" sends an echo request to an address that the administrator has named, "tcp" a SYN, whose SYN-ACK is answered
 * with RST, so that no half-open connection stays behind. The source is an address of the VPN prefix: the tunnel's
 * where it has one there, else the first address of the prefix (then the answer goes on into the tunnel, too).
 *
 * What comes back counts only where it has the target's token, which nobody can know who has not seen the packet: 64
 * random bits in an echo packet; in TCP the sequence number and the source port. It is another one after each answer.
 */
#ifndef WGVIA_PATH_PROBE_H
#define WGVIA_PATH_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/failover.h"
#include "config/state.h"
#include "host/host_view.h"

struct path_target {
	struct wgvia_watch watch;
	uint32_t ifindex;
	struct ip from, to; /* family 0: there is nothing to probe with, or the watch needs no probe */
	uint64_t token;
	uint16_t port;	/* TCP's, of the source */
	uint8_t mac[6]; /* that the last packet went to */
};

/* One for each gateway of `hops`, in their order. The array is the caller's to free. 0 or -ENOMEM. */
int path_targets_choose(const struct host_view *host, const struct state *state, const struct hops *hops,
			struct path_target **targets);

struct path_probe;

/* 0 or -errno. It has no sockets yet. */
int path_probe_open(struct path_probe **probe);
void path_probe_close(struct path_probe **probe); /* for cleanup(); NULL inside is fine */
/* Opens the sockets that targets of these kinds need, and closes the others. 0 or -errno. */
int path_probe_listen(struct path_probe *probe, bool echo, bool tcp);
#define PATH_PROBE_FDS 2
/* They become readable with an answer; negative: there is none. */
void path_probe_fds(const struct path_probe *probe, int fds[PATH_PROBE_FDS]);

/* Gives the target another token: what was sent before is not answered any more. */
void path_probe_renew(const struct path_probe *probe, struct path_target *target);
/* Sends the target's packet to the gateway's MAC address. An error is a packet without an answer. */
void path_probe_send(const struct path_probe *probe, struct path_target *target, const uint8_t mac[6]);

enum path_event {
	PATH_NOTHING,
	PATH_FORWARDED, /* "forward": the request has come back, and is answered; more than once where it is repeated */
	PATH_ANSWERED,
	PATH_REFUSED, /* "tcp": by a RST */
};
typedef struct path_target *(*path_probe_next)(void *data, size_t i);
typedef void (*path_probe_tell)(void *data, size_t i, enum path_event event);
/* Takes in what has come. `next` gives the targets, NULL behind the last; `tell` hears what concerns one. */
void path_probe_receive(const struct path_probe *probe, path_probe_next next, path_probe_tell tell, void *data);

#endif
