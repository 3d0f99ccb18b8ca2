/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Facts that do not change while a program is attached: constants in .rodata. The loader sets them before the load, so
 * that the verifier removes dead branches. What an operator may change at any time is in maps instead.
 */
#ifndef WGVIA_BPF_CONFIG_H
#define WGVIA_BPF_CONFIG_H

#include <linux/types.h>

/*
 * The map `devices`: the key of the tunnel, which is not a valid ifindex; what is added to the ifindex of a device
 * without link header; the maximum number of Ethernet devices, and of all entries.
 */
#define CONFIG_TUNNEL 0
#define CONFIG_DEVICE_L3 0x80000000u
#define CONFIG_DEVICES 256
#define CONFIG_DEVICE_ENTRIES 8192

struct config {
	__u32 tunnel_link_len; /* 0 on an L3 device, ETH_HLEN on an Ethernet device and in a test run */
	__u32 tunnel_ether;    /* the tunnel is an Ethernet device: a packet into it needs a neighbour */
	__u32 has_check_mtu;   /* the kernel knows bpf_check_mtu() (5.12) */
	__u32 has_trace;       /* report decisions on request; off in a test run, whose packets are not real */
	__u32 stack;	       /* mode stack: the kernel forwards into the tunnel */
	__u32 has_index;       /* changes can be counted: an index may be in force */
	__u32 keeps_decisions; /* and the CPU is a packet's until its program ends: they may be kept */
	__u32 count_prefixes;  /* "counters prefix"; not in a test run */
};

#ifdef __bpf__
const volatile struct config config = {};
#endif

#endif
