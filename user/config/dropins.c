// SPDX-License-Identifier: GPL-2.0-only
/*
 * A folder to names.
 */
#include "config/dropins.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/util.h"

#define SUFFIX ".conf"

void dropins_free(struct dropins *dropins)
{
	for (size_t i = 0; i < dropins->count; i++)
		free(dropins->paths[i]);
	free(dropins->paths);
	*dropins = (struct dropins){};
}

static void close_folder(DIR **folder)
{
	if (*folder)
		closedir(*folder);
}

static bool is_named_so(const char *name)
{
	size_t len = strlen(name), suffix = strlen(SUFFIX);

	return name[0] != '.' && len > suffix && !strcmp(name + len - suffix, SUFFIX);
}

/* Not a link that leads nowhere. */
static bool is_missing(const char *path)
{
	struct stat st;

	return errno == ENAMETOOLONG || (errno == ENOENT && lstat(path, &st));
}

bool dropins_is_gone(const char *path)
{
	struct stat st;

	return errno == ENOENT && lstat(path, &st) && errno == ENOENT;
}

static int add_entry(struct dropins *dropins, const char *folder, const char *name, struct error *error)
{
	cleanup_free char *path = NULL;
	struct stat st;
	char **added;

	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		path = NULL;
		return error_system(error, ENOMEM, "cannot read '%s'", folder);
	}
	if (stat(path, &st))
		return dropins_is_gone(path) ? 0 : file_error(error, "read", path);
	if (!S_ISREG(st.st_mode))
		return 0;
	added = array_grow(&dropins->paths, &dropins->count, sizeof(*added));
	if (!added)
		return error_system(error, ENOMEM, "cannot read '%s'", folder);
	*added = path;
	path = NULL;
	return 0;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_folder(const char *path, struct dropins *dropins, struct error *error)
{
	cleanup(close_folder) DIR *folder = opendir(path);
	const struct dirent *entry;
	int ret = 0;

	if (!folder)
		return is_missing(path) ? 0 : file_error(error, "read", path);
	while (!ret && (errno = 0, entry = readdir(folder)))
		if (is_named_so(entry->d_name))
			ret = add_entry(dropins, path, entry->d_name, error);
	if (!ret && errno)
		return file_error(error, "read", path);
	if (dropins->count)
		qsort(dropins->paths, dropins->count, sizeof(*dropins->paths), compare_paths);
	return ret;
}

int dropins_list(const char *path, struct dropins *dropins, struct error *error)
{
	cleanup_free char *folder = NULL;

	*dropins = (struct dropins){};
	if (asprintf(&folder, "%s.d", path) < 0) {
		folder = NULL;
		return error_system(error, ENOMEM, "cannot read '%s'", path);
	}
	return list_folder(folder, dropins, error);
}
