/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The real programs in test runs: a network namespace with devices of known MTUs, loading, maps, and the run of one
 * packet.
 *
 * Two additions surround the programs if a test needs them. The stage is a small program that gives the packet
 * properties that a test run's context cannot have (tc_index, a VLAN tag, less than an IP header), and then tail-calls
 * the program under test. The recorder stores the arguments of the redirect helper, which a test run does not show:
 * each call jumps to code at the program's end that writes them to a map, makes the call and jumps back.
 */
#ifndef WGVIA_TEST_PROGRAMS_H
#define WGVIA_TEST_PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "packets.h"
#include "wgvia.skel.h"
#include "wgvia_abi.h"

struct steps;

enum device {
	DEVICE_NONE,
	DEVICE_TUNNEL,
	DEVICE_LAN,
	DEVICE_JUMBO,
	DEVICE_NARROW,
	DEVICE_FOREIGN, /* not in the map of devices */
	DEVICE_GONE,	/* was in the map, until the device was deleted */
	DEVICE_COUNT,
};

struct device_info {
	const char *name;
	uint32_t mtu;
	uint32_t ifindex;
	uint8_t mac[6];
};

extern struct device_info devices[DEVICE_COUNT];

struct recorded {
	uint32_t ifindex;
	uint32_t has_next_hop;
	uint32_t family;
	uint8_t addr[16];
	uint32_t calls;
	uint32_t helper; /* its number: BPF_FUNC_redirect or BPF_FUNC_redirect_neigh */
};

struct programs_options {
	bool l3; /* no link header: wgvia_out reads from the first byte, the egress program is wgvia_egress_l3 */
	bool tunnel_ether;
	bool stack;	   /* mode stack */
	bool no_check_mtu; /* as on a kernel without that helper; on such a one always */
	bool no_counts;	   /* as on a kernel that cannot count changes: no index, and no kept decision */
	bool no_keeping;   /* as on one with PREEMPT_RT: no kept decision */
	bool no_trace;	   /* without the part that tells a listener */
	bool count;	   /* "counters prefix" */
	bool record;
	bool count_steps;   /* steps.h: steps[] are NULL if this kernel refuses it */
	bool flat_counters; /* an array that is mapped here in place of the per-CPU array, to be read at no cost */
	struct wgvia_bpf *maps_of; /* programs whose maps these use as well */
};

struct programs {
	struct programs_options options;
	struct wgvia_bpf *skel;
	int fd[WGVIA_DIRECTION_COUNT];
	int stage;
	volatile uint32_t *stage_input;
	volatile struct recorded *recorded;	    /* NULL without the recorder */
	struct wgvia_counter *counters;		    /* NULL without flat counters */
	struct steps *steps[WGVIA_DIRECTION_COUNT]; /* NULL: not counted */
};

struct run {
	uint32_t ifindex;
	uint32_t ingress_ifindex;
	uint32_t gso_size;
	uint32_t cb[5]; /* in and out */
	uint16_t tc_index;
	uint16_t vlan;		/* TCI, 0 for none */
	bool checksum_complete; /* the packet has its sum, and the kernel checks it after the run */
	uint32_t skb_mark;	/* in and out */
	int action;		/* out */
	struct frame out;
};

/* Creates a private network namespace with the devices; ends the program with a message on failure. */
void programs_namespace(void);
void programs_sysctl(const char *path, const char *value);
/* Ends the program with a SKIP line (TAP) if it does not run as root, or if there is no BPF. */
void programs_need_root(void);

void programs_load(struct programs *programs, const struct programs_options *options);
void programs_unload(struct programs *programs);

/* Runs one packet. 0 or -errno; -EBADMSG: the sum over the packet was wrong after the run. */
int programs_run(struct programs *programs, enum wgvia_direction direction, const struct frame *frame, struct run *run);
/* Features of this kernel: bpf_check_mtu() (5.12), sums over a test run's packets (6.15), an ingress device (5.12). */
bool programs_can_check_mtu(void);
bool programs_can_check_sums(void);
bool programs_can_set_ingress(struct programs *programs);

/* Keeps this process on one CPU, not the first one if there are others, and returns its number. */
uint32_t programs_stay_on_a_cpu(void);
/* The egress programs' passes on that CPU, as in bpf/maps.h. Setting them sets those of other CPUs to other values. */
struct programs_passes {
	uint32_t count, redirected, ifindex, unused;
};
struct programs_passes programs_get_passes(struct programs *programs);
void programs_set_passes(struct programs *programs, const struct programs_passes *passes);

void programs_set_prefix(struct programs *programs, const char *prefix, const struct wgvia_gateway *gateway);
void programs_set_bypass(struct programs *programs, const char *prefix, uint32_t verdict);
void programs_set_bypass_flags(struct programs *programs, const char *prefix, uint32_t verdict, uint32_t flags);
void programs_clear_maps(struct programs *programs);
/* From now on the programs keep decisions, none of them made before; or they keep none. */
void programs_keep_decisions(struct programs *programs, bool keep);
/* Makes these lines (index_lines.h) the index of a family, INDEX_IPV4 or INDEX_IPV6; `count` 0 removes it. */
void programs_set_index(struct programs *programs, uint32_t family, const void *lines, uint32_t count);
/* The tunnel, or DEVICE_NONE: it was removed. */
void programs_set_tunnel(struct programs *programs, enum device device);
/* The settings that the packet path reads; omitted ones have defaults. */
void programs_set_meta(struct programs *programs, struct wgvia_meta settings);
/* Clears what the packet path knows about senders and bounced packets. */
void programs_forget(struct programs *programs);
/* What is counted under that number (wgvia_gateway.counter), less than WGVIA_PREFIX_CHUNK, over the CPUs. */
struct wgvia_prefix_counter programs_prefix_counter(struct programs *programs, uint32_t number);
/* All counters, summed over the CPUs. */
void programs_counters(struct programs *programs, struct wgvia_counter sums[WGVIA_COUNTERS]);

#endif
