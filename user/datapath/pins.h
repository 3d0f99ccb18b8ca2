/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The folder of pins: where it is, that it is on a bpffs, the lock, and the folders of the instances in it. What a pin
 * means is not known here.
 *
 * Below the pin folder an instance NAME has the folder NAME; while it is being made, NAME%new; what it replaces,
 * NAME%old for a moment. NAME%agent is empty: its agent holds a lock on it. In NAME itself '.', which a bpffs refuses,
 * is written %2e, and '%' %25.
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

/* Writes the path of an instance's folder, or with `file` of a pin in it, to `path`. 0 or -ENAMETOOLONG. */
int pins_path(char path[PINS_PATH_MAX], const char *root, const char *tunnel, enum pins_folder folder,
	      const char *file);

/*
 * Makes `root` ready for writing: mounts a bpffs at /sys/fs/bpf where there is none, as iproute2 does, and makes the
 * folder. A root elsewhere has to be on a bpffs that is mounted already.
 */
int pins_prepare(const char *root, struct error *error);
/* What pins_prepare() would refuse `root` for, without a change: 0, or -errno with `error` set. */
int pins_check_mount(const char *root, struct error *error);
/* Whether `root` is there, on a bpffs, for reading: 0, -ENOENT, or another -errno with `error` set. */
int pins_probe(const char *root, struct error *error);
/*
 * Waits for and takes the lock that every command holds while it changes something. Closing the descriptor, which is
 * returned, gives it back. A root that is not there is -ENOENT, without `error` set.
 */
int pins_lock(const char *root, struct error *error);

/* Names of the instances, in order, NULL at the end; one allocation, the caller's to free. */
int pins_list(const char *root, char (**names)[IFNAMSIZ], size_t *count);

bool pins_exist(const char *root, const char *tunnel, enum pins_folder folder);
/* Whether somebody holds flock() on it. */
bool pins_is_locked(const char *root, const char *tunnel, enum pins_folder folder);
/* Removes the pin folder where it is empty: nothing is left behind. */
void pins_tidy(const char *root);

#endif
