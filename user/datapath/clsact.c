// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filters at a clsact qdisc, each with a pin of its program, and a second pin during a replacement.
 */
#include "datapath/clsact.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>

#include "base/util.h"
#include "datapath/bpf_object.h"
#include "datapath/pins.h"

bool clsact_is_gone(int err)
{
	return err == -ENOENT || err == -ENODEV || err == -EINVAL;
}

static struct bpf_tc_hook hook_of(const struct attachment *point)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = (int)point->ifindex,
		.attach_point = point->direction == WGVIA_EGRESS ? BPF_TC_EGRESS : BPF_TC_INGRESS,
	};
}

/*
 * The id of the program at our handle and priority; 0: there is none. An unclear answer is an error: a filter must not
 * be forgotten because the kernel could not be asked.
 */
static int filter_program(const struct attachment *point, uint32_t *id)
{
	struct bpf_tc_hook hook = hook_of(point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = point->handle, .priority = ATTACH_PRIORITY);
	int ret = bpf_tc_query(&hook, &opts);

	if (ret && !clsact_is_gone(ret))
		return ret;
	*id = ret ? 0 : opts.prog_id;
	return 0;
}

static int put_filter(const struct attachment *point, int prog_fd, __u32 flags)
{
	struct bpf_tc_hook hook = hook_of(point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = point->handle, .priority = ATTACH_PRIORITY, .prog_fd = prog_fd,
		    .flags = flags);
	uint32_t id;
	int ret = bpf_tc_attach(&hook, &opts);

	/* read back: trust the kernel, not the library */
	ret = ret ? ret : filter_program(point, &id);
	return ret ? ret : id == bpf_object_id(prog_fd) ? 0 : -EIO;
}

static int remove_filter(const struct attachment *point)
{
	struct bpf_tc_hook hook = hook_of(point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = point->handle, .priority = ATTACH_PRIORITY);
	int ret = bpf_tc_detach(&hook, &opts);

	return clsact_is_gone(ret) ? 0 : ret;
}

/* The pin of the program that clsact_replace() is about to install. */
static void next_path(char path[PINS_PATH_MAX + 8], const char *pin)
{
	snprintf(path, PINS_PATH_MAX + 8, "%s%%new", pin);
}

/* The id of the program at this pin; 0: there is none. -errno if the pin could not be checked. */
static int pinned_program(const char *path, uint32_t *id)
{
	cleanup_fd int fd = bpf_obj_get(path);

	*id = 0;
	if (fd < 0)
		return attach_is_no_pin(fd) ? 0 : fd;
	*id = bpf_object_id(fd);
	return *id ? 0 : -errno;
}

int clsact_find(const struct attachment *point, const char *pin, uint32_t *id)
{
	char next[PINS_PATH_MAX + 8];
	uint32_t found, pinned, replacement;
	int ret = filter_program(point, &found);

	next_path(next, pin);
	ret = ret ? ret : pinned_program(pin, &pinned);
	ret = ret ? ret : pinned_program(next, &replacement);
	if (ret)
		return ret;
	*id = found == pinned || found == replacement ? found : 0;
	return 0;
}

int clsact_get_program(const struct attachment *attachment, const char *pin)
{
	char next[PINS_PATH_MAX + 8];
	const char *paths[] = {pin, next};

	next_path(next, pin);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int fd = bpf_obj_get(paths[i]);

		if (fd < 0)
			continue;
		if (bpf_object_id(fd) == attachment->prog_id)
			return fd;
		close(fd);
	}
	return -ENOENT;
}

int clsact_add(const struct attachment *point, const char *pin, int prog_fd)
{
	/* the pin first: a filter always has a pin, even if the command is killed */
	int ret = bpf_obj_pin(prog_fd, pin);

	if (ret)
		return ret == -EEXIST ? -EBUSY : ret;
	ret = put_filter(point, prog_fd, 0);
	if (ret) {
		if (ret != -EEXIST) /* not another program's: it may have been created despite the error */
			remove_filter(point);
		unlink(pin);
	}
	return ret;
}

int clsact_replace(const struct attachment *attachment, const char *pin, int prog_fd)
{
	int old = clsact_get_program(attachment, pin), ret;
	char next[PINS_PATH_MAX + 8];
	uint32_t id;

	next_path(next, pin);
	ret = old < 0 ? old : pinned_program(next, &id);
	if (!ret && id == attachment->prog_id && rename(next, pin))
		ret = -errno;
	if (ret)
		goto out;
	unlink(next);
	ret = bpf_obj_pin(prog_fd, next);
	ret = ret ? ret : put_filter(attachment, prog_fd, BPF_TC_F_REPLACE);
	if (!ret && rename(next, pin))
		ret = -errno;
	if (ret) {
		put_filter(attachment, old, BPF_TC_F_REPLACE);
		unlink(next);
	}
out:
	if (old >= 0)
		close(old);
	return ret;
}

int clsact_remove(const struct attachment *attachment, const char *pin)
{
	char next[PINS_PATH_MAX + 8];
	uint32_t id = 0;
	int ret = clsact_find(attachment, pin, &id);

	if (!ret && id)
		ret = remove_filter(attachment);
	if (ret)
		return ret;
	next_path(next, pin);
	unlink(next);
	return 0;
}
