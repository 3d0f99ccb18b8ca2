// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hash map to a list and back.
 */
#include "datapath/accepted_map.h"

#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define READ_MAX 1024 /* the map may change while it is read */

static int take_entry(struct accepted *accepted, struct acceptance *entry)
{
	struct error ignored = {};
	int ret;

	if (memchr(entry->finding.name, '\0', sizeof(entry->finding.name)) != NULL &&
	    memchr(entry->why.reason, '\0', sizeof(entry->why.reason)) != NULL) {
		ret = accepted_add(accepted, entry->finding.name, entry->why.reason, &ignored);
		if (ret == -ENOMEM)
			return ret;
	}
	return 0;
}

int accepted_map_read(int fd, struct accepted *accepted)
{
	struct wgvia_finding last;
	struct acceptance entry;
	bool first = true;
	int ret = 0;

	*accepted = (struct accepted){};
	for (int i = 0; i < READ_MAX && !ret && !bpf_map_get_next_key(fd, first ? NULL : &last, &entry.finding); i++) {
		last = entry.finding;
		first = false;
		if (!bpf_map_lookup_elem(fd, &entry.finding, &entry.why))
			ret = take_entry(accepted, &entry);
	}
	if (ret)
		free(accepted->all);
	return ret;
}

/* When an entry is removed during iteration, the kernel restarts from the beginning. */
static void remove_all(int fd)
{
	struct wgvia_finding finding;

	for (int i = 0; i < READ_MAX && !bpf_map_get_next_key(fd, NULL, &finding); i++)
		if (bpf_map_delete_elem(fd, &finding))
			return;
}

int accepted_map_write(int fd, const struct accepted *accepted)
{
	remove_all(fd);
	for (size_t i = 0; i < accepted->count; i++)
		if (bpf_map_update_elem(fd, &accepted->all[i].finding, &accepted->all[i].why, BPF_ANY))
			return -errno;
	return 0;
}
