/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that a user names.
 */
#ifndef WGVIA_FILE_H
#define WGVIA_FILE_H

#include <stdio.h>

#include "base/error.h"

/*
 * Opens it for reading; NULL with errno set. A named pipe gets ten seconds to provide data (ENODATA), because a writer
 * may never come.
 */
FILE *file_open(const char *path);
/* "cannot open 'PATH'", or another verb, with errno as the cause; returns -errno. */
int file_error(struct error *error, const char *verb, const char *path);

/* Length of the UTF-8 byte order mark at the beginning of a text: 3, or 0. Editors add it; it has no meaning. */
size_t file_mark_len(const char *text, size_t len);

#endif
