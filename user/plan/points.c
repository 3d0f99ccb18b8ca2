// SPDX-License-Identifier: GPL-2.0-only
/*
 * The devices to which programs must be attached.
 */
#include "plan/points.h"

#include <string.h>

#include "base/util.h"

static int compare_devices(const void *a, const void *b)
{
	const uint32_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

bool points_is_gateway(const struct plan *plan, uint32_t ifindex)
{
	return plan->device_count &&
	       bsearch(&ifindex, plan->devices, plan->device_count, sizeof(ifindex), compare_devices);
}

/* Unsorted, with repetitions; adjacent prefixes usually have the same device. */
static int add_gateway_device(struct plan *plan, uint32_t ifindex)
{
	uint32_t *device;

	if (plan->device_count && plan->devices[plan->device_count - 1] == ifindex)
		return 0;
	device = array_grow(&plan->devices, &plan->device_count, sizeof(*device));
	if (!device)
		return -ENOMEM;
	*device = ifindex;
	return 0;
}

static void sort_gateway_devices(struct plan *plan)
{
	size_t kept = 0;

	if (plan->device_count)
		qsort(plan->devices, plan->device_count, sizeof(*plan->devices), compare_devices);
	for (size_t i = 0; i < plan->device_count; i++)
		if (!kept || plan->devices[kept - 1] != plan->devices[i])
			plan->devices[kept++] = plan->devices[i];
	plan->device_count = kept;
}

/* Includes gateways on standby: a failover must change nothing but the prefixes. */
static int find_gateway_devices(struct plan *plan)
{
	int ret = 0;

	for (size_t i = 0; i < plan->state.gateway_count && !ret; i++)
		ret = add_gateway_device(plan, plan->state.gateways[i].value.ifindex);
	for (size_t i = 0; i < plan->state.list_count; i++)
		for (uint32_t j = 0; j < plan->state.lists[i].content.count && !ret; j++)
			ret = add_gateway_device(plan, plan->state.lists[i].content.hops[j].ifindex);
	sort_gateway_devices(plan);
	return ret;
}

/*
 * A port of a bridge or a bond sends what its master sent, which the master's program has seen. A VRF sends by one of
 * its ports, where a program sees it; packets that come in by a port have the VRF as their ingress device.
 */
static bool is_port(const struct netdevs *netdevs, const struct netdev *netdev)
{
	return netdev->master && !netdev_vrf(netdevs, netdev);
}

bool points_is_way_out(const struct netdevs *netdevs, const struct netdev *netdev)
{
	return (netdev->flags & IFF_UP) && !(netdev->flags & IFF_LOOPBACK) && !netdev->table &&
	       !is_port(netdevs, netdev);
}

static int add_point(struct plan *plan, enum wgvia_direction direction, const struct netdev *netdev)
{
	struct point *point = array_grow(&plan->points.all, &plan->points.count, sizeof(*point));

	if (!point)
		return -ENOMEM;
	*point = (struct point){direction, netdev->ifindex, netdev_is_l3(netdev)};
	return 0;
}

static int leave_out(struct plan *plan, const struct netdev *netdev)
{
	const struct netdev **entry = array_grow(&plan->left_out, &plan->left_out_count, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	*entry = netdev;
	return 0;
}

/* The gateways' devices first: packets need them. */
static int add_egress_points(struct plan *plan, bool gateways)
{
	size_t ethernet = 0;
	int ret = 0;

	for (size_t i = 0; i < plan->points.count; i++)
		ethernet += !plan->points.all[i].l3;
	for (size_t i = 0; i < plan->netdevs->count && !ret; i++) {
		const struct netdev *netdev = &plan->netdevs->all[i];

		if (netdev->ifindex == plan->state.tunnel_ifindex || (netdev->flags & IFF_LOOPBACK) ||
		    points_is_gateway(plan, netdev->ifindex) != gateways)
			continue;
		if (!gateways && !points_is_way_out(plan->netdevs, netdev))
			continue;
		if (netdev_is_l3(netdev)) {
			ret = add_point(plan, WGVIA_EGRESS, netdev);
		} else if (netdev_is_ethernet(netdev) && ethernet < POINT_DEVICES) {
			ret = add_point(plan, WGVIA_EGRESS, netdev);
			ethernet++;
		} else {
			ret = leave_out(plan, netdev);
		}
	}
	return ret;
}

/* Wherever a program sees what leaves, another one must see what comes in, because the same hosts are there. */
static int add_back_points(struct plan *plan)
{
	size_t egress = plan->points.count;
	int ret = 0;

	for (size_t i = 0; i < egress && !ret; i++) {
		struct point *point = array_grow(&plan->points.all, &plan->points.count, sizeof(*point));

		if (!point)
			return -ENOMEM;
		*point = plan->points.all[i];
		point->direction = WGVIA_BACK;
	}
	return ret;
}

int points_find(struct plan *plan, const struct netdev *tunnel)
{
	int ret = find_gateway_devices(plan);

	if (!ret)
		ret = add_egress_points(plan, true);
	if (!ret)
		ret = add_egress_points(plan, false);
	if (!ret)
		ret = add_back_points(plan);
	if (!ret && plan->state.mode == WGVIA_FAST && tunnel->ifindex)
		ret = add_point(plan, WGVIA_OUT, tunnel);
	return ret;
}
