/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of an instance's gateways: the agent reports it, commands read it. It is known only while an agent runs;
 * leftovers of a killed agent are ignored, and so is the report of one that hangs.
 */
#ifndef WGVIA_GATEWAY_REPORT_H
#define WGVIA_GATEWAY_REPORT_H

#include <stdbool.h>

#include "config/watch.h"
#include "datapath/gateway_map.h"

struct gateway_report {
	bool agent; /* one runs, and does not hang; otherwise the state is unknown */
	struct gateway_healths healths;
	uint64_t now; /* time of the reading, on the clock of the times in it */
};

/* Present time in nanoseconds, of a clock that also advances while the host is suspended. */
uint64_t gateway_report_now(void);

/* For the agent: replaces the previous report; sorts `healths`. A missing instance is a success. 0 or -errno. */
int gateway_report_write(const char *pin_dir, const char *tunnel, struct gateway_healths *healths);
/* For the agent: a report that is not renewed for GATEWAY_REPORT_AGE is ignored. In seconds. */
#define GATEWAY_REPORT_RENEWAL 5
#define GATEWAY_REPORT_AGE 30 /* as long as the watchdog of wgvia@.service waits */
void gateway_report_renew(const char *pin_dir, const char *tunnel);
/* For the agent, at its start: discards the report of a previous agent. */
void gateway_report_clear(const char *pin_dir, const char *tunnel);

void gateway_report_read(const char *pin_dir, const char *tunnel, struct gateway_report *report);
void gateway_report_free(struct gateway_report *report); /* also for cleanup() */

/* NULL: no agent runs, or it does not watch this gateway. */
const struct wgvia_gateway_health *gateway_report_find(const struct gateway_report *report,
						       const struct wgvia_hop *hop);
/* Seconds since it became alive or dead. */
uint64_t gateway_report_age(const struct gateway_report *report, const struct wgvia_gateway_health *health);

#define GATEWAY_REPORT_TEXT (WATCH_FAULT_LEN + 64)
/* "alive for 12 s", "dead for 5 s: its device is down", "not checked yet", for a gateway with this watch. */
const char *gateway_report_text(const struct gateway_report *report, const struct wgvia_gateway_health *health,
				const struct wgvia_watch *watch, char text[GATEWAY_REPORT_TEXT]);

#endif
