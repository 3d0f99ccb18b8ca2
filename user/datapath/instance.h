/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An instance, as its pins represent it: maps, and the devices to which programs are attached. This file knows no
 * prefix and no gateway (state_maps.c reads and fills the maps).
 */
#ifndef WGVIA_INSTANCE_H
#define WGVIA_INSTANCE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/netdev.h"
#include "datapath/attach.h"
#include "plan/point.h"
#include "wgvia_abi.h"

enum map {
	MAP_PREFIXES4,
	MAP_PREFIXES6,
	MAP_BYPASS4,
	MAP_BYPASS6,
	MAP_CHANGES,
	MAP_INDEXES,
	MAP_DEVICES,
	MAP_FAILOVER,
	MAP_SENDERS,
	MAP_LEARNT,
	MAP_BOUNCED,
	MAP_ACCEPTED,
	MAP_SOURCES,
	MAP_COUNTERS,
	MAP_PREFIX_COUNTERS,
	MAP_TRACE,
	MAP_EVENTS,
	MAP_META,
	MAP_COUNT
};
extern const char *const map_names[MAP_COUNT];

struct instance {
	const char *root; /* the pin folder; owned by the caller */
	char tunnel[IFNAMSIZ];
	char folder[4096]; /* of this instance */
	int maps[MAP_COUNT];
	struct wgvia_meta meta; /* as read by instance_open() */
	bool foreign;		/* it has another ABI: there are no maps to read or write */
	const char *damaged;	/* with `foreign`: the first map whose pin is missing, or is not that map */
	bool owned;		/* of wgvia, of this or another version: one of its pins proves it */
	bool is_orphan;		/* its network namespace no longer exists: only pins are left */
	struct attachment *attachments;
	size_t attachment_count;
};

#define INSTANCE_NONE {.maps = {[0 ... MAP_COUNT - 1] = -1}}

void instance_close(struct instance *instance); /* also for cleanup() */

/*
 * Opens the instance of an interface. -ENOENT, without `error` set: there is none. It refuses an instance of another
 * network namespace that still exists.
 */
int instance_open(const char *root, const char *tunnel, struct instance *instance, struct error *error);
/* The same, with the lock on `root`. The caller closes `*lock` if it is not negative. */
int instance_open_locked(const char *root, const char *tunnel, struct instance *instance, int *lock,
			 struct error *error);
/*
 * Like instance_open(), but also refuses an instance with another ABI, and an orphan (-ESTALE): for commands that read
 * or change maps.
 */
int instance_open_running(const char *root, const char *tunnel, struct instance *instance, struct error *error);

/* Whether there is an instance, of this version and network namespace, whose maps show what is in force. */
bool instance_is_running(const struct instance *instance);
/* Whether dataplane_apply() may replace what instance_open() found, which may be nothing. */
int instance_check(const struct instance *running, struct error *error);

/*
 * The points to which the instance's programs are attached, without those whose device is not among `netdevs`, those
 * that are detached, and those by which no gateway is reached. `points` must be empty; the caller frees it. 0 or
 * -ENOMEM.
 */
int instance_points(const struct instance *instance, const struct netdevs *netdevs, struct points *points);
/* Where programs are attached, sorted for instance_has_point(). The caller frees the array. 0 or -ENOMEM. */
int instance_attached(const struct instance *instance, struct points *attached);
bool instance_has_point(const struct points *attached, const struct point *point);
/*
 * The points at which a program is missing: of the devices in the map `devices`, and the tunnel's in mode fast.
 * `missing` must be empty; the caller frees it. 0 or -ENOMEM.
 */
int instance_missing(const struct instance *instance, struct points *missing);
/* The attachment at such a point; NULL: none. */
const struct attachment *instance_attachment(const struct instance *instance, const struct point *point);

#endif
