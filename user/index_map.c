// SPDX-License-Identifier: GPL-2.0-only
/*
 * An index is an array of its own, made and filled before the packet path finds it.
 */
#include "index_map.h"

#include <bpf/bpf.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "../bpf/index_lines.h"
#include "index.h"
#include "pins.h"
#include "util.h"

static const uint8_t families[INDEX_FAMILIES] = {[INDEX_IPV4] = AF_INET, [INDEX_IPV6] = AF_INET6};

/* How many prefixes a family has; 0 for fewer than an index is made for. */
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

/* 0, -ENOENT, or another -errno. */
static int read_head(const struct instance *instance, __u32 which, struct index_head *head)
{
	cleanup_fd int fd = -1;
	__u32 id, first = 0;

	if (bpf_map_lookup_elem(instance->maps[MAP_INDEXES], &which, &id))
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 || bpf_map_lookup_elem(fd, &first, head) ? -errno : 0;
}

bool index_map_is_current(const struct instance *instance, const struct state *state, const struct changes *changes)
{
	for (__u32 i = 0; i < INDEX_FAMILIES; i++) {
		struct index_head head;
		int ret = read_head(instance, i, &head);

		if (count_large(state, families[i]) ? ret || head.changes != changes->count[i] : ret != -ENOENT)
			return false;
	}
	return true;
}

/* How the inner maps of `indexes` are declared in bpf/maps.h. */
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

static int put(const struct instance *instance, __u32 which, const struct index_image *image)
{
	cleanup_fd int fd = make_map(image);
	int ret = fd < 0 ? fd : fill(fd, image);

	if (ret)
		return ret;
	return bpf_map_update_elem(instance->maps[MAP_INDEXES], &which, &fd, BPF_ANY) ? -errno : 0;
}

static int write_one(const struct instance *instance, const struct state *state, __u32 which, uint64_t changes)
{
	struct index_image image;
	int ret = count_large(state, families[which]) ? index_make(state, families[which], changes, &image) : -E2BIG;

	if (!ret) {
		ret = put(instance, which, &image);
		free(image.lines);
	} else if (ret == -E2BIG) {
		ret = bpf_map_delete_elem(instance->maps[MAP_INDEXES], &which) && errno != ENOENT ? -errno : 0;
	}
	return ret;
}

int index_map_write(const struct instance *instance, const struct state *state, const struct changes *changes)
{
	int ret = 0;

	for (__u32 i = 0; i < INDEX_FAMILIES && !ret; i++)
		ret = write_one(instance, state, i, changes->count[i]);
	return ret;
}

void index_map_clear(const struct instance *instance)
{
	for (__u32 i = 0; i < INDEX_FAMILIES; i++)
		bpf_map_delete_elem(instance->maps[MAP_INDEXES], &i);
}

const char *index_map_problem(const struct instance *instance, const struct state *state, uint8_t family, size_t *count)
{
	__u32 which = family == AF_INET ? INDEX_IPV4 : INDEX_IPV6;
	struct index_head head;
	struct changes changes;

	*count = count_large(state, family);
	if (!*count)
		return NULL;
	if (!changes_are_counted_now(instance))
		return "nothing here notices when somebody else changes them";
	if (read_head(instance, which, &head))
		return "they have more lengths, or gateways, than an index can hold";
	if (changes_read(instance, &changes) || head.changes != changes.count[which])
		return "somebody else has changed them since it was made";
	return NULL;
}

bool index_map_is_behind(const char *root, const char *tunnel, struct changes *seen)
{
	static const enum map maps[] = {MAP_CHANGES, MAP_INDEXES};
	cleanup(instance_close) struct instance instance = INSTANCE_NONE;
	bool behind = false, quiet = true;
	char path[PINS_PATH_MAX];
	struct changes now;

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		pins_path(path, root, tunnel, PINS_CURRENT, map_names[maps[i]]);
		instance.maps[maps[i]] = bpf_obj_get(path);
	}
	pins_path(instance.folder, root, tunnel, PINS_CURRENT, NULL);
	if (changes_read(&instance, &now))
		return false;
	for (__u32 i = 0; i < INDEX_FAMILIES; i++) {
		struct index_head head;

		if (!read_head(&instance, i, &head))
			behind |= head.changes != now.count[i] || !changes_are_counted_now(&instance);
		quiet &= now.count[i] == seen->count[i];
	}
	*seen = now;
	return behind && quiet;
}
