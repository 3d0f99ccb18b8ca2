/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sees to it that what the kernel drops after a redirect is counted, once there is an instance. An instance does its
 * job without that all the same: what fails here is logged once.
 */
#ifndef WGVIA_LOSSES_H
#define WGVIA_LOSSES_H

#include <stdbool.h>

struct losses {
	bool counted; /* by this build's program, when it was looked at last */
	bool failed;  /* and will fail again */
};

/* The instance of that name may have gone. No lock is held. */
void losses_keep(struct losses *losses, const char *pin_dir, const char *tunnel);

#endif
