// SPDX-License-Identifier: GPL-2.0-only
/*
 * Four links, each with a pin, and with a pin of its program.
 */
#include "datapath/index/change_count.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "bpf/index/index_lines.h"
#include "changes.skel.h"
#include "datapath/bpf_object.h"
#include "datapath/index/counting.h"
#include "datapath/pins.h"
#include "datapath/programs.h"

#define PROGRAMS 4
#define PIN_MAX (PINS_PATH_MAX + 32)
static const char *const names[PROGRAMS] = {"before_update", "after_update", "before_delete", "after_delete"};

_Static_assert(ARRAY_SIZE(((struct change_counts *)0)->count) == CHANGES_COUNTS, "all counts");

int change_count_read(const struct instance *instance, struct change_counts *changes)
{
	for (__u32 i = 0; i < CHANGES_COUNTS; i++)
		if (bpf_map_lookup_elem(instance->maps[MAP_CHANGES], &i, &changes->count[i]))
			return -errno;
	return 0;
}

static int add_from(const struct instance *instance, __u32 first)
{
	struct change_counts changes;
	int ret = change_count_read(instance, &changes);

	for (__u32 i = first; i < CHANGES_COUNTS && !ret; i++) {
		changes.count[i] += CHANGES_STEP;
		if (bpf_map_update_elem(instance->maps[MAP_CHANGES], &i, &changes.count[i], BPF_ANY))
			ret = -errno;
	}
	return ret;
}

int change_count_add(const struct instance *instance)
{
	return add_from(instance, 0);
}

int change_count_add_bypass(const struct instance *instance)
{
	return add_from(instance, CHANGES_IPV4);
}

/* Tells the packet path: for both families, even if one fails. */
static int set_counted(const struct instance *instance, bool counted)
{
	int ret = 0;

	for (__u32 i = CHANGES_IPV4; i < CHANGES_COUNTS; i++) {
		__u64 count;

		if (bpf_map_lookup_elem(instance->maps[MAP_CHANGES], &i, &count)) {
			ret = -errno;
			continue;
		}
		count = ((count + CHANGES_STEP) & ~CHANGES_COUNTED) | (counted ? CHANGES_COUNTED : 0);
		if (bpf_map_update_elem(instance->maps[MAP_CHANGES], &i, &count, BPF_ANY))
			ret = -errno;
	}
	return ret;
}

static bool is_told(const struct instance *instance)
{
	struct change_counts changes;

	return !change_count_read(instance, &changes) &&
	       (changes.count[CHANGES_IPV4] | changes.count[CHANGES_IPV6]) & CHANGES_COUNTED;
}

static bool begin_counted(const struct instance *instance)
{
	struct change_counts changes;

	if (!counting_allows_keeping())
		return true;
	if (change_count_read(instance, &changes))
		return false;
	return changes.count[CHANGES_IPV4] & changes.count[CHANGES_IPV6] & CHANGES_COUNTED ||
	       !set_counted(instance, true);
}

/* The kernel stays the same for as long as the map exists. */
static bool is_hopeless(const struct instance *instance)
{
	__u32 key = CHANGES_CANNOT;
	__u64 cannot;

	return !bpf_map_lookup_elem(instance->maps[MAP_CHANGES], &key, &cannot) && cannot;
}

static void give_up(const struct instance *instance)
{
	const __u64 cannot = 1;
	__u32 key = CHANGES_CANNOT;

	bpf_map_update_elem(instance->maps[MAP_CHANGES], &key, &cannot, BPF_ANY);
}

static const char *pin_of(const struct instance *instance, int program, char path[PIN_MAX])
{
	snprintf(path, PIN_MAX, "%s/%s", instance->folder, names[program]);
	return path;
}

/* A link does not provide its program, and opening one by its id takes CAP_SYS_ADMIN. */
static const char *program_pin_of(const struct instance *instance, int program, char path[PIN_MAX])
{
	snprintf(path, PIN_MAX, "%s/%s_program", instance->folder, names[program]);
	return path;
}

static void unpin(const struct instance *instance, int program)
{
	char path[PIN_MAX];

	unlink(pin_of(instance, program, path));
	unlink(program_pin_of(instance, program, path));
}

/* Whether the program counts into the map: it belongs to this instance, not to a replaced one. */
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

/* 1, 0, or -EPERM: unknown, because the program of an older version has no pin. */
static int is_attached(const struct instance *instance, int program)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	cleanup_fd int link = -1, fd = -1;
	char path[PIN_MAX];

	link = bpf_obj_get(pin_of(instance, program, path));
	if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &len) || info.type != BPF_LINK_TYPE_TRACING)
		return 0;
	fd = bpf_obj_get(program_pin_of(instance, program, path));
	if (fd >= 0 && !programs_is(fd, info.prog_id)) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		fd = bpf_prog_get_fd_by_id(info.prog_id);
	return fd >= 0 ? counts_into(fd, bpf_object_id(instance->maps[MAP_CHANGES])) : fd == -EPERM ? fd : 0;
}

/* A command may add CHANGES_STEP meanwhile, which proves nothing. */
static bool has_counted(const struct change_counts *before, const struct change_counts *after, __u32 key)
{
	return (__u32)(after->count[key] - before->count[key]) >= 4;
}

/*
 * Whether changes are really counted: with kernel.ftrace_enabled=0 the programs are attached and do not run. An update
 * and a deletion that the trie refuses, because no prefix is so long, are counted as well (trie_update_elem(),
 * trie_delete_elem()), twice each. Not with prefixes, whose index would be outdated.
 */
static bool is_proven(const struct instance *instance)
{
	const struct wgvia_key4 key4 = {.prefixlen = 33};
	const struct wgvia_key6 key6 = {.prefixlen = 129};
	const struct wgvia_bypass value = {};
	struct change_counts before, after;

	if (change_count_read(instance, &before))
		return false;
	bpf_map_update_elem(instance->maps[MAP_BYPASS4], &key4, &value, BPF_ANY);
	bpf_map_delete_elem(instance->maps[MAP_BYPASS4], &key4);
	bpf_map_update_elem(instance->maps[MAP_BYPASS6], &key6, &value, BPF_ANY);
	bpf_map_delete_elem(instance->maps[MAP_BYPASS6], &key6);
	return !change_count_read(instance, &after) && has_counted(&before, &after, CHANGES_IPV4) &&
	       has_counted(&before, &after, CHANGES_IPV6);
}

int change_count_are_counted_now(const struct instance *instance)
{
	int counted = 1;

	if (counting_is_set("no"))
		return 0;
	if (counting_is_set("blind"))
		return 1;
	for (int i = 0; i < PROGRAMS && counted; i++) {
		int attached = is_attached(instance, i);

		counted = attached > 0 ? counted : attached;
	}
	return counted > 0 ? is_proven(instance) : counted;
}

void change_count_leave_uncounted(const struct instance *instance)
{
	if (set_counted(instance, false)) /* the packet path would not know */
		return;
	if (counting_is_switched_off())
		return;
	for (int i = 0; i < PROGRAMS; i++)
		unpin(instance, i);
}

void change_count_tidy(const struct instance *instance)
{
	for (int i = 0; i < PROGRAMS && !counting_is_switched_off(); i++)
		if (is_attached(instance, i) <= 0)
			unpin(instance, i);
	if (change_count_is_trusted_wrongly(instance))
		change_count_leave_uncounted(instance);
}

bool change_count_is_trusted_wrongly(const struct instance *instance)
{
	return is_told(instance) && change_count_are_counted_now(instance) <= 0;
}

/* 0 or -errno. */
static int attach_counters(const struct instance *instance, struct changes_bpf *skeleton)
{
	char path[PIN_MAX];
	int ret;

	skeleton->rodata->prefixes[INDEX_IPV4] = bpf_object_id(instance->maps[MAP_PREFIXES4]);
	skeleton->rodata->prefixes[INDEX_IPV6] = bpf_object_id(instance->maps[MAP_PREFIXES6]);
	skeleton->rodata->bypass[INDEX_IPV4] = bpf_object_id(instance->maps[MAP_BYPASS4]);
	skeleton->rodata->bypass[INDEX_IPV6] = bpf_object_id(instance->maps[MAP_BYPASS6]);
	ret = bpf_map__reuse_fd(skeleton->maps.changes, instance->maps[MAP_CHANGES]);
	ret = ret ? ret : changes_bpf__load(skeleton);
	ret = ret ? ret : changes_bpf__attach(skeleton);
	for (int i = 0; i < PROGRAMS && !ret; i++) {
		struct bpf_link *link = *skeleton->skeleton->progs[i].link;
		const struct bpf_program *program = *skeleton->skeleton->progs[i].prog;

		ret = bpf_link__pin(link, pin_of(instance, i, path));
		if (!ret && bpf_obj_pin(bpf_program__fd(program), program_pin_of(instance, i, path)))
			ret = -errno;
	}
	return ret;
}

/* Other errors may pass: memory, permissions, another tracer of these functions. */
static bool is_final(int ret)
{
	return ret == -ENOENT || ret == -ESRCH || ret == -EINVAL || ret == -EOPNOTSUPP || ret == -524 /* ENOTSUPP */;
}

bool change_count_are_counted(const struct instance *instance)
{
	struct changes_bpf *skeleton;
	int ret;

	if (counting_is_set("no"))
		return false;
	if (change_count_are_counted_now(instance) > 0)
		return begin_counted(instance);
	if (is_hopeless(instance) || !counting_is_possible())
		return false;
	/* from here on no index and no decision is in force: counting may be active, see is_attached() */
	if (set_counted(instance, false) || change_count_add(instance) || counting_is_switched_off())
		return false;
	change_count_leave_uncounted(instance);
	skeleton = changes_bpf__open();
	if (!skeleton)
		return false;
	ret = attach_counters(instance, skeleton);
	changes_bpf__destroy(skeleton);
	if (!ret && is_proven(instance) && begin_counted(instance))
		return true;
	change_count_leave_uncounted(instance);
	if (is_final(ret))
		give_up(instance);
	return false;
}
