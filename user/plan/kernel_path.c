// SPDX-License-Identifier: GPL-2.0-only
#include "plan/kernel_path.h"

#include <linux/xfrm.h>

/* Packets that are forwarded out of the tunnel or into it meet `fwd` and `out` policies. */
static bool has_effect(const struct state *state, const struct xfrm_policy *policy, enum policy_effect effect)
{
	bool from = state_overlapping_gateway(state, &policy->from);

	switch (effect) {
	case POLICY_TRANSFORMS:
	case POLICY_DROPS:
		return (effect == POLICY_DROPS ? policy->drops : policy->transforms) &&
		       policy->direction != XFRM_POLICY_IN && (from || state_overlapping_gateway(state, &policy->to));
	case POLICY_LEADS_PAST:
		return policy->transforms && policy->direction == XFRM_POLICY_OUT && from;
	}
	return false;
}

size_t kernel_path_policies(const struct state *state, const struct xfrm_policies *policies, enum policy_effect effect,
			    const struct xfrm_policy **first)
{
	size_t count = 0;

	for (size_t i = 0; i < policies->count; i++)
		if (has_effect(state, &policies->all[i], effect) && !count++)
			*first = &policies->all[i];
	return count;
}

size_t kernel_path_encapsulating(const struct routes *routes, const struct route **first)
{
	size_t count = 0;

	for (size_t i = 0; i < routes->count; i++)
		if (routes->all[i].encapsulates && !count++)
			*first = &routes->all[i];
	return count;
}

bool kernel_path_is_multipoint(const struct netdev *netdev)
{
	return netdev->multipoint && (netdev->flags & IFF_UP);
}
