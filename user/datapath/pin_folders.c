// SPDX-License-Identifier: GPL-2.0-only
/*
 * This code never enters a folder through a symbolic link, and never empties a subfolder of an instance's folder.
 */
#include "datapath/pin_folders.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/util.h"

/* --- the content of a folder --- */

static int refuse_stranger(struct error *error, const char *folder, const char *name, size_t count)
{
	char more[MORE_TEXT_LEN];

	error_refuse(error, "cannot remove '%s/%s'%s, which wgvia did not create", folder, name,
		     more_text(count, more));
	error_hint(error, "check it, then remove it: rm -r '%s/%s'", folder, name);
	return -ENOTEMPTY;
}

/* What pins_remove_folder() and pins_clear() find, entry by entry. */
struct sweep {
	const char *path;
	DIR *folder;
	int fd; /* of the folder */
	pins_names is_ours;
	struct error *error;
	size_t strangers;
	char stranger[NAME_MAX + 1]; /* the first */
	int ret;
};

static int sweep_open(struct sweep *sweep)
{
	sweep->fd = open(sweep->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sweep->fd < 0)
		return -errno;
	sweep->folder = fdopendir(sweep->fd);
	if (sweep->folder)
		return 0;
	close(sweep->fd);
	return -ENOMEM;
}

/* The next entry; NULL: no more. */
static const char *sweep_next(struct sweep *sweep)
{
	struct dirent *entry;

	while ((entry = readdir(sweep->folder)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return entry->d_name;
	return NULL;
}

static void sweep_leave(struct sweep *sweep, const char *name)
{
	if (!sweep->strangers++)
		strcpy(sweep->stranger, name);
}

static bool sweep_is_folder(const struct sweep *sweep, const char *name)
{
	struct stat st;

	return !fstatat(sweep->fd, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode);
}

static int remove_entry(const struct sweep *sweep, const char *name)
{
	int flags = sweep_is_folder(sweep, name) ? AT_REMOVEDIR : 0;

	return unlinkat(sweep->fd, name, flags) && errno != ENOENT ? -errno : 0;
}

static void sweep_remove(struct sweep *sweep, const char *name)
{
	int ret = sweep->is_ours && !sweep->is_ours(name) ? -ENOTEMPTY : remove_entry(sweep, name);

	if (ret == -ENOTEMPTY)
		sweep_leave(sweep, name);
	else if (ret && !sweep->ret)
		sweep->ret = error_system(sweep->error, -ret, "cannot remove '%s/%s'", sweep->path, name);
}

static int sweep_end(struct sweep *sweep)
{
	closedir(sweep->folder);
	if (!sweep->ret && sweep->strangers)
		sweep->ret = refuse_stranger(sweep->error, sweep->path, sweep->stranger, sweep->strangers);
	return sweep->ret;
}

bool pins_is_empty(const char *folder)
{
	struct sweep sweep = {.path = folder};
	bool empty;

	if (sweep_open(&sweep))
		return true;
	empty = !sweep_next(&sweep);
	closedir(sweep.folder);
	return empty;
}

int pins_check_folder(const char *root, const char *tunnel, enum pins_folder folder, struct error *error)
{
	char path[PINS_PATH_MAX];
	struct stat st;

	if (pins_path(path, root, tunnel, folder, NULL) || lstat(path, &st) || S_ISDIR(st.st_mode))
		return 0;
	error_refuse(error, "cannot use '%s': it is not a folder, and wgvia did not create it", path);
	error_hint(error, "check it, then remove it: rm '%s'", path);
	return -ENOTEMPTY;
}

/* --- creating, removing --- */

int pins_make_folder(const char *root, const char *tunnel, enum pins_folder folder)
{
	char path[PINS_PATH_MAX];
	int ret = pins_path(path, root, tunnel, folder, NULL);

	if (ret)
		return ret;
	return mkdir(path, 0700) ? -errno : 0;
}

int pins_check_writable(const char *root)
{
	struct statvfs fs;

	if (statvfs(root, &fs))
		return -errno;
	return fs.f_flag & ST_RDONLY ? -EROFS : 0;
}

int pins_remove_folder(const char *root, const char *tunnel, enum pins_folder folder, pins_names is_ours,
		       const char *last, struct error *error)
{
	char path[PINS_PATH_MAX];
	struct sweep sweep = {.path = path, .is_ours = is_ours, .error = error};
	const char *name;
	int ret = pins_path(path, root, tunnel, folder, NULL);

	ret = ret ? ret : sweep_open(&sweep);
	if (ret)
		return ret == -ENOENT ? 0 : error_system(error, -ret, "cannot remove '%s'", path);
	while ((name = sweep_next(&sweep)))
		if (!last || strcmp(name, last) != 0)
			sweep_remove(&sweep, name);
	if (last && !sweep.ret)
		sweep_remove(&sweep, last);
	ret = sweep_end(&sweep);
	if (!ret && rmdir(path))
		ret = error_system(error, errno, "cannot remove '%s'", path);
	return ret;
}

int pins_clear(const char *root, const char *tunnel, pins_names is_ours, struct error *error)
{
	char path[PINS_PATH_MAX];
	struct sweep sweep = {.path = path, .error = error};
	const char *name;
	int ret = pins_path(path, root, tunnel, PINS_CURRENT, NULL);

	if (!ret && !pins_exist(root, tunnel, PINS_CURRENT))
		return 0;
	ret = ret ? ret : sweep_open(&sweep);
	if (ret)
		return error_system(error, -ret, "cannot read '%s'", path);
	while ((name = sweep_next(&sweep)))
		if (is_ours(name) && sweep_is_folder(&sweep, name))
			sweep_remove(&sweep, name);
	return sweep_end(&sweep);
}

/* --- replacing one by another --- */

static int rename_folder(const char *root, const char *tunnel, enum pins_folder from, enum pins_folder to,
			 struct error *error)
{
	char old[PINS_PATH_MAX], new[PINS_PATH_MAX];
	int ret = pins_path(old, root, tunnel, from, NULL);

	ret = ret ? ret : pins_path(new, root, tunnel, to, NULL);
	if (!ret && rename(old, new))
		ret = -errno;
	return ret ? error_system(error, -ret, "cannot rename '%s' to '%s'", old, new) : 0;
}

/* Moves from NAME%old to NAME the pins that NAME lacks, and removes the rest of NAME%old. */
static int merge_old(const char *root, const char *tunnel, struct error *error)
{
	char path[PINS_PATH_MAX], from[PINS_PATH_MAX], to[PINS_PATH_MAX];
	struct sweep sweep = {.path = path, .error = error};
	struct stat st;
	const char *name;
	int ret = pins_path(path, root, tunnel, PINS_OLD, NULL);

	if (!ret && !pins_exist(root, tunnel, PINS_OLD))
		return 0;
	ret = ret ? ret : sweep_open(&sweep);
	if (ret)
		return error_system(error, -ret, "cannot read '%s'", path);
	while ((name = sweep_next(&sweep))) {
		if (pins_path(from, root, tunnel, PINS_OLD, name) || pins_path(to, root, tunnel, PINS_CURRENT, name))
			continue;
		if (lstat(to, &st) && rename(from, to) && !sweep.ret)
			sweep.ret = error_system(error, errno, "cannot rename '%s' to '%s'", from, to);
	}
	ret = sweep_end(&sweep);
	return ret ? ret : pins_remove_folder(root, tunnel, PINS_OLD, NULL, NULL, error);
}

int pins_commit(const char *root, const char *tunnel, struct error *error)
{
	bool replaces = pins_exist(root, tunnel, PINS_CURRENT);
	int ret = replaces ? rename_folder(root, tunnel, PINS_CURRENT, PINS_OLD, error) : 0;
	struct error ignored = {};

	if (ret)
		return ret;
	ret = rename_folder(root, tunnel, PINS_NEW, PINS_CURRENT, error);
	if (ret) {
		if (replaces)
			rename_folder(root, tunnel, PINS_OLD, PINS_CURRENT, &ignored);
		return ret;
	}
	/* in force from here on: the next command that recovers reports or completes what fails now */
	merge_old(root, tunnel, &ignored);
	return 0;
}

int pins_recover(const char *root, const char *tunnel, struct error *error)
{
	int ret = 0;

	if (pins_exist(root, tunnel, PINS_OLD) && !pins_exist(root, tunnel, PINS_CURRENT))
		ret = rename_folder(root, tunnel, pins_exist(root, tunnel, PINS_NEW) ? PINS_NEW : PINS_OLD,
				    PINS_CURRENT, error);
	return ret ? ret : merge_old(root, tunnel, error);
}
