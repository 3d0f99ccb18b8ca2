/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IPsec policies, as the kernel has them (NETLINK_XFRM).
 */
#ifndef WGVIA_XFRM_H
#define WGVIA_XFRM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

struct xfrm_policy {
	struct prefix from, to; /* always of the policy's family; length 0: every address */
	uint8_t direction;	/* XFRM_POLICY_IN, _OUT or _FWD */
	bool drops;
	bool transforms; /* it has templates: it encrypts, or requires encryption */
};

struct xfrm_policies {
	struct xfrm_policy *all;
	size_t count;
};

/*
 * The policies for all packets: not those of single sockets, of a mark, or of an xfrm interface; empty on a kernel
 * without IPsec. The caller frees the array. 0 or -errno.
 */
int xfrm_get_policies(struct xfrm_policies *policies);

#endif
