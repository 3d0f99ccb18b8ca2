/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an instance's programs would do with a packet.
 */
#ifndef WGVIA_TEST_RUN_H
#define WGVIA_TEST_RUN_H

#include "datapath/instance.h"

/* A packet for a program to decide on without anything being sent or counted. */
struct test_run {
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
int test_run_run(const struct instance *instance, struct test_run *trial, struct error *error);

#endif
