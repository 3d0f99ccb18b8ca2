// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening what is pinned, and deciding whether it is ours.
 */
#include "datapath/instance.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "bpf/config.h" /* the skeleton refers to struct config */
#include "datapath/device_map.h"
#include "datapath/pin_folders.h"
#include "host/netns.h"
#include "wgvia.skel.h"

static_assert(sizeof(((struct instance *)0)->folder) == PINS_PATH_MAX, "folder");

const char *const map_names[MAP_COUNT] = {
	[MAP_PREFIXES4] = "prefixes4", [MAP_PREFIXES6] = "prefixes6", [MAP_BYPASS4] = "bypass4",
	[MAP_BYPASS6] = "bypass6",     [MAP_CHANGES] = "changes",     [MAP_INDEXES] = "indexes",
	[MAP_DEVICES] = "devices",     [MAP_FAILOVER] = "failover",   [MAP_SENDERS] = "senders",
	[MAP_LEARNT] = "learnt",       [MAP_BOUNCED] = "bounced",     [MAP_ACCEPTED] = "accepted",
	[MAP_SOURCES] = "sources",     [MAP_COUNTERS] = "counters",   [MAP_TRACE] = "trace",
	[MAP_EVENTS] = "events",       [MAP_META] = "meta",	      [MAP_PREFIX_COUNTERS] = "prefix_counters",
};
static_assert(MAP_META == MAP_COUNT - 1, "map_names");

void instance_close(struct instance *instance)
{
	for (int i = 0; i < MAP_COUNT; i++)
		if (instance->maps[i] >= 0)
			close(instance->maps[i]);
	free(instance->attachments);
	*instance = (struct instance)INSTANCE_NONE;
}

/* --- opening --- */

static struct netns netns_of(const struct instance *instance)
{
	return (struct netns){instance->meta.netns, instance->meta.cookie};
}

/*
 * Whether the instance redirects to a device. The kernel removes a device from this map when the device or its
 * namespace is removed. To see the namespaces of other processes takes CAP_SYS_PTRACE.
 */
static bool has_devices(const struct instance *instance)
{
	__u32 key;

	return !bpf_map_get_next_key(instance->maps[MAP_DEVICES], NULL, &key);
}

/* Whether a tcx link of the instance is attached to a device, in any namespace. */
static bool has_links(const struct instance *instance)
{
	for (size_t i = 0; i < instance->attachment_count; i++)
		if (instance->attachments[i].at)
			return true;
	return false;
}

/*
 * An instance of another network namespace belongs to it while that namespace exists. An inode number may belong to a
 * different namespace by now. If it is all that is known, the instance must have something there: a device, a link, or
 * an agent.
 */
static int check_netns(struct instance *instance, struct error *error)
{
	const struct netns netns = netns_of(instance), own = netns_own();
	char word[NAME_MAX + 1] = "";
	bool lives, sure;

	if (netns_is_same(&netns, &own))
		return 0;
	lives = netns_find(&netns, word, sizeof(word), &sure);
	if (lives && !sure)
		lives = has_links(instance) || pins_is_locked(instance->root, instance->tunnel, PINS_AGENT);
	if (!lives && !has_devices(instance)) {
		instance->is_orphan = true;
		return 0;
	}
	error_refuse(error, "the pins of '%s' in '%s' belong to another network namespace's interface%s%s",
		     instance->tunnel, instance->root, word[0] ? ": " : "", word);
	error_hint(error, "use 'wgvia -n %s', or a folder of its own with --pin-dir", word[0] ? word : "NAME");
	return -EBUSY;
}

/* Whether the pinned map matches the map of that name in this program's object; -errno if that is unknown. */
static int map_fits(int fd, const struct bpf_map *map)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.type == BPF_MAP_TYPE_DEVMAP_HASH)
		info.map_flags &= ~BPF_F_RDONLY_PROG; /* the kernel adds this flag and never clears it */
	return info.type == bpf_map__type(map) && info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) && info.max_entries == bpf_map__max_entries(map) &&
	       info.map_flags == bpf_map__map_flags(map);
}

/*
 * Opens a pin that should be that map. 1: it is; 0: it is something else, or missing; -errno: unknown, which does not
 * prove anything about the pin.
 */
static int open_map(const char *path, const struct bpf_map *map, int *fd)
{
	*fd = bpf_obj_get(path);
	if (*fd < 0)
		return *fd == -ENOENT || *fd == -EACCES ? 0 : *fd; /* EACCES: a folder */
	return map_fits(*fd, map);
}

/* Whether a version of wgvia may have this number; any other value means that the map is damaged. */
static bool is_abi(uint32_t abi)
{
	return abi > 0 && abi < 0x10000;
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
		if (!ret && !instance->damaged)
			instance->damaged = map_names[i];
		instance->foreign |= !ret;
		instance->owned |= ret > 0;
	}
	wgvia_bpf__destroy(skeleton);
	if (ret < 0)
		return ret;
	if (instance->foreign) {
		/* the ABI is the first member of meta in every version */
		struct bpf_map_info info = {};
		__u32 len = sizeof(info);
		cleanup_free char *value = NULL;

		if (instance->maps[MAP_META] < 0 || bpf_obj_get_info_by_fd(instance->maps[MAP_META], &info, &len) ||
		    info.key_size != sizeof(key) || info.value_size < sizeof(instance->meta.abi))
			return 0;
		value = calloc(1, info.value_size * (size_t)libbpf_num_possible_cpus() + 8);
		if (value && !bpf_map_lookup_elem(instance->maps[MAP_META], &key, value))
			memcpy(&instance->meta.abi, value, sizeof(instance->meta.abi));
		instance->owned |= is_abi(instance->meta.abi);
		return 0;
	}
	if (bpf_map_lookup_elem(instance->maps[MAP_META], &key, &instance->meta))
		return -errno;
	instance->foreign = instance->meta.abi != WGVIA_ABI;
	return 0;
}

int instance_open(const char *root, const char *tunnel, struct instance *instance, struct error *error)
{
	int ret;

	*instance = (struct instance)INSTANCE_NONE;
	instance->root = root;
	strncpy(instance->tunnel, tunnel, sizeof(instance->tunnel) - 1);
	ret = pins_check_folder(root, tunnel, PINS_CURRENT, error);
	if (ret)
		return ret;
	if (!pins_exist(root, tunnel, PINS_CURRENT))
		return -ENOENT;
	pins_path(instance->folder, root, tunnel, PINS_CURRENT, NULL);
	ret = open_maps(instance);
	if (ret)
		return error_system(error, -ret, "cannot open the pins of '%s'", tunnel);
	ret = attach_list(instance->folder, &instance->attachments, &instance->attachment_count);
	if (ret)
		return error_system(error, -ret, "cannot read the pins of '%s'", tunnel);
	return instance->foreign ? 0 : check_netns(instance, error);
}

int instance_open_locked(const char *root, const char *tunnel, struct instance *instance, int *lock,
			 struct error *error)
{
	*lock = pins_lock(root, error);
	return *lock < 0 ? *lock : instance_open(root, tunnel, instance, error);
}

static int refuse_abi(const struct instance *instance, struct error *error)
{
	if (is_abi(instance->meta.abi) && instance->meta.abi != WGVIA_ABI)
		error_refuse(error, "the pins of '%s' have ABI version %u, this program has %u", instance->tunnel,
			     instance->meta.abi, WGVIA_ABI);
	else
		error_refuse(error, "the pins of '%s' are damaged: '%s/%s' is missing or not wgvia's", instance->tunnel,
			     instance->folder, instance->damaged ? instance->damaged : map_names[MAP_META]);
	if (instance->meta.abi > WGVIA_ABI && is_abi(instance->meta.abi))
		error_hint(error, "use the wgvia version that created them, or remove them: wgvia down %s",
			   instance->tunnel);
	else
		error_hint(error, "to replace them with an instance of this version: wgvia up %s ...",
			   instance->tunnel);
	return -EPROTO;
}

static int refuse_orphan(const struct instance *instance, struct error *error)
{
	error_refuse(error, "the network namespace of '%s' no longer exists", instance->tunnel);
	error_hint(error, "'wgvia down %s' removes what is left of it", instance->tunnel);
	return -ESTALE;
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
	if (ret)
		return ret;
	return instance->foreign     ? refuse_abi(instance, error)
	       : instance->is_orphan ? refuse_orphan(instance, error)
				     : 0;
}

bool instance_is_running(const struct instance *instance)
{
	return instance->maps[0] >= 0 && !instance->foreign && !instance->is_orphan;
}

int instance_check(const struct instance *running, struct error *error)
{
	if (running->foreign && is_abi(running->meta.abi) && running->meta.abi > WGVIA_ABI)
		return refuse_abi(running, error);
	return 0;
}

/* --- questions --- */

/* A device that was in another network namespace has lost its entry in the map: see has_devices(). */
static bool is_in_force(const struct instance *instance, const struct attachment *attachment,
			const struct netdev *netdev)
{
	const struct point point = {attachment->direction, attachment->ifindex, netdev_is_l3(netdev)};

	return device_map_has_point(instance->maps[MAP_DEVICES], &point);
}

int instance_points(const struct instance *instance, const struct netdevs *netdevs, struct points *points)
{
	for (size_t i = 0; i < instance->attachment_count; i++) {
		const struct attachment *attachment = &instance->attachments[i];
		const struct netdev *netdev = netdev_by_index(netdevs, attachment->ifindex);
		struct point *point;

		if (!netdev || !attachment->alive || !is_in_force(instance, attachment, netdev))
			continue;
		point = array_grow(&points->all, &points->count, sizeof(*point));
		if (!point)
			return -ENOMEM;
		*point = (struct point){attachment->direction, attachment->ifindex, netdev_is_l3(netdev)};
	}
	return 0;
}

static int compare_points(const void *a, const void *b)
{
	const struct point *one = a, *other = b;

	if (one->ifindex != other->ifindex)
		return one->ifindex < other->ifindex ? -1 : 1;
	return (int)one->direction - (int)other->direction;
}

int instance_attached(const struct instance *instance, struct points *attached)
{
	for (size_t i = 0; i < instance->attachment_count; i++) {
		const struct attachment *attachment = &instance->attachments[i];
		struct point *point;

		if (!attachment->alive)
			continue;
		point = array_grow(&attached->all, &attached->count, sizeof(*point));
		if (!point)
			return -ENOMEM;
		*point = (struct point){.direction = attachment->direction, .ifindex = attachment->ifindex};
	}
	if (attached->count)
		qsort(attached->all, attached->count, sizeof(*attached->all), compare_points);
	return 0;
}

bool instance_has_point(const struct points *attached, const struct point *point)
{
	return attached->count && bsearch(point, attached->all, attached->count, sizeof(*point), compare_points);
}

int instance_missing(const struct instance *instance, struct points *missing)
{
	const struct point out = {WGVIA_OUT, instance->meta.tunnel_ifindex, false};
	cleanup(points_free) struct points attached = {};
	int ret = instance_attached(instance, &attached);
	struct point *last;
	size_t kept = 0;

	ret = ret ? ret : device_map_points(instance->maps[MAP_DEVICES], missing);
	if (!ret && out.ifindex && instance->meta.mode != WGVIA_STACK) {
		last = array_grow(&missing->all, &missing->count, sizeof(*last));
		if (!last)
			return -ENOMEM;
		*last = out;
	}
	for (size_t i = 0; i < missing->count; i++)
		if (!instance_has_point(&attached, &missing->all[i]))
			missing->all[kept++] = missing->all[i];
	missing->count = kept;
	return ret;
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
