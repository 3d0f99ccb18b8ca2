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
#include "pins.h"
#include "util.h"
#include "wgvia.skel.h"

static_assert(DATAPLANE_DEVICES == CONFIG_DEVICES, "devices");
static_assert(sizeof(((struct instance *)0)->folder) == PINS_PATH_MAX, "folder");

const char *const map_names[MAP_COUNT] = {
	[MAP_PREFIXES4] = "prefixes4", [MAP_PREFIXES6] = "prefixes6", [MAP_BYPASS4] = "bypass4",
	[MAP_BYPASS6] = "bypass6",     [MAP_CHANGES] = "changes",     [MAP_INDEXES] = "indexes",
	[MAP_FAILOVER] = "failover",   [MAP_COUNTERS] = "counters",   [MAP_TRACE] = "trace",
	[MAP_EVENTS] = "events",       [MAP_META] = "meta",
};
static_assert(MAP_META == MAP_COUNT - 1, "map_names");

static int verbose;

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (!verbose || (verbose == 1 && level > LIBBPF_WARN))
		return 0;
	return vfprintf(stderr, format, args);
}

void dataplane_set_verbose(int level)
{
	verbose = level;
	libbpf_set_print(print_libbpf);
}

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

/* --- loading --- */

static void set_config(struct wgvia_bpf *skeleton, uint32_t tunnel_ifindex, bool tunnel_is_l3,
		       const struct point *points, size_t point_count)
{
	struct config *config = (struct config *)&skeleton->rodata->config;
	size_t devices = 0;

	config->tunnel_ifindex = tunnel_ifindex;
	config->tunnel_link_len = tunnel_is_l3 ? 0 : ETH_HLEN;
	config->tunnel_ether = !tunnel_is_l3;
	config->has_trace = 1;
	config->has_check_mtu = libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_check_mtu, NULL) == 1;
	for (size_t i = 0; i < point_count && devices < CONFIG_DEVICES; i++)
		if (points[i].direction == WGVIA_EGRESS && !points[i].l3)
			config->devices[devices++] = points[i].ifindex;
}

/* FNV-1a: tells builds apart, guards against nobody. */
static uint64_t hash(uint64_t value, const void *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		value = (value ^ ((const uint8_t *)data)[i]) * 0x100000001b3;
	return value;
}

/* Before loading: libbpf takes .rodata away then where the kernel maps no arrays, or a probe for that has failed. */
static uint64_t build_of(const struct wgvia_bpf *skeleton)
{
	size_t size;
	const void *object = wgvia_bpf__elf_bytes(&size);
	uint64_t value = hash(0xcbf29ce484222325, object, size);

	return hash(value, (const void *)&skeleton->rodata->config, sizeof(skeleton->rodata->config));
}

static const struct bpf_program *program_for(const struct wgvia_bpf *skeleton, const struct point *point)
{
	switch (point->direction) {
	case WGVIA_OUT:
		return skeleton->progs.wgvia_out;
	case WGVIA_BACK:
		return skeleton->progs.wgvia_back;
	default:
		return point->l3 ? skeleton->progs.wgvia_egress_l3 : skeleton->progs.wgvia_egress;
	}
}

/* Loads the programs on the instance's maps, which are made where the instance has none. */
static int load(struct wgvia_bpf *skeleton, struct instance *instance, struct error *error)
{
	int ret;

	for (int i = 0; i < MAP_COUNT; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(skeleton->obj, map_names[i]);

		if (instance->maps[i] < 0)
			continue;
		ret = bpf_map__reuse_fd(map, instance->maps[i]);
		if (ret)
			return error_system(error, -ret, "cannot use the map '%s'", map_names[i]);
	}
	ret = wgvia_bpf__load(skeleton);
	if (ret) {
		error_system(error, -ret, "cannot load the programs into the kernel");
		if (ret != -EPERM)
			error_hint(error, "'wgvia -v' shows libbpf's messages, '-v -v' the verifier's log too");
		return ret;
	}
	for (int i = 0; i < MAP_COUNT; i++)
		if (instance->maps[i] < 0)
			instance->maps[i] = dup(bpf_map__fd(bpf_object__find_map_by_name(skeleton->obj, map_names[i])));
	return 0;
}

/* --- changing --- */

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
	    running->attachment_count != plan->point_count)
		return false;
	for (size_t i = 0; i < plan->point_count; i++)
		if (!find_attachment(running, &plan->points[i]))
			return false;
	return true;
}

/* What was done to one point, to be undone. */
struct step {
	struct attachment attachment;
	int old_program; /* -1: it was added */
};

struct change {
	const struct plan *plan;
	struct instance *running; /* where attachments that exist are pinned */
	struct instance *next;	  /* where new ones go; the same one where the maps are reused */
	struct step *steps;
	size_t step_count;
	uint32_t *qdiscs; /* ifindexes where this change made a clsact */
	size_t qdisc_count;
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

/* A tunnel that is not there yet has no ifindex, and its filters may share a device with another such instance's. */
static uint32_t handle_of(const struct state *state)
{
	if (state->tunnel_ifindex)
		return state->tunnel_ifindex;
	return 0x70000000 | (hash(0xcbf29ce484222325, state->tunnel, strlen(state->tunnel)) & 0x0fffffff);
}

static int attach_point(struct change *change, const struct point *point, enum attach_kind kind, int prog_fd,
			struct error *error)
{
	const struct attachment *old = find_attachment(change->running, point);
	struct step *step = array_grow(&change->steps, &change->step_count, sizeof(*step));
	int ret = 0;

	if (!step)
		return error_system(error, ENOMEM, "cannot attach");
	if (old && old->kind == kind) {
		step->attachment = *old;
		step->old_program = attach_get_program(old);
		if (step->old_program < 0)
			ret = error_system(error, -step->old_program, "cannot read the running program");
		else
			ret = attach_replace(change->running->folder, old, prog_fd, error);
	} else {
		step->attachment =
			(struct attachment){.kind = kind,
					    .direction = point->direction,
					    .ifindex = point->ifindex,
					    /* as its pin's name will tell it: is_step() */
					    .handle = kind == ATTACH_CLSACT ? handle_of(&change->plan->state) : 0};
		step->old_program = -1;
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

	while (change->step_count) {
		struct step *step = &change->steps[--change->step_count];

		if (step->old_program >= 0) {
			attach_replace(change->running->folder, &step->attachment, step->old_program, &ignored);
			close(step->old_program);
			step->old_program = -1;
		} else {
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
}

static bool has_direction(const struct instance *instance, enum wgvia_direction direction)
{
	for (size_t i = 0; i < instance->attachment_count; i++)
		if (instance->attachments[i].alive && instance->attachments[i].direction == direction)
			return true;
	return false;
}

static int attach_points(struct change *change, const struct wgvia_bpf *skeleton, struct error *error)
{
	enum attach_kind kind;
	int ret = attach_choose_kind(bpf_program__fd(skeleton->progs.wgvia_egress), &kind, error);

	/* a tracker that cannot be asked is no reason not to go */
	if (!ret && change->plan->state.mode == WGVIA_FAST && !has_direction(change->running, WGVIA_OUT))
		conntrack_relax(&change->plan->state);
	/* the tunnel's, too, in both modes: a change of mode is to lose nothing */
	if (!ret && kind == ATTACH_CLSACT && change->plan->state.tunnel_ifindex)
		ret = make_qdisc(change, change->plan->state.tunnel_ifindex, error);
	for (size_t i = 0; i < change->plan->point_count && !ret; i++) {
		const struct point *point = &change->plan->points[i];

		ret = attach_point(change, point, kind, bpf_program__fd(program_for(skeleton, point)), error);
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
		      struct wgvia_bpf *skeleton, struct error *error)
{
	cleanup(instance_close) struct instance next = INSTANCE_NONE;
	struct change change = {.plan = plan, .running = running, .next = &next};
	uint64_t build = build_of(skeleton);
	int ret;

	next.root = root;
	strcpy(next.tunnel, plan->state.tunnel);
	pins_path(next.folder, root, next.tunnel, PINS_NEW, NULL);
	ret = load(skeleton, &next, error);
	if (ret)
		return ret;
	ret = pins_make_folder(root, next.tunnel, PINS_NEW);
	if (ret)
		return error_system(error, -ret, "cannot make '%s'", next.folder);
	ret = pin_maps(&next, error);
	ret = ret ? ret : fill(&next, &plan->state, error);
	ret = ret ? ret : write_meta(&next, plan, build, error);
	ret = ret ? ret : attach_points(&change, skeleton, error);
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
			  struct wgvia_bpf *skeleton, struct error *error)
{
	struct change change = {.plan = plan, .running = running, .next = running};
	uint64_t build = build_of(skeleton);
	__u32 key = 0;
	int ret = pins_check_writable(running->root);

	if (ret)
		return error_system(error, -ret, "cannot change the pins of '%s'", running->tunnel);
	ret = load(skeleton, running, error);
	ret = ret ? ret : attach_points(&change, skeleton, error);
	ret = ret ? ret : write_meta(running, plan, build, error);
	if (ret)
		goto undo;
	ret = fill(running, &plan->state, error);
	if (ret)
		goto undo_meta;
	ret = detach_rest(&change, error);
	free_steps(&change);
	return ret;

undo_meta:
	bpf_map_update_elem(running->maps[MAP_META], &key, &running->meta, BPF_ANY);
undo:
	undo_steps(&change);
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
		    bool *changed, struct error *error)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_level = verbose > 1 ? 1 : 0);
	struct wgvia_bpf *skeleton;
	bool reuse = dataplane_is_running(running);
	int ret = dataplane_check(running, error);

	if (ret)
		return ret;
	*changed = false;
	skeleton = wgvia_bpf__open_opts(&opts);
	if (!skeleton)
		return error_system(error, errno, "cannot open the programs");
	set_config(skeleton, plan->state.tunnel_ifindex, plan->tunnel_is_l3, plan->points, plan->point_count);

	if (reuse && is_in_place(plan, running, build_of(skeleton))) {
		ret = apply_to_maps(plan, running, fill, error);
	} else {
		*changed = true;
		ret = reuse ? apply_in_place(plan, running, fill, skeleton, error)
			    : apply_anew(root, plan, running, fill, skeleton, error);
	}
	wgvia_bpf__destroy(skeleton);
	return ret;
}

/* --- trying --- */

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

/* The one counter of these maps that is not 0. */
static int read_verdict(const struct wgvia_bpf *skeleton, struct trial *trial)
{
	int cpus = libbpf_num_possible_cpus();
	cleanup_free struct wgvia_counter *values = cpus > 0 ? calloc(cpus, sizeof(*values)) : NULL;

	if (!values)
		return -ENOMEM;
	for (__u32 verdict = 0; verdict < WGVIA_VERDICT_COUNT; verdict++) {
		__u32 key = WGVIA_COUNTER(trial->point.direction, verdict);

		if (bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.counters), &key, values))
			return -errno;
		for (int cpu = 0; cpu < cpus; cpu++)
			if (values[cpu].packets) {
				trial->counted = true;
				trial->verdict = verdict;
			}
	}
	return 0;
}

/*
 * The device that a packet came in by, where the program asks: whether it is one of ours (decide_egress()). A kernel
 * before 5.12 lets no test run have one; others are as good as none. Before loading, as build_of().
 */
static uint32_t trial_ingress(const struct wgvia_bpf *skeleton, const struct trial *trial)
{
	for (int i = 0; trial->point.direction == WGVIA_EGRESS && i < CONFIG_DEVICES; i++)
		if (skeleton->rodata->config.devices[i] == trial->ingress_ifindex)
			return trial->ingress_ifindex;
	return 0;
}

static int run_trial(const struct wgvia_bpf *skeleton, struct trial *trial, uint32_t ingress_ifindex)
{
	struct __sk_buff context = {.ifindex = trial->point.direction == WGVIA_EGRESS ? trial->point.ifindex : 0,
				    .ingress_ifindex = ingress_ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = trial->frame, .data_size_in = trial->frame_len,
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = 1);
	int ret = bpf_prog_test_run_opts(bpf_program__fd(program_for(skeleton, &trial->point)), &opts);

	trial->action = (int)opts.retval;
	return ret ? ret : read_verdict(skeleton, trial);
}

int dataplane_try(const struct instance *instance, const struct links *links, struct trial *trial, struct error *error)
{
	cleanup(instance_close) struct instance copy = INSTANCE_NONE;
	struct wgvia_bpf *skeleton = wgvia_bpf__open();
	struct point *points = NULL;
	size_t point_count = 0;
	uint32_t ingress_ifindex;
	struct config *config;
	int ret;

	trial->counted = false;
	if (!skeleton)
		return error_system(error, errno, "cannot open the programs");
	ret = dataplane_points(instance, links, &points, &point_count);
	/* a test run shows every program an Ethernet frame: link header in front, and the rest as on an L3 device */
	set_config(skeleton, instance->meta.tunnel_ifindex, false, points, point_count);
	config = (struct config *)&skeleton->rodata->config;
	config->tunnel_ether = 0;
	config->has_trace = 0;
	ingress_ifindex = trial_ingress(skeleton, trial);
	free(points);
	for (int i = 0; i < MAP_COUNT; i++)
		copy.maps[i] = i == MAP_COUNTERS ? -1 : dup(instance->maps[i]);
	ret = ret ? error_system(error, -ret, "cannot list the attachments") : load(skeleton, &copy, error);
	if (!ret) {
		ret = run_trial(skeleton, trial, ingress_ifindex);
		if (ret)
			error_system(error, -ret, "cannot run the program on the packet");
		if (ret == -EINVAL && ingress_ifindex)
			error_hint(error, "Linux before 5.12 cannot try a packet that has come in by a LAN device");
	}
	wgvia_bpf__destroy(skeleton);
	return ret;
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
