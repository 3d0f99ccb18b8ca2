// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links and filters. libbpf 1.1 has neither names nor a function for tcx, so this calls bpf_link_create() directly.
 */
#include "datapath/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "datapath/bpf_object.h"
#include "datapath/clsact.h"
#include "datapath/pins.h"
#include "datapath/qdisc.h"
#include "host/rtnl.h"

/* enum bpf_attach_type in Linux 6.6 */
#define TCX_INGRESS 46
#define TCX_EGRESS 47
/* BPF_MPROG_MAX: the maximum number of programs at one attach point */
#define TCX_MAX 64

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

bool attach_is_no_pin(int err)
{
	return err == -ENOENT || err == -EACCES || err == -EINVAL;
}

uint32_t attach_handle(uint32_t tunnel_ifindex, const char *tunnel)
{
	if (tunnel_ifindex)
		return tunnel_ifindex;
	return 0x70000000 | (hash_bytes(HASH_EMPTY, tunnel, strlen(tunnel)) & 0x0fffffff);
}

bool attach_has_pin(const char *folder, uint32_t ifindex)
{
	char path[PINS_PATH_MAX];

	for (int direction = 0; direction < WGVIA_DIRECTION_COUNT; direction++) {
		const struct attachment at = {.kind = ATTACH_TCX, .direction = direction, .ifindex = ifindex};

		pin_path(path, folder, &at);
		if (!access(path, F_OK))
			return true;
	}
	return false;
}

/* --- tcx --- */

static int tcx_type(enum wgvia_direction direction)
{
	return direction == WGVIA_EGRESS ? TCX_EGRESS : TCX_INGRESS;
}

static int tcx_add(const struct attachment *point, const char *pin, int prog_fd)
{
	cleanup_fd int fd = -1;

	fd = bpf_link_create(prog_fd, (int)point->ifindex, tcx_type(point->direction), NULL);
	if (fd < 0)
		return fd;
	return bpf_obj_pin(fd, pin); /* closing an unpinned link detaches it */
}

/* The part of union bpf_attr that BPF_PROG_QUERY uses since tcx; libbpf has it since 1.3. */
struct tcx_query {
	__u32 target_ifindex, attach_type, query_flags, attach_flags;
	__aligned_u64 prog_ids;
	__u32 count, unused;
	__aligned_u64 prog_attach_flags, link_ids, link_attach_flags, revision;
};

/*
 * Whether the device with this ifindex in our network namespace has the link. A link moves with its device to another
 * namespace (__dev_change_net_namespace()), and reports the ifindex that the device has there. Returns true if the
 * kernel cannot be asked; before 6.7, ENOENT is the answer for a device without any program (tcx_prog_query()).
 */
static bool tcx_is_here(uint32_t ifindex, enum wgvia_direction direction, uint32_t link_id)
{
	__u32 links[TCX_MAX] = {}, programs[TCX_MAX];
	/* without a buffer for the programs' ids, bpf_mprog_query() only counts */
	struct tcx_query query = {
		.target_ifindex = ifindex,
		.attach_type = tcx_type(direction),
		.prog_ids = (uintptr_t)programs,
		.count = TCX_MAX,
		.link_ids = (uintptr_t)links,
	};

	if (syscall(__NR_bpf, BPF_PROG_QUERY, &query, sizeof(query)))
		return errno != ENODEV && errno != ENOENT;
	for (__u32 i = 0; i < query.count; i++)
		if (links[i] == link_id)
			return true;
	return false;
}

/* --- both kinds --- */

static int look_at_link(const char *pin, struct attachment *attachment)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	cleanup_fd int fd = bpf_obj_get(pin);

	if (fd < 0 && fd != -ENOENT && attach_is_no_pin(fd)) /* in the way, but not ours */
		return 0;
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	attachment->link_id = info.id;
	attachment->prog_id = info.prog_id;
	/* struct bpf_link_info.tcx, which these headers lack, begins like .xdp; 0: the device no longer exists */
	attachment->at = info.xdp.ifindex;
	attachment->moved = attachment->at && !tcx_is_here(attachment->at, attachment->direction, info.id);
	attachment->alive = attachment->at == attachment->ifindex && !attachment->moved;
	return 0;
}

static int look_at(const char *folder, struct attachment *attachment)
{
	char pin[PINS_PATH_MAX];
	int ret;

	pin_path(pin, folder, attachment);
	if (attachment->kind == ATTACH_TCX)
		return look_at_link(pin, attachment);
	ret = clsact_find(attachment, pin, &attachment->prog_id);
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
		if (ret == -ENOENT) { /* another command removed it since: a reader has no lock */
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

static int rename_pin(const char *folder, const struct attachment *attachment)
{
	struct attachment now = *attachment, other = *attachment;
	char from[PINS_PATH_MAX], to[PINS_PATH_MAX];
	int ret;

	now.ifindex = other.ifindex = attachment->at;
	other.alive = false;
	pin_path(from, folder, attachment);
	pin_path(to, folder, &now);
	ret = look_at_link(to, &other);
	if (ret == -ENOENT || (!ret && !other.alive))
		ret = rename(from, to) ? -errno : 0;
	return ret;
}

int attach_rename(const char *folder)
{
	cleanup_free struct attachment *all = NULL;
	size_t count = 0;
	int ret = attach_list(folder, &all, &count);

	for (size_t i = 0; i < count && !ret; i++)
		if (all[i].at && all[i].at != all[i].ifindex && !all[i].moved)
			ret = rename_pin(folder, &all[i]);
	return ret == -ENOENT ? 0 : ret;
}

int attach_remove_all(const char *folder)
{
	struct attachment *attachments = NULL;
	size_t count = 0;
	int ret = attach_list(folder, &attachments, &count);

	/* the shortcuts before the safety net below them */
	for (int direction = 0; direction < WGVIA_DIRECTION_COUNT; direction++)
		for (size_t i = 0; i < count; i++) {
			int failed = 0;

			if ((int)attachments[i].direction == direction)
				failed = attach_remove(folder, &attachments[i]);
			ret = ret ? ret : failed;
		}
	free(attachments);
	return ret ? ret : qdisc_remove_all(folder);
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
	 * Probes without disturbing anything: a kernel without tcx returns EINVAL for the attach type, one with tcx
	 * looks up the device first and returns ENODEV.
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
		error_refuse(error, "cannot attach to '%s': another program's filter has handle %u at priority %u",
			     name, point->handle, ATTACH_PRIORITY);
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
		fd = clsact_get_program(attachment, pin);
	return fd < 0 ? bpf_prog_get_fd_by_id(attachment->prog_id) : fd;
}

int attach_remove(const char *folder, const struct attachment *attachment)
{
	char pin[PINS_PATH_MAX];
	int ret = 0;

	pin_path(pin, folder, attachment);
	if (attachment->kind == ATTACH_TCX) {
		cleanup_fd int fd = bpf_obj_get(pin);

		/* immediately, not when the last holder of the link closes it */
		if (fd >= 0)
			bpf_link_detach(fd);
	} else {
		ret = clsact_remove(attachment, pin);
	}
	if (ret)
		return ret; /* keep the pin for the next try */
	/* a folder in a pin's place that another program created is not in the way here */
	return unlink(pin) && errno != ENOENT && errno != EISDIR ? -errno : 0;
}

/* --- programs of others --- */

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

/* All tcx programs run before the filters. */
static void list_tcx(const struct attachment *attachment, enum attach_side side, struct attach_other *others,
		     size_t max, size_t *count)
{
	__u32 ids[TCX_MAX], number = ARRAY_SIZE(ids);
	bool before = true;

	/* the kernel reads target_ifindex from the attribute that the library fills with target_fd */
	if (bpf_prog_query((int)attachment->ifindex, tcx_type(attachment->direction), 0, NULL, ids, &number))
		return;
	for (__u32 i = 0; i < number; i++) {
		if (attachment->kind == ATTACH_TCX && ids[i] == attachment->prog_id)
			before = false;
		else if (before == (side == ATTACH_BEFORE))
			add_other(others, max, count, "tcx program", ids[i], "");
	}
}

static bool is_on_side(const struct attachment *attachment, enum attach_side side, const struct filter *filter)
{
	if (filter->egress != (attachment->direction == WGVIA_EGRESS))
		return false;
	if (attachment->kind == ATTACH_TCX)
		return side == ATTACH_AFTER;
	return side == ATTACH_BEFORE ? filter->priority < ATTACH_PRIORITY : filter->priority > ATTACH_PRIORITY;
}

size_t attach_list_others(const struct attachment *attachment, enum attach_side side, struct attach_other *others,
			  size_t max)
{
	cleanup(netlink_close) struct netlink *rtnl = NULL;
	cleanup_free struct filter *filters = NULL;
	size_t number = 0, count = 0;

	list_tcx(attachment, side, others, max, &count);
	if (rtnl_open(&rtnl) || rtnl_get_filters(rtnl, attachment->ifindex, &filters, &number))
		return count;
	for (size_t i = 0; i < number; i++)
		if (is_on_side(attachment, side, &filters[i]))
			add_other(others, max, &count, "filter", filters[i].prog_id,
				  filters[i].name[0] ? filters[i].name : filters[i].kind);
	return count;
}
