/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What else this host's kernel would do with the prefixes' packets, netfilter aside: what mode fast bypasses, and what
 * takes packets past the firewall in mode stack. Pure.
 */
#ifndef WGVIA_PLAN_KERNEL_PATH_H
#define WGVIA_PLAN_KERNEL_PATH_H

#include "config/state.h"
#include "host/host_view.h"

enum policy_effect {
	POLICY_TRANSFORMS, /* encrypts what is forwarded from or to a prefix, or wants it encrypted */
	POLICY_DROPS,	   /* drops that */
	POLICY_LEADS_PAST, /* encrypts what comes from a prefix: then it is a packet of this host's own */
};

/* How many IPsec policies concern the prefixes, which are in order, in that way; the first into `*first`. */
size_t kernel_path_policies(const struct state *state, const struct xfrm_policies *policies, enum policy_effect effect,
			    const struct xfrm_policy **first);
/* How many routes encapsulate packets before they get to a device; the first of them into `*first`. */
size_t kernel_path_encapsulating(const struct routes *routes, const struct route **first);
/* Whether a device, which is up, encapsulates packets before an egress program sees them. */
bool kernel_path_is_multipoint(const struct netdev *netdev);

#endif
