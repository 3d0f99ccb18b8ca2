// SPDX-License-Identifier: GPL-2.0-only
#include "devices.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <errno.h>

#include "../bpf/config.h"
#include "instance.h"

static_assert(POINT_DEVICES == CONFIG_DEVICES, "devices");

bool devices_holds(const struct point *point)
{
	return point->direction == WGVIA_EGRESS && !point->l3;
}

bool devices_has(int map, uint32_t ifindex)
{
	uint32_t value;

	return !bpf_map_lookup_elem(map, &ifindex, &value);
}

/* The kernel's word for a device that is not there (__dev_map_alloc_node()). */
static int meant(int ret)
{
	return ret == -EINVAL ? -ENODEV : ret;
}

int devices_add(int map, uint32_t ifindex, bool *is_new)
{
	/* not BPF_ANY, which takes the old entry out before the new one is in (__dev_map_hash_update_elem()) */
	int ret = bpf_map_update_elem(map, &ifindex, &ifindex, BPF_NOEXIST);

	*is_new = !ret;
	return ret == -EEXIST ? 0 : meant(ret);
}

void devices_remove(int map, uint32_t ifindex)
{
	bpf_map_delete_elem(map, &ifindex);
}

static bool is_wanted(uint32_t ifindex, const struct point *points, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (devices_holds(&points[i]) && points[i].ifindex == ifindex)
			return true;
	return false;
}

void devices_keep(int map, const struct point *points, size_t count)
{
	uint32_t found[CONFIG_DEVICES + 1], key, *last = NULL;
	size_t number = 0;

	while (number <= CONFIG_DEVICES && !bpf_map_get_next_key(map, last, &key)) {
		found[number++] = key;
		last = &key;
	}
	while (number--)
		if (found[number] != CONFIG_TUNNEL && !is_wanted(found[number], points, count))
			devices_remove(map, found[number]);
}

uint32_t devices_tunnel(int map)
{
	uint32_t key = CONFIG_TUNNEL, ifindex;

	return bpf_map_lookup_elem(map, &key, &ifindex) ? 0 : ifindex;
}

int devices_set_tunnel(int map, uint32_t ifindex)
{
	uint32_t key = CONFIG_TUNNEL;

	if (devices_tunnel(map) == ifindex)
		return 0;
	if (!ifindex)
		return bpf_map_delete_elem(map, &key);
	return meant(bpf_map_update_elem(map, &key, &ifindex, BPF_ANY));
}
