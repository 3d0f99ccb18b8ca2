// SPDX-License-Identifier: GPL-2.0-only
/*
 * WireGuard's receive stall (CVE-2026-52945). The fixed stable kernels only disable threaded NAPI by default again;
 * with it enabled, they are as before. So the series matters, not the point release, which distributions do not show
 * anyway ("6.1.0-56-amd64").
 */
#include "check/threaded_napi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/util.h"
#include "check/finding.h"

/* First and last series. WireGuard has one NAPI per peer, and threads for them since Linux 5.12. */
static const struct {
	unsigned int major, first, last;
} stalling[] = {
	{5, 15, 19},
	{6, 0, 12},
};

bool threaded_napi_stalls(const char *release)
{
	unsigned int major, minor;

	if (sscanf(release, "%u.%u", &major, &minor) != 2)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(stalling); i++)
		if (major == stalling[i].major && minor >= stalling[i].first && minor <= stalling[i].last)
			return true;
	return false;
}

/*
 * The root of a sysfs: a descriptor or -errno. sysfs shows the network namespace in which it was mounted, not the one
 * that -n entered, so it is mounted for this descriptor alone. Without CAP_SYS_ADMIN, which -n needs as well, it is the
 * present one.
 */
static int open_sysfs(void)
{
	/* with syscall(): musl, and glibc before 2.36, lack these functions */
	cleanup_fd int fs = (int)syscall(SYS_fsopen, "sysfs", FSOPEN_CLOEXEC);
	int fd = fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)
			 ? -1
			 : (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);

	if (fd < 0)
		fd = open("/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A number from class/net/DEV/NAME; -1: missing. */
static long read_number(int sysfs, const struct netdev *dev, const char *name)
{
	char path[sizeof("class/net//threaded") + IFNAMSIZ], text[32] = "";
	cleanup_fd int fd = -1;

	snprintf(path, sizeof(path), "class/net/%s/%s", dev->name, name);
	fd = openat(sysfs, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	return strtol(text, NULL, 10);
}

static long read_threaded(const struct netdev *dev)
{
	cleanup_fd int sysfs = open_sysfs();

	if (sysfs < 0 || read_number(sysfs, dev, "ifindex") != (long)dev->ifindex)
		return -1;
	return read_number(sysfs, dev, "threaded");
}

void check_threaded_napi(struct examined *examined)
{
	const struct netdev *tunnel = netdev_by_name(examined->plan.netdevs, examined->tunnel);
	struct utsname system;
	char remedy[64];
	long threaded;

	if (!tunnel || strcmp(tunnel->kind, "wireguard") != 0 || uname(&system) ||
	    !threaded_napi_stalls(system.release))
		return;
	threaded = read_threaded(tunnel);
	if (threaded <= 0)
		return;
	snprintf(remedy, sizeof(remedy), "echo 0 >/sys/class/net/%s/threaded", tunnel->name);
	finding_add(
		examined, SEVERITY_INFO, "threaded_napi", remedy,
		"dev %s receives in threads (threaded is %ld): with Linux 5.15 to 6.12 WireGuard may stop receiving "
		"from a peer under load, and does not recover (CVE-2026-52945); this is Linux %s",
		tunnel->name, threaded, system.release);
}
