/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Facts that hold for as long as a program is attached: constants in .rodata, set by the loader before the load, so
 * that the verifier removes what they rule out. What an operator may change at any time is in the maps instead.
 */
#ifndef WGVIA_BPF_CONFIG_H
#define WGVIA_BPF_CONFIG_H

#include <linux/types.h>

/* The map `devices`: under which key it has the tunnel, which is no ifindex, and how many others it can have. */
#define CONFIG_TUNNEL 0
#define CONFIG_DEVICES 256

struct config {
	__u32 tunnel_link_len; /* 0 on an L3 device, ETH_HLEN on an Ethernet device and in a test run */
	__u32 tunnel_ether;    /* the tunnel is an Ethernet device: what goes into it needs a neighbour */
	__u32 has_check_mtu;   /* the kernel knows bpf_check_mtu() (5.12) */
	__u32 has_trace;       /* tell of decisions when asked; not in a test run, whose packets do not exist */
	__u32 stack;	       /* mode stack: the kernel forwards into the tunnel */
};

#ifdef __bpf__
const volatile struct config config = {};
#endif

#endif
