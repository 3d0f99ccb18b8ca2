// SPDX-License-Identifier: GPL-2.0-only
/*
 * All or nothing: either new maps in a new folder that replaces the old one, or a change of the running maps.
 */
#include "datapath/dataplane.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "bpf/config.h" /* the skeleton refers to struct config */
#include "datapath/device_map.h"
#include "datapath/index/change_count.h"
#include "datapath/index/index_map.h"
#include "datapath/lost.h"
#include "datapath/pin_folders.h"
#include "datapath/pin_names.h"
#include "datapath/prefix_counters.h"
#include "datapath/programs.h"
#include "datapath/state_maps.h"
#include "datapath/transaction.h"
#include "host/netns.h"
#include "wgvia.skel.h"

/* True: there is nothing to load, attach or detach. */
static bool is_in_place(const struct plan *plan, const struct instance *running, uint64_t build)
{
	if (running->meta.build != build || running->attachment_count != plan->points.count ||
	    device_map_tunnel(running->maps[MAP_DEVICES]) != plan->state.tunnel_ifindex)
		return false;
	for (size_t i = 0; i < plan->points.count; i++)
		if (!instance_attachment(running, &plan->points.all[i]) ||
		    !device_map_has_point(running->maps[MAP_DEVICES], &plan->points.all[i]))
			return false;
	return true;
}

static int put_meta(const struct instance *instance, const struct wgvia_meta *meta, struct error *error)
{
	__u32 key = 0;

	if (bpf_map_update_elem(instance->maps[MAP_META], &key, meta, BPF_ANY))
		return error_system(error, errno, "cannot write the map 'meta'");
	return 0;
}

/* Changes the maps of an instance whose programs are not all from the same build. */
static int write_mixed(const struct instance *running, struct error *error)
{
	struct wgvia_meta meta = running->meta;

	meta.build = 0;
	return put_meta(running, &meta, error);
}

static int write_meta(const struct instance *instance, const struct plan *plan, uint64_t build, struct error *error)
{
	struct netns own = netns_own();
	struct wgvia_meta meta = {
		.abi = WGVIA_ABI,
		.on_fail = plan->state.on_fail,
		.mode = plan->state.mode,
		.ret = plan->state.ret,
		.outside = plan->state.outside,
		.mss = plan->state.mss,
		.counting = plan->state.counting,
		.tunnel_ifindex = plan->state.tunnel_ifindex,
		.netns = own.inode,
		.cookie = (uint32_t)own.cookie,
		.build = build,
	};

	memcpy(meta.tunnel, plan->state.tunnel, sizeof(meta.tunnel));
	return put_meta(instance, &meta, error);
}

static int load(struct programs *programs, struct wgvia_bpf *skeleton, uint64_t build, struct instance *instance,
		struct error *error)
{
	int ret = programs_load(skeleton, instance, error);

	if (ret)
		return ret;
	ret = programs_take(programs, skeleton, build, instance);
	return ret ? error_system(error, -ret, "cannot store the programs") : 0;
}

static bool holds_all(const struct programs *programs, const struct plan *plan)
{
	for (size_t i = 0; i < plan->points.count; i++)
		if (programs->fds[program_at(plan->points.all[i].direction, plan->points.all[i].l3)] < 0)
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

/* Creates new maps and fills them before a program uses them, in a folder beside the one in force. */
static int apply_new(const char *root, const struct plan *plan, struct instance *running, struct programs *programs,
		     struct wgvia_bpf *skeleton, uint64_t build, bool *in_force, struct error *error)
{
	cleanup(instance_close) struct instance next = INSTANCE_NONE;
	struct transaction change = {.plan = plan, .running = running, .next = &next};
	struct error ignored = {};
	int ret;

	next.root = root;
	strcpy(next.tunnel, plan->state.tunnel);
	pins_path(next.folder, root, next.tunnel, PINS_NEW, NULL);
	ret = load(programs, skeleton, build, &next, error);
	if (ret)
		return ret;
	ret = pins_make_folder(root, next.tunnel, PINS_NEW);
	if (ret)
		return error_system(error, -ret, "cannot create '%s'", next.folder);
	ret = pin_maps(&next, error);
	ret = ret ? ret : programs_pin(programs, &next, error);
	if (!ret && (ret = programs_keep_pins(&next)))
		error_system(error, -ret, "cannot pin the programs of '%s'", next.tunnel);
	ret = ret ? ret : state_maps_write(&next, &plan->state, error);
	ret = ret ? ret : write_meta(&next, plan, build, error);
	ret = ret ? ret : transaction_attach(&change, programs, error);
	if (ret)
		goto undo;
	ret = pins_commit(root, next.tunnel, error);
	if (ret)
		goto undo;
	pins_path(next.folder, root, next.tunnel, PINS_CURRENT, NULL);
	change_count_tidy(&next);
	index_map_tidy(&next);
	lost_tidy(&next);
	prefix_counters_tidy(&next);
	*in_force = true;
	ret = transaction_detach(&change, error);
	transaction_free(&change);
	return ret;

undo:
	transaction_undo(&change);
	transaction_free(&change);
	pins_remove_folder(root, next.tunnel, PINS_NEW, NULL, NULL, &ignored);
	return ret;
}

/*
 * Changes the running maps. Programs know a new device before a gateway refers to it; a device that is no longer wanted
 * is released after the last gateway has left it.
 */
static int apply_in_place(const struct plan *plan, struct instance *running, struct programs *programs,
			  struct wgvia_bpf *skeleton, uint64_t build, bool *in_force, struct error *error)
{
	struct transaction change = {.plan = plan,
				     .running = running,
				     .next = running,
				     .tunnel = device_map_tunnel(running->maps[MAP_DEVICES])};
	bool same = running->meta.build == build && holds_all(programs, plan);
	struct wgvia_meta old = running->meta;
	struct error ignored = {};
	bool keep;
	__u32 key = 0;
	int ret = pins_check_writable(running->root);

	if (ret)
		return error_system(error, -ret, "cannot change the pins of '%s'", running->tunnel);
	ret = same ? 0 : load(programs, skeleton, build, running, error);
	ret = ret || same ? ret : programs_pin(programs, running, error);
	ret = ret || same ? ret : write_mixed(running, error);
	ret = ret ? ret : transaction_attach(&change, programs, error);
	ret = ret ? ret : write_meta(running, plan, same ? build : 0, error);
	ret = ret ? ret : state_maps_write(running, &plan->state, error);
	if (ret) {
		transaction_undo(&change);
		if (change.is_final)
			old.build = 0;
		transaction_free(&change);
		programs_unpin(running->folder);
		bpf_map_update_elem(running->maps[MAP_META], &key, &old, BPF_ANY);
		return ret;
	}
	/* the change is in force; if one of these fails, the next command loads the programs again */
	*in_force = true;
	keep = !same && !programs_keep_pins(running);
	ret = transaction_detach(&change, error);
	if (keep && !ret)
		write_meta(running, plan, build, &ignored);
	transaction_free(&change);
	return ret;
}

/* Keeps the running programs as well. */
static int apply_to_maps(const struct plan *plan, struct instance *running, struct error *error)
{
	__u32 key = 0;
	int ret = write_meta(running, plan, running->meta.build, error);

	if (ret)
		return ret;
	ret = state_maps_write(running, &plan->state, error);
	if (ret)
		bpf_map_update_elem(running->maps[MAP_META], &key, &running->meta, BPF_ANY);
	return ret;
}

int dataplane_apply(const char *root, const struct plan *plan, struct instance *running, struct programs *programs,
		    bool *changed, bool *in_force, struct error *error)
{
	struct wgvia_bpf *skeleton;
	uint64_t build;
	int ret = instance_check(running, error);

	*in_force = false;
	ret = ret ? ret : programs_check(&plan->state, error);
	if (ret)
		return ret;
	*changed = false;
	skeleton = programs_open(plan->tunnel_is_l3, plan->state.mode, plan->state.counting);
	if (!skeleton)
		return error_system(error, errno, "cannot open the programs");
	build = programs_build(skeleton);
	if (!instance_is_running(running)) {
		*changed = true;
		ret = apply_new(root, plan, running, programs, skeleton, build, in_force, error);
	} else {
		programs_learn(programs, build, running, plan->netdevs);
		*changed = !is_in_place(plan, running, build);
		ret = *changed ? apply_in_place(plan, running, programs, skeleton, build, in_force, error)
			       : apply_to_maps(plan, running, error);
	}
	wgvia_bpf__destroy(skeleton);
	*in_force |= !ret;
	return ret;
}

static int remove_unfinished(const char *root, const char *tunnel, struct error *error)
{
	char folder[PINS_PATH_MAX];
	int ret;

	if (!pins_exist(root, tunnel, PINS_NEW))
		return 0;
	pins_path(folder, root, tunnel, PINS_NEW, NULL);
	ret = attach_remove_all(folder);
	if (ret)
		return error_system(error, -ret, "cannot detach the programs of '%s'", folder);
	return pins_remove_folder(root, tunnel, PINS_NEW, NULL, NULL, error);
}

static int free_places(const char *root, const char *tunnel, struct error *error)
{
	char folder[PINS_PATH_MAX];

	if (!pins_path(folder, root, tunnel, PINS_CURRENT, NULL))
		programs_unpin(folder);
	return pins_clear(root, tunnel, pin_name_is_a_pin, error);
}

static int correct_names(const char *root, const char *tunnel, struct error *error)
{
	char folder[PINS_PATH_MAX];
	int ret = pins_path(folder, root, tunnel, PINS_CURRENT, NULL);

	ret = ret ? ret : attach_rename(folder);
	return ret ? error_system(error, -ret, "cannot rename the pins of '%s'", tunnel) : 0;
}

int dataplane_recover(const char *root, const char *tunnel, struct error *error)
{
	int (*const steps[])(const char *root, const char *tunnel,
			     struct error *error) = {pins_recover, remove_unfinished, free_places, correct_names};
	int ret = 0;

	for (int folder = PINS_CURRENT; folder <= PINS_AGENT && !ret; folder++)
		ret = pins_check_folder(root, tunnel, folder, error);
	for (size_t i = 0; i < ARRAY_SIZE(steps) && (!ret || ret == -ENOTEMPTY); i++) {
		struct error found = {};
		int failed = steps[i](root, tunnel, &found);

		if (failed && !ret)
			*error = found;
		ret = ret ? ret : failed;
	}
	return ret;
}

static int refuse_strangers(const struct instance *instance, struct error *error)
{
	error_refuse(error, "'%s' has pins that wgvia did not create", instance->folder);
	error_hint(error, "check them, then remove them: rm -r '%s'", instance->folder);
	return -ENOTEMPTY;
}

/* This version does not know the names of another version's pins. */
static pins_names names_of(const struct instance *instance)
{
	return instance->meta.abi && instance->meta.abi != WGVIA_ABI ? NULL : pin_name_is_ours;
}

int dataplane_remove(const char *root, const char *tunnel, struct error *error)
{
	cleanup(instance_close) struct instance instance = INSTANCE_NONE;
	int ret = instance_open(root, tunnel, &instance, error);

	if (ret)
		return ret;
	if (!instance.owned && !pins_is_empty(instance.folder))
		return refuse_strangers(&instance, error);
	/* detach nothing whose pin could not be removed */
	ret = pins_check_writable(root);
	if (ret)
		return error_system(error, -ret, "cannot remove the pins of '%s'", tunnel);
	ret = attach_remove_all(instance.folder);
	if (ret)
		return error_system(error, -ret, "cannot detach from all devices of '%s'", tunnel);
	return pins_remove_folder(root, tunnel, PINS_CURRENT, names_of(&instance), map_names[MAP_META], error);
}
