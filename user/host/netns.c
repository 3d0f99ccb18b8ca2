// SPDX-License-Identifier: GPL-2.0-only
/*
 * Namespaces by name, path, process, inode number and cookie.
 */
#include "host/netns.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/permissions.h"
#include "base/util.h"

/* --- entering one --- */

static bool is_number(const char *word)
{
	return word[0] && !word[strspn(word, "0123456789")];
}

/* "the network namespace 'blue'", and its path. */
struct place {
	char path[PATH_MAX];
	const char *kind;
};

static void find_place(const char *word, struct place *place)
{
	struct stat st;

	place->kind = "network namespace";
	if (strchr(word, '/')) {
		snprintf(place->path, sizeof(place->path), "%s", word);
		return;
	}
	snprintf(place->path, sizeof(place->path), "/run/netns/%s", word);
	if (!is_number(word) || !stat(place->path, &st))
		return;
	snprintf(place->path, sizeof(place->path), "/proc/%s/ns/net", word);
	place->kind = "network namespace of process";
}

int netns_enter(const char *word, struct error *error)
{
	struct place place;
	cleanup_fd int fd = -1;
	int err;

	if (!*word || !strcmp(word, ".") || !strcmp(word, ".."))
		return error_usage(error, "'%s' is not a network namespace: a name, a path, or a PID", word);
	if (strlen(word) >= sizeof(place.path) - sizeof("/proc//ns/net"))
		return error_system(error, ENAMETOOLONG, "cannot enter the network namespace '%s'", word);
	find_place(word, &place);
	fd = open(place.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && !setns(fd, CLONE_NEWNET))
		return 0;
	err = errno;
	if (fd >= 0 && (err == EINVAL || err == EBADF))
		return error_refuse(error, "cannot enter the %s '%s': it is not a network namespace", place.kind, word);
	error_system(error, err, "cannot enter the %s '%s'", place.kind, word);
	error_permissions(error, CAPABILITY(CAP_SYS_ADMIN), err);
	return -err;
}

/* --- identity --- */

#ifndef SO_NETNS_COOKIE /* musl's headers, which are not the kernel's, may lack it */
#define SO_NETNS_COOKIE 71
#endif

static uint64_t own_cookie(void)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) ? 0 : cookie;
}

struct netns netns_own(void)
{
	static struct netns known; /* temporarily without buffers for the socket */
	struct stat st;
	struct netns own = {stat("/proc/self/ns/net", &st) ? 0 : st.st_ino, own_cookie()};

	if (own.cookie)
		known = own;
	else if (own.inode == known.inode)
		own = known;
	return own;
}

bool netns_is_same(const struct netns *a, const struct netns *b)
{
	/* an instance has room for the low half */
	return a->inode == b->inode && (!a->cookie || !b->cookie || (uint32_t)a->cookie == (uint32_t)b->cookie);
}

/* The cookie of another namespace, from a child process that enters it; 0 if it is not available. */
static uint64_t cookie_of(const char *path)
{
	int ends[2];
	uint64_t cookie = 0;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return 0;
	child = fork();
	if (!child) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && !setns(fd, CLONE_NEWNET))
			cookie = own_cookie();
		_exit(write(ends[1], &cookie, sizeof(cookie)) != sizeof(cookie));
	}
	close(ends[1]);
	if (child > 0 && read(ends[0], &cookie, sizeof(cookie)) != sizeof(cookie))
		cookie = 0;
	close(ends[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	return cookie;
}

/* Searches one folder: its entries are namespaces, or folders in which `file` is one. */
static bool find_in(const char *folder_path, const char *file, const struct netns *netns, char *word, size_t size)
{
	DIR *folder = opendir(folder_path);
	struct dirent *entry;
	bool found = false;

	while (folder && !found && (entry = readdir(folder))) {
		char path[PATH_MAX];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s%s", folder_path, entry->d_name, file);
		found = entry->d_name[0] != '.' && !stat(path, &st) && st.st_ino == netns->inode;
		if (found)
			snprintf(word, size, "%s", entry->d_name);
	}
	if (folder)
		closedir(folder);
	return found;
}

bool netns_find(const struct netns *netns, char *word, size_t size, bool *sure)
{
	struct netns found = netns_own();
	char path[PATH_MAX];

	*sure = false;
	if (find_in("/run/netns", "", netns, word, size))
		snprintf(path, sizeof(path), "/run/netns/%s", word);
	else if (find_in("/proc", "/ns/net", netns, word, size))
		snprintf(path, sizeof(path), "/proc/%s/ns/net", word);
	else
		return false;
	if (found.inode != netns->inode)
		found = (struct netns){netns->inode, netns->cookie ? cookie_of(path) : 0};
	*sure = netns->cookie && found.cookie;
	return netns_is_same(netns, &found);
}
