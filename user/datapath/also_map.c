// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two maps, one value.
 */
#include "datapath/also_map.h"

#include <bpf/bpf.h>
#include <string.h>

#include "base/util.h"

static const uint32_t also_key = WGVIA_FAILOVER_ALSO;

static struct wgvia_sender key_of(const uint8_t mac[6])
{
	struct wgvia_sender key = {};

	memcpy(key.mac, mac, sizeof(key.mac));
	return key;
}

int also_map_read(const struct instance *instance, struct also *also)
{
	int fd = instance->maps[MAP_SENDERS];
	struct wgvia_sender key, *last = NULL;
	static const struct wgvia_hop every;

	*also = (struct also){};
	while (also->mac_count < ALSO_MACS && !bpf_map_get_next_key(fd, last, &key)) {
		if (!memcmp(&key.gateway, &every, sizeof(every)))
			memcpy(also->macs[also->mac_count++], key.mac, sizeof(key.mac));
		last = &key;
	}
	also_sort(also);
	if (bpf_map_lookup_elem(instance->maps[MAP_FAILOVER], &also_key, &also->hops) && errno != ENOENT)
		return -errno;
	/* written by another program: it has no meaning, and must differ from an empty value, so that it is replaced */
	if (also->hops.count > WGVIA_FAILOVER_HOPS) {
		memset(&also->hops, 0xff, sizeof(also->hops));
		also->hops.count = 0;
	}
	return 0;
}

static int write_hops(const struct instance *instance, const struct wgvia_failover *hops)
{
	return hops->count && bpf_map_update_elem(instance->maps[MAP_FAILOVER], &also_key, hops, BPF_ANY) ? -errno : 0;
}

int also_map_write(const struct instance *instance, const struct also *from, const struct also *to)
{
	const uint32_t source = WGVIA_SENDER_NAMED;

	for (size_t i = 0; i < to->mac_count; i++) {
		struct wgvia_sender key = key_of(to->macs[i]);

		if (!also_has_mac(from, to->macs[i]) &&
		    bpf_map_update_elem(instance->maps[MAP_SENDERS], &key, &source, BPF_ANY))
			return -errno;
	}
	return memcmp(&from->hops, &to->hops, sizeof(to->hops)) ? write_hops(instance, &to->hops) : 0;
}

void also_map_clean(const struct instance *instance, const struct also *from, const struct also *kept)
{
	for (size_t i = 0; i < from->mac_count; i++) {
		struct wgvia_sender key = key_of(from->macs[i]);

		if (!also_has_mac(kept, from->macs[i]))
			bpf_map_delete_elem(instance->maps[MAP_SENDERS], &key);
	}
	if (!memcmp(&from->hops, &kept->hops, sizeof(kept->hops)))
		return;
	if (kept->hops.count)
		write_hops(instance, &kept->hops);
	else
		bpf_map_delete_elem(instance->maps[MAP_FAILOVER], &also_key);
}
