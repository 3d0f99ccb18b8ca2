// SPDX-License-Identifier: GPL-2.0-only
/*
 * Three pins: the map, the link, and its program, which shows that the link belongs to this instance.
 */
#include "datapath/lost.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "datapath/bpf_object.h"
#include "datapath/pins.h"
#include "datapath/programs.h"
#include "lost.skel.h"

#define PIN_MAX (PINS_PATH_MAX + 32)
#define MAP_NAME "lost"
#define PIN_LINK "count_lost"
#define PIN_PROGRAM "count_lost_program"

static const char *pin_of(const struct instance *instance, const char *name, char path[PIN_MAX])
{
	snprintf(path, PIN_MAX, "%s/%s", instance->folder, name);
	return path;
}

static void unpin(const struct instance *instance, const char *name)
{
	char path[PIN_MAX];

	unlink(pin_of(instance, name, path));
}

/* -1: there is none, or it is not a map of this kind. */
static int open_map(const struct instance *instance)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	char path[PIN_MAX];
	cleanup_fd int fd = bpf_obj_get(pin_of(instance, MAP_NAME, path));

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) || info.type != BPF_MAP_TYPE_PERCPU_ARRAY ||
	    info.value_size != sizeof(struct wgvia_counter) || info.max_entries != WGVIA_LOST_REASONS)
		return -1;
	return take_fd(&fd);
}

/* --- the program --- */

struct counting {
	__u8 tag[BPF_TAG_SIZE]; /* of the program's instructions */
	__u32 map_ids[8];
};

static int read_program(int fd, struct counting *counting)
{
	struct bpf_prog_info info = {.map_ids = (uintptr_t)counting->map_ids,
				     .nr_map_ids = ARRAY_SIZE(counting->map_ids)};
	__u32 len = sizeof(info);

	*counting = (struct counting){};
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	memcpy(counting->tag, info.tag, sizeof(info.tag));
	return 0;
}

static bool uses_map(const struct counting *counting, int map)
{
	__u32 id = map < 0 ? 0 : bpf_object_id(map);

	for (size_t i = 0; i < ARRAY_SIZE(counting->map_ids) && id; i++)
		if (counting->map_ids[i] == id)
			return true;
	return false;
}

/* Finds the attached program that counts for this instance. */
static bool find_attached(const struct instance *instance, struct counting *counting)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	char path[PIN_MAX];
	cleanup_fd int link = bpf_obj_get(pin_of(instance, PIN_LINK, path));
	cleanup_fd int program = bpf_obj_get(pin_of(instance, PIN_PROGRAM, path));
	cleanup_fd int map = open_map(instance);

	return link >= 0 && program >= 0 && !bpf_obj_get_info_by_fd(link, &info, &len) &&
	       info.type == BPF_LINK_TYPE_RAW_TRACEPOINT && programs_is(program, info.prog_id) &&
	       !read_program(program, counting) && uses_map(counting, map) &&
	       uses_map(counting, instance->maps[MAP_PREFIXES4]);
}

bool lost_is_counted(const struct instance *instance)
{
	struct counting counting;

	return find_attached(instance, &counting);
}

bool lost_is_counted_at(const char *root, const char *tunnel)
{
	cleanup(instance_close) struct instance instance = INSTANCE_NONE;
	char path[PINS_PATH_MAX];

	if (pins_path(instance.folder, root, tunnel, PINS_CURRENT, NULL) ||
	    pins_path(path, root, tunnel, PINS_CURRENT, map_names[MAP_PREFIXES4]))
		return false;
	instance.maps[MAP_PREFIXES4] = bpf_obj_get(path);
	return lost_is_counted(&instance);
}

static void remove_program(const struct instance *instance)
{
	unpin(instance, PIN_LINK);
	unpin(instance, PIN_PROGRAM);
}

void lost_tidy(const struct instance *instance)
{
	if (lost_is_counted(instance))
		return;
	remove_program(instance);
	unpin(instance, MAP_NAME);
}

/* --- attaching --- */

/* Loads the program with the instance's maps; NULL with errno set. `map`: the existing counts, or -1. */
static struct lost_bpf *load_program(const struct instance *instance, int map, bool has_reason)
{
	struct lost_bpf *skeleton = lost_bpf__open();
	int ret;

	if (!skeleton)
		return NULL;
	skeleton->rodata->has_reason = has_reason;
	ret = bpf_map__reuse_fd(skeleton->maps.prefixes4, instance->maps[MAP_PREFIXES4]);
	ret = ret ? ret : bpf_map__reuse_fd(skeleton->maps.prefixes6, instance->maps[MAP_PREFIXES6]);
	ret = ret ? ret : bpf_map__reuse_fd(skeleton->maps.meta, instance->maps[MAP_META]);
	ret = ret || map < 0 ? ret : bpf_map__reuse_fd(skeleton->maps.lost, map);
	ret = ret ? ret : lost_bpf__load(skeleton);
	if (!ret)
		return skeleton;
	lost_bpf__destroy(skeleton);
	errno = -ret;
	return NULL;
}

static int pin(const struct instance *instance, const char *name, int fd)
{
	char path[PIN_MAX];

	return bpf_obj_pin(fd, pin_of(instance, name, path)) ? -errno : 0;
}

static int attach_and_pin(const struct instance *instance, const struct lost_bpf *skeleton, bool has_map)
{
	struct bpf_link *link;
	int ret = 0;

	if (!has_map) {
		unpin(instance, MAP_NAME); /* not a map of this kind */
		ret = pin(instance, MAP_NAME, bpf_map__fd(skeleton->maps.lost));
	}
	ret = ret ? ret : pin(instance, PIN_PROGRAM, bpf_program__fd(skeleton->progs.count_lost));
	if (ret)
		return ret;
	link = bpf_program__attach(skeleton->progs.count_lost);
	if (!link)
		return -errno;
	ret = pin(instance, PIN_LINK, bpf_link__fd(link));
	bpf_link__destroy(link);
	return ret;
}

static int replace_program(const struct instance *instance, const struct lost_bpf *skeleton, bool has_map)
{
	struct counting attached, loaded;
	int ret = read_program(bpf_program__fd(skeleton->progs.count_lost), &loaded);

	if (ret)
		return ret;
	if (find_attached(instance, &attached) && !memcmp(attached.tag, loaded.tag, sizeof(loaded.tag)))
		return 0;
	remove_program(instance);
	ret = attach_and_pin(instance, skeleton, has_map);
	if (ret) {
		remove_program(instance);
		unpin(instance, MAP_NAME);
	}
	return ret;
}

int lost_attach(const struct instance *instance)
{
	cleanup_fd int map = open_map(instance);
	struct lost_bpf *skeleton = load_program(instance, map, true);
	int ret;

	/* the verifier refuses what this kernel lacks; any other error may be temporary */
	if (!skeleton && (errno == EACCES || errno == EINVAL))
		skeleton = load_program(instance, map, false);
	if (!skeleton)
		return -errno;
	ret = replace_program(instance, skeleton, map >= 0);
	lost_bpf__destroy(skeleton);
	return ret;
}

/* --- reading --- */

/* The reasons for a gateway that does not answer, a device that is down, and a full queue: always shown. */
static const char *const usual[] = {"neighbour", "neigh_failed", "neigh_queuefull", "qdisc_drop", "not_specified"};

static bool is_usual(const char *reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (!strcmp(reason, usual[i]))
			return true;
	return false;
}

/* "SKB_DROP_REASON_NEIGH_FAILED" becomes "neigh_failed". */
static void set_reason(char reason[48], const char *name)
{
	static const char *const prefixes[] = {"SKB_DROP_REASON_", "SKB_"};
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i]))) {
			name += strlen(prefixes[i]);
			break;
		}
	for (; name[len] && len < sizeof(((struct lost_count *)0)->reason) - 1; len++)
		reason[len] = (char)tolower((unsigned char)name[len]);
	reason[len] = '\0';
}

/* The kernel's names for its numbers; "reason_58" if the kernel has no BTF. */
static void name_reasons(struct lost_count all[WGVIA_LOST_REASONS])
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id = btf ? btf__find_by_name_kind(btf, "skb_drop_reason", BTF_KIND_ENUM) : -1;
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, id) : NULL;

	for (int i = 0; i < WGVIA_LOST_REASONS; i++)
		snprintf(all[i].reason, sizeof(all[i].reason), "reason_%d", i);
	for (int i = 0; type && i < btf_vlen(type); i++) {
		const struct btf_enum *word = &btf_enum(type)[i];

		if (word->val > 0 && word->val < WGVIA_LOST_NEIGHBOUR)
			set_reason(all[word->val].reason, btf__name_by_offset(btf, word->name_off));
	}
	set_reason(all[0].reason, "unknown");
	set_reason(all[WGVIA_LOST_NEIGHBOUR].reason, "neighbour");
	set_reason(all[WGVIA_LOST_OTHER].reason, "other");
	btf__free(btf);
}

static int read_counter(int map, __u32 key, struct wgvia_counter *values, int cpus, struct wgvia_counter *sum)
{
	if (bpf_map_lookup_elem(map, &key, values))
		return -errno;
	*sum = (struct wgvia_counter){};
	for (int cpu = 0; cpu < cpus; cpu++) {
		sum->packets += values[cpu].packets;
		sum->bytes += values[cpu].bytes;
	}
	return 0;
}

static int read_all(int map, struct lost_count all[WGVIA_LOST_REASONS])
{
	int cpus = libbpf_num_possible_cpus(), ret = 0;
	cleanup_free struct wgvia_counter *values = NULL;

	if (cpus < 0)
		return cpus;
	values = calloc(cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (__u32 i = 0; i < WGVIA_LOST_REASONS && !ret; i++)
		ret = read_counter(map, i, values, cpus, &all[i].counter);
	return ret;
}

int lost_read(const struct instance *instance, struct lost_counts *counts, struct error *error)
{
	cleanup_free struct lost_count *all = NULL;
	cleanup_fd int map = -1;
	size_t count = 0;
	int ret;

	*counts = (struct lost_counts){};
	if (!lost_is_counted(instance)) {
		counts->problem = pins_is_locked(instance->root, instance->tunnel, PINS_AGENT)
					  ? "the agent cannot count them, its log has the cause"
					  : "no agent has counted them";
		return 0;
	}
	map = open_map(instance);
	all = calloc(WGVIA_LOST_REASONS, sizeof(*all));
	ret = all ? read_all(map, all) : -ENOMEM;
	if (ret)
		return error_system(error, -ret, "cannot read the map 'lost' of '%s'", instance->tunnel);
	name_reasons(all);
	for (int i = 0; i < WGVIA_LOST_REASONS; i++)
		if (all[i].counter.packets || is_usual(all[i].reason))
			all[count++] = all[i];
	*counts = (struct lost_counts){.all = all, .count = count};
	all = NULL;
	return 0;
}

void lost_free(struct lost_counts *counts)
{
	free(counts->all);
	*counts = (struct lost_counts){};
}
