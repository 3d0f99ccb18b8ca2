// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading, attaching, pinning; and undoing that, in the reverse order, where a step fails.
 */
#include "dataplane.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../bpf/config.h" /* struct config, which the skeleton names */
#include "changes.h"
#include "conntrack.h"
#include "devices.h"
#include "pins.h"
#include "programs.h"
#include "util.h"
#include "wgvia.skel.h"

static_assert(sizeof(((struct instance *)0)->folder) == PINS_PATH_MAX, "folder");

const char *const map_names[MAP_COUNT] = {
	[MAP_PREFIXES4] = "prefixes4", [MAP_PREFIXES6] = "prefixes6", [MAP_BYPASS4] = "bypass4",
	[MAP_BYPASS6] = "bypass6",     [MAP_CHANGES] = "changes",     [MAP_INDEXES] = "indexes",
	[MAP_DEVICES] = "devices",     [MAP_FAILOVER] = "failover",   [MAP_COUNTERS] = "counters",
	[MAP_TRACE] = "trace",	       [MAP_EVENTS] = "events",	      [MAP_META] = "meta",
};
static_assert(MAP_META == MAP_COUNT - 1, "map_names");

uint64_t dataplane_netns(void)
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

int dataplane_open(const char *root, const char *tunnel, struct instance *instance, struct error *error)
{
	uint64_t netns = dataplane_netns();
	char name[NAME_MAX + 1];
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
	    netns_exists(instance->meta.netns, name, sizeof(name))) {
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

int dataplane_open_running(const char *root, const char *tunnel, struct instance *instance, struct error *error)
{
	int ret = dataplane_open(root, tunnel, instance, error);

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

/* --- changing --- */

static enum program program_of(const struct point *point)
{
	return program_at(point->direction, point->l3);
}

static const struct attachment *find_attachment(const struct instance *instance, const struct point *point)
{
	for (size_t i = 0; i < instance->attachment_count; i++) {
		const struct attachment *attachment = &instance->attachments[i];

		if (attachment->alive && attachment->direction == point->direction &&
		    attachment->ifindex == point->ifindex)
			return attachment;
	}
	return NULL;
}

/* Nothing to load, attach or detach. */
static bool is_in_place(const struct plan *plan, const struct instance *running, uint64_t build)
{
	if (running->foreign || running->maps[0] < 0 || running->meta.build != build ||
	    running->attachment_count != plan->point_count ||
	    devices_tunnel(running->maps[MAP_DEVICES]) != plan->state.tunnel_ifindex)
		return false;
	for (size_t i = 0; i < plan->point_count; i++)
		if (!find_attachment(running, &plan->points[i]) ||
		    (devices_holds(&plan->points[i]) &&
		     !devices_has(running->maps[MAP_DEVICES], plan->points[i].ifindex)))
			return false;
	return true;
}

enum { STEP_ADDED = -1, STEP_LEFT = -2 };

/* What was done to one point, to be undone. */
struct step {
	struct attachment attachment;
	int old_program; /* or STEP_ADDED; STEP_LEFT: it had the program */
};

struct change {
	const struct plan *plan;
	struct instance *running; /* where attachments that exist are pinned */
	struct instance *next;	  /* where new ones go; the same one where the maps are reused */
	struct step *steps;
	size_t step_count;
	uint32_t *qdiscs; /* ifindexes where this change made a clsact */
	size_t qdisc_count;
	uint32_t *devices; /* which this change has added to the map */
	size_t device_count;
	uint32_t tunnel; /* of before */
};

/* A pin of the same name whose link or filter is gone is in the way. */
static void remove_dead(const struct change *change, const struct attachment *point)
{
	for (size_t i = 0; i < change->running->attachment_count; i++) {
		const struct attachment *old = &change->running->attachments[i];

		if (!old->alive && old->direction == point->direction && old->ifindex == point->ifindex)
			attach_remove(change->next->folder, old);
	}
}

static int make_qdisc(struct change *change, uint32_t ifindex, struct error *error)
{
	uint32_t *made;
	bool is_new;
	int ret = attach_make_qdisc(change->next->folder, ifindex, &is_new, error);

	if (ret || !is_new)
		return ret;
	made = array_grow(&change->qdiscs, &change->qdisc_count, sizeof(*made));
	if (made)
		*made = ifindex;
	return 0;
}

static bool is_program(int fd, uint32_t id)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.id == id;
}

static int attach_point(struct change *change, const struct point *point, enum attach_kind kind, int prog_fd,
			struct error *error)
{
	const struct attachment *old = find_attachment(change->running, point);
	struct step *step = array_grow(&change->steps, &change->step_count, sizeof(*step));
	int ret = 0;

	if (!step)
		return error_system(error, ENOMEM, "cannot attach");
	if (old && old->kind == kind && is_program(prog_fd, old->prog_id)) {
		step->attachment = *old;
		step->old_program = STEP_LEFT;
	} else if (old && old->kind == kind) {
		step->attachment = *old;
		step->old_program = attach_get_program(old);
		if (step->old_program < 0)
			ret = error_system(error, -step->old_program, "cannot read the running program");
		else
			ret = attach_replace(change->running->folder, old, prog_fd, error);
	} else {
		step->attachment = (struct attachment){
			.kind = kind,
			.direction = point->direction,
			.ifindex = point->ifindex,
			/* as its pin's name will tell it: is_step() */
			.handle = kind == ATTACH_CLSACT ? attach_handle(change->plan->state.tunnel_ifindex,
									change->plan->state.tunnel)
							: 0};
		step->old_program = STEP_ADDED;
		remove_dead(change, &step->attachment);
		if (kind == ATTACH_CLSACT)
			ret = make_qdisc(change, point->ifindex, error);
		ret = ret ? ret : attach_add(change->next->folder, &step->attachment, prog_fd, error);
	}
	if (ret) {
		if (step->old_program >= 0)
			close(step->old_program);
		change->step_count--;
	}
	return ret;
}

static void undo_steps(struct change *change)
{
	struct error ignored = {};

	while (change->device_count)
		devices_remove(change->next->maps[MAP_DEVICES], change->devices[--change->device_count]);
	devices_set_tunnel(change->next->maps[MAP_DEVICES], change->tunnel);
	while (change->step_count) {
		struct step *step = &change->steps[--change->step_count];

		if (step->old_program >= 0) {
			attach_replace(change->running->folder, &step->attachment, step->old_program, &ignored);
			close(step->old_program);
			step->old_program = STEP_ADDED;
		} else if (step->old_program == STEP_ADDED) {
			attach_remove(change->next->folder, &step->attachment);
		}
	}
	while (change->qdisc_count)
		attach_remove_qdisc(change->next->folder, change->qdiscs[--change->qdisc_count]);
}

static void free_steps(struct change *change)
{
	for (size_t i = 0; i < change->step_count; i++)
		if (change->steps[i].old_program >= 0)
			close(change->steps[i].old_program);
	free(change->steps);
	free(change->qdiscs);
	free(change->devices);
}

static bool has_direction(const struct instance *instance, enum wgvia_direction direction)
{
	for (size_t i = 0; i < instance->attachment_count; i++)
		if (instance->attachments[i].alive && instance->attachments[i].direction == direction)
			return true;
	return false;
}

/* Before a program is in force that asks for them. */
static int add_devices(struct change *change, struct error *error)
{
	int map = change->next->maps[MAP_DEVICES], ret;
	char name[IFNAMSIZ];

	ret = devices_set_tunnel(map, change->plan->state.tunnel_ifindex);
	if (ret)
		return error_system(error, -ret, "cannot use '%s'", change->plan->state.tunnel);
	for (size_t i = 0; i < change->plan->point_count; i++) {
		const struct point *point = &change->plan->points[i];
		uint32_t *added;
		bool is_new;

		if (!devices_holds(point))
			continue;
		ret = devices_add(map, point->ifindex, &is_new);
		if (ret) {
			attach_device_name(point->ifindex, name);
			return error_system(error, -ret, "cannot use '%s'", name);
		}
		added = is_new ? array_grow(&change->devices, &change->device_count, sizeof(*added)) : NULL;
		if (added)
			*added = point->ifindex;
	}
	return 0;
}

static int attach_points(struct change *change, const struct programs *programs, struct error *error)
{
	const struct plan *plan = change->plan;
	enum attach_kind kind;
	int ret = add_devices(change, error);

	if (ret || !plan->point_count)
		return ret;
	ret = attach_choose_kind(programs->fds[program_of(&plan->points[0])], &kind, error);
	/* a tracker that cannot be asked is no reason not to go */
	if (!ret && plan->state.mode == WGVIA_FAST && !has_direction(change->running, WGVIA_OUT))
		conntrack_relax(&plan->state);
	/* the tunnel's, too, in both modes: a change of mode is to lose nothing */
	if (!ret && kind == ATTACH_CLSACT && plan->state.tunnel_ifindex)
		ret = make_qdisc(change, plan->state.tunnel_ifindex, error);
	for (size_t i = 0; i < plan->point_count && !ret; i++) {
		const struct point *point = &plan->points[i];

		ret = attach_point(change, point, kind, programs->fds[program_of(point)], error);
	}
	return ret;
}

static bool is_step(const struct change *change, const struct attachment *attachment)
{
	for (size_t i = 0; i < change->step_count; i++) {
		const struct attachment *done = &change->steps[i].attachment;

		if (done->kind == attachment->kind && done->direction == attachment->direction &&
		    done->ifindex == attachment->ifindex && done->handle == attachment->handle)
			return true;
	}
	return false;
}

/*
 * What is not wanted any more: points of before, and the same points by the other kind of attachment. The outward
 * shortcut goes first, so that a connection tracker on this host sees the request before it sees the reply. What cannot
 * be detached keeps its pin, and the same command again detaches it: the change itself is in force by now.
 */
static int detach_rest(struct change *change, struct error *error)
{
	const struct attachment *left = NULL;
	char name[IFNAMSIZ];
	int ret = 0;

	devices_keep(change->next->maps[MAP_DEVICES], change->plan->points, change->plan->point_count);
	/* a tracker that cannot be asked is no reason to keep the old mode */
	if (change->plan->state.mode == WGVIA_STACK && has_direction(change->running, WGVIA_OUT))
		conntrack_forget(&change->plan->state);
	for (int direction = 0; direction < WGVIA_DIRECTION_COUNT; direction++)
		for (size_t i = 0; i < change->running->attachment_count; i++) {
			const struct attachment *old = &change->running->attachments[i];
			int failed = 0;

			if ((int)old->direction == direction && !is_step(change, old))
				failed = attach_remove(change->next->folder, old);
			if (failed && !left) {
				left = old;
				ret = failed;
			}
		}
	attach_forget_qdiscs(change->next->folder);
	if (!left)
		return 0;
	attach_device_name(left->ifindex, name);
	error_system(error, -ret, "cannot detach from '%s', all else has changed", name);
	error_hint(error, "the same command again detaches it");
	return ret;
}

static int write_build(const struct instance *instance, uint64_t build, struct error *error)
{
	struct wgvia_meta meta = instance->meta;
	__u32 key = 0;

	meta.build = build;
	if (bpf_map_update_elem(instance->maps[MAP_META], &key, &meta, BPF_ANY))
		return error_system(error, errno, "cannot write the map 'meta'");
	return 0;
}

static int write_meta(const struct instance *instance, const struct plan *plan, uint64_t build, struct error *error)
{
	struct wgvia_meta meta = {
		.abi = WGVIA_ABI,
		.on_fail = plan->state.on_fail,
		.mode = plan->state.mode,
		.tunnel_ifindex = plan->state.tunnel_ifindex,
		.netns = dataplane_netns(),
		.build = build,
	};
	__u32 key = 0;

	memcpy(meta.tunnel, plan->state.tunnel, sizeof(meta.tunnel));
	if (bpf_map_update_elem(instance->maps[MAP_META], &key, &meta, BPF_ANY))
		return error_system(error, errno, "cannot write the map 'meta'");
	return 0;
}

static int load(struct programs *programs, struct wgvia_bpf *skeleton, uint64_t build, struct instance *instance,
		struct error *error)
{
	int ret = programs_load(skeleton, instance, error);

	if (ret)
		return ret;
	ret = programs_take(programs, skeleton, build, instance);
	return ret ? error_system(error, -ret, "cannot hold the programs") : 0;
}

static bool holds_all(const struct programs *programs, const struct plan *plan)
{
	for (size_t i = 0; i < plan->point_count; i++)
		if (programs->fds[program_of(&plan->points[i])] < 0)
			return false;
	return true;
}

static int pin_maps(const struct instance *instance, struct error *error)
{
	char path[PINS_PATH_MAX + 32];

	for (int i = 0; i < MAP_COUNT; i++) {
		snprintf(path, sizeof(path), "%s/%s", instance->folder, map_names[i]);
		if (bpf_obj_pin(instance->maps[i], path))
			return error_system(error, errno, "cannot pin the map '%s'", path);
	}
	return 0;
}

/* New maps, filled before a program uses them, in a folder beside the one that is in force. */
static int apply_anew(const char *root, const struct plan *plan, struct instance *running, dataplane_fill fill,
		      struct programs *programs, struct wgvia_bpf *skeleton, uint64_t build, struct error *error)
{
	cleanup(instance_close) struct instance next = INSTANCE_NONE;
	struct change change = {.plan = plan, .running = running, .next = &next};
	int ret;

	next.root = root;
	strcpy(next.tunnel, plan->state.tunnel);
	pins_path(next.folder, root, next.tunnel, PINS_NEW, NULL);
	ret = load(programs, skeleton, build, &next, error);
	if (ret)
		return ret;
	ret = pins_make_folder(root, next.tunnel, PINS_NEW);
	if (ret)
		return error_system(error, -ret, "cannot make '%s'", next.folder);
	ret = pin_maps(&next, error);
	ret = ret ? ret : fill(&next, &plan->state, error);
	ret = ret ? ret : write_meta(&next, plan, build, error);
	ret = ret ? ret : attach_points(&change, programs, error);
	if (ret)
		goto undo;
	ret = pins_commit(root, next.tunnel);
	if (ret) {
		error_system(error, -ret, "cannot put '%s' in place", next.folder);
		goto undo;
	}
	pins_path(next.folder, root, next.tunnel, PINS_CURRENT, NULL);
	changes_tidy(&next);
	ret = detach_rest(&change, error);
	free_steps(&change);
	return ret;

undo:
	undo_steps(&change);
	free_steps(&change);
	pins_remove_folder(root, next.tunnel, PINS_NEW);
	return ret;
}

/*
 * The running maps, with programs that know the new devices before a gateway names one, and devices that are not
 * wanted any more given up after the last gateway has left them.
 */
static int apply_in_place(const struct plan *plan, struct instance *running, dataplane_fill fill,
			  struct programs *programs, struct wgvia_bpf *skeleton, uint64_t build, struct error *error)
{
	struct change change = {.plan = plan,
				.running = running,
				.next = running,
				.tunnel = devices_tunnel(running->maps[MAP_DEVICES])};
	bool same = running->meta.build == build && holds_all(programs, plan);
	__u32 key = 0;
	int ret = pins_check_writable(running->root);

	if (ret)
		return error_system(error, -ret, "cannot change the pins of '%s'", running->tunnel);
	ret = same ? 0 : load(programs, skeleton, build, running, error);
	/* of no build while they are not all of one */
	ret = ret || same ? ret : write_build(running, 0, error);
	ret = ret ? ret : attach_points(&change, programs, error);
	ret = ret ? ret : write_meta(running, plan, build, error);
	ret = ret ? ret : fill(running, &plan->state, error);
	if (ret) {
		undo_steps(&change);
		free_steps(&change);
		bpf_map_update_elem(running->maps[MAP_META], &key, &running->meta, BPF_ANY);
		return ret;
	}
	ret = detach_rest(&change, error);
	free_steps(&change);
	return ret;
}

/* The running programs, too. */
static int apply_to_maps(const struct plan *plan, struct instance *running, dataplane_fill fill, struct error *error)
{
	__u32 key = 0;
	int ret = write_meta(running, plan, running->meta.build, error);

	if (ret)
		return ret;
	ret = fill(running, &plan->state, error);
	if (ret)
		bpf_map_update_elem(running->maps[MAP_META], &key, &running->meta, BPF_ANY);
	return ret;
}

bool dataplane_is_running(const struct instance *instance)
{
	return instance->maps[0] >= 0 && !instance->foreign && instance->meta.netns == dataplane_netns();
}

int dataplane_check(const struct instance *running, struct error *error)
{
	if (running->foreign && is_abi(running->meta.abi) && running->meta.abi > WGVIA_ABI)
		return refuse_abi(running, error);
	return 0;
}

int dataplane_apply(const char *root, const struct plan *plan, struct instance *running, dataplane_fill fill,
		    struct programs *programs, bool *changed, struct error *error)
{
	struct wgvia_bpf *skeleton;
	uint64_t build;
	int ret = dataplane_check(running, error);

	if (ret)
		return ret;
	*changed = false;
	skeleton = programs_open(plan->tunnel_is_l3);
	if (!skeleton)
		return error_system(error, errno, "cannot open the programs");
	build = programs_build(skeleton);
	if (!dataplane_is_running(running)) {
		*changed = true;
		ret = apply_anew(root, plan, running, fill, programs, skeleton, build, error);
	} else {
		programs_learn(programs, running, &plan->links);
		*changed = !is_in_place(plan, running, build);
		ret = *changed ? apply_in_place(plan, running, fill, programs, skeleton, build, error)
			       : apply_to_maps(plan, running, fill, error);
	}
	wgvia_bpf__destroy(skeleton);
	return ret;
}

/* --- telling --- */

int dataplane_points(const struct instance *instance, const struct links *links, struct point **points, size_t *count)
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

int dataplane_recover(const char *root, const char *tunnel, struct error *error)
{
	char folder[PINS_PATH_MAX];
	int ret = pins_recover(root, tunnel);

	if (!ret && pins_exist(root, tunnel, PINS_NEW)) {
		pins_path(folder, root, tunnel, PINS_NEW, NULL);
		ret = attach_remove_all(folder);
		ret = ret ? ret : pins_remove_folder(root, tunnel, PINS_NEW);
	}
	return ret ? error_system(error, -ret, "cannot mend the pins of '%s'", tunnel) : 0;
}

int dataplane_remove(const char *root, const char *tunnel, struct error *error)
{
	cleanup(instance_close) struct instance instance = INSTANCE_NONE;
	int ret = dataplane_open(root, tunnel, &instance, error);

	if (ret)
		return ret;
	/* nothing is detached whose pin would have to stay */
	ret = pins_check_writable(root);
	if (ret)
		return error_system(error, -ret, "cannot remove the pins of '%s'", tunnel);
	ret = attach_remove_all(instance.folder);
	if (ret)
		return error_system(error, -ret, "cannot detach from all devices of '%s'", tunnel);
	ret = pins_remove_folder(root, tunnel, PINS_CURRENT);
	return ret ? error_system(error, -ret, "cannot remove the pins of '%s'", tunnel) : 0;
}
