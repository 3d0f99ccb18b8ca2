/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gateways that an agent watches. The observations of each (its device, the kernel's neighbour entry, answers to
 * our own requests, packets through it if its list says so) determine its health, and each change of that is logged.
 * agent.c handles the consequences.
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
void gateways_close(struct gateways **gateways); /* for cleanup(); *gateways may be NULL */
#define GATEWAYS_FDS (NEIGHBOUR_PROBE_FDS + PATH_PROBE_FDS)
/* Negative: none. gateways_set() changes them. */
void gateways_fds(const struct gateways *gateways, int fds[GATEWAYS_FDS]);

/*
 * Watches these from now on, at these devices, each with its path_targets_choose(). Gateways that were watched before
 * keep their state. `now` is in milliseconds, here and below; see health.h. 0 or -ENOMEM.
 */
int gateways_set(struct gateways *gateways, const struct hops *hops, const struct path_target *targets,
		 const struct netdevs *netdevs, uint64_t now);
/* A device changed or, with `gone`, was removed. */
void gateways_link(struct gateways *gateways, const struct netdev *netdev, bool gone, uint64_t now);
/* The same for all devices at once: those not among them were removed. */
void gateways_links(struct gateways *gateways, const struct netdevs *netdevs, uint64_t now);
/*
 * The device has a new address, from which requests can be sent: gateways there that did not answer are asked again at
 * once.
 */
void gateways_address(struct gateways *gateways, uint32_t ifindex, uint64_t now);
void gateways_neighbour(struct gateways *gateways, uint32_t ifindex, const struct ip *ip,
			const struct neighbour *neighbour, uint64_t now);
/* Processes received answers, and passes on which addresses were announced unsolicited. */
typedef void (*gateways_announced)(void *data, uint32_t ifindex, const struct ip *ip);
void gateways_receive(struct gateways *gateways, uint64_t now, gateways_announced announced, void *data);
/* Sends what is due. */
void gateways_tick(struct gateways *gateways, uint64_t now);
/* When to call gateways_tick() next; HEALTH_NEVER: there is nothing to watch. */
uint64_t gateways_next(const struct gateways *gateways);
/* Whether any gateway's health changed since the previous call. */
bool gateways_changed(struct gateways *gateways);

/*
 * Whether there is anything to report since the previous call; if so, returns all gateways. The caller frees the array.
 */
bool gateways_report(struct gateways *gateways, struct gateway_healths *healths);

/* For reconcile_health(): `guard` is a struct gateways. HEALTH_UNKNOWN for one that is not watched. */
enum health_state gateways_health(const void *gateways, const struct wgvia_hop *hop);
/* Number of gateways, and of dead ones. */
size_t gateways_count(const struct gateways *gateways, size_t *dead);

#endif
