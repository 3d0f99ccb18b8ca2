/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The input and output of every command.
 */
#ifndef WGVIA_CONTEXT_H
#define WGVIA_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct context {
	bool json, pretty;
	bool brief;	/* `show`: one line per instance */
	uint8_t family; /* `show`: of the prefixes and entries; 0: both */
	int verbose;
	const char *pin_dir;
	struct error error; /* set by a command that fails */
	bool found;	    /* set by `check` if it found a fault: exit status 1 */
};

#endif
