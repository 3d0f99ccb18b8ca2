/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the MAC addresses from which a gateway's frames come. An echo request from an address of a prefix to this
 * host's own LAN address goes to the MAC address in the gateway's neighbour answers, returns in a frame of the gateway,
 * and the gateway forwards the reply as well; probe.h describes this. It judges nothing. A router may send by one
 * device to a host of the LAN and by another to the next hop of a route (a VRRP instance with its own device and MAC
 * address), so both frames count. The source is an address of the tunnel in the prefix if there is one, else the first
 * address of the prefix.
 *
 * What returns must contain 64 random bits. Only a host that received or forwarded the request has seen them.
 */
#ifndef WGVIA_SENDER_PROBE_H
#define WGVIA_SENDER_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "config/state.h"
#include "host/host_view.h"

/* Upper limit in milliseconds; about two if a gateway answers. */
#define SENDER_PROBE_MS 150
/* If an instance has more gateways, only the first ones are probed. */
#define SENDER_TARGETS_MAX 64

enum sender_frame { SENDER_REQUEST, SENDER_ANSWER, SENDER_FRAMES };

struct sender_target {
	struct wgvia_hop hop;
	struct ip from, to;		       /* family 0: no probe is possible */
	char name[IP_TEXT_LEN + IFNAMSIZ + 8]; /* "ADDRESS dev DEV" */
	/* result */
	bool has_mac;
	uint8_t mac[6]; /* in its answers to neighbour requests */
	bool came[SENDER_FRAMES];
	uint8_t senders[SENDER_FRAMES][6]; /* source of the frames */
	/* private to a running probe */
	uint64_t token, due;
	bool asked;
};

struct sender_targets {
	struct sender_target *all;
	size_t count;
};

/* The gateways of a state, each once. The caller frees the array. 0 or -errno. */
int sender_targets_choose(const struct host_view *host, const struct state *state, struct sender_targets *targets);
/* Whether everything that a probe can find is known. */
bool sender_is_settled(const struct sender_target *target);
/* Whether the gateway's frames come from that MAC address, and it differs from the one in its answers. */
bool sender_sends_from(const struct sender_target *target, const uint8_t mac[6]);
/* Whether any frame came from a MAC address other than that of the gateway's neighbour entry. */
bool sender_is_another(const struct sender_target *target);
/* One plain line about such a gateway. */
#define SENDER_TEXT_MAX 256
const char *sender_text(const struct sender_target *target, char text[SENDER_TEXT_MAX]);

struct sender_probe;

/*
 * Probes these targets, which the caller owns. `now` in milliseconds of CLOCK_MONOTONIC, here and below. 0 or -errno.
 */
int sender_probe_open(struct sender_probe **probe, struct sender_target *const *targets, size_t count, uint64_t now);
void sender_probe_close(struct sender_probe **probe); /* for cleanup(); *probe may be NULL */
/* Readable when an answer has arrived. */
int sender_probe_fd(const struct sender_probe *probe);
/* Sends what is due, and processes what has arrived; true: complete. */
bool sender_probe_step(struct sender_probe *probe, uint64_t now);
/* When the next step is due. */
uint64_t sender_probe_next(const struct sender_probe *probe);

/* All of the above in one call. */
void sender_probe_run(struct sender_targets *targets);

#endif
