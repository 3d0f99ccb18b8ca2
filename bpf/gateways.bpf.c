// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The state of the gateways, as the agent sees them: a map without a program. The agent creates and writes it, commands
 * read it. It has an object of its own because an instance can do without it, and because the object gives it BTF.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "wgvia_abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct wgvia_hop);
	__type(value, struct wgvia_gateway_health);
} gateways SEC(".maps");
