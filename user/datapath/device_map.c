// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/device_map.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <errno.h>

#include "base/util.h"
#include "bpf/config.h"
#include "datapath/instance.h"

static_assert(POINT_DEVICES == CONFIG_DEVICES, "devices");

static uint32_t key_of(const struct point *point)
{
	return point->l3 ? point->ifindex | CONFIG_DEVICE_L3 : point->ifindex;
}

bool device_map_has(int map, uint32_t ifindex)
{
	uint32_t value;

	return !bpf_map_lookup_elem(map, &ifindex, &value);
}

bool device_map_has_point(int map, const struct point *point)
{
	return point->direction != WGVIA_EGRESS || device_map_has(map, key_of(point));
}

/* Translates the kernel's error for a device that does not exist (__dev_map_alloc_node()). */
static int meant(int ret)
{
	return ret == -EINVAL ? -ENODEV : ret;
}

int device_map_add(int map, const struct point *point, uint32_t *key)
{
	uint32_t added = key_of(point);
	int ret;

	*key = 0;
	if (point->direction != WGVIA_EGRESS)
		return 0;
	/* not BPF_ANY, which removes the old entry before it adds the new one (__dev_map_hash_update_elem()) */
	ret = bpf_map_update_elem(map, &added, &point->ifindex, BPF_NOEXIST);
	if (!ret)
		*key = added;
	return ret == -EEXIST ? 0 : meant(ret);
}

void device_map_remove(int map, uint32_t key)
{
	bpf_map_delete_elem(map, &key);
}

static bool is_wanted(uint32_t key, const struct point *points, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (points[i].direction == WGVIA_EGRESS && key_of(&points[i]) == key)
			return true;
	return false;
}

static size_t read_keys(int map, uint32_t keys[CONFIG_DEVICE_ENTRIES])
{
	uint32_t *last = NULL;
	size_t count = 0;

	while (count < CONFIG_DEVICE_ENTRIES && !bpf_map_get_next_key(map, last, &keys[count]))
		last = &keys[count++];
	return count;
}

int device_map_points(int map, struct points *points)
{
	static const enum wgvia_direction directions[] = {WGVIA_EGRESS, WGVIA_BACK};
	uint32_t keys[CONFIG_DEVICE_ENTRIES];
	size_t count = read_keys(map, keys);

	for (size_t i = 0; i < count * ARRAY_SIZE(directions); i++) {
		uint32_t key = keys[i / ARRAY_SIZE(directions)];
		struct point *point;

		if (key == CONFIG_TUNNEL)
			continue;
		point = array_grow(&points->all, &points->count, sizeof(*point));
		if (!point)
			return -ENOMEM;
		*point = (struct point){directions[i % ARRAY_SIZE(directions)], key & ~CONFIG_DEVICE_L3,
					key & CONFIG_DEVICE_L3};
	}
	return 0;
}

void device_map_keep(int map, const struct point *points, size_t count)
{
	uint32_t keys[CONFIG_DEVICE_ENTRIES];
	size_t number = read_keys(map, keys);

	while (number--)
		if (keys[number] != CONFIG_TUNNEL && !is_wanted(keys[number], points, count))
			device_map_remove(map, keys[number]);
}

uint32_t device_map_tunnel(int map)
{
	uint32_t key = CONFIG_TUNNEL, ifindex;

	return bpf_map_lookup_elem(map, &key, &ifindex) ? 0 : ifindex;
}

int device_map_set_tunnel(int map, uint32_t ifindex)
{
	uint32_t key = CONFIG_TUNNEL;

	if (device_map_tunnel(map) == ifindex)
		return 0;
	if (!ifindex)
		return bpf_map_delete_elem(map, &key);
	return meant(bpf_map_update_elem(map, &key, &ifindex, BPF_ANY));
}
