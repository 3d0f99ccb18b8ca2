/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a configuration file to a request: the words of `up`, one statement per line. This file knows lines and comments
 * only; parse.c parses the words, and plan/plan.c finds their meaning on this host.
 */
#ifndef WGVIA_CONFFILE_H
#define WGVIA_CONFFILE_H

#include "base/error.h"
#include "config/parse.h"

#define CONFIG_LINE_MAX 1024 /* bytes, without the line end */
#define CONFIG_WORD_MAX 64   /* no word of the grammar is this long */

/*
 * Reads the file ("-": standard input) into the request for `tunnel` that parse_up() would make of the same words. The
 * caller frees the request, on failure as well. After a file other than standard input it reads the drop-ins
 * (dropins.h), as if all were one file.
 *
 * A line is a statement, empty, or a comment, which extends from a '#' at the beginning or after white space to the
 * end. Every line ends with LF or CR LF, including the last one: a truncated file must not pass for a complete one. For
 * the same reason a file without any 'from' is refused.
 *
 * An error in the text is a usage error that begins with "FILE:LINE: "; a failure to read is a system error.
 */
int conffile_read(const char *path, const char *tunnel, struct request *request, struct error *error);
/* Puts "FILE:LINE: " in front of the text of an error that is set and that concerns this route of the request. */
void conffile_name_route(struct error *error, const struct request *request, const struct route_words *route);

#endif
