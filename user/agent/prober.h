/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An agent's probes: which MAC address each gateway's frames come from (host/sender_probe.h), asked again where it may
 * be another by now, and written to the instance and the log.
 *
 * That is the case when a gateway is new, when its neighbour entry has another MAC address, and when it announces its
 * address without having been asked, as the new master of a VRRP or CARP pair does at once. A pair may share the MAC
 * address that it answers with and send from one each, so that announcements are all that tells of a change; for those
 * that get lost, a gateway that sends from another MAC address is probed every PROBER_INTERVAL, which is two small
 * frames; one that sends as it answers, which may have been set up otherwise since, every PROBER_LEISURE.
 */
#ifndef WGVIA_PROBER_H
#define WGVIA_PROBER_H

#include "host/sender_probe.h"

/* Milliseconds, as all times here; `now` as in health.h. */
#define PROBER_INTERVAL 5000
#define PROBER_LEISURE 60000
#define PROBER_PAUSE 100 /* whoever announces a gateway's address in masses has it probed no more often */

struct prober;

/* The instance's, which may not be there yet. Both strings stay the caller's. 0 or -ENOMEM. */
int prober_open(struct prober **prober, const char *pin_dir, const char *tunnel);
void prober_close(struct prober **prober); /* for cleanup(); NULL inside is fine */

/* These are the gateways from now on. The array moves to the prober. `anew`: nothing of what was found may be written.
 */
void prober_set(struct prober *prober, struct sender_targets *targets, bool anew, uint64_t now);
void prober_neighbour(struct prober *prober, uint32_t ifindex, const struct ip *ip, const struct neighbour *neighbour,
		      uint64_t now);
/* The gateway has announced its address. */
void prober_announced(struct prober *prober, uint32_t ifindex, const struct ip *ip, uint64_t now);

/* Becomes readable with an answer; -1: there is nothing to wait for. It changes from one tick to the next. */
int prober_fd(const struct prober *prober);
/* Does what is due. */
void prober_tick(struct prober *prober, uint64_t now);
/* When prober_tick() is to be called next; HEALTH_NEVER: not before something happens. */
uint64_t prober_next(const struct prober *prober);

#endif
