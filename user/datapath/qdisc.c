// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clsact qdiscs that are ours, each with a marker in the instance's folder.
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

/* A kernel before 5.14 has no cookies, and the inode number has to do. */
static uint64_t own_netns(void)
{
	struct netns own = netns_own();

	return own.cookie ? own.cookie : own.inode;
}

/*
 * A folder that says that the clsact of this device, in this network namespace, is ours: bpffs holds no files. Another
 * namespace can have a device of the same ifindex, with somebody else's clsact.
 */
static void qdisc_path(char path[PINS_PATH_MAX], const char *folder, uint32_t ifindex)
{
	snprintf(path, PINS_PATH_MAX, "%s/qdisc_%u_%" PRIx64, folder, ifindex, own_netns());
}

static bool is_folder(const char *path)
{
	struct stat st;

	/* not access(), which asks as if a user other than root had no capabilities */
	return !lstat(path, &st) && S_ISDIR(st.st_mode);
}

/* Whether somebody's clsact is there, or may be. */
static bool may_have_clsact(uint32_t ifindex)
{
	cleanup(netlink_close) struct netlink *rtnl = NULL;
	bool has = true;

	return rtnl_open(&rtnl) || rtnl_has_clsact(rtnl, ifindex, &has) || has;
}

/*
 * Making or removing a clsact deactivates the device for a moment (qdisc_graft()), which loses what it is sending: so
 * it is there from the first `up` to `down`, whatever stands in it.
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
	/* the marker first: a qdisc of ours is always told of */
	if (mkdir(marker, 0700)) {
		if (errno != EEXIST || !is_folder(marker))
			return error_system(error, errno, "cannot create '%s'", marker);
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

/* Removes the clsact unless others use it now. */
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

/* A marker of this namespace, of a device that exists. */
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
