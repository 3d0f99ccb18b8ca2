/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What else this host's kernel would do with the prefixes' packets, apart from netfilter: what mode fast bypasses, and
 * what lets packets bypass the firewall in mode stack. Pure.
 */
#ifndef WGVIA_PLAN_KERNEL_PATH_H
#define WGVIA_PLAN_KERNEL_PATH_H

#include "config/state.h"
#include "host/host_view.h"

enum policy_effect {
	POLICY_TRANSFORMS, /* encrypts forwarded packets from or to a prefix, or requires their encryption */
	POLICY_DROPS,	   /* drops such packets */
	POLICY_LEADS_PAST, /* encrypts packets from a prefix: the result is a packet of this host itself */
};

/* How many IPsec policies concern the prefixes, which must be sorted, in that way; stores the first in `*first`. */
size_t kernel_path_policies(const struct state *state, const struct xfrm_policies *policies, enum policy_effect effect,
			    const struct xfrm_policy **first);
/* How many routes encapsulate packets before they reach a device; stores the first in `*first`. */
size_t kernel_path_encapsulating(const struct routes *routes, const struct route **first);
/* Whether a device that is up encapsulates packets before an egress program sees them. */
bool kernel_path_is_multipoint(const struct netdev *netdev);

#endif
