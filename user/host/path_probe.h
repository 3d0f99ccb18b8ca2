/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a path through a gateway works: packets in frames to the gateway's MAC address, and their answers. It neither
 * judges nor measures time: the caller decides when to send, and is told what arrived.
 *
 * "forward" is the echo of probe.h: to this host's own LAN address with hop limit 2, answered through the gateway.
 * "ping" sends an echo request to an address that the administrator named. "tcp" sends a SYN, and answers the SYN-ACK
 * with RST, so that no half-open connection remains. The source is an address of the VPN prefix: the tunnel's if it has
 * one there, else the first address of the prefix (the answer then continues into the tunnel).
 *
 * An answer counts only if it has the target's token, which is known only to those who saw the packet: 64 random bits
 * in an echo packet; in TCP, the sequence number and the source port. The token changes after each answer.
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
	struct ip from, to; /* family 0: no probe is possible, or the watch needs none */
	uint64_t token;
	uint16_t port;	/* TCP's, of the source */
	uint8_t mac[6]; /* destination of the latest packet */
};

/* Chooses one for each gateway of `hops`, in their order. The caller frees the array. 0 or -ENOMEM. */
int path_targets_choose(const struct host_view *host, const struct state *state, const struct hops *hops,
			struct path_target **targets);

struct path_probe;

/* 0 or -errno. It has no sockets at first. */
int path_probe_open(struct path_probe **probe);
void path_probe_close(struct path_probe **probe); /* for cleanup(); *probe may be NULL */
/* Opens the sockets for these kinds of targets, and closes the others. 0 or -errno. */
int path_probe_listen(struct path_probe *probe, bool echo, bool tcp);
#define PATH_PROBE_FDS 2
/* Readable when an answer has arrived; negative: no socket. */
void path_probe_fds(const struct path_probe *probe, int fds[PATH_PROBE_FDS]);

/* Gives the target a new token: answers to earlier packets no longer count. */
void path_probe_renew(const struct path_probe *probe, struct path_target *target);
/* Sends the target's packet to the gateway's MAC address. An error counts as an unanswered packet. */
void path_probe_send(const struct path_probe *probe, struct path_target *target, const uint8_t mac[6]);

enum path_event {
	PATH_NOTHING,
	PATH_FORWARDED, /* "forward": the request came back, and was answered; more than once if it is repeated */
	PATH_ANSWERED,
	PATH_REFUSED, /* "tcp": a RST came back */
};
typedef struct path_target *(*path_probe_next)(void *data, size_t i);
typedef void (*path_probe_tell)(void *data, size_t i, enum path_event event);
/* Processes received packets. `next` returns one target after the other, then NULL; `tell` gets the events. */
void path_probe_receive(const struct path_probe *probe, path_probe_next next, path_probe_tell tell, void *data);

#endif
