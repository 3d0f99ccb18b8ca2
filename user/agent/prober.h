/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An agent's probes for the MAC addresses from which each gateway's frames come (host/sender_probe.h). They are
 * repeated when the address may have changed; results go to the instance and to the log.
 *
 * A probe is due when a gateway is new, when its neighbour entry has a new MAC address, and when the gateway sends an
 * unsolicited announcement, as the new master of a VRRP or CARP pair does. The members of a pair may share the MAC
 * address in their answers but send from their own; then only announcements show a change. Because announcements may
 * get lost, a gateway that sends from another MAC address is probed every PROBER_INTERVAL, which costs two small
 * frames. A gateway that sends from the address in its answers may be reconfigured, so it is probed every
 * PROBER_LEISURE.
 */
#ifndef WGVIA_PROBER_H
#define WGVIA_PROBER_H

#include "host/sender_probe.h"

/* Milliseconds, like all times here; `now` as in health.h. */
#define PROBER_INTERVAL 5000
#define PROBER_LEISURE 60000
#define PROBER_PAUSE 100 /* a flood of announcements causes no more frequent probes */

struct prober;

/* The instance may not exist yet. The caller keeps both strings. 0 or -ENOMEM. */
int prober_open(struct prober **prober, const char *pin_dir, const char *tunnel);
void prober_close(struct prober **prober); /* for cleanup(); *prober may be NULL */

/*
 * These are the gateways from now on. The array moves to the prober. `again`: the instance may lack the results so far.
 */
void prober_set(struct prober *prober, struct sender_targets *targets, bool again, uint64_t now);
void prober_neighbour(struct prober *prober, uint32_t ifindex, const struct ip *ip, const struct neighbour *neighbour,
		      uint64_t now);
/* The gateway announced its address. */
void prober_announced(struct prober *prober, uint32_t ifindex, const struct ip *ip, uint64_t now);

/* Readable when an answer has arrived; -1: nothing to wait for. It may change with each tick. */
int prober_fd(const struct prober *prober);
/* Does what is due. */
void prober_tick(struct prober *prober, uint64_t now);
/* When to call prober_tick() next; HEALTH_NEVER: only after an event. */
uint64_t prober_next(const struct prober *prober);

#endif
