/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The map in which changes.bpf.c counts changes to prefixes4 and prefixes6; the packet path reads it.
 */
#ifndef WGVIA_BPF_CHANGES_H
#define WGVIA_BPF_CHANGES_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "index_lines.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, INDEX_FAMILIES);
	__type(key, __u32);
	__type(value, __u64);
} changes SEC(".maps");

#endif
