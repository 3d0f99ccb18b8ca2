/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which drop-in files belong to a configuration file: names alone, conffile.c reads them.
 */
#ifndef WGVIA_DROPINS_H
#define WGVIA_DROPINS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct dropins {
	char **paths; /* in the order in which they are read */
	size_t count;
};

void dropins_free(struct dropins *dropins); /* for cleanup(), too */

/*
 * Lists the regular files PATH.d/NAME.conf, and symbolic links to such, whose NAME does not begin with a dot, by name
 * as bytes. What an editor or dpkg leaves beside them has another end, and a link to /dev/null hides a file. There are
 * none where the folder does not exist; a folder or an entry that cannot be read is a system error. To be freed by the
 * caller, on failure too.
 */
int dropins_list(const char *path, struct dropins *dropins, struct error *error);

/*
 * After a call with this path has failed: whether the file was removed meanwhile. It is as if it had never been there,
 * unlike a link that leads nowhere. `errno` changes.
 */
bool dropins_is_gone(const char *path);

#endif
