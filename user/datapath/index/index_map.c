// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each index is an array map of its own, which is filled before the packet path finds it. It has a pin, because opening
 * it by the id in `indexes` takes CAP_SYS_ADMIN.
 */
#include "datapath/index/index_map.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "bpf/index/index_lines.h"
#include "datapath/bpf_object.h"
#include "datapath/index/index.h"
#include "datapath/pins.h"

static const uint8_t families[INDEX_FAMILIES] = {[INDEX_IPV4] = AF_INET, [INDEX_IPV6] = AF_INET6};

/* Number of prefixes of a family; 0 if there are too few for an index. */
static size_t count_large(const struct state *state, uint8_t family)
{
	size_t count = 0;

	for (size_t i = 0; i < state->gateway_count; i++)
		count += state->gateways[i].from.ip.family == family;
	return count < INDEX_MIN ? 0 : count;
}

bool index_map_is_wanted(const struct state *state)
{
	return count_large(state, AF_INET) || count_large(state, AF_INET6);
}

#define PIN_MAX (PINS_PATH_MAX + 32)

static const char *pin_of(const struct instance *instance, __u32 which, char path[PIN_MAX])
{
	snprintf(path, PIN_MAX, "%s/index%d", instance->folder, which == INDEX_IPV4 ? 4 : 6);
	return path;
}

/* The index with that id: an fd or -errno. */
static int open_index(const struct instance *instance, __u32 which, __u32 id)
{
	char path[PIN_MAX];
	int fd = bpf_obj_get(pin_of(instance, which, path));

	if (fd >= 0 && bpf_object_id(fd) == id)
		return fd;
	if (fd >= 0)
		close(fd);
	return bpf_map_get_fd_by_id(id);
}

/* 0, -ENOENT, -EPERM if it has no pin (an older version's), or another -errno. */
static int read_head(const struct instance *instance, __u32 which, struct index_head *head)
{
	cleanup_fd int fd = -1;
	__u32 id, first = 0;

	if (bpf_map_lookup_elem(instance->maps[MAP_INDEXES], &which, &id))
		return -errno;
	fd = open_index(instance, which, id);
	return fd < 0 || bpf_map_lookup_elem(fd, &first, head) ? -errno : 0;
}

bool index_map_is_current(const struct instance *instance, const struct state *state,
			  const struct change_counts *changes)
{
	for (__u32 i = 0; i < INDEX_FAMILIES; i++) {
		struct index_head head;
		int ret = read_head(instance, i, &head);

		if (count_large(state, families[i]) ? ret || head.changes != changes->count[i] : ret != -ENOENT)
			return false;
	}
	return true;
}

/* Matches the declaration of the inner maps of `indexes` in bpf/maps.h. */
static int make_map(const struct index_image *image)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "index", sizeof(__u32), INDEX_LINE, image->count, &opts);

	return fd < 0 ? -errno : fd;
}

static int fill(int fd, const struct index_image *image)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	cleanup_free __u32 *keys = calloc(image->count, sizeof(*keys));
	__u32 count = image->count;

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < image->count; i++)
		keys[i] = i;
	return bpf_map_update_batch(fd, keys, image->lines, &count, &opts) ? -errno : 0;
}

static int put_index(const struct instance *instance, __u32 which, const struct index_image *image)
{
	cleanup_fd int fd = make_map(image);
	int ret = fd < 0 ? fd : fill(fd, image);
	char path[PIN_MAX];

	if (ret)
		return ret;
	unlink(pin_of(instance, which, path));
	if (bpf_obj_pin(fd, path))
		return -errno;
	return bpf_map_update_elem(instance->maps[MAP_INDEXES], &which, &fd, BPF_ANY) ? -errno : 0;
}

/* 0 or -errno. */
static int remove_one(const struct instance *instance, __u32 which)
{
	char path[PIN_MAX];

	unlink(pin_of(instance, which, path));
	return bpf_map_delete_elem(instance->maps[MAP_INDEXES], &which) && errno != ENOENT ? -errno : 0;
}

static int write_one(const struct instance *instance, const struct state *state, __u32 which, uint64_t changes)
{
	struct index_image image;
	int ret = count_large(state, families[which]) ? index_make(state, families[which], changes, &image) : -E2BIG;

	if (!ret) {
		ret = put_index(instance, which, &image);
		free(image.lines);
	} else if (ret == -E2BIG) {
		ret = remove_one(instance, which);
	}
	return ret;
}

int index_map_write(const struct instance *instance, const struct state *state, const struct change_counts *changes)
{
	int ret = 0;

	for (__u32 i = 0; i < INDEX_FAMILIES && !ret; i++)
		ret = write_one(instance, state, i, changes->count[i]);
	return ret;
}

void index_map_clear(const struct instance *instance)
{
	for (__u32 i = 0; i < INDEX_FAMILIES; i++)
		remove_one(instance, i);
}

void index_map_tidy(const struct instance *instance)
{
	char path[PIN_MAX];
	__u32 id;

	for (__u32 i = 0; i < INDEX_FAMILIES; i++)
		if (bpf_map_lookup_elem(instance->maps[MAP_INDEXES], &i, &id))
			unlink(pin_of(instance, i, path));
}

static bool can_have_index(const struct state *state, uint8_t family)
{
	struct index_image image;
	int ret = index_make(state, family, 0, &image);

	if (!ret)
		free(image.lines);
	return ret != -E2BIG;
}

const char *index_map_problem(const struct instance *instance, const struct state *state, uint8_t family, size_t *count,
			      bool *known)
{
	__u32 which = family == AF_INET ? INDEX_IPV4 : INDEX_IPV6;
	struct index_head head;
	struct change_counts changes;
	int counted, ret;

	*known = true;
	*count = count_large(state, family);
	if (!*count)
		return NULL;
	counted = change_count_are_counted_now(instance);
	if (!counted)
		return "this kernel cannot report changes by other programs";
	ret = read_head(instance, which, &head);
	if (ret == -ENOENT)
		return can_have_index(state, family) ? "creating it failed, the next change tries again"
						     : "an index cannot hold so many prefix lengths or gateways";
	if (ret || counted < 0) {
		*known = false;
		return "an older wgvia created it, and reading it needs CAP_SYS_ADMIN";
	}
	if (change_count_read(instance, &changes) || head.changes != changes.count[which])
		return "another program has changed them since it was created";
	return NULL;
}

bool index_map_is_behind(const char *root, const char *tunnel, struct change_counts *seen)
{
	static const enum map maps[] = {MAP_CHANGES, MAP_INDEXES, MAP_BYPASS4, MAP_BYPASS6};
	cleanup(instance_close) struct instance instance = INSTANCE_NONE;
	bool behind = false, quiet = true;
	char path[PINS_PATH_MAX];
	struct change_counts now;

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		pins_path(path, root, tunnel, PINS_CURRENT, map_names[maps[i]]);
		instance.maps[maps[i]] = bpf_obj_get(path);
	}
	pins_path(instance.folder, root, tunnel, PINS_CURRENT, NULL);
	if (change_count_read(&instance, &now))
		return false;
	for (__u32 i = 0; i < INDEX_FAMILIES; i++) {
		struct index_head head;
		int ret = read_head(&instance, i, &head);

		/* an index that cannot be read is built again, with a pin */
		behind |= ret == -EPERM ||
			  (!ret && (head.changes != now.count[i] || change_count_are_counted_now(&instance) <= 0));
		quiet &= now.count[i] == seen->count[i];
	}
	*seen = now;
	return (behind || change_count_is_trusted_wrongly(&instance)) && quiet;
}
