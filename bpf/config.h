/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Facts that hold for as long as a program is attached: constants in .rodata, set by the loader before the load, so
 * that the verifier removes what they rule out. What an operator may change at any time is in the maps instead.
 */
#ifndef WGVIA_BPF_CONFIG_H
#define WGVIA_BPF_CONFIG_H

#include <linux/types.h>

/*
 * The map `devices`: under which key it has the tunnel, which no ifindex is; what is added to the ifindex of a device
 * without link header; how many Ethernet devices it can have, and how many entries in all.
 */
#define CONFIG_TUNNEL 0
#define CONFIG_DEVICE_L3 0x80000000u
#define CONFIG_DEVICES 256
#define CONFIG_DEVICE_ENTRIES 8192

struct config {
	__u32 tunnel_link_len; /* 0 on an L3 device, ETH_HLEN on an Ethernet device and in a test run */
	__u32 tunnel_ether;    /* the tunnel is an Ethernet device: what goes into it needs a neighbour */
	__u32 has_check_mtu;   /* the kernel knows bpf_check_mtu() (5.12) */
	__u32 has_trace;       /* tell of decisions when asked; not in a test run, whose packets do not exist */
	__u32 stack;	       /* mode stack: the kernel forwards into the tunnel */
	__u32 count_prefixes;  /* "counters prefix"; not in a test run */
};

#ifdef __bpf__
const volatile struct config config = {};
#endif

#endif
