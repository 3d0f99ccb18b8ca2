/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "health neighbour|forward|ping ADDRESS|tcp ADDRESS:PORT": how the gateways of a list are watched, in words and in a
 * state. The kind belongs to the gateway: it is the same for every prefix via that gateway. Pure: no I/O.
 */
#ifndef WGVIA_CONFIG_WATCH_H
#define WGVIA_CONFIG_WATCH_H

#include <stdbool.h>

#include "base/error.h"
#include "base/ip.h"
#include "config/state.h"
#include "config/words.h"

/* Parses "health KIND [ADDRESS]", with the cursor at `health`. */
int watch_take(struct cursor *cursor, struct wgvia_watch *watch, struct error *error);

#define WATCH_TEXT_LEN (IP_TEXT_LEN + 16)
/* "neighbour", "ping 192.0.2.3", "tcp [2001:db8::3]:443" */
const char *watch_text(const struct wgvia_watch *watch, char text[WATCH_TEXT_LEN]);

#define WATCH_FAULT_LEN (WATCH_TEXT_LEN + 64)
/* Why a gateway that is watched in this way is dead: "192.0.2.3 does not answer echo requests through it" */
const char *watch_fault(const struct wgvia_watch *watch, enum wgvia_fault fault, char text[WATCH_FAULT_LEN]);

bool watch_equal(const struct wgvia_watch *a, const struct wgvia_watch *b);
/* Whether words can express it: a map may contain anything. */
bool watch_is_valid(const struct wgvia_watch *watch);
struct ip watch_ip(const struct wgvia_watch *watch);

/* How this gateway of the state is watched. */
struct wgvia_watch watch_of(const struct state *state, const struct wgvia_hop *hop);
/* Finds a gateway that two lists watch in different ways: 1 and both ways, 0, or -ENOMEM. */
int watch_find_conflict(const struct state *state, struct wgvia_hop *hop, struct wgvia_watch ways[2]);

#endif
