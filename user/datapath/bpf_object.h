/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Facts about a program, map or link by its descriptor.
 */
#ifndef WGVIA_BPF_OBJECT_H
#define WGVIA_BPF_OBJECT_H

#include <bpf/bpf.h>
#include <stdint.h>

/* The id; 0 with errno set if the kernel does not report it. It has the same offset in the info of each kind. */
static inline uint32_t bpf_object_id(int fd)
{
	struct {
		__u32 type, id;
	} info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

#endif
