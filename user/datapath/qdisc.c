// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our clsact qdiscs, each with a marker in the instance's folder.
 */
#include "datapath/qdisc.h"

#include <bpf/libbpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "datapath/attach.h"
#include "datapath/clsact.h"
#include "datapath/pins.h"
#include "host/netns.h"
#include "host/rtnl.h"

/* Before 5.14 the kernel has no cookies; the inode number serves instead. */
static uint64_t own_netns(void)
{
	struct netns own = netns_own();

	return own.cookie ? own.cookie : own.inode;
}

/*
 * The marker: a folder, because a bpffs holds no files. It means that the clsact of this device, in this network
 * namespace, is ours. Another namespace can have a device with the same ifindex, and another program's clsact.
 */
static void qdisc_path(char path[PINS_PATH_MAX], const char *folder, uint32_t ifindex)
{
	snprintf(path, PINS_PATH_MAX, "%s/qdisc_%u_%" PRIx64, folder, ifindex, own_netns());
}

static bool is_folder(const char *path)
{
	struct stat st;

	/* not access(), which tests as if only root had capabilities */
	return !lstat(path, &st) && S_ISDIR(st.st_mode);
}

/* Whether the device has any clsact, or may have one. */
static bool may_have_clsact(uint32_t ifindex)
{
	cleanup(netlink_close) struct netlink *rtnl = NULL;
	bool has = true;

	return rtnl_open(&rtnl) || rtnl_has_clsact(rtnl, ifindex, &has) || has;
}

/*
 * Creating or removing a clsact deactivates the device for a moment (qdisc_graft()), which loses packets that it is
 * sending. So the clsact exists from the first `up` to `down`, whatever is attached to it.
 */
int qdisc_make(const char *folder, uint32_t ifindex, bool *made, struct error *error)
{
	struct bpf_tc_hook hook = {
		.sz = sizeof(hook), .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS};
	char marker[PINS_PATH_MAX], name[IFNAMSIZ];
	bool is_marked = false, had;
	int ret;

	*made = false;
	qdisc_path(marker, folder, ifindex);
	/* the marker first: a qdisc of ours always has one */
	if (mkdir(marker, 0700)) {
		if (errno != EEXIST || !is_folder(marker))
			return error_system(error, errno, "cannot create '%s'", marker);
		is_marked = true; /* but the qdisc may have been deleted */
	}
	had = is_marked || may_have_clsact(ifindex);
	ret = bpf_tc_hook_create(&hook);
	*made = !ret;
	if (ret && ret != -EEXIST && !had) /* it may have been created: perhaps only the answer was lost */
		bpf_tc_hook_destroy(&hook);
	if (ret && !is_marked)
		rmdir(marker);
	if (!ret || ret == -EEXIST) /* another program's clsact serves as well */
		return 0;
	attach_device_name(ifindex, name);
	return error_system(error, -ret, "cannot attach to '%s'", name);
}

/* Removes the clsact unless others use it. */
static int destroy(uint32_t ifindex)
{
	struct bpf_tc_hook hook = {
		.sz = sizeof(hook), .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS};
	cleanup(netlink_close) struct netlink *rtnl = NULL;
	cleanup_free struct filter *filters = NULL;
	size_t count = 0;
	int ret = rtnl_open(&rtnl);

	ret = ret ? ret : rtnl_get_filters(rtnl, ifindex, &filters, &count);
	if (!ret && count)
		return -EBUSY;
	ret = ret ? ret : bpf_tc_hook_destroy(&hook);
	return clsact_is_gone(ret) ? 0 : ret;
}

int qdisc_remove(const char *folder, uint32_t ifindex)
{
	char marker[PINS_PATH_MAX];
	int ret;

	qdisc_path(marker, folder, ifindex);
	if (!is_folder(marker))
		return 0;
	ret = destroy(ifindex);
	if (ret)
		return ret == -EBUSY ? 0 : ret;
	rmdir(marker);
	return 0;
}

/* Whether it is a marker of this namespace, and its device exists. */
static bool is_current(const char *folder, const char *name, uint32_t ifindex)
{
	char marker[PINS_PATH_MAX], device[IFNAMSIZ];

	qdisc_path(marker, folder, ifindex);
	return !strcmp(strrchr(marker, '/') + 1, name) && (if_indextoname(ifindex, device) || errno != ENXIO);
}

int qdisc_remove_all(const char *folder)
{
	DIR *pins = opendir(folder);
	struct dirent *entry;
	int ret = 0;

	if (!pins)
		return -errno;
	while ((entry = readdir(pins))) {
		uint32_t ifindex;
		int failed = 0;

		if (sscanf(entry->d_name, "qdisc_%u", &ifindex) == 1 && is_current(folder, entry->d_name, ifindex))
			failed = qdisc_remove(folder, ifindex);
		ret = ret ? ret : failed;
	}
	closedir(pins);
	return ret;
}

static void remove_marker(const char *folder, const char *name)
{
	char path[PINS_PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) < PINS_PATH_MAX)
		rmdir(path);
}

void qdisc_forget_gone(const char *folder)
{
	DIR *pins = opendir(folder);
	struct dirent *entry;

	while (pins && (entry = readdir(pins))) {
		uint32_t ifindex;

		if (sscanf(entry->d_name, "qdisc_%u", &ifindex) == 1 && !is_current(folder, entry->d_name, ifindex))
			remove_marker(folder, entry->d_name);
	}
	if (pins)
		closedir(pins);
}
