/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A wg-quick file with the second-table recipe, and what takes its place. Pure: text in, a value out; it asks neither
 * this host nor iproute2's files of names, as the file may be another host's.
 *
 * The recipe is: rules "from PREFIX table T", and in T "default via ADDRESS dev DEV" and "PREFIX dev TUNNEL". A rule
 * and its table are taken as a whole or left as they are.
 */
#ifndef WGVIA_IMPORT_H
#define WGVIA_IMPORT_H

#include <net/if.h>
#include <stddef.h>

#include "base/error.h"
#include "config/parse.h"

#define IMPORT_SIZE_MAX 1048576 /* bytes of a file */
#define IMPORT_REMARK 320

/* What could not be used, or is to be known. */
struct import_remark {
	unsigned int line; /* of the file, from 1 */
	char *command;	   /* what stands there, or a part of it; never a key */
	char remark[IMPORT_REMARK];
};

/* A line of [Interface]. */
struct import_line {
	const char *key; /* "Table", "PreUp", "PostUp", "PreDown", "PostDown" */
	char *value;
	bool is_up; /* a `wgvia up`, which is to name the mode */
};

struct import {
	/* the interface, its prefixes, its bypass list, and `mss` where the file sets a clamp; else the defaults */
	struct request request;
	struct import_line *lines; /* in place of all lines of these keys, in this order */
	size_t line_count;
	struct import_remark *remarks; /* by line */
	size_t remark_count;
	unsigned int
		rules_line; /* where the file itself sets other netfilter rules for what is forwarded; 0: nowhere */
};

/* wg-quick's own rule for a name: 1 to 15 of letters, digits and "_=+.-". */
int import_parse_name(const char *text, char name[IFNAMSIZ], struct error *error);
/* The interface that a file is for, by the file's name, NAME.conf, as wg-quick takes it. */
int import_parse_path(const char *path, char name[IFNAMSIZ], struct error *error);

/*
 * Reads `len` bytes of text for the interface `name`. A file that does not hold the recipe, or no text, is refused.
 * The result is the caller's to free, on failure too.
 */
int import_read(const char *name, const char *text, size_t len, struct import *import, struct error *error);
/*
 * The mode that the result is to have, and in mode fast `mss`, which only the host can tell; after import_read(), once.
 * 0 or -ENOMEM.
 */
int import_set_mode(struct import *import, enum wgvia_mode mode, uint32_t mss);
/* Of two clamps, as struct wgvia_meta has them, the one that does what both do: a number before "auto". */
uint32_t import_least_mss(uint32_t one, uint32_t other);
void import_free(struct import *import); /* for cleanup(), too */

#endif
