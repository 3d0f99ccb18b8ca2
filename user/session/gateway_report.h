/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How an instance's gateways are, as its agent sees them: the agent reports it, commands read it. It is known only
 * while an agent runs: what one that was killed has left is not read.
 */
#ifndef WGVIA_GATEWAY_REPORT_H
#define WGVIA_GATEWAY_REPORT_H

#include <stdbool.h>

#include "config/watch.h"
#include "datapath/gateway_map.h"

struct gateway_report {
	bool agent; /* one runs; without one nothing is known */
	struct gateway_healths healths;
	uint64_t now; /* when it was read, as the times in it */
};

/* Time in nanoseconds as the report has it: of a clock that does not stop while the host is suspended. */
uint64_t gateway_report_now(void);

/* The agent's: replaces what was reported before; puts `healths` in order. No instance is a success. 0 or -errno. */
int gateway_report_write(const char *pin_dir, const char *tunnel, struct gateway_healths *healths);
/* The agent's, at its start: nothing is known, whatever another one has left. */
void gateway_report_clear(const char *pin_dir, const char *tunnel);

void gateway_report_read(const char *pin_dir, const char *tunnel, struct gateway_report *report);
void gateway_report_free(struct gateway_report *report); /* for cleanup(), too */

/* NULL: no agent runs, or it does not watch this gateway. */
const struct wgvia_gateway_health *gateway_report_find(const struct gateway_report *report,
						       const struct wgvia_hop *hop);
/* How long ago, in seconds, it became alive or dead. */
uint64_t gateway_report_age(const struct gateway_report *report, const struct wgvia_gateway_health *health);

#define GATEWAY_REPORT_TEXT (WATCH_FAULT_LEN + 64)
/* "alive for 12 s", "dead for 5 s: its device is down", "not checked yet", of a gateway that is watched so. */
const char *gateway_report_text(const struct gateway_report *report, const struct wgvia_gateway_health *health,
				const struct wgvia_watch *watch, char text[GATEWAY_REPORT_TEXT]);

#endif
