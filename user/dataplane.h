/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An instance in the kernel: its maps, its programs, its pins. It knows no prefix and no gateway (tables.c fills the
 * maps), and prints nothing.
 */
#ifndef WGVIA_DATAPLANE_H
#define WGVIA_DATAPLANE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "attach.h"
#include "error.h"
#include "resolve.h"
#include "wgvia_abi.h"

/* Ethernet devices that one instance can stand at. */
#define DATAPLANE_DEVICES 256

enum map {
	MAP_PREFIXES4,
	MAP_PREFIXES6,
	MAP_BYPASS4,
	MAP_BYPASS6,
	MAP_CHANGES,
	MAP_INDEXES,
	MAP_DEVICES,
	MAP_FAILOVER,
	MAP_COUNTERS,
	MAP_TRACE,
	MAP_EVENTS,
	MAP_META,
	MAP_COUNT
};
extern const char *const map_names[MAP_COUNT];

struct programs;

struct instance {
	const char *root; /* the pin folder; the caller's */
	char tunnel[IFNAMSIZ];
	char folder[4096]; /* this instance's */
	int maps[MAP_COUNT];
	struct wgvia_meta meta; /* as read when it was opened */
	bool foreign;		/* its ABI is not ours: there are no maps to read or write */
	struct attachment *attachments;
	size_t attachment_count;
};

#define INSTANCE_NONE                                                                                                  \
	{                                                                                                              \
		.maps = { [0 ... MAP_COUNT - 1] = -1 }                                                                 \
	}

void instance_close(struct instance *instance); /* for cleanup(), too */

/* This network namespace's inode number, by which instances tell whose they are. */
uint64_t dataplane_netns(void);

/*
 * Opens the instance of an interface. -ENOENT, without `error` set: there is none. An instance of another network
 * namespace that still exists is refused.
 */
int dataplane_open(const char *root, const char *tunnel, struct instance *instance, struct error *error);
/* As above, and what has another ABI is refused as well: for commands that read or change maps. */
int dataplane_open_running(const char *root, const char *tunnel, struct instance *instance, struct error *error);

/* Whether there is an instance, of this version and network namespace, whose maps tell what is in force. */
bool dataplane_is_running(const struct instance *instance);
/* Whether dataplane_apply() may put something in the place of what dataplane_open() found, which may be nothing. */
int dataplane_check(const struct instance *running, struct error *error);

/* What dataplane_apply() calls to write the state into the maps of `instance`; 0 or -errno with `error` set. */
typedef int (*dataplane_fill)(const struct instance *instance, const struct state *state, struct error *error);

/*
 * Makes the instance what the plan says, all or nothing: programs are put in place of the old ones, maps are reused
 * where they fit and filled anew where not, then what is not wanted any more is detached. `running` is what
 * dataplane_open() found, or empty. `programs` is what the caller holds, and then holds of this instance; they are
 * loaded only where the plan needs one that neither it nor a device has. `*changed` tells whether a program or an
 * attachment changed.
 */
int dataplane_apply(const char *root, const struct plan *plan, struct instance *running, dataplane_fill fill,
		    struct programs *programs, bool *changed, struct error *error);

/*
 * Where the instance's programs stand, of `links`, those whose device is gone or that are detached left out. The array
 * is the caller's to free. 0 or -ENOMEM.
 */
int dataplane_points(const struct instance *instance, const struct links *links, struct point **points, size_t *count);

/* Ends what a command that was killed left half done. The lock is held. */
int dataplane_recover(const char *root, const char *tunnel, struct error *error);

/* Detaches and unpins everything of an instance. The lock is held. */
int dataplane_remove(const char *root, const char *tunnel, struct error *error);

#endif
