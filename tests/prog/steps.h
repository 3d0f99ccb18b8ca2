/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts the instructions and the helper calls that a program executes in a test run. Before each stretch of
 * instructions without a jump, code is put in that counts how often it is run. Nothing is timed, so the figures are the
 * same in each run, on whatever machine.
 */
#ifndef WGVIA_TEST_STEPS_H
#define WGVIA_TEST_STEPS_H

#include <stdint.h>

#include <linux/bpf.h>

#define STEPS_BLOCKS 2048

struct steps {
	int fd; /* of the program that counts */
	unsigned int blocks;
	struct {
		uint16_t insns, calls;
	} block[STEPS_BLOCKS];
	volatile uint64_t *runs; /* of each block */
};

/*
 * Loads these `len` instructions, as they are after libbpf has loaded them (bpf_program__insns), with what counts.
 * Their maps must be open. 0 or -errno: this kernel's verifier refuses it. Ends the test with a message where the
 * program cannot be counted; `name` is for that.
 */
int steps_load(const char *name, const struct bpf_insn *program, unsigned int len, struct steps *steps);
void steps_unload(struct steps *steps);

/* What has been executed since the last call, or since it was loaded. */
void steps_take(struct steps *steps, unsigned int *insns, unsigned int *calls);

#endif
