/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A wg-quick file with the second-table recipe, and its replacement. Pure: from a text to a value. It reads neither
 * this host nor iproute2's files of names, because the file may be from another host.
 *
 * The recipe consists of rules "from PREFIX table T" and, in T, "default via ADDRESS dev DEV" and "PREFIX dev TUNNEL".
 * A rule and its table are replaced as a whole or not at all.
 */
#ifndef WGVIA_IMPORT_H
#define WGVIA_IMPORT_H

#include <net/if.h>
#include <stddef.h>

#include "base/error.h"
#include "config/parse.h"

#define IMPORT_SIZE_MAX 1048576 /* maximum size of a file in bytes */
#define IMPORT_REMARK 320

/* What could not be used, or what the user should know. */
struct import_remark {
	unsigned int line; /* of the file, from 1 */
	char *command;	   /* the command, or a part of it; never a key */
	char remark[IMPORT_REMARK];
};

/* A line of [Interface]. */
struct import_line {
	const char *key; /* "Table", "PreUp", "PostUp", "PreDown", "PostDown" */
	char *value;
	bool is_up; /* a `wgvia up`, which must name the mode */
};

struct import {
	/* the interface, its prefixes, its bypass list, and `mss` if the file sets a clamp; otherwise defaults */
	struct request request;
	struct import_line *lines; /* these replace all lines with these keys, in this order */
	size_t line_count;
	struct import_remark *remarks; /* sorted by line */
	size_t remark_count;
	unsigned int rules_line; /* where the file sets other netfilter rules for forwarded packets; 0: nowhere */
};

/* wg-quick's rule for a name: 1 to 15 letters, digits and "_=+.-". */
int import_parse_name(const char *text, char name[IFNAMSIZ], struct error *error);
/* The interface of a file, from the file's name, NAME.conf, as in wg-quick. */
int import_parse_path(const char *path, char name[IFNAMSIZ], struct error *error);

/*
 * Reads `len` bytes of text for the interface `name`. Refuses a file without the recipe, or that is not text. The
 * caller frees the result, on failure as well.
 */
int import_read(const char *name, const char *text, size_t len, struct import *import, struct error *error);
/*
 * Sets the mode of the result, and `mss` for mode fast, which only the host can tell. Call it once, after
 * import_read(). 0 or -ENOMEM.
 */
int import_set_mode(struct import *import, enum wgvia_mode mode, uint32_t mss);
/* Combines two clamps, in the format of struct wgvia_meta: a number takes precedence over "auto". */
uint32_t import_least_mss(uint32_t one, uint32_t other);
void import_free(struct import *import); /* also for cleanup() */

#endif
