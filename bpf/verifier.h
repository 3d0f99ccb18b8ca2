/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the verifier must not know. It goes through the code after a point once for each state in which it reaches the
 * point, and a constant in one variable is enough for another state.
 */
#ifndef WGVIA_BPF_VERIFIER_H
#define WGVIA_BPF_VERIFIER_H

#include <linux/bpf.h>
#include <linux/types.h>

/* The same number, of which the verifier knows nothing: it knows nothing about `unknown` either. */
static __always_inline __u32 verifier_forget(__u32 number, __u32 unknown)
{
	asm volatile("%0 ^= %1\n"
		     "%0 ^= %1"
		     : "+&r"(number)
		     : "r"(unknown));
	return number;
}

#endif
