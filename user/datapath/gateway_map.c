// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hash map that only one process writes.
 */
#include "datapath/gateway_map.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "datapath/pins.h"
#include "gateways.skel.h"

#define MAP_NAME "gateways"
#define ENTRIES_MAX 65536 /* limit per reading: the map may change while it is read */

static int compare_hops(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct wgvia_hop));
}

const struct gateway_health *gateway_map_find(const struct gateway_healths *healths, const struct wgvia_hop *hop)
{
	return healths->count ? bsearch(hop, healths->all, healths->count, sizeof(*healths->all), compare_hops) : NULL;
}

static void sort(struct gateway_healths *healths)
{
	if (healths->count)
		qsort(healths->all, healths->count, sizeof(*healths->all), compare_hops);
}

/* --- the pin --- */

static bool fits(int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == BPF_MAP_TYPE_HASH &&
	       info.key_size == sizeof(struct wgvia_hop) && info.value_size == sizeof(struct wgvia_gateway_health);
}

/* -ENOENT: there is none, or it is not a map of this kind. */
static int open_map(const char *path)
{
	int fd = bpf_obj_get(path);

	if (fd >= 0 && fits(fd))
		return fd;
	if (fd >= 0)
		close(fd);
	return fd >= 0 || attach_is_no_pin(fd) ? -ENOENT : fd;
}

static int make_map(const char *path)
{
	struct gateways_bpf *skeleton = gateways_bpf__open_and_load();
	int fd = -1, ret = skeleton ? 0 : -errno;

	if (skeleton && unlink(path) && errno != ENOENT)
		ret = -errno;
	if (!ret && bpf_obj_pin(bpf_map__fd(skeleton->maps.gateways), path))
		ret = -errno;
	if (!ret) {
		fd = fcntl(bpf_map__fd(skeleton->maps.gateways), F_DUPFD_CLOEXEC, 0);
		ret = fd < 0 ? -errno : 0;
	}
	gateways_bpf__destroy(skeleton);
	return ret ? ret : fd;
}

/* --- content --- */

/*
 * Collects entries before it removes them: when an entry is removed during iteration, the kernel restarts from the
 * beginning.
 */
static int remove_others(int fd, const struct gateway_healths *healths)
{
	cleanup_free struct wgvia_hop *others = NULL;
	struct wgvia_hop hop, *last = NULL, *other;
	size_t count = 0;

	for (size_t i = 0; i < ENTRIES_MAX && !bpf_map_get_next_key(fd, last, &hop); i++) {
		last = &hop;
		if (gateway_map_find(healths, &hop))
			continue;
		other = array_grow(&others, &count, sizeof(*other));
		if (!other)
			return -ENOMEM;
		*other = hop;
	}
	for (size_t i = 0; i < count; i++)
		bpf_map_delete_elem(fd, &others[i]);
	return 0;
}

int gateway_map_write(const char *root, const char *tunnel, struct gateway_healths *healths)
{
	char path[PINS_PATH_MAX];
	cleanup_fd int fd = -1;
	int ret = pins_path(path, root, tunnel, PINS_CURRENT, MAP_NAME);

	if (ret || !pins_exist(root, tunnel, PINS_CURRENT))
		return ret;
	fd = open_map(path);
	if (fd == -ENOENT)
		fd = make_map(path);
	if (fd < 0)
		return fd;
	sort(healths);
	ret = remove_others(fd, healths);
	for (size_t i = 0; i < healths->count && !ret; i++) {
		ret = bpf_map_update_elem(fd, &healths->all[i].hop, &healths->all[i].health, BPF_ANY) ? -errno : 0;
		if (ret == -E2BIG)
			return 0;
	}
	return ret;
}

void gateway_map_set_time(const char *root, const char *tunnel, uint64_t seconds)
{
	const struct timespec when = {.tv_sec = (time_t)seconds};
	char path[PINS_PATH_MAX];

	if (!pins_path(path, root, tunnel, PINS_CURRENT, MAP_NAME))
		utimensat(AT_FDCWD, path, (const struct timespec[2]){when, when}, AT_SYMLINK_NOFOLLOW);
}

uint64_t gateway_map_time(const char *root, const char *tunnel)
{
	char path[PINS_PATH_MAX];
	struct stat st;

	if (pins_path(path, root, tunnel, PINS_CURRENT, MAP_NAME) || lstat(path, &st))
		return UINT64_MAX;
	return (uint64_t)st.st_mtim.tv_sec;
}

void gateway_map_remove(const char *root, const char *tunnel)
{
	char path[PINS_PATH_MAX];

	if (!pins_path(path, root, tunnel, PINS_CURRENT, MAP_NAME))
		unlink(path);
}

/* Clears values that no agent writes. */
static void clean(struct wgvia_gateway_health *health)
{
	if (health->state >= WGVIA_HEALTH_COUNT)
		health->state = WGVIA_HEALTH_UNKNOWN;
	if (health->fault >= WGVIA_FAULT_COUNT)
		health->fault = WGVIA_FAULT_NONE;
}

int gateway_map_read(const char *root, const char *tunnel, struct gateway_healths *healths)
{
	struct gateway_healths found = {};
	struct gateway_health read, *entry;
	struct wgvia_hop *last = NULL;
	char path[PINS_PATH_MAX];
	cleanup_fd int fd = -1;

	*healths = found;
	if (!pins_path(path, root, tunnel, PINS_CURRENT, MAP_NAME))
		fd = open_map(path);
	for (size_t i = 0; i < ENTRIES_MAX && fd >= 0 && !bpf_map_get_next_key(fd, last, &read.hop); i++) {
		last = &read.hop;
		if (bpf_map_lookup_elem(fd, &read.hop, &read.health))
			continue;
		entry = array_grow(&found.all, &found.count, sizeof(*entry));
		if (!entry) {
			free(found.all);
			return -ENOMEM;
		}
		clean(&read.health);
		*entry = read;
	}
	sort(&found);
	*healths = found;
	return 0;
}
