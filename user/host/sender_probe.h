/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which MAC addresses a gateway's frames come from: an echo request from an address of a prefix to this host's own LAN
 * address is sent to the MAC address that the gateway answers neighbour requests with, comes back in a frame of the
 * gateway's, and is answered by the gateway again, as in probe.h, whose story it is; here nothing is judged. A router
 * may send by one device to a host of the LAN and by another to the next hop of a route (a VRRP instance with a device
 * and a MAC address of its own), so both frames count. The prefix's address is one of the tunnel's where it has one,
 * else the first of all.
 *
 * What comes back has to carry 64 random bits. Only who was sent the request, or forwarded it, has seen them.
 */
#ifndef WGVIA_SENDER_PROBE_H
#define WGVIA_SENDER_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "config/state.h"
#include "host/host_view.h"

/* No longer than this, in milliseconds; some two where a gateway answers. */
#define SENDER_PROBE_MS 150
/* An instance with more gateways than this is probed for the first ones. */
#define SENDER_TARGETS_MAX 64

enum sender_frame { SENDER_REQUEST, SENDER_ANSWER, SENDER_FRAMES };

struct sender_target {
	struct wgvia_hop hop;
	struct ip from, to;		       /* family 0: there is nothing to probe with */
	char name[IP_TEXT_LEN + IFNAMSIZ + 8]; /* "ADDRESS dev DEV" */
	/* what was found */
	bool has_mac;
	uint8_t mac[6]; /* that it answers neighbour requests with */
	bool came[SENDER_FRAMES];
	uint8_t senders[SENDER_FRAMES][6]; /* where they came from */
	/* a running probe's own */
	uint64_t token, due;
	bool asked;
};

struct sender_targets {
	struct sender_target *all;
	size_t count;
};

/* The gateways of a state, each once. The array is the caller's to free. 0 or -errno. */
int sender_targets_choose(const struct host_view *host, const struct state *state, struct sender_targets *targets);
/* Whether all is known that a probe can tell. */
bool sender_is_settled(const struct sender_target *target);
/* Whether frames of the gateway's come from that MAC address, and it is another one than it answers with. */
bool sender_sends_from(const struct sender_target *target, const uint8_t mac[6]);
/* Whether any frames come from another MAC address than the gateway's neighbour entry has. */
bool sender_is_another(const struct sender_target *target);
/* One plain line about such a one. */
#define SENDER_TEXT_MAX 256
const char *sender_text(const struct sender_target *target, char text[SENDER_TEXT_MAX]);

struct sender_probe;

/* Probes these, which stay the caller's. `now` in milliseconds of CLOCK_MONOTONIC, here and below. 0 or -errno. */
int sender_probe_open(struct sender_probe **probe, struct sender_target *const *targets, size_t count, uint64_t now);
void sender_probe_close(struct sender_probe **probe); /* for cleanup(); NULL inside is fine */
/* Becomes readable with an answer. */
int sender_probe_fd(const struct sender_probe *probe);
/* Sends what is due and takes what has come in; true: that was all. */
bool sender_probe_step(struct sender_probe *probe, uint64_t now);
/* When the next step is due. */
uint64_t sender_probe_next(const struct sender_probe *probe);

/* All of that in one go. */
void sender_probe_run(struct sender_targets *targets);

#endif
