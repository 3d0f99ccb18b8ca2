/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this process may do, and the hint for an operation that the kernel refused: which capability is missing.
 */
#ifndef WGVIA_PERMISSIONS_H
#define WGVIA_PERMISSIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Sets of capabilities are bits, as in /proc/PID/status. */
#define CAPABILITY(number) (UINT64_C(1) << (number))

struct permissions {
	uint64_t capabilities;	/* the effective ones */
	bool is_root;		/* by the user id */
	bool in_user_namespace; /* other than the first: its capabilities do not count for BPF */
};

struct permissions permissions_own(void);

/* What BPF takes: CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON. */
uint64_t permissions_for_bpf(void);

/* Those of `needed` that are missing. CAP_SYS_ADMIN includes CAP_BPF and CAP_PERFMON (capabilities(7)). */
uint64_t permissions_missing(const struct permissions *own, uint64_t needed);

#define PERMISSIONS_TEXT_MAX 256
/*
 * Why an operation that takes the capabilities `needed` failed with `errnum`, EPERM or EACCES, and what to do about it;
 * on one line. Returns `text`.
 */
const char *permissions_hint(const struct permissions *own, uint64_t needed, int errnum,
			     char text[PERMISSIONS_TEXT_MAX]);

#endif
