/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pin folder: its location, the check for a bpffs, the lock, and the instances' folders in it. This file does not
 * know what a pin means.
 *
 * In the pin folder, instance NAME has the folder NAME; during its creation, NAME%new; while it is replaced, the old
 * one is NAME%old. NAME%agent is empty: the instance's agent holds a lock on it. In NAME itself, '.', which a bpffs
 * refuses, is written as %2e, and '%' as %25.
 */
#ifndef WGVIA_PINS_H
#define WGVIA_PINS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define PINS_DEFAULT "/sys/fs/bpf/wgvia"
#define PINS_PATH_MAX 4096
#define PINS_NAME_MAX (IFNAMSIZ * 3 + 6) /* every character escaped, and "%agent" */

enum pins_folder { PINS_CURRENT, PINS_NEW, PINS_OLD, PINS_AGENT };

/* Writes to `path` the path of an instance's folder or, with `file`, of a pin in it. 0 or -ENAMETOOLONG. */
int pins_path(char path[PINS_PATH_MAX], const char *root, const char *tunnel, enum pins_folder folder,
	      const char *file);

/*
 * Prepares `root` for writing: mounts a bpffs at /sys/fs/bpf if there is none, as iproute2 does, and creates the
 * folder. A root elsewhere must be on a bpffs that is already mounted.
 */
int pins_prepare(const char *root, struct error *error);
/* Why pins_prepare() would refuse `root`, without changing anything: 0, or -errno with `error` set. */
int pins_check_mount(const char *root, struct error *error);
/* Whether `root` exists on a bpffs, for reading: 0, -ENOENT, or another -errno with `error` set. */
int pins_probe(const char *root, struct error *error);
/*
 * Takes the lock that every command holds while it changes something, and waits for it. Returns a descriptor; closing
 * it releases the lock. A missing root is -ENOENT, without `error` set.
 */
int pins_lock(const char *root, struct error *error);

/* Names of the instances, sorted, NULL at the end; one allocation, freed by the caller. */
int pins_list(const char *root, char (**names)[IFNAMSIZ], size_t *count);

bool pins_exist(const char *root, const char *tunnel, enum pins_folder folder);
/* Whether a process holds flock() on it. */
bool pins_is_locked(const char *root, const char *tunnel, enum pins_folder folder);
/* Removes the pin folder if it is empty. */
void pins_tidy(const char *root);

#endif
