/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Listening to an instance's decisions: the filter and the deadline in its map `trace`, the events from its ring
 * buffer. It prints nothing.
 *
 * The packet path tells of decisions until the deadline and then turns itself off, so it has to be moved on all the
 * time: trace_wait() does. One listener an instance; the lock on its folder of pins goes with the process.
 */
#ifndef WGVIA_TRACE_H
#define WGVIA_TRACE_H

#include <stdint.h>

#include "base/error.h"
#include "config/parse.h"
#include "wgvia_abi.h"

struct trace;

/* Switches it on. 0 or negative with `error` set. */
int trace_open(const char *root, const struct trace_words *words, struct trace **result, struct error *error);
/*
 * Waits a moment, or until a signal comes, and reads events for trace_next(); events of the call before are
 * discarded. 0 or negative with `error` set. An instance that has been put in another's place is followed, one that has
 * been taken down is an error.
 */
int trace_wait(struct trace *trace, struct error *error);
/* The next event, until trace_wait() is called again; NULL: none is left. */
const struct wgvia_event *trace_next(struct trace *trace);
/* What to add to an event's time to have that of CLOCK_REALTIME in ns. */
uint64_t trace_realtime(const struct trace *trace);
/* Events for which the ring buffer had no room so far. */
uint64_t trace_skipped(const struct trace *trace);
/* Whether it had turned itself off since the last call, because this process did not run for too long. */
bool trace_was_off(struct trace *trace);
/* Switches it off; for cleanup(), NULL inside is fine. */
void trace_close(struct trace **trace);

#endif
