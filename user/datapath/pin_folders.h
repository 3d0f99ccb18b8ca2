/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The folders of an instance: made, put in place of one another, cleared and removed. What wgvia did not make stays,
 * and is reported by its path: -ENOTEMPTY.
 */
#ifndef WGVIA_PIN_FOLDERS_H
#define WGVIA_PIN_FOLDERS_H

#include <stdbool.h>

#include "base/error.h"
#include "datapath/pins.h"

/* Whether wgvia gives such a name to a pin, or to a marker of its own. */
typedef bool (*pins_names)(const char *name);

int pins_make_folder(const char *root, const char *tunnel, enum pins_folder folder);
/*
 * NAME%new becomes NAME: the moment at which a new instance is the instance. What was NAME is removed, except for those
 * of its pins that have no successor of the same name: they move over.
 */
int pins_commit(const char *root, const char *tunnel, struct error *error);
/*
 * Removes a folder with the pins in it that have such a name (NULL: all), which detaches the links; the one named
 * `last`, if it is not NULL, after all others. A folder in it is removed where it is empty. One failure does not keep
 * it from removing the rest. No folder is a success.
 */
int pins_remove_folder(const char *root, const char *tunnel, enum pins_folder folder, pins_names is_ours,
		       const char *last, struct error *error);
/* Frees the places of pins with such a name: of empty folders that somebody has made there. A full one is reported. */
int pins_clear(const char *root, const char *tunnel, pins_names is_ours, struct error *error);
bool pins_is_empty(const char *folder);
/* -EROFS: nothing in the pin folder can be made or removed. 0, or -errno. */
int pins_check_writable(const char *root);
/* Whether something else than a folder is in an instance's place: it is reported, -ENOTEMPTY. */
int pins_check_folder(const char *root, const char *tunnel, enum pins_folder folder, struct error *error);
/*
 * Completes a commit that a command which was killed had begun. The lock is held. A NAME%new that is left then was
 * never in force.
 */
int pins_recover(const char *root, const char *tunnel, struct error *error);

#endif
