/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of the drop-in files that belong to a configuration file; conffile.c reads the files.
 */
#ifndef WGVIA_DROPINS_H
#define WGVIA_DROPINS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct dropins {
	char **paths; /* in reading order */
	size_t count;
};

void dropins_free(struct dropins *dropins); /* also for cleanup() */

/*
 * Lists the regular files PATH.d/NAME.conf, and symbolic links to regular files, whose NAME does not begin with a dot,
 * sorted by bytes. Editors and dpkg leave files with other endings there. A link to /dev/null hides a file. If the
 * folder does not exist, the list is empty. A folder or an entry that cannot be read is a system error. The caller
 * frees the list, on failure as well.
 */
int dropins_list(const char *path, struct dropins *dropins, struct error *error);

/*
 * After a call with this path has failed: whether the file was removed meanwhile. It is as if it had never been there,
 * unlike a link that leads nowhere. `errno` changes.
 */
bool dropins_is_gone(const char *path);

#endif
