// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links and filters. libbpf 1.1 has neither names for tcx nor a function, so bpf_link_create() does it alone.
 */
#include "attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "pins.h"
#include "rtnl.h"
#include "util.h"
#include "words.h"

/* enum bpf_attach_type of Linux 6.6 */
#define TCX_INGRESS 46
#define TCX_EGRESS 47

const char *const attach_kind_words[] = {[ATTACH_TCX] = "tcx", [ATTACH_CLSACT] = "clsact"};

void attach_device_name(uint32_t ifindex, char name[IFNAMSIZ])
{
	if (!if_indextoname(ifindex, name))
		snprintf(name, IFNAMSIZ, "if%u", ifindex);
}

static void pin_path(char path[PINS_PATH_MAX], const char *folder, const struct attachment *point)
{
	int len = snprintf(path, PINS_PATH_MAX, "%s/%s_%s_%u", folder, attach_kind_words[point->kind],
			   direction_words[point->direction], point->ifindex);

	if (point->kind == ATTACH_CLSACT)
		snprintf(path + len, PINS_PATH_MAX - len, "_%u", point->handle);
}

/* A folder that says that the device's clsact is ours: bpffs holds no files. */
static void qdisc_path(char path[PINS_PATH_MAX], const char *folder, uint32_t ifindex)
{
	snprintf(path, PINS_PATH_MAX, "%s/qdisc_%u", folder, ifindex);
}

static bool read_name(const char *name, struct attachment *attachment)
{
	char kind[16], direction[16];
	int kind_value, direction_value, end = 0;

	if (sscanf(name, "%15[a-z]_%15[a-z]_%u%n", kind, direction, &attachment->ifindex, &end) != 3)
		return false;
	name += end;
	if (*name == '_' && sscanf(name, "_%u%n", &attachment->handle, &end) == 1)
		name += end;
	if (*name)
		return false;
	kind_value = word_find(attach_kind_words, ARRAY_SIZE(attach_kind_words), kind);
	direction_value = word_find(direction_words, WGVIA_DIRECTION_COUNT, direction);
	if (kind_value < 0 || direction_value < 0)
		return false;
	attachment->kind = kind_value;
	attachment->direction = direction_value;
	return true;
}

/* --- clsact --- */

static struct bpf_tc_hook hook_of(const struct attachment *point)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = (int)point->ifindex,
		.attach_point = point->direction == WGVIA_EGRESS ? BPF_TC_EGRESS : BPF_TC_INGRESS,
	};
}

/* Of bpf_obj_get(): there is no pin, but nothing, a folder, or somebody's file; other errors say nothing about it. */
static bool is_no_pin(int err)
{
	return err == -ENOENT || err == -EACCES || err == -EINVAL;
}

static uint32_t program_id(int prog_fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(prog_fd, &info, &len) ? 0 : info.id;
}

/* No such filter, no such device, no clsact; other errors say nothing about them. */
static bool is_gone(int err)
{
	return err == -ENOENT || err == -ENODEV || err == -EINVAL;
}

/*
 * The id of the program at our handle and priority, 0: there is none. An error that says neither is an error: a filter
 * must not be forgotten because the kernel could not be asked.
 */
static int filter_program(const struct attachment *point, uint32_t *id)
{
	struct bpf_tc_hook hook = hook_of(point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = point->handle, .priority = ATTACH_PRIORITY);
	int ret = bpf_tc_query(&hook, &opts);

	if (ret && !is_gone(ret))
		return ret;
	*id = ret ? 0 : opts.prog_id;
	return 0;
}

uint32_t attach_handle(uint32_t tunnel_ifindex, const char *tunnel)
{
	if (tunnel_ifindex)
		return tunnel_ifindex;
	return 0x70000000 | (hash_bytes(HASH_EMPTY, tunnel, strlen(tunnel)) & 0x0fffffff);
}

static int clsact_attach(const struct attachment *point, int prog_fd, __u32 flags)
{
	struct bpf_tc_hook hook = hook_of(point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = point->handle, .priority = ATTACH_PRIORITY, .prog_fd = prog_fd,
		    .flags = flags);
	uint32_t id;
	int ret = bpf_tc_attach(&hook, &opts);

	/* read back: the kernel's word, not the library's */
	ret = ret ? ret : filter_program(point, &id);
	return ret ? ret : id == program_id(prog_fd) ? 0 : -EIO;
}

static int clsact_detach(const struct attachment *point)
{
	struct bpf_tc_hook hook = hook_of(point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = point->handle, .priority = ATTACH_PRIORITY);
	int ret = bpf_tc_detach(&hook, &opts);

	return is_gone(ret) ? 0 : ret;
}

/* The pin of the program that clsact_replace() is about to put in place. */
static void next_path(char path[PINS_PATH_MAX + 8], const char *pin)
{
	snprintf(path, PINS_PATH_MAX + 8, "%s%%new", pin);
}

/* The id of the program at this pin, 0: there is none. -errno where the pin could not be looked at. */
static int pinned_program(const char *path, uint32_t *id)
{
	cleanup_fd int fd = bpf_obj_get(path);

	*id = 0;
	if (fd < 0)
		return is_no_pin(fd) ? 0 : fd;
	*id = program_id(fd);
	return *id ? 0 : -errno;
}

/*
 * The id of the filter's program where it is ours, by its pin or by that of a replacement that a command which was
 * killed had not finished; 0: there is no filter of ours.
 */
static int own_filter_program(const struct attachment *point, const char *pin, uint32_t *id)
{
	char next[PINS_PATH_MAX + 8];
	uint32_t found, pinned, replacement;
	int ret = filter_program(point, &found);

	next_path(next, pin);
	ret = ret ? ret : pinned_program(pin, &pinned);
	ret = ret ? ret : pinned_program(next, &replacement);
	if (ret)
		return ret;
	*id = found == pinned || found == replacement ? found : 0;
	return 0;
}

/* The filter's program, by the pins of own_filter_program(). An fd or -errno. */
static int filter_get_program(const struct attachment *attachment, const char *pin)
{
	char next[PINS_PATH_MAX + 8];
	const char *paths[] = {pin, next};

	next_path(next, pin);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int fd = bpf_obj_get(paths[i]);

		if (fd < 0)
			continue;
		if (program_id(fd) == attachment->prog_id)
			return fd;
		close(fd);
	}
	return -ENOENT;
}

static int clsact_add(const struct attachment *point, const char *pin, int prog_fd)
{
	/* the pin first: a filter is always told of, even by a command that was killed */
	int ret = bpf_obj_pin(prog_fd, pin);

	if (ret)
		return ret == -EEXIST ? -EBUSY : ret;
	ret = clsact_attach(point, prog_fd, 0);
	if (ret) {
		if (ret != -EEXIST) /* nobody else's: it may have come into being */
			clsact_detach(point);
		unlink(pin);
	}
	return ret;
}

static int clsact_replace(const struct attachment *attachment, const char *pin, int prog_fd)
{
	int old = filter_get_program(attachment, pin), ret;
	char next[PINS_PATH_MAX + 8];
	uint32_t id;

	next_path(next, pin);
	ret = old < 0 ? old : pinned_program(next, &id);
	if (!ret && id == attachment->prog_id && rename(next, pin))
		ret = -errno;
	if (ret)
		goto out;
	unlink(next);
	ret = bpf_obj_pin(prog_fd, next);
	ret = ret ? ret : clsact_attach(attachment, prog_fd, BPF_TC_F_REPLACE);
	if (!ret && rename(next, pin))
		ret = -errno;
	if (ret) {
		clsact_attach(attachment, old, BPF_TC_F_REPLACE);
		unlink(next);
	}
out:
	if (old >= 0)
		close(old);
	return ret;
}

/* --- tcx --- */

static int tcx_add(const struct attachment *point, const char *pin, int prog_fd)
{
	cleanup_fd int fd = -1;

	fd = bpf_link_create(prog_fd, (int)point->ifindex, point->direction == WGVIA_EGRESS ? TCX_EGRESS : TCX_INGRESS,
			     NULL);
	if (fd < 0)
		return fd;
	return bpf_obj_pin(fd, pin); /* closing an unpinned link detaches it */
}

/* --- either --- */

static int look_at_link(const char *pin, struct attachment *attachment)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	cleanup_fd int fd = bpf_obj_get(pin);

	if (fd < 0 && fd != -ENOENT && is_no_pin(fd)) /* in the way, and nothing of ours */
		return 0;
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	attachment->link_id = info.id;
	attachment->prog_id = info.prog_id;
	/* struct bpf_link_info.tcx, which these headers lack, begins like .xdp; 0: the device is gone */
	attachment->alive = info.xdp.ifindex == attachment->ifindex;
	return 0;
}

static int look_at(const char *folder, struct attachment *attachment)
{
	char pin[PINS_PATH_MAX];
	int ret;

	pin_path(pin, folder, attachment);
	if (attachment->kind == ATTACH_TCX)
		return look_at_link(pin, attachment);
	ret = own_filter_program(attachment, pin, &attachment->prog_id);
	attachment->alive = !ret && attachment->prog_id;
	return ret;
}

int attach_list(const char *folder, struct attachment **all, size_t *count)
{
	DIR *pins = opendir(folder);
	struct attachment *found = NULL;
	struct dirent *entry;
	size_t number = 0;
	int ret = 0;

	if (!pins)
		return -errno;
	while (!ret && (entry = readdir(pins))) {
		struct attachment read = {}, *attachment;

		if (!read_name(entry->d_name, &read))
			continue;
		attachment = array_grow(&found, &number, sizeof(*found));
		if (!attachment) {
			ret = -ENOMEM;
			break;
		}
		*attachment = read;
		ret = look_at(folder, attachment);
		if (ret == -ENOENT) { /* a change has taken it away since: who only looks has no lock */
			number--;
			ret = 0;
		}
	}
	closedir(pins);
	if (ret) {
		free(found);
		return ret;
	}
	*all = found;
	*count = number;
	return 0;
}

/* Whether somebody's clsact is there, or may be. */
static bool may_have_clsact(uint32_t ifindex)
{
	cleanup(rtnl_close) struct rtnl *rtnl = NULL;
	bool has = true;

	return rtnl_open(&rtnl) || rtnl_has_clsact(rtnl, ifindex, &has) || has;
}

/*
 * Making or removing a clsact deactivates the device for a moment (qdisc_graft()), which loses what it is sending: so
 * it is there from the first `up` to `down`, whatever stands in it.
 */
int attach_make_qdisc(const char *folder, uint32_t ifindex, bool *made, struct error *error)
{
	struct bpf_tc_hook hook = {
		.sz = sizeof(hook), .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS};
	char marker[PINS_PATH_MAX], name[IFNAMSIZ];
	bool is_marked = false, had;
	int ret;

	*made = false;
	qdisc_path(marker, folder, ifindex);
	/* the marker first: a qdisc of ours is always told of */
	if (mkdir(marker, 0700)) {
		if (errno != EEXIST)
			return error_system(error, errno, "cannot make '%s'", marker);
		is_marked = true; /* but somebody may have deleted the qdisc */
	}
	had = is_marked || may_have_clsact(ifindex);
	ret = bpf_tc_hook_create(&hook);
	*made = !ret;
	if (ret && ret != -EEXIST && !had) /* it may have come into being: the answer may be all that was lost */
		bpf_tc_hook_destroy(&hook);
	if (ret && !is_marked)
		rmdir(marker);
	if (!ret || ret == -EEXIST) /* somebody's clsact serves as well */
		return 0;
	attach_device_name(ifindex, name);
	return error_system(error, -ret, "cannot attach to '%s'", name);
}

int attach_remove_qdisc(const char *folder, uint32_t ifindex)
{
	struct bpf_tc_hook hook = {
		.sz = sizeof(hook), .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS};
	cleanup(rtnl_close) struct rtnl *rtnl = NULL;
	cleanup_free struct filter *filters = NULL;
	char marker[PINS_PATH_MAX];
	size_t count = 0;
	struct stat st;
	int ret;

	qdisc_path(marker, folder, ifindex);
	/* not access(), which asks as if a user other than root had no capabilities */
	if (stat(marker, &st))
		return 0;
	ret = rtnl_open(&rtnl);
	ret = ret ? ret : rtnl_get_filters(rtnl, ifindex, &filters, &count);
	if (!ret && count)
		return 0; /* others use it now */
	ret = ret ? ret : bpf_tc_hook_destroy(&hook);
	if (ret && !is_gone(ret))
		return ret;
	rmdir(marker);
	return 0;
}

static int forget_qdisc(const char *folder, uint32_t ifindex)
{
	char marker[PINS_PATH_MAX], name[IFNAMSIZ];

	if (if_indextoname(ifindex, name) || errno != ENXIO)
		return 0;
	qdisc_path(marker, folder, ifindex);
	rmdir(marker);
	return 0;
}

/* `handle` gets each device whose clsact is ours. 0 or -errno of the first that failed. */
static int each_qdisc(const char *folder, int (*handle)(const char *folder, uint32_t ifindex))
{
	DIR *pins = opendir(folder);
	struct dirent *entry;
	int ret = 0;

	if (!pins)
		return -errno;
	while ((entry = readdir(pins))) {
		uint32_t ifindex;
		int failed = 0;

		if (sscanf(entry->d_name, "qdisc_%u", &ifindex) == 1)
			failed = handle(folder, ifindex);
		ret = ret ? ret : failed;
	}
	closedir(pins);
	return ret;
}

void attach_forget_qdiscs(const char *folder)
{
	each_qdisc(folder, forget_qdisc);
}

int attach_remove_all(const char *folder)
{
	struct attachment *attachments = NULL;
	size_t count = 0;
	int ret = attach_list(folder, &attachments, &count);

	/* the shortcuts before the net below them */
	for (int direction = 0; direction < WGVIA_DIRECTION_COUNT; direction++)
		for (size_t i = 0; i < count; i++) {
			int failed = 0;

			if ((int)attachments[i].direction == direction)
				failed = attach_remove(folder, &attachments[i]);
			ret = ret ? ret : failed;
		}
	free(attachments);
	return ret ? ret : each_qdisc(folder, attach_remove_qdisc);
}

int attach_choose_kind(int prog_fd, enum attach_kind *kind, struct error *error)
{
	const char *forced = getenv("WGVIA_ATTACH");
	cleanup_fd int fd = -1;

	if (forced && *forced) {
		int value = word_find(attach_kind_words, ARRAY_SIZE(attach_kind_words), forced);

		if (value < 0)
			return error_usage(error, "WGVIA_ATTACH='%s' is neither tcx nor clsact", forced);
		*kind = value;
		return 0;
	}
	/*
	 * Tried where it disturbs nobody: a kernel without tcx says EINVAL to the attach type, one with it asks for the
	 * device first and says ENODEV.
	 */
	fd = bpf_link_create(prog_fd, 0x7fffffff, TCX_INGRESS, NULL);
	*kind = fd == -EINVAL ? ATTACH_CLSACT : ATTACH_TCX;
	return 0;
}

int attach_add(const char *folder, const struct attachment *point, int prog_fd, struct error *error)
{
	char pin[PINS_PATH_MAX], name[IFNAMSIZ];
	int ret;

	pin_path(pin, folder, point);
	ret = point->kind == ATTACH_TCX ? tcx_add(point, pin, prog_fd) : clsact_add(point, pin, prog_fd);
	if (!ret)
		return 0;
	attach_device_name(point->ifindex, name);
	if (ret == -EEXIST && point->kind == ATTACH_CLSACT) {
		error_refuse(error, "cannot attach to '%s': somebody's filter has handle %u at priority %u", name,
			     point->handle, ATTACH_PRIORITY);
		return ret;
	}
	return error_system(error, -ret, "cannot attach to '%s'", name);
}

int attach_replace(const char *folder, const struct attachment *attachment, int prog_fd, struct error *error)
{
	char pin[PINS_PATH_MAX], name[IFNAMSIZ];
	cleanup_fd int fd = -1;
	int ret;

	pin_path(pin, folder, attachment);
	if (attachment->kind == ATTACH_CLSACT) {
		ret = clsact_replace(attachment, pin, prog_fd);
	} else {
		fd = bpf_obj_get(pin);
		ret = fd < 0 ? fd : bpf_link_update(fd, prog_fd, NULL);
	}
	if (!ret)
		return 0;
	attach_device_name(attachment->ifindex, name);
	return error_system(error, -ret, "cannot replace the program at '%s'", name);
}

int attach_get_program(const char *folder, const struct attachment *attachment)
{
	char pin[PINS_PATH_MAX];
	int fd = -ENOENT;

	pin_path(pin, folder, attachment);
	if (attachment->kind == ATTACH_CLSACT)
		fd = filter_get_program(attachment, pin);
	return fd < 0 ? bpf_prog_get_fd_by_id(attachment->prog_id) : fd;
}

int attach_remove(const char *folder, const struct attachment *attachment)
{
	char pin[PINS_PATH_MAX], next[PINS_PATH_MAX + 8];
	uint32_t id = 0;
	int ret = 0;

	pin_path(pin, folder, attachment);
	next_path(next, pin);
	if (attachment->kind == ATTACH_TCX) {
		cleanup_fd int fd = bpf_obj_get(pin);

		/* at once, not when the last holder of the link lets go */
		if (fd >= 0)
			bpf_link_detach(fd);
	} else {
		ret = own_filter_program(attachment, pin, &id);
		if (!ret && id)
			ret = clsact_detach(attachment);
	}
	if (ret)
		return ret; /* the pin stays, for the next try */
	unlink(next);
	return unlink(pin) && errno != ENOENT ? -errno : 0;
}

/* --- other people's --- */

static void add_other(struct attach_other *others, size_t max, size_t *count, const char *kind, uint32_t prog_id,
		      const char *name)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	cleanup_fd int fd = -1;

	if (*count == max)
		return;
	others[*count] = (struct attach_other){.kind = kind, .prog_id = prog_id};
	fd = prog_id ? bpf_prog_get_fd_by_id(prog_id) : -1;
	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
		name = info.name;
	snprintf(others[(*count)++].name, sizeof(others->name), "%s", name);
}

static void list_tcx_before(const struct attachment *attachment, struct attach_other *others, size_t max, size_t *count)
{
	__u32 ids[64], number = ARRAY_SIZE(ids);

	/* the attribute that the library fills with target_fd is target_ifindex to the kernel */
	if (bpf_prog_query((int)attachment->ifindex, attachment->direction == WGVIA_EGRESS ? TCX_EGRESS : TCX_INGRESS,
			   0, NULL, ids, &number))
		return;
	for (__u32 i = 0; i < number && !(attachment->kind == ATTACH_TCX && ids[i] == attachment->prog_id); i++)
		add_other(others, max, count, "tcx program", ids[i], "");
}

size_t attach_list_before(const struct attachment *attachment, struct attach_other *others, size_t max)
{
	cleanup(rtnl_close) struct rtnl *rtnl = NULL;
	cleanup_free struct filter *filters = NULL;
	size_t number = 0, count = 0;

	list_tcx_before(attachment, others, max, &count);
	if (attachment->kind == ATTACH_TCX || rtnl_open(&rtnl) ||
	    rtnl_get_filters(rtnl, attachment->ifindex, &filters, &number))
		return count;
	for (size_t i = 0; i < number; i++)
		if (filters[i].egress == (attachment->direction == WGVIA_EGRESS) &&
		    filters[i].priority < ATTACH_PRIORITY)
			add_other(others, max, &count, "filter", filters[i].prog_id,
				  filters[i].name[0] ? filters[i].name : filters[i].kind);
	return count;
}
