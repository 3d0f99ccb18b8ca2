/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "health neighbour|forward|ping ADDRESS|tcp ADDRESS:PORT": how the gateways of a list are watched, in words and in a
 * state. The kind belongs to the gateway: it holds for every prefix that goes via it. Pure: it asks nobody.
 */
#ifndef WGVIA_CONFIG_WATCH_H
#define WGVIA_CONFIG_WATCH_H

#include <stdbool.h>

#include "base/error.h"
#include "base/ip.h"
#include "config/state.h"
#include "config/words.h"

/* Takes "health KIND [ADDRESS]", with the cursor at `health`. */
int watch_take(struct cursor *cursor, struct wgvia_watch *watch, struct error *error);

#define WATCH_TEXT_LEN (IP_TEXT_LEN + 16)
/* "neighbour", "ping 192.0.2.3", "tcp [2001:db8::3]:443" */
const char *watch_text(const struct wgvia_watch *watch, char text[WATCH_TEXT_LEN]);

#define WATCH_FAULT_LEN (WATCH_TEXT_LEN + 64)
/* What a gateway that is watched so is dead of: "192.0.2.3 does not answer echo requests through it" */
const char *watch_fault(const struct wgvia_watch *watch, enum wgvia_fault fault, char text[WATCH_FAULT_LEN]);

bool watch_equal(const struct wgvia_watch *a, const struct wgvia_watch *b);
/* Whether words can say it: a map may hold anything. */
bool watch_is_valid(const struct wgvia_watch *watch);
struct ip watch_ip(const struct wgvia_watch *watch);

/* How a gateway of the state's is watched. */
struct wgvia_watch watch_of(const struct state *state, const struct wgvia_hop *hop);
/* A gateway that two lists watch in two ways: 1 and both ways, 0, or -ENOMEM. */
int watch_find_conflict(const struct state *state, struct wgvia_hop *hop, struct wgvia_watch ways[2]);

#endif
