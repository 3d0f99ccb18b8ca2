// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock is flock() on the folder NAME%agent beside the pins. It is independent of the instance's own folder, which
 * `up` may replace, it ends with the process, and only root can hold it. A poke changes the folder's time stamps, which
 * inotify reports.
 */
#include "session/agent_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>

#include "base/util.h"
#include "datapath/pin_folders.h"

static int open_folder(const char *root, const char *tunnel)
{
	char path[PINS_PATH_MAX];
	int ret = pins_path(path, root, tunnel, PINS_AGENT, NULL);

	if (ret)
		return ret;
	ret = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return ret < 0 ? -errno : ret;
}

/* A process that checks for an agent holds the lock for a moment, too. */
static int lock_folder(int fd)
{
	for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB); tries++) {
		if (errno != EWOULDBLOCK || tries == 20)
			return -errno;
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	return 0;
}

int agent_lock(const char *root, const char *tunnel, struct error *error)
{
	cleanup_fd int pins = -1, fd = -1;
	int ret = pins_prepare(root, error);

	if (ret)
		return ret;
	pins = pins_lock(root, error); /* protects against `down`, which removes an unlocked folder */
	if (pins < 0)
		return pins == -ENOENT ? error_system(error, ENOENT, "cannot open '%s'", root) : pins;
	ret = pins_check_folder(root, tunnel, PINS_AGENT, error);
	if (ret)
		return ret;
	ret = pins_make_folder(root, tunnel, PINS_AGENT);
	if (ret && ret != -EEXIST)
		return error_system(error, -ret, "cannot create a folder in '%s'", root);
	fd = open_folder(root, tunnel);
	if (fd < 0)
		return error_system(error, -fd, "cannot open a folder in '%s'", root);
	ret = lock_folder(fd);
	if (ret == -EWOULDBLOCK)
		return error_refuse(error, "an agent for '%s' is running already", tunnel);
	return ret ? error_system(error, -ret, "cannot lock a folder in '%s'", root) : take_fd(&fd);
}

int agent_lock_remove(const char *root, const char *tunnel, struct error *error)
{
	int ret = pins_check_folder(root, tunnel, PINS_AGENT, error);

	return ret ? ret : pins_remove_folder(root, tunnel, PINS_AGENT, NULL, NULL, error);
}

bool agent_is_alive(const char *root, const char *tunnel)
{
	return pins_is_locked(root, tunnel, PINS_AGENT);
}

int agent_listen(const char *root, const char *tunnel)
{
	char path[PINS_PATH_MAX];
	cleanup_fd int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int ret = pins_path(path, root, tunnel, PINS_AGENT, NULL);

	if (fd < 0)
		return -errno;
	if (ret)
		return ret;
	return inotify_add_watch(fd, path, IN_ATTRIB) < 0 ? -errno : take_fd(&fd);
}

void agent_poke(const char *root, const char *tunnel)
{
	char path[PINS_PATH_MAX];

	if (!pins_path(path, root, tunnel, PINS_AGENT, NULL))
		utimensat(AT_FDCWD, path, NULL, 0);
}
