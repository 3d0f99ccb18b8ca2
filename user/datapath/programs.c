// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading programs, and holding loaded ones.
 */
#include "datapath/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>

#include "base/permissions.h"
#include "base/util.h"
#include "bpf/config.h" /* the skeleton refers to struct config */
#include "config/state.h"
#include "datapath/bpf_object.h"
#include "datapath/index/counting.h"
#include "datapath/pins.h"
#include "wgvia.skel.h"

#define PIN_MAX (PINS_PATH_MAX + 32)
/* A program's pin has the program's name. */
static const char *const names[PROGRAM_COUNT] = {
	[PROGRAM_OUT] = "wgvia_out",	   [PROGRAM_BACK] = "wgvia_back",	    [PROGRAM_BACK_L3] = "wgvia_back_l3",
	[PROGRAM_EGRESS] = "wgvia_egress", [PROGRAM_EGRESS_L3] = "wgvia_egress_l3",
};

static int verbose;

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (!verbose || (verbose == 1 && level > LIBBPF_WARN))
		return 0;
	return vfprintf(stderr, format, args);
}

void programs_set_verbose(int level)
{
	verbose = level;
	libbpf_set_print(print_libbpf);
}

enum program program_at(enum wgvia_direction direction, bool l3)
{
	switch (direction) {
	case WGVIA_OUT:
		return PROGRAM_OUT;
	case WGVIA_BACK:
		return l3 ? PROGRAM_BACK_L3 : PROGRAM_BACK;
	default:
		return l3 ? PROGRAM_EGRESS_L3 : PROGRAM_EGRESS;
	}
}

/* --- loading --- */

struct wgvia_bpf *programs_open(bool tunnel_is_l3, enum wgvia_mode mode, enum wgvia_counting counting)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_level = verbose > 1 ? 1 : 0);
	struct wgvia_bpf *skeleton = wgvia_bpf__open_opts(&opts);
	struct config *config;

	if (!skeleton)
		return NULL;
	config = &skeleton->rodata->config;
	config->tunnel_link_len = tunnel_is_l3 ? 0 : ETH_HLEN;
	config->tunnel_ether = !tunnel_is_l3;
	config->has_trace = 1;
	config->stack = mode == WGVIA_STACK;
	config->has_index = counting_is_possible();
	config->keeps_decisions = config->has_index && counting_allows_keeping();
	config->count_prefixes = counting == WGVIA_COUNT_PREFIXES;
	if (!config->count_prefixes)
		bpf_map__set_max_entries(skeleton->maps.recent_counters, 1);
	config->has_check_mtu = programs_probe_check_mtu() == 1;
	return skeleton;
}

int programs_probe_check_mtu(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_check_mtu, NULL);
}

int programs_check(const struct state *state, struct error *error)
{
	if (state->mss != WGVIA_MSS_AUTO || programs_probe_check_mtu())
		return 0;
	error_refuse(error, "'mss auto' does not work on this kernel: it has no bpf_check_mtu() (Linux 5.12)");
	error_hint(error, "name the MSS in place of 'auto', the smaller MTU less 60: mss 1360");
	return -EOPNOTSUPP;
}

/* Not after loading: libbpf frees .rodata then if the kernel cannot map arrays, or if a probe for that failed. */
uint64_t programs_build(const struct wgvia_bpf *skeleton)
{
	size_t size;
	const void *object = wgvia_bpf__elf_bytes(&size);
	uint64_t value = hash_bytes(HASH_EMPTY, object, size);

	return hash_bytes(value, (const void *)&skeleton->rodata->config, sizeof(skeleton->rodata->config));
}

static bool lacks_capabilities(void)
{
	struct permissions own = permissions_own();

	return permissions_missing(&own, permissions_for_bpf());
}

int programs_load(struct wgvia_bpf *skeleton, struct instance *instance, struct error *error)
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
		/* without CAP_PERFMON the verifier allows less, and returns EACCES as well */
		if (ret != -EPERM && (ret != -EACCES || !lacks_capabilities()))
			error_hint(error, "'wgvia -v' shows libbpf's messages, '-v -v' the verifier's log too");
		return ret;
	}
	for (int i = 0; i < MAP_COUNT; i++)
		if (instance->maps[i] < 0)
			instance->maps[i] = dup(bpf_map__fd(bpf_object__find_map_by_name(skeleton->obj, map_names[i])));
	return 0;
}

struct bpf_program *programs_find(const struct wgvia_bpf *skeleton, enum program which)
{
	return bpf_object__find_program_by_name(skeleton->obj, names[which]);
}

/* --- holding --- */

void programs_close(struct programs *programs)
{
	for (int i = 0; i < PROGRAM_COUNT; i++)
		if (programs->fds[i] >= 0)
			close(programs->fds[i]);
	*programs = (struct programs)PROGRAMS_NONE;
}

bool programs_is(int fd, uint32_t id)
{
	return id && bpf_object_id(fd) == id;
}

static uint32_t maps_of(const struct instance *instance)
{
	return bpf_object_id(instance->maps[MAP_META]);
}

int programs_take(struct programs *programs, const struct wgvia_bpf *skeleton, uint64_t build,
		  const struct instance *instance)
{
	programs_close(programs);
	programs->build = build;
	programs->maps = maps_of(instance);
	for (int i = 0; i < PROGRAM_COUNT; i++) {
		programs->fds[i] = fcntl(bpf_program__fd(programs_find(skeleton, i)), F_DUPFD_CLOEXEC, 0);
		if (programs->fds[i] < 0)
			return -errno;
	}
	return 0;
}

bool programs_fit(const struct programs *programs, const struct instance *instance)
{
	return instance_is_running(instance) && programs->build == instance->meta.build &&
	       programs->maps == maps_of(instance);
}

/* The slot of the program that is attached there; NULL: none. */
static int *place_of(struct programs *programs, const struct attachment *attachment, const struct netdevs *netdevs)
{
	const struct netdev *netdev = netdev_by_index(netdevs, attachment->ifindex);

	if (!attachment->alive || !netdev)
		return NULL;
	return &programs->fds[program_at(attachment->direction, netdev_is_l3(netdev))];
}

/* Whether a command loaded the same programs again, and replaced the held ones. */
static bool are_replaced(struct programs *programs, const struct instance *instance, const struct netdevs *netdevs)
{
	for (size_t i = 0; i < instance->attachment_count; i++) {
		const int *fd = place_of(programs, &instance->attachments[i], netdevs);

		if (fd && *fd >= 0 && !programs_is(*fd, instance->attachments[i].prog_id))
			return true;
	}
	return false;
}

/* --- pins --- */

static const char *pin_of(char path[PIN_MAX], const char *folder, int which, bool next)
{
	snprintf(path, PIN_MAX, "%s/%s%s", folder, names[which], next ? "%new" : "");
	return path;
}

void programs_learn(struct programs *programs, uint64_t build, const struct instance *instance,
		    const struct netdevs *netdevs)
{
	char path[PIN_MAX];

	if (!programs_fit(programs, instance) || are_replaced(programs, instance, netdevs))
		programs_close(programs);
	/* pins of another build may be older than the instance: a wgvia without pins may have replaced the programs */
	if (instance->meta.build != build)
		return;
	programs->build = build;
	programs->maps = maps_of(instance);
	for (int i = 0; i < PROGRAM_COUNT; i++)
		if (programs->fds[i] < 0)
			programs->fds[i] = bpf_obj_get(pin_of(path, instance->folder, i, false));
}

int programs_pin(const struct programs *programs, const struct instance *instance, struct error *error)
{
	char path[PIN_MAX];

	for (int i = 0; i < PROGRAM_COUNT; i++)
		if (bpf_obj_pin(programs->fds[i], pin_of(path, instance->folder, i, true))) {
			int err = errno;

			programs_unpin(instance->folder);
			return error_system(error, err, "cannot pin the program '%s'", names[i]);
		}
	return 0;
}

int programs_keep_pins(const struct instance *instance)
{
	char from[PIN_MAX], to[PIN_MAX];

	for (int i = 0; i < PROGRAM_COUNT; i++)
		if (rename(pin_of(from, instance->folder, i, true), pin_of(to, instance->folder, i, false))) {
			int err = errno;

			programs_unpin(instance->folder);
			return -err;
		}
	return 0;
}

void programs_unpin(const char *folder)
{
	char path[PIN_MAX];

	for (int i = 0; i < PROGRAM_COUNT; i++)
		unlink(pin_of(path, folder, i, true));
}

int programs_get(const struct instance *instance, const struct attachment *attachment)
{
	char path[PIN_MAX];

	for (int i = 0; i < PROGRAM_COUNT; i++) {
		int fd = bpf_obj_get(pin_of(path, instance->folder, i, false));

		if (fd < 0)
			continue;
		if (programs_is(fd, attachment->prog_id))
			return fd;
		close(fd);
	}
	return attach_get_program(instance->folder, attachment);
}
