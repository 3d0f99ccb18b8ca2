// SPDX-License-Identifier: GPL-2.0-only
/*
 * A map that is valid while its writer lives, and renews it.
 */
#include "session/gateway_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "datapath/pins.h"
#include "session/agent_lock.h"

uint64_t gateway_report_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* With the lock held, no command moves the instance's folder meanwhile. */
int gateway_report_write(const char *pin_dir, const char *tunnel, struct gateway_healths *healths)
{
	struct error ignored = {};
	cleanup_fd int lock = pins_lock(pin_dir, &ignored);
	int ret;

	if (lock < 0)
		return lock == -ENOENT ? 0 : lock;
	ret = gateway_map_write(pin_dir, tunnel, healths);
	gateway_report_renew(pin_dir, tunnel); /* a new map has a time of another clock */
	return ret;
}

void gateway_report_renew(const char *pin_dir, const char *tunnel)
{
	gateway_map_set_time(pin_dir, tunnel, gateway_report_now() / 1000000000);
}

/* A time in the future is from an agent of an earlier version, which renews nothing. */
static bool is_old(uint64_t renewed, uint64_t now)
{
	return renewed < now && now - renewed > GATEWAY_REPORT_AGE;
}

void gateway_report_clear(const char *pin_dir, const char *tunnel)
{
	struct error ignored = {};
	cleanup_fd int lock = pins_lock(pin_dir, &ignored);

	if (lock >= 0)
		gateway_map_remove(pin_dir, tunnel);
}

/* Checks for the agent last: if it ends meanwhile, the state is unknown. */
void gateway_report_read(const char *pin_dir, const char *tunnel, struct gateway_report *report)
{
	uint64_t renewed;

	*report = (struct gateway_report){};
	gateway_map_read(pin_dir, tunnel, &report->healths);
	renewed = gateway_map_time(pin_dir, tunnel);
	report->now = gateway_report_now();
	report->agent = !is_old(renewed, report->now / 1000000000) && agent_is_alive(pin_dir, tunnel);
}

void gateway_report_free(struct gateway_report *report)
{
	free(report->healths.all);
	*report = (struct gateway_report){};
}

const struct wgvia_gateway_health *gateway_report_find(const struct gateway_report *report, const struct wgvia_hop *hop)
{
	const struct gateway_health *found = report->agent ? gateway_map_find(&report->healths, hop) : NULL;

	return found ? &found->health : NULL;
}

uint64_t gateway_report_age(const struct gateway_report *report, const struct wgvia_gateway_health *health)
{
	return report->now > health->since ? (report->now - health->since) / 1000000000 : 0;
}

const char *gateway_report_text(const struct gateway_report *report, const struct wgvia_gateway_health *health,
				const struct wgvia_watch *watch, char text[GATEWAY_REPORT_TEXT])
{
	char fault[WATCH_FAULT_LEN];
	uint64_t age = gateway_report_age(report, health);

	switch (health->state) {
	case WGVIA_HEALTH_DEAD:
		snprintf(text, GATEWAY_REPORT_TEXT, "dead for %" PRIu64 " s%s%s", age, health->fault ? ": " : "",
			 watch_fault(watch, health->fault, fault));
		break;
	case WGVIA_HEALTH_HELD:
		snprintf(text, GATEWAY_REPORT_TEXT, "alive for %" PRIu64 " s, not preferred yet", age);
		break;
	case WGVIA_HEALTH_ALIVE:
		snprintf(text, GATEWAY_REPORT_TEXT, "alive for %" PRIu64 " s", age);
		break;
	default:
		snprintf(text, GATEWAY_REPORT_TEXT, "not checked yet");
	}
	return text;
}
