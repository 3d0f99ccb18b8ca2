/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From every process that changes an instance to every `wgvia monitor`. Each monitor binds a UNIX datagram socket in
 * one folder, and each change is one datagram to all of them. Without listeners nothing is sent. A publisher never
 * waits: it records what a socket has no room for in the file beside it, which the listener reads.
 *
 * A datagram is a JSON object: "version", "command", "pid", "pin_dir", "netns": {"inode", "cookie"}, and "events", an
 * array of objects from event_json().
 */
#ifndef WGVIA_EVENT_BUS_H
#define WGVIA_EVENT_BUS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/event.h"

#define EVENT_BUS_VERSION 1

/* Identifies the publisher; the caller owns both texts. Before this call nothing is published. */
void event_bus_begin(const char *command, const char *pin_dir);
/* Queues the event for the next event_bus_flush(), which is due when the change is in force. */
void event_bus_add(const struct event *event);
void event_bus_flush(void);
/* Whether somebody listens, to any instance: only then is it worth gathering costly details. */
bool event_bus_has_listeners(void);

/* {"time", "interface", "event", "priority", "text", and the fields}; NULL: out of memory. */
json_object *event_json(const struct event *event, uint64_t realtime);

/* --- listening --- */

struct event_listener;

/* Creates the folder and the socket. 0, or negative with the error set. */
int event_listener_open(struct event_listener **listener, struct error *error);
void event_listener_close(struct event_listener **listener); /* for cleanup(); *listener may be NULL */
/* Descriptors to poll: for datagrams, and for losses. */
void event_listener_fds(const struct event_listener *listener, int *datagrams, int *losses);
/*
 * The next received datagram about the pin folder and this network namespace; the caller releases it. NULL: none. It
 * skips datagrams of another version, and anything else.
 */
json_object *event_listener_next(struct event_listener *listener, const char *pin_dir);
/* Number of events for which the socket had no room since the previous call. */
uint64_t event_listener_lost(struct event_listener *listener);

#endif
