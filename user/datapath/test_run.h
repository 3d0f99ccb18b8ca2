/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision of an instance's programs about a given packet.
 */
#ifndef WGVIA_TEST_RUN_H
#define WGVIA_TEST_RUN_H

#include "datapath/instance.h"

/* A packet for a program to decide on; nothing is sent or counted. */
struct test_run {
	struct point point;	  /* the program and its device */
	uint32_t ingress_ifindex; /* by which the packet came in; 0: sent by this host */
	const void *frame;	  /* Ethernet header and IP packet */
	size_t frame_len;
	/* the result */
	bool counted; /* there was a verdict */
	enum wgvia_verdict verdict;
	int action; /* TC_ACT_* */
};

/*
 * Runs the program of `trial->point` in the kernel (BPF_PROG_TEST_RUN), with the instance's prefixes, bypass list and
 * settings. Its counters and its record of bounced packets are private to the test run.
 */
int test_run_run(const struct instance *instance, struct test_run *trial, struct error *error);

#endif
