/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The map in which changes.bpf.c counts changes to the prefix maps and the bypass list; the packet path reads it.
 */
#ifndef WGVIA_BPF_CHANGES_H
#define WGVIA_BPF_CHANGES_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "index_lines.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CHANGES_KEYS);
	__type(key, __u32);
	__type(value, __u64);
} changes SEC(".maps");

#endif
