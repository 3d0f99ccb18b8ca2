/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every command gets and gives.
 */
#ifndef WGVIA_CONTEXT_H
#define WGVIA_CONTEXT_H

#include <stdbool.h>

#include "error.h"

struct context {
	bool json;
	int verbose;
	const char *pin_dir;
	struct error error; /* set by a command that fails */
	bool found;	    /* set by `check` where it found a fault: exit status 1 */
};

#endif
