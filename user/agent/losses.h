/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes sure that packets which the kernel drops after a redirect are counted, once there is an instance. The instance
 * works without that as well, so a failure is logged only once.
 */
#ifndef WGVIA_LOSSES_H
#define WGVIA_LOSSES_H

#include <stdbool.h>

struct losses {
	bool counted; /* by this build's program, at the last check */
	bool failed;  /* and would fail again */
	bool told;    /* the failure was logged */
};

/* The instance may have been removed. No lock may be held. */
void losses_keep(struct losses *losses, const char *pin_dir, const char *tunnel);

#endif
