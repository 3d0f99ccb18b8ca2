// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hash map of lists by number.
 */
#include "datapath/failover_map.h"

#include <bpf/bpf.h>

#include "base/util.h"
#include "config/watch.h"

/* False for a value that another program wrote. */
static bool is_list(const struct gateway_list *list)
{
	const struct wgvia_failover *content = &list->content;

	return list->number && list->number <= WGVIA_FAILOVER_LISTS && content->count &&
	       content->count <= WGVIA_FAILOVER_HOPS && watch_is_valid(&content->watch) &&
	       (content->count > 1 || content->watch.kind);
}

int failover_map_read(int fd, struct state *state)
{
	struct gateway_list list;
	uint32_t next, *last = NULL;

	while (!bpf_map_get_next_key(fd, last, &next)) {
		struct gateway_list *entry;

		list.number = next;
		last = &list.number;
		if (bpf_map_lookup_elem(fd, &list.number, &list.content)) {
			if (errno == ENOENT)
				continue;
			return -errno;
		}
		if (!is_list(&list))
			continue;
		entry = array_grow(&state->lists, &state->list_count, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		*entry = list;
	}
	return errno == ENOENT ? 0 : -errno;
}

int failover_map_write(int fd, const struct state *from, const struct state *to)
{
	for (size_t i = 0; i < to->list_count; i++) {
		const struct gateway_list *list = &to->lists[i];
		bool there = false;

		for (size_t j = 0; j < from->list_count; j++)
			there |= from->lists[j].number == list->number;
		if (!there && bpf_map_update_elem(fd, &list->number, &list->content, BPF_ANY))
			return -errno;
	}
	return 0;
}

void failover_map_clean(int fd, const struct state *from, const struct state *kept)
{
	for (size_t i = 0; i < from->list_count; i++) {
		bool keep = false;

		for (size_t j = 0; j < kept->list_count; j++)
			keep |= kept->lists[j].number == from->lists[i].number;
		if (!keep)
			bpf_map_delete_elem(fd, &from->lists[i].number);
	}
}
