/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an instance's programs would do with a packet.
 */
#ifndef WGVIA_TRIAL_H
#define WGVIA_TRIAL_H

#include "instance.h"

/* A packet for a program to decide on without anything being sent or counted. */
struct trial {
	struct point point;	  /* the program and its device */
	uint32_t ingress_ifindex; /* by which the packet came in; 0: made on this host */
	const void *frame;	  /* Ethernet header and IP packet */
	size_t frame_len;
	/* the outcome */
	bool counted; /* there was a verdict */
	enum wgvia_verdict verdict;
	int action; /* TC_ACT_* */
};

/*
 * Runs the program of `trial->point` in the kernel (BPF_PROG_TEST_RUN), on the instance's own prefixes, bypass list and
 * settings. What it counts, and remembers of bounced packets, it keeps to itself.
 */
int trial_run(const struct instance *instance, struct trial *trial, struct error *error);

#endif
