// SPDX-License-Identifier: GPL-2.0-only
/*
 * Folders on a bpffs.
 */
#include "datapath/pins.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "base/permissions.h"
#include "base/util.h"

#define BPFFS "/sys/fs/bpf"

static const char *const suffixes[] = {
	[PINS_CURRENT] = "", [PINS_NEW] = "%new", [PINS_OLD] = "%old", [PINS_AGENT] = "%agent"};

static void escape(const char *tunnel, char *name)
{
	for (; *tunnel; tunnel++)
		if (*tunnel == '.' || *tunnel == '%')
			name += sprintf(name, "%%%02x", *tunnel);
		else
			*name++ = *tunnel;
	*name = '\0';
}

/* False for a name that escape() cannot produce, such as NAME%new. */
static bool unescape(const char *name, char tunnel[IFNAMSIZ])
{
	size_t len = 0;

	for (; *name; name++) {
		char c = *name;

		if (c == '%') {
			if (strncmp(name, "%2e", 3) != 0 && strncmp(name, "%25", 3) != 0)
				return false;
			c = name[2] == 'e' ? '.' : '%';
			name += 2;
		}
		if (len == IFNAMSIZ - 1)
			return false;
		tunnel[len++] = c;
	}
	memset(tunnel + len, 0, IFNAMSIZ - len);
	return len > 0;
}

int pins_path(char path[PINS_PATH_MAX], const char *root, const char *tunnel, enum pins_folder folder, const char *file)
{
	char name[PINS_NAME_MAX];
	int len;

	escape(tunnel, name);
	len = snprintf(path, PINS_PATH_MAX, "%s/%s%s%s%s", root, name, suffixes[folder], file ? "/" : "",
		       file ? file : "");
	return len < PINS_PATH_MAX ? 0 : -ENAMETOOLONG;
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && (unsigned int)fs.f_type == BPF_FS_MAGIC;
}

static int parent_of(int pid)
{
	char path[64];
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%*d (%*[^)]) %*c %d", &parent) != 1)
		parent = 0;
	fclose(file);
	return parent;
}

/*
 * Whether this process has mounts that an ancestor does not see, as below `ip netns exec`: a bpffs mounted there would
 * vanish with the process, together with the programs.
 */
static bool has_private_mounts(void)
{
	struct stat own, other;
	char path[64];

	if (stat("/proc/self/ns/mnt", &own))
		return false;
	for (int pid = getppid(); pid > 0; pid = parent_of(pid)) {
		snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
		if (!stat(path, &other) && other.st_ino != own.st_ino)
			return true;
	}
	return false;
}

static bool is_below_bpffs(const char *path)
{
	return !strcmp(path, BPFFS) || !strncmp(path, BPFFS "/", strlen(BPFFS "/"));
}

static int refuse_mount(int errnum, struct error *error)
{
	error_system(error, errnum, "no bpffs is mounted at '%s', and it cannot be mounted", BPFFS);
	error_hint(error, "'mount -t bpf bpf %s' needs CAP_SYS_ADMIN; a container can share the host's: -v %s:%s",
		   BPFFS, BPFFS, BPFFS);
	return -errnum;
}

/* Whether a missing bpffs can be mounted; otherwise the reason. */
static int check_mount(struct error *error)
{
	struct permissions own = permissions_own();

	if (has_private_mounts()) {
		error_refuse(error, "cannot pin below '%s': no bpffs is mounted there", BPFFS);
		error_hint(error, "'ip netns exec' hides it: use 'wgvia -n NAME' or 'nsenter --net=/run/netns/NAME'");
		return -EINVAL;
	}
	return permissions_missing(&own, CAPABILITY(CAP_SYS_ADMIN)) ? refuse_mount(EPERM, error) : 0;
}

static int mount_bpffs(struct error *error)
{
	int ret = check_mount(error);

	if (ret)
		return ret;
	/* like bpf_mnt_fs() of iproute2 */
	if (mount("", BPFFS, "none", MS_PRIVATE | MS_REC, NULL) &&
	    (errno != EINVAL || mount(BPFFS, BPFFS, "none", MS_BIND, NULL)))
		return refuse_mount(errno, error);
	if (mount("bpf", BPFFS, "bpf", 0, "mode=0700"))
		return refuse_mount(errno, error);
	return 0;
}

/* The deepest existing folder of the path, into `parent`. 0, or -errno if it cannot be determined. */
static int existing_parent(const char *path, char parent[PINS_PATH_MAX])
{
	struct stat st;

	snprintf(parent, PINS_PATH_MAX, "%s", path);
	while (stat(parent, &st)) {
		char *slash = strrchr(parent, '/');

		if (errno != ENOENT)
			return -errno;
		if (!slash || slash == parent) {
			strcpy(parent, slash ? "/" : ".");
			return 0;
		}
		*slash = '\0';
	}
	return 0;
}

static int make_folders(const char *path)
{
	char part[PINS_PATH_MAX];

	snprintf(part, sizeof(part), "%s", path);
	for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(part, 0700) && errno != EEXIST)
			return -errno;
		if (!slash)
			return 0;
		*slash = '/';
	}
}

static int refuse_no_bpffs(const char *root, struct error *error)
{
	error_refuse(error, "cannot use '%s': directory not in a bpf file system (bpffs)", root);
	error_hint(error, "mount one with 'mount -t bpf bpf %s', or leave --pin-dir out", root);
	return -EINVAL;
}

int pins_prepare(const char *root, struct error *error)
{
	char parent[PINS_PATH_MAX];
	int ret;

	if (strlen(root) + PINS_NAME_MAX + 64 > PINS_PATH_MAX)
		return error_system(error, ENAMETOOLONG, "cannot use '%s'", root);
	ret = existing_parent(root, parent);
	if (ret)
		return error_system(error, -ret, "cannot use '%s'", root);
	if (!is_bpffs(parent)) {
		if (!is_below_bpffs(root))
			return refuse_no_bpffs(root, error);
		ret = mount_bpffs(error);
		if (ret)
			return ret;
	}
	ret = make_folders(root);
	return ret ? error_system(error, -ret, "cannot create '%s'", root) : 0;
}

int pins_probe(const char *root, struct error *error)
{
	char parent[PINS_PATH_MAX];
	struct stat st;

	if (stat(root, &st)) {
		if (errno != ENOENT && errno != ENOTDIR)
			return error_system(error, errno, "cannot read '%s'", root);
		if (!existing_parent(root, parent) && has_private_mounts() && !is_bpffs(parent) && is_below_bpffs(root))
			error_hint(error, "'ip netns exec' hides the pins: use 'wgvia -n NAME'");
		return -ENOENT;
	}
	return is_bpffs(root) ? 0 : refuse_no_bpffs(root, error);
}

int pins_check_mount(const char *root, struct error *error)
{
	char parent[PINS_PATH_MAX];
	int ret = existing_parent(root, parent);

	if (ret)
		return error_system(error, -ret, "cannot use '%s'", root);
	if (is_bpffs(parent))
		return 0;
	return is_below_bpffs(root) ? check_mount(error) : refuse_no_bpffs(root, error);
}

int pins_lock(const char *root, struct error *error)
{
	for (;;) {
		int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct stat locked, named;

		if (fd < 0)
			return errno == ENOENT ? -ENOENT : error_system(error, errno, "cannot open '%s'", root);
		if (flock(fd, LOCK_EX) || fstat(fd, &locked)) {
			int err = errno;

			close(fd);
			return error_system(error, err, "cannot lock '%s'", root);
		}
		/* the last `down` may have removed it while this process waited */
		if (!stat(root, &named) && named.st_ino == locked.st_ino && named.st_dev == locked.st_dev)
			return fd;
		close(fd);
		if (make_folders(root))
			return -ENOENT;
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

int pins_list(const char *root, char (**names)[IFNAMSIZ], size_t *count)
{
	char(*found)[IFNAMSIZ] = NULL;
	size_t number = 0;
	struct dirent *entry;
	DIR *folder = opendir(root);

	if (!folder)
		return -errno;
	while ((entry = readdir(folder))) {
		char tunnel[IFNAMSIZ];

		if (entry->d_name[0] == '.' || !unescape(entry->d_name, tunnel))
			continue;
		if (!array_grow(&found, &number, IFNAMSIZ)) {
			free(found);
			closedir(folder);
			return -ENOMEM;
		}
		memcpy(found[number - 1], tunnel, IFNAMSIZ);
	}
	closedir(folder);
	if (number)
		qsort(found, number, IFNAMSIZ, compare_names);
	*names = found;
	*count = number;
	return 0;
}

bool pins_exist(const char *root, const char *tunnel, enum pins_folder folder)
{
	char path[PINS_PATH_MAX];
	struct stat st;

	return !pins_path(path, root, tunnel, folder, NULL) && !lstat(path, &st) && S_ISDIR(st.st_mode);
}

bool pins_is_locked(const char *root, const char *tunnel, enum pins_folder folder)
{
	char path[PINS_PATH_MAX];
	cleanup_fd int fd = -1;

	if (!pins_path(path, root, tunnel, folder, NULL))
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
}

void pins_tidy(const char *root)
{
	rmdir(root); /* the kernel refuses if it is not empty, or a mount point */
}
