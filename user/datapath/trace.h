/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading an instance's decisions: the filter and the deadline in its map `trace`, the events from its ring buffer. It
 * prints nothing.
 *
 * The packet path reports decisions until the deadline, then stops, so the deadline must be extended continually:
 * trace_wait() does that. Only one reader per instance is possible; its lock on the folder of pins ends with the
 * process.
 */
#ifndef WGVIA_TRACE_H
#define WGVIA_TRACE_H

#include <stdint.h>

#include "base/error.h"
#include "config/parse.h"
#include "wgvia_abi.h"

struct trace;

/* Starts tracing. 0, or negative with `error` set. */
int trace_open(const char *root, const struct trace_words *words, struct trace **result, struct error *error);
/*
 * Waits a moment, or until a signal arrives, and reads events for trace_next(); events of the previous call are
 * discarded. 0, or negative with `error` set. It follows an instance that replaces the traced one; an instance that was
 * removed is an error.
 */
int trace_wait(struct trace *trace, struct error *error);
/* The next event, valid until the next trace_wait(); NULL: none is left. */
const struct wgvia_event *trace_next(struct trace *trace);
/* Offset from an event's time to CLOCK_REALTIME, in ns. */
uint64_t trace_realtime(const struct trace *trace);
/* Number of events for which the ring buffer had no room so far. */
uint64_t trace_skipped(const struct trace *trace);
/* Whether tracing stopped since the previous call, because this process did not run for too long. */
bool trace_was_off(struct trace *trace);
/* Stops tracing; for cleanup(), *trace may be NULL. */
void trace_close(struct trace **trace);

#endif
