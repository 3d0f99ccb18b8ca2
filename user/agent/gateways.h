/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gateways that an agent watches: what is seen of each (its device, the kernel's neighbour entry, answers to
 * requests of our own, packets through it where its list says so) goes into its health, and each change of that into
 * the log. What follows from it is agent.c's.
 */
#ifndef WGVIA_GATEWAYS_H
#define WGVIA_GATEWAYS_H

#include "agent/health.h"
#include "config/failover.h"
#include "datapath/gateway_map.h"
#include "host/neighbour_probe.h"
#include "host/path_probe.h"
#include "host/rtnl.h"

struct gateways;

/* 0 or -errno. */
int gateways_open(struct gateways **gateways, const struct health_settings *settings);
void gateways_close(struct gateways **gateways); /* for cleanup(); NULL inside is fine */
#define GATEWAYS_FDS (NEIGHBOUR_PROBE_FDS + PATH_PROBE_FDS)
/* Negative: none. They change with gateways_set(). */
void gateways_fds(const struct gateways *gateways, int fds[GATEWAYS_FDS]);

/*
 * Watches these from now on, at these devices, each with its path_targets_choose(); what is known of those that were
 * watched before stays. `now` is in milliseconds, here and below; see health.h. 0 or -ENOMEM.
 */
int gateways_set(struct gateways *gateways, const struct hops *hops, const struct path_target *targets,
		 const struct netdevs *netdevs, uint64_t now);
/* A device has changed, or with `gone` ceased to be. */
void gateways_link(struct gateways *gateways, const struct netdev *netdev, bool gone, uint64_t now);
/* The same for all devices at once: what is not among them has gone. */
void gateways_links(struct gateways *gateways, const struct netdevs *netdevs, uint64_t now);
/* The device has got an address, with which gateways there can be asked: who did not answer is asked again at once. */
void gateways_address(struct gateways *gateways, uint32_t ifindex, uint64_t now);
void gateways_neighbour(struct gateways *gateways, uint32_t ifindex, const struct ip *ip,
			const struct neighbour *neighbour, uint64_t now);
/* Takes in the answers that have come, and hands on which addresses were announced unasked. */
typedef void (*gateways_announced)(void *data, uint32_t ifindex, const struct ip *ip);
void gateways_receive(struct gateways *gateways, uint64_t now, gateways_announced announced, void *data);
/* Sends what is due. */
void gateways_tick(struct gateways *gateways, uint64_t now);
/* When gateways_tick() is to be called next; HEALTH_NEVER: there is nothing to watch. */
uint64_t gateways_next(const struct gateways *gateways);
/* Whether the health of any has changed since it was asked last. */
bool gateways_changed(struct gateways *gateways);

/* Whether anything is to be reported since it was asked last; if so, all gateways. The array is the caller's. */
bool gateways_report(struct gateways *gateways, struct gateway_healths *healths);

/* For reconcile_health(): `guard` is a struct gateways. HEALTH_UNKNOWN for one that is not watched. */
enum health_state gateways_health(const void *gateways, const struct wgvia_hop *hop);
/* How many there are, and how many of them are dead. */
size_t gateways_count(const struct gateways *gateways, size_t *dead);

#endif
