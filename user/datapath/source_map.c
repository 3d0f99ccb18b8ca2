// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hash map with a few possible keys, each of which is looked up.
 */
#include "datapath/source_map.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/socket.h>

#include "base/util.h"
#include "config/source.h"

static const uint8_t families[] = {AF_INET, AF_INET6};

/* Whether the family is 0, for the default route, or one that can carry packets of these prefixes. */
static bool is_ours(const struct wgvia_source_key *key, const struct wgvia_gateway *value)
{
	if (value->flags & ((1u << WGVIA_GATEWAY_LIST_SHIFT) - 1))
		return false;
	return !value->family || value->family == AF_INET6 || (value->family == AF_INET && key->family == AF_INET);
}

int source_map_read(int fd, struct state *state)
{
	for (uint32_t source = WGVIA_SOURCE_NAMED + 1; source < WGVIA_SOURCE_COUNT; source++)
		for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
			const struct wgvia_source_key key = {source, families[i]};
			struct wgvia_gateway value;

			if (!bpf_map_lookup_elem(fd, &key, &value)) {
				if (is_ours(&key, &value))
					source_set(state, source, families[i], &value);
			} else if (errno != ENOENT) {
				return -errno;
			}
		}
	return 0;
}

int source_map_write(int fd, const struct state *state)
{
	for (uint32_t source = WGVIA_SOURCE_NAMED + 1; source < WGVIA_SOURCE_COUNT; source++)
		for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
			const struct wgvia_source_key key = {source, families[i]};
			const struct source_entry *entry = source_find(state, source, families[i]);

			if (entry && bpf_map_update_elem(fd, &key, &entry->value, BPF_ANY))
				return -errno;
			if (!entry && bpf_map_delete_elem(fd, &key) && errno != ENOENT)
				return -errno;
		}
	return 0;
}
