// SPDX-License-Identifier: GPL-2.0-only
/*
 * Four links, each with a pin.
 */
#include "changes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../bpf/index_lines.h"
#include "changes.skel.h"
#include "pins.h"
#include "util.h"

#define PROGRAMS 4
#define PIN_MAX (PINS_PATH_MAX + 32)
static const char *const names[PROGRAMS] = {"before_update", "after_update", "before_delete", "after_delete"};

int changes_read(const struct instance *instance, struct changes *changes)
{
	for (__u32 i = 0; i < INDEX_FAMILIES; i++)
		if (bpf_map_lookup_elem(instance->maps[MAP_CHANGES], &i, &changes->count[i]))
			return -errno;
	return 0;
}

int changes_count(const struct instance *instance)
{
	struct changes changes;
	int ret = changes_read(instance, &changes);

	for (__u32 i = 0; i < INDEX_FAMILIES && !ret; i++) {
		changes.count[i]++;
		if (bpf_map_update_elem(instance->maps[MAP_CHANGES], &i, &changes.count[i], BPF_ANY))
			ret = -errno;
	}
	return ret;
}

static const char *pin_of(const struct instance *instance, int program, char path[PIN_MAX])
{
	snprintf(path, PIN_MAX, "%s/%s", instance->folder, names[program]);
	return path;
}

static uint32_t map_id(int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

/* Whether the program counts into the map: it is this instance's, and not that of one whose place it has taken. */
static bool counts_into(int program, uint32_t map)
{
	__u32 ids[8] = {};
	struct bpf_prog_info info = {.map_ids = (uintptr_t)ids, .nr_map_ids = ARRAY_SIZE(ids)};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &len))
		return false;
	for (size_t i = 0; i < info.nr_map_ids && i < ARRAY_SIZE(ids); i++)
		if (ids[i] == map)
			return true;
	return false;
}

static bool is_attached(const struct instance *instance, int program)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	cleanup_fd int link = -1, fd = -1;
	char path[PIN_MAX];

	link = bpf_obj_get(pin_of(instance, program, path));
	if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &len) || info.type != BPF_LINK_TYPE_TRACING)
		return false;
	fd = bpf_prog_get_fd_by_id(info.prog_id);
	return fd >= 0 && counts_into(fd, map_id(instance->maps[MAP_CHANGES]));
}

/*
 * WGVIA_INDEX, for tests and benchmarks: "no" for no index; "blind" for one on a kernel that cannot count, where nobody
 * but wgvia changes the maps.
 */
static bool is_wanted(const char *word)
{
	const char *wanted = getenv("WGVIA_INDEX");

	return wanted && !strcmp(wanted, word);
}

bool changes_are_counted_now(const struct instance *instance)
{
	if (is_wanted("no"))
		return false;
	for (int i = 0; i < PROGRAMS && !is_wanted("blind"); i++)
		if (!is_attached(instance, i))
			return false;
	return true;
}

void changes_leave_uncounted(const struct instance *instance)
{
	char path[PIN_MAX];

	for (int i = 0; i < PROGRAMS; i++)
		unlink(pin_of(instance, i, path));
}

void changes_tidy(const struct instance *instance)
{
	char path[PIN_MAX];

	for (int i = 0; i < PROGRAMS; i++)
		if (!is_attached(instance, i))
			unlink(pin_of(instance, i, path));
}

static bool attach(const struct instance *instance, struct changes_bpf *skeleton)
{
	char path[PIN_MAX];

	skeleton->rodata->map_ids[INDEX_IPV4] = map_id(instance->maps[MAP_PREFIXES4]);
	skeleton->rodata->map_ids[INDEX_IPV6] = map_id(instance->maps[MAP_PREFIXES6]);
	if (bpf_map__reuse_fd(skeleton->maps.changes, instance->maps[MAP_CHANGES]) || changes_bpf__load(skeleton) ||
	    changes_bpf__attach(skeleton))
		return false;
	for (int i = 0; i < PROGRAMS; i++) {
		struct bpf_link *link = *skeleton->skeleton->progs[i].link;

		if (bpf_link__pin(link, pin_of(instance, i, path)))
			return false;
	}
	return true;
}

bool changes_are_counted(const struct instance *instance)
{
	struct changes_bpf *skeleton;
	bool attached;

	if (is_wanted("no"))
		return false;
	if (changes_are_counted_now(instance))
		return true;
	changes_leave_uncounted(instance);
	skeleton = changes_bpf__open();
	if (!skeleton)
		return false;
	/* whoever changed a map until now did so uncounted */
	attached = attach(instance, skeleton) && !changes_count(instance);
	changes_bpf__destroy(skeleton);
	if (!attached)
		changes_leave_uncounted(instance);
	return attached;
}
