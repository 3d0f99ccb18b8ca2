/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gateways that an agent watches: what is seen of each (its device, the kernel's neighbour entry, answers to
 * requests of our own) goes into its health, and each change of that into the log. What follows from it is agent.c's.
 */
#ifndef WGVIA_GUARD_H
#define WGVIA_GUARD_H

#include "health.h"
#include "lists.h"
#include "rtnl.h"
#include "solicit.h"

struct guard;

/* 0 or -errno. */
int guard_open(struct guard **guard, const struct health_settings *settings);
void guard_close(struct guard **guard); /* for cleanup(); NULL inside is fine */
void guard_fds(const struct guard *guard, int fds[SOLICIT_FDS]);

/*
 * Watches these from now on, at these devices; what is known of those that were watched before stays. `now` is in
 * milliseconds, here and below; see health.h. 0 or -ENOMEM.
 */
int guard_set(struct guard *guard, const struct hops *hops, const struct links *links, uint64_t now);
/* A device has changed, or with `gone` ceased to be. */
void guard_link(struct guard *guard, const struct link *link, bool gone, uint64_t now);
/* The same for all devices at once: what is not among them has gone. */
void guard_links(struct guard *guard, const struct links *links, uint64_t now);
/* The device has got an address, with which gateways there can be asked: who did not answer is asked again at once. */
void guard_address(struct guard *guard, uint32_t ifindex, uint64_t now);
void guard_neighbour(struct guard *guard, uint32_t ifindex, const struct ip *ip, const struct neighbour *neighbour,
		     uint64_t now);
/* Takes in the answers that have come, and hands on which addresses were announced unasked. */
typedef void (*guard_announced)(void *data, uint32_t ifindex, const struct ip *ip);
void guard_receive(struct guard *guard, uint64_t now, guard_announced announced, void *data);
/* Sends what is due. */
void guard_tick(struct guard *guard, uint64_t now);
/* When guard_tick() is to be called next; HEALTH_NEVER: there is nothing to watch. */
uint64_t guard_next(const struct guard *guard);
/* Whether the health of any has changed since it was asked last. */
bool guard_changed(struct guard *guard);

/* For follow_health(): `guard` is a struct guard. HEALTH_UNKNOWN for one that is not watched. */
enum health_state guard_health(const void *guard, const struct wgvia_hop *hop);
/* How many there are, and how many of them are dead. */
size_t guard_count(const struct guard *guard, size_t *dead);

#endif
