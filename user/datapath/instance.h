/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An instance as its pins tell of it: maps, and where its programs stand. It knows no prefix and no gateway
 * (state_maps.c reads and fills the maps).
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
	const char *root; /* the pin folder; the caller's */
	char tunnel[IFNAMSIZ];
	char folder[4096]; /* this instance's */
	int maps[MAP_COUNT];
	struct wgvia_meta meta; /* as read when it was opened */
	bool foreign;		/* its ABI is not ours: there are no maps to read or write */
	const char *damaged;	/* with `foreign`: the first map whose pin is missing, or is another thing */
	bool owned;		/* wgvia's, of this or another version: one of its pins is proof of that */
	bool is_orphan;		/* its network namespace no longer exists: only pins are left */
	struct attachment *attachments;
	size_t attachment_count;
};

#define INSTANCE_NONE {.maps = {[0 ... MAP_COUNT - 1] = -1}}

void instance_close(struct instance *instance); /* for cleanup(), too */

/*
 * Opens the instance of an interface. -ENOENT, without `error` set: there is none. An instance of another network
 * namespace that still exists is refused.
 */
int instance_open(const char *root, const char *tunnel, struct instance *instance, struct error *error);
/* The same with the lock on `root`, which is into `*lock`, and the caller's to close where it is not negative. */
int instance_open_locked(const char *root, const char *tunnel, struct instance *instance, int *lock,
			 struct error *error);
/*
 * As instance_open(), and what has another ABI, or an orphan (-ESTALE), is refused as well: for commands that read or
 * change maps.
 */
int instance_open_running(const char *root, const char *tunnel, struct instance *instance, struct error *error);

/* Whether there is an instance, of this version and network namespace, whose maps tell what is in force. */
bool instance_is_running(const struct instance *instance);
/* Whether dataplane_apply() may put something in the place of what instance_open() found, which may be nothing. */
int instance_check(const struct instance *running, struct error *error);

/*
 * Where the instance's programs stand, those left out whose device is not among `netdevs`, or that are detached,
 * or that gateways are not reached by. `points`, empty before, are the caller's to free. 0 or -ENOMEM.
 */
int instance_points(const struct instance *instance, const struct netdevs *netdevs, struct points *points);
/* The one that stands at such a point; NULL: none does. */
const struct attachment *instance_attachment(const struct instance *instance, const struct point *point);

#endif
