// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening what is pinned, and telling whether it is ours.
 */
#include "instance.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../bpf/config.h" /* struct config, which the skeleton names */
#include "pins.h"
#include "util.h"
#include "wgvia.skel.h"

static_assert(sizeof(((struct instance *)0)->folder) == PINS_PATH_MAX, "folder");

const char *const map_names[MAP_COUNT] = {
	[MAP_PREFIXES4] = "prefixes4", [MAP_PREFIXES6] = "prefixes6", [MAP_BYPASS4] = "bypass4",
	[MAP_BYPASS6] = "bypass6",     [MAP_CHANGES] = "changes",     [MAP_INDEXES] = "indexes",
	[MAP_DEVICES] = "devices",     [MAP_FAILOVER] = "failover",   [MAP_SENDERS] = "senders",
	[MAP_LEARNT] = "learnt",       [MAP_BOUNCED] = "bounced",     [MAP_COUNTERS] = "counters",
	[MAP_TRACE] = "trace",	       [MAP_EVENTS] = "events",	      [MAP_META] = "meta",
};
static_assert(MAP_META == MAP_COUNT - 1, "map_names");

uint64_t instance_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}

void instance_close(struct instance *instance)
{
	for (int i = 0; i < MAP_COUNT; i++)
		if (instance->maps[i] >= 0)
			close(instance->maps[i]);
	free(instance->attachments);
	*instance = (struct instance)INSTANCE_NONE;
}

/* --- opening what is there --- */

/*
 * Whether a network namespace of this inode number is in use: by a name below /run/netns, into `name`, or by a process.
 * Numbers of namespaces that are gone are used again, so a pin alone proves nothing.
 */
static bool netns_exists(uint64_t inode, char *name, size_t size)
{
	static const struct {
		const char *folder, *file;
	} places[] = {{"/run/netns", ""}, {"/proc", "/ns/net"}};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		DIR *folder = opendir(places[i].folder);
		struct dirent *entry;

		while (folder && (entry = readdir(folder))) {
			char path[PATH_MAX];
			struct stat st;

			snprintf(path, sizeof(path), "%s/%s%s", places[i].folder, entry->d_name, places[i].file);
			if (entry->d_name[0] == '.' || stat(path, &st) || st.st_ino != inode)
				continue;
			snprintf(name, size, "%s", i ? "" : entry->d_name);
			closedir(folder);
			return true;
		}
		if (folder)
			closedir(folder);
	}
	return false;
}

/*
 * Whether the instance redirects to a device. The kernel removes a device from this map when the device is removed,
 * also with its namespace. Seeing which namespaces other processes are in takes CAP_SYS_PTRACE.
 */
static bool has_devices(const struct instance *instance)
{
	__u32 key;

	return !bpf_map_get_next_key(instance->maps[MAP_DEVICES], NULL, &key);
}

/* Whether the pinned map is what this program's object has under that name, or -errno where it cannot be told. */
static int map_fits(int fd, const struct bpf_map *map)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.type == BPF_MAP_TYPE_DEVMAP_HASH)
		info.map_flags &= ~BPF_F_RDONLY_PROG; /* which the kernel adds, and takes from nobody */
	return info.type == bpf_map__type(map) && info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) && info.max_entries == bpf_map__max_entries(map) &&
	       info.map_flags == bpf_map__map_flags(map);
}

/*
 * Opens a pin that should be that map's. 1: it is; 0: it is another thing, or nothing; -errno: it cannot be told, which
 * says nothing about the pin.
 */
static int open_map(const char *path, const struct bpf_map *map, int *fd)
{
	*fd = bpf_obj_get(path);
	if (*fd < 0)
		return *fd == -ENOENT || *fd == -EACCES ? 0 : *fd; /* EACCES: a folder */
	return map_fits(*fd, map);
}

static int open_maps(struct instance *instance)
{
	struct wgvia_bpf *skeleton = wgvia_bpf__open();
	char path[PINS_PATH_MAX];
	__u32 key = 0;
	int ret = 0;

	if (!skeleton)
		return -errno;
	for (int i = 0; i < MAP_COUNT && ret >= 0; i++) {
		const struct bpf_map *map = bpf_object__find_map_by_name(skeleton->obj, map_names[i]);

		pins_path(path, instance->root, instance->tunnel, PINS_CURRENT, map_names[i]);
		ret = open_map(path, map, &instance->maps[i]);
		instance->foreign |= !ret;
	}
	wgvia_bpf__destroy(skeleton);
	if (ret < 0)
		return ret;
	if (instance->foreign) {
		/* the ABI is the first member of whatever a version calls meta */
		struct bpf_map_info info = {};
		__u32 len = sizeof(info);
		cleanup_free char *value = NULL;

		if (instance->maps[MAP_META] < 0 || bpf_obj_get_info_by_fd(instance->maps[MAP_META], &info, &len) ||
		    info.key_size != sizeof(key) || info.value_size < sizeof(instance->meta.abi))
			return 0;
		value = calloc(1, info.value_size * (size_t)libbpf_num_possible_cpus() + 8);
		if (value && !bpf_map_lookup_elem(instance->maps[MAP_META], &key, value))
			memcpy(&instance->meta.abi, value, sizeof(instance->meta.abi));
		return 0;
	}
	if (bpf_map_lookup_elem(instance->maps[MAP_META], &key, &instance->meta))
		return -errno;
	instance->foreign = instance->meta.abi != WGVIA_ABI;
	return 0;
}

int instance_open(const char *root, const char *tunnel, struct instance *instance, struct error *error)
{
	uint64_t netns = instance_netns();
	char name[NAME_MAX + 1] = "";
	int ret;

	*instance = (struct instance)INSTANCE_NONE;
	instance->root = root;
	strncpy(instance->tunnel, tunnel, sizeof(instance->tunnel) - 1);
	if (!pins_exist(root, tunnel, PINS_CURRENT))
		return -ENOENT;
	pins_path(instance->folder, root, tunnel, PINS_CURRENT, NULL);
	ret = open_maps(instance);
	if (ret)
		return error_system(error, -ret, "cannot open the pins of '%s'", tunnel);
	if (!instance->foreign && instance->meta.netns != netns &&
	    (netns_exists(instance->meta.netns, name, sizeof(name)) || has_devices(instance))) {
		error_refuse(error, "the pins of '%s' in '%s' belong to another network namespace's interface%s%s",
			     tunnel, root, name[0] ? ": " : "", name);
		error_hint(error, "use 'wgvia -n %s', or a folder of its own with --pin-dir", name[0] ? name : "NAME");
		return -EBUSY;
	}
	ret = attach_list(instance->folder, &instance->attachments, &instance->attachment_count);
	return ret ? error_system(error, -ret, "cannot read the pins of '%s'", tunnel) : 0;
}

/* A number that a version of wgvia may have; anything else is no ABI but damage. */
static bool is_abi(uint32_t abi)
{
	return abi > 0 && abi < 0x10000;
}

static int refuse_abi(const struct instance *instance, struct error *error)
{
	if (is_abi(instance->meta.abi) && instance->meta.abi != WGVIA_ABI)
		error_refuse(error, "the pins of '%s' have ABI version %u, this program has %u", instance->tunnel,
			     instance->meta.abi, WGVIA_ABI);
	else
		error_refuse(error, "the pins of '%s' are damaged", instance->tunnel);
	if (instance->meta.abi > WGVIA_ABI && is_abi(instance->meta.abi))
		error_hint(error, "use the wgvia that made them, or take them down: wgvia down %s", instance->tunnel);
	else
		error_hint(error, "'wgvia up %s ...' puts an instance of this version in their place",
			   instance->tunnel);
	return -EPROTO;
}

int instance_open_running(const char *root, const char *tunnel, struct instance *instance, struct error *error)
{
	int ret = instance_open(root, tunnel, instance, error);

	if (ret == -ENOENT) {
		if (!error->text[0]) {
			char hint[sizeof(error->hint)];

			memcpy(hint, error->hint, sizeof(hint));
			error_refuse(error, "no instance on '%s'", tunnel);
			if (hint[0])
				error_hint(error, "%s", hint);
			else
				error_hint(error, "start one with 'wgvia up %s'", tunnel);
		}
		return ret;
	}
	return ret ? ret : instance->foreign ? refuse_abi(instance, error) : 0;
}

bool instance_is_running(const struct instance *instance)
{
	return instance->maps[0] >= 0 && !instance->foreign && instance->meta.netns == instance_netns();
}

int instance_check(const struct instance *running, struct error *error)
{
	if (running->foreign && is_abi(running->meta.abi) && running->meta.abi > WGVIA_ABI)
		return refuse_abi(running, error);
	return 0;
}

/* --- telling --- */

int instance_points(const struct instance *instance, const struct links *links, struct point **points, size_t *count)
{
	struct point *found = NULL;
	size_t number = 0;

	for (size_t i = 0; i < instance->attachment_count; i++) {
		const struct attachment *attachment = &instance->attachments[i];
		const struct link *link = link_by_index(links, attachment->ifindex);
		struct point *point;

		if (!link || !attachment->alive)
			continue;
		point = array_grow(&found, &number, sizeof(*point));
		if (!point) {
			free(found);
			return -ENOMEM;
		}
		*point = (struct point){attachment->direction, attachment->ifindex, link_is_l3(link)};
	}
	*points = found;
	*count = number;
	return 0;
}

const struct attachment *instance_attachment(const struct instance *instance, const struct point *point)
{
	for (size_t i = 0; i < instance->attachment_count; i++) {
		const struct attachment *attachment = &instance->attachments[i];

		if (attachment->alive && attachment->direction == point->direction &&
		    attachment->ifindex == point->ifindex)
			return attachment;
	}
	return NULL;
}
