/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For LD_PRELOAD: the FAULT_AT-th call of a program that changes something visible to others fails, or the program is
 * killed just before it, or stops itself there until it is continued, with FAULT=fail, kill or hold; then the file
 * FAULT_FILE is created. Changes are what bpf(2) does to maps, pins and links, what libbpf sends by netlink, and
 * folders and names. Calls that remove things are not counted for `fail`, because they do not fail on a sane system. A
 * batch of map entries does one half before it fails.
 *
 * FAULT=want counts every call that requests something from the kernel, so reading, loading, opening, and netlink in
 * both directions can fail as well. The error is FAULT_ERRNO, or ENOSPC.
 *
 * FAULT=devices: no device can be added to a map of devices.
 *
 * FAULT=deaf: no packet socket can be opened while there is FAULT_FILE.
 *
 * With FAULT=old there are no batches, as on an old kernel, which says so with the number FAULT_AT.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool wants(const char *kind)
{
	const char *fault = getenv("FAULT");

	return fault && !strcmp(fault, kind);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* The first half of a batch; the kernel returns in `count` how many entries were done. */
static void do_half(union bpf_attr *batch, long command, long size)
{
	batch->batch.count /= 2;
	NEXT(syscall)(SYS_bpf, command, batch, size);
}

static bool is_old(void)
{
	if (!wants("old"))
		return false;
	errno = atoi(getenv("FAULT_AT"));
	return true;
}

/* Whether this call is the one. `a`: the arguments of bpf(2), for a batch. */
static bool fault_of(bool removes, const long *a)
{
	static int count;
	const char *at = getenv("FAULT_AT");

	if (wants("old") || (removes && !wants("kill") && !wants("hold")) || !at || ++count != atoi(at))
		return false;
	if (a && !wants("hold"))
		do_half((union bpf_attr *)a[1], a[0], a[2]);
	close(open(getenv("FAULT_FILE"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	if (wants("kill"))
		raise(SIGKILL);
	if (wants("hold")) {
		raise(SIGSTOP);
		return false;
	}
	errno = getenv("FAULT_ERRNO") ? atoi(getenv("FAULT_ERRNO")) : ENOSPC;
	return true;
}

/* Like fault(), for calls that change nothing. */
static bool want(void)
{
	return wants("want") && fault_of(false, NULL);
}

/* Whether this is an update of a map of devices that must fail. */
static bool is_device(const union bpf_attr *update)
{
	struct bpf_map_info info = {};
	union bpf_attr attr = {.info = {.bpf_fd = update->map_fd, .info_len = sizeof(info), .info = (long)&info}};

	if (!wants("devices") || NEXT(syscall)(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) ||
	    info.type != BPF_MAP_TYPE_DEVMAP_HASH)
		return false;
	errno = atoi(getenv("FAULT_ERRNO"));
	return true;
}

static bool fault(bool removes)
{
	return fault_of(removes, NULL);
}

long syscall(long number, ...)
{
	long a[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_bpf)
		switch (a[0]) {
		case BPF_MAP_UPDATE_ELEM:
			if (is_device((union bpf_attr *)a[1]) || fault(false))
				return -1;
			break;
		case BPF_OBJ_PIN:
		case BPF_LINK_CREATE:
		case BPF_LINK_UPDATE:
			if (fault(false))
				return -1;
			break;
		case BPF_MAP_LOOKUP_BATCH:
			if (is_old() || want())
				return -1;
			break;
		case BPF_MAP_UPDATE_BATCH:
			if (is_old() || fault_of(false, a))
				return -1;
			break;
		case BPF_MAP_DELETE_BATCH:
			if (is_old() || fault_of(true, a))
				return -1;
			break;
		case BPF_MAP_DELETE_ELEM:
		case BPF_LINK_DETACH:
			if (fault(true))
				return -1;
			break;
		default:
			if (want())
				return -1;
		}
	return NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	const struct nlmsghdr *message = data;
	bool changes = message->nlmsg_type == RTM_NEWQDISC || message->nlmsg_type == RTM_NEWTFILTER;
	bool removes = message->nlmsg_type == RTM_DELQDISC || message->nlmsg_type == RTM_DELTFILTER;

	if (changes || removes ? fault(removes) : want())
		return -1;
	return NEXT(send)(fd, data, size, flags);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t len)
{
	return want() ? -1 : NEXT(sendto)(fd, data, size, flags, to, len);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	return want() ? -1 : NEXT(recvmsg)(fd, message, flags);
}

int socket(int family, int type, int protocol)
{
	if (family == AF_PACKET && wants("deaf") && !access(getenv("FAULT_FILE"), F_OK)) {
		errno = ENOBUFS;
		return -1;
	}
	return want() ? -1 : NEXT(socket)(family, type, protocol);
}

int mkdir(const char *path, mode_t mode)
{
	/* an existing folder is not a change */
	return access(path, F_OK) && fault(false) ? -1 : NEXT(mkdir)(path, mode);
}

int rename(const char *from, const char *to)
{
	return fault(false) ? -1 : NEXT(rename)(from, to);
}

int unlink(const char *path)
{
	return fault(true) ? -1 : NEXT(unlink)(path);
}

int unlinkat(int folder, const char *path, int flags)
{
	return fault(true) ? -1 : NEXT(unlinkat)(folder, path, flags);
}

int rmdir(const char *path)
{
	return fault(true) ? -1 : NEXT(rmdir)(path);
}
