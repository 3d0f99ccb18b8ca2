// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding devices, and distinguishing kinds.
 */
#include "base/netdev.h"

#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_indexes(const void *a, const void *b)
{
	const struct netdev *one = a, *other = b;

	return (one->ifindex > other->ifindex) - (one->ifindex < other->ifindex);
}

void netdevs_sort(struct netdevs *netdevs)
{
	if (netdevs->count)
		qsort(netdevs->all, netdevs->count, sizeof(*netdevs->all), compare_indexes);
}

const struct netdev *netdev_by_index(const struct netdevs *netdevs, uint32_t ifindex)
{
	const struct netdev key = {.ifindex = ifindex};

	return netdevs->count ? bsearch(&key, netdevs->all, netdevs->count, sizeof(key), compare_indexes) : NULL;
}

const struct netdev *netdev_by_name(const struct netdevs *netdevs, const char *name)
{
	for (size_t i = 0; i < netdevs->count; i++)
		if (!strcmp(netdevs->all[i].name, name))
			return &netdevs->all[i];
	return NULL;
}

const struct netdev *netdev_vrf(const struct netdevs *netdevs, const struct netdev *netdev)
{
	const struct netdev *master = netdev && netdev->master ? netdev_by_index(netdevs, netdev->master) : NULL;

	return master && master->table ? master : NULL;
}

uint32_t netdev_table(const struct netdevs *netdevs, const struct netdev *netdev)
{
	const struct netdev *vrf = netdev_vrf(netdevs, netdev);

	return vrf ? vrf->table : RT_TABLE_MAIN;
}

bool netdev_is_l3(const struct netdev *netdev)
{
	switch (netdev->type) {
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case ARPHRD_IP6GRE:
	case ARPHRD_VOID:
	case ARPHRD_NONE:
	case ARPHRD_RAWIP:
	case ARPHRD_PPP:
		return true;
	default:
		return false;
	}
}

bool netdev_is_ethernet(const struct netdev *netdev)
{
	return netdev->type == ARPHRD_ETHER;
}

bool netdev_equal(const struct netdev *a, const struct netdev *b)
{
	return a->ifindex == b->ifindex && !strcmp(a->name, b->name) && !strcmp(a->kind, b->kind) &&
	       a->type == b->type && a->flags == b->flags && a->mtu == b->mtu && a->master == b->master &&
	       a->operstate == b->operstate && a->table == b->table && a->xdp == b->xdp &&
	       a->multipoint == b->multipoint;
}

const char *netdev_state(const struct netdev *netdev)
{
	if (!netdev)
		return "gone";
	if (!(netdev->flags & IFF_UP))
		return "down";
	return netdev->flags & IFF_RUNNING ? "up" : "no-carrier";
}

const char *netdev_name(const struct netdevs *netdevs, uint32_t ifindex, char text[IFNAMSIZ])
{
	const struct netdev *netdev = netdev_by_index(netdevs, ifindex);

	if (netdev)
		return netdev->name;
	snprintf(text, IFNAMSIZ, "if%u", ifindex);
	return text;
}
