// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening files without waiting forever.
 */
#include "base/file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/util.h"

#define WRITER_MS 10000

/* Excludes a pipe of the shell, "<(command)", whose other end is open. */
static bool is_named_pipe(int fd)
{
	struct statfs fs;
	struct stat st;

	return !fstat(fd, &st) && S_ISFIFO(st.st_mode) && !fstatfs(fd, &fs) && fs.f_type != PIPEFS_MAGIC;
}

FILE *file_open(const char *path)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct pollfd polled = {fd, POLLIN, 0};
	FILE *file;

	if (fd < 0)
		return NULL;
	if (is_named_pipe(fd) && poll(&polled, 1, WRITER_MS) == 0) {
		errno = ENODATA;
		return NULL;
	}
	if (fcntl(fd, F_SETFL, 0))
		return NULL;
	file = fdopen(fd, "r");
	if (file)
		take_fd(&fd);
	return file;
}

int file_error(struct error *error, const char *verb, const char *path)
{
	int errnum = errno;

	error_system(error, errnum, "cannot %s '%s'", verb, path);
	if (errnum == EACCES || errnum == EPERM) /* not related to BPF */
		error_hint(error, "check the file's permissions: ls -l '%s'", path);
	return -errnum;
}

size_t file_mark_len(const char *text, size_t len)
{
	return len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
}
