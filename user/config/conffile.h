/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A configuration file to a request: the words of `up`, one statement a line. It knows lines and comments; the words
 * are parse.c's, and plan/plan.c finds their meaning on this host.
 */
#ifndef WGVIA_CONFFILE_H
#define WGVIA_CONFFILE_H

#include "base/error.h"
#include "config/parse.h"

#define CONFIG_LINE_MAX 1024 /* bytes, without the line's end */
#define CONFIG_WORD_MAX 64   /* no word of the grammar is as long */

/*
 * Reads the file, "-" for standard input, as the request for `tunnel` that parse_up() would make of the same words. The
 * request is to be freed by the caller, on failure too. Behind a file that is not standard input its drop-ins are read
 * (dropins.h), as if all were one file.
 *
 * A line is a statement, empty, or a comment: '#' at its beginning or behind white space, to its end. It ends with LF
 * or CR LF, the last one too: a file that was cut short is not to be taken for a whole one. For the same reason a file
 * without any 'from' is refused.
 *
 * What is wrong with the text is a usage error that begins with "FILE:LINE: "; what cannot be read is a system error.
 */
int conffile_read(const char *path, const char *tunnel, struct request *request, struct error *error);
/* Puts "FILE:LINE: " before the text of an error that is set, and that is about this route of the request. */
void conffile_name_route(struct error *error, const struct request *request, const struct route_words *route);

#endif
