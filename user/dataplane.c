// SPDX-License-Identifier: GPL-2.0-only
/*
 * All or nothing: new maps in a folder of their own that takes the old one's place, or the running ones.
 */
#include "dataplane.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

#include "../bpf/config.h" /* struct config, which the skeleton names */
#include "change.h"
#include "changes.h"
#include "devices.h"
#include "index_map.h"
#include "pins.h"
#include "programs.h"
#include "tables.h"
#include "util.h"
#include "wgvia.skel.h"

/* Nothing to load, attach or detach. */
static bool is_in_place(const struct plan *plan, const struct instance *running, uint64_t build)
{
	if (running->meta.build != build || running->attachment_count != plan->point_count ||
	    devices_tunnel(running->maps[MAP_DEVICES]) != plan->state.tunnel_ifindex)
		return false;
	for (size_t i = 0; i < plan->point_count; i++)
		if (!instance_attachment(running, &plan->points[i]) ||
		    (devices_holds(&plan->points[i]) &&
		     !devices_has(running->maps[MAP_DEVICES], plan->points[i].ifindex)))
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

/* What is in force, by programs that are not all of one build. */
static int write_mixed(const struct instance *running, struct error *error)
{
	struct wgvia_meta meta = running->meta;

	meta.build = 0;
	return put_meta(running, &meta, error);
}

static int write_meta(const struct instance *instance, const struct plan *plan, uint64_t build, struct error *error)
{
	struct wgvia_meta meta = {
		.abi = WGVIA_ABI,
		.on_fail = plan->state.on_fail,
		.mode = plan->state.mode,
		.ret = plan->state.ret,
		.tunnel_ifindex = plan->state.tunnel_ifindex,
		.netns = instance_netns(),
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
	return ret ? error_system(error, -ret, "cannot hold the programs") : 0;
}

static bool holds_all(const struct programs *programs, const struct plan *plan)
{
	for (size_t i = 0; i < plan->point_count; i++)
		if (programs->fds[program_at(plan->points[i].direction, plan->points[i].l3)] < 0)
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
static int apply_anew(const char *root, const struct plan *plan, struct instance *running, struct programs *programs,
		      struct wgvia_bpf *skeleton, uint64_t build, struct error *error)
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
	ret = ret ? ret : programs_pin(programs, &next, error);
	if (!ret && (ret = programs_keep_pins(&next)))
		error_system(error, -ret, "cannot pin the programs of '%s'", next.tunnel);
	ret = ret ? ret : tables_write(&next, &plan->state, error);
	ret = ret ? ret : write_meta(&next, plan, build, error);
	ret = ret ? ret : change_attach(&change, programs, error);
	if (ret)
		goto undo;
	ret = pins_commit(root, next.tunnel);
	if (ret) {
		error_system(error, -ret, "cannot put '%s' in place", next.folder);
		goto undo;
	}
	pins_path(next.folder, root, next.tunnel, PINS_CURRENT, NULL);
	changes_tidy(&next);
	index_map_tidy(&next);
	ret = change_detach(&change, error);
	change_free(&change);
	return ret;

undo:
	change_undo(&change);
	change_free(&change);
	pins_remove_folder(root, next.tunnel, PINS_NEW);
	return ret;
}

/*
 * The running maps, with programs that know the new devices before a gateway names one, and devices that are not
 * wanted any more given up after the last gateway has left them.
 */
static int apply_in_place(const struct plan *plan, struct instance *running, struct programs *programs,
			  struct wgvia_bpf *skeleton, uint64_t build, struct error *error)
{
	struct change change = {.plan = plan,
				.running = running,
				.next = running,
				.tunnel = devices_tunnel(running->maps[MAP_DEVICES])};
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
	ret = ret ? ret : change_attach(&change, programs, error);
	ret = ret ? ret : write_meta(running, plan, same ? build : 0, error);
	ret = ret ? ret : tables_write(running, &plan->state, error);
	if (ret) {
		change_undo(&change);
		if (change.is_final)
			old.build = 0;
		change_free(&change);
		programs_unpin(running->folder);
		bpf_map_update_elem(running->maps[MAP_META], &key, &old, BPF_ANY);
		return ret;
	}
	/* the change is in force; where one of these fails, the next one loads the programs again */
	keep = !same && !programs_keep_pins(running);
	ret = change_detach(&change, error);
	if (keep && !ret)
		write_meta(running, plan, build, &ignored);
	change_free(&change);
	return ret;
}

/* The running programs, too. */
static int apply_to_maps(const struct plan *plan, struct instance *running, struct error *error)
{
	__u32 key = 0;
	int ret = write_meta(running, plan, running->meta.build, error);

	if (ret)
		return ret;
	ret = tables_write(running, &plan->state, error);
	if (ret)
		bpf_map_update_elem(running->maps[MAP_META], &key, &running->meta, BPF_ANY);
	return ret;
}

int dataplane_apply(const char *root, const struct plan *plan, struct instance *running, struct programs *programs,
		    bool *changed, struct error *error)
{
	struct wgvia_bpf *skeleton;
	uint64_t build;
	int ret = instance_check(running, error);

	if (ret)
		return ret;
	*changed = false;
	skeleton = programs_open(plan->tunnel_is_l3, plan->state.mode);
	if (!skeleton)
		return error_system(error, errno, "cannot open the programs");
	build = programs_build(skeleton);
	if (!instance_is_running(running)) {
		*changed = true;
		ret = apply_anew(root, plan, running, programs, skeleton, build, error);
	} else {
		programs_learn(programs, build, running, &plan->links);
		*changed = !is_in_place(plan, running, build);
		ret = *changed ? apply_in_place(plan, running, programs, skeleton, build, error)
			       : apply_to_maps(plan, running, error);
	}
	wgvia_bpf__destroy(skeleton);
	return ret;
}

int dataplane_recover(const char *root, const char *tunnel, struct error *error)
{
	char folder[PINS_PATH_MAX];
	int ret = pins_recover(root, tunnel);

	if (!ret && !pins_path(folder, root, tunnel, PINS_CURRENT, NULL))
		programs_unpin(folder);
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
	int ret = instance_open(root, tunnel, &instance, error);

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
