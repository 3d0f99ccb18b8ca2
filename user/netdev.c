// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking for devices, and telling kinds apart.
 */
#include "netdev.h"

#include <linux/if_arp.h>
#include <string.h>

const struct link *link_by_index(const struct links *links, uint32_t ifindex)
{
	for (size_t i = 0; i < links->count; i++)
		if (links->all[i].ifindex == ifindex)
			return &links->all[i];
	return NULL;
}

const struct link *link_by_name(const struct links *links, const char *name)
{
	for (size_t i = 0; i < links->count; i++)
		if (!strcmp(links->all[i].name, name))
			return &links->all[i];
	return NULL;
}

bool link_is_l3(const struct link *link)
{
	switch (link->type) {
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

bool link_is_ethernet(const struct link *link)
{
	return link->type == ARPHRD_ETHER;
}

bool link_equal(const struct link *a, const struct link *b)
{
	return a->ifindex == b->ifindex && !strcmp(a->name, b->name) && !strcmp(a->kind, b->kind) &&
	       a->type == b->type && a->flags == b->flags && a->mtu == b->mtu && a->master == b->master &&
	       a->operstate == b->operstate && a->table == b->table;
}

const char *link_state(const struct link *link)
{
	if (!link)
		return "gone";
	if (!(link->flags & IFF_UP))
		return "down";
	return link->flags & IFF_RUNNING ? "up" : "no-carrier";
}
