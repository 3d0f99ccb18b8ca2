/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From every process that changes an instance to every `wgvia monitor`: each of these binds a UNIX datagram socket in
 * one folder, and each change is one datagram to all of them. Without listeners nothing is sent. A publisher never
 * waits: what a socket has no room for is written down in the file beside it, which its listener reads.
 *
 * A datagram is a JSON object: "version", "command", "pid", "pin_dir", "netns": {"inode", "cookie"}, and "events", an
 * array of what event_json() makes.
 */
#ifndef WGVIA_EVENT_BUS_H
#define WGVIA_EVENT_BUS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/event.h"

#define EVENT_BUS_VERSION 1

/* Who publishes; both texts are the caller's. Before that, nothing is published. */
void event_bus_begin(const char *command, const char *pin_dir);
/* The event goes with the next event_bus_flush(), which is due when what it is about is in force. */
void event_bus_add(const struct event *event);
void event_bus_flush(void);
/* Whether somebody listens, at whatever instance: what costs something to find out is needed then. */
bool event_bus_has_listeners(void);

/* {"time", "interface", "event", "priority", "text", and the fields}; NULL: out of memory. */
json_object *event_json(const struct event *event, uint64_t realtime);

/* --- the other end --- */

struct event_listener;

/* Makes the folder and the socket. 0, or negative with the error set. */
int event_listener_open(struct event_listener **listener, struct error *error);
void event_listener_close(struct event_listener **listener); /* for cleanup(); NULL inside is fine */
/* Descriptors to wait for: of datagrams, and of losses. */
void event_listener_fds(const struct event_listener *listener, int *datagrams, int *losses);
/*
 * The next datagram about the pin folder and this network namespace that has come, the caller's to put; NULL: there is
 * none. Of another version, or anything else, it is passed over.
 */
json_object *event_listener_next(struct event_listener *listener, const char *pin_dir);
/* How many events the socket had no room for since this was asked last. */
uint64_t event_listener_lost(struct event_listener *listener);

#endif
