/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The folders of an instance: creating, replacing, clearing and removing them. What wgvia did not create is kept, and
 * reported by its path: -ENOTEMPTY.
 */
#ifndef WGVIA_PIN_FOLDERS_H
#define WGVIA_PIN_FOLDERS_H

#include <stdbool.h>

#include "base/error.h"
#include "datapath/pins.h"

/* Whether wgvia uses such a name for a pin, or for one of its markers. */
typedef bool (*pins_names)(const char *name);

int pins_make_folder(const char *root, const char *tunnel, enum pins_folder folder);
/*
 * Renames NAME%new to NAME: at this moment the new instance replaces the old one. The previous NAME is removed, except
 * for its pins without a successor of the same name, which are moved.
 */
int pins_commit(const char *root, const char *tunnel, struct error *error);
/*
 * Removes a folder and its pins with such a name (NULL: all), which detaches the links. The pin `last`, if not NULL, is
 * removed after all others. A subfolder is removed if it is empty. A failure does not prevent the removal of the rest.
 * A missing folder is a success.
 */
int pins_remove_folder(const char *root, const char *tunnel, enum pins_folder folder, pins_names is_ours,
		       const char *last, struct error *error);
/*
 * Frees the paths of pins with such a name: removes empty folders that others created there. A folder that is not empty
 * is reported.
 */
int pins_clear(const char *root, const char *tunnel, pins_names is_ours, struct error *error);
bool pins_is_empty(const char *folder);
/* -EROFS: nothing in the pin folder can be made or removed. 0, or -errno. */
int pins_check_writable(const char *root);
/* Refuses something other than a folder in an instance's place: reports it, -ENOTEMPTY. */
int pins_check_folder(const char *root, const char *tunnel, enum pins_folder folder, struct error *error);
/*
 * Completes a commit that a killed command had begun. The lock must be held. A NAME%new that remains was never in
 * force.
 */
int pins_recover(const char *root, const char *tunnel, struct error *error);

#endif
