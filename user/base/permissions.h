/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The permissions of this process, and the hint for an operation that the kernel refused: the missing capability.
 */
#ifndef WGVIA_PERMISSIONS_H
#define WGVIA_PERMISSIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Sets of capabilities are bit masks, as in /proc/PID/status. */
#define CAPABILITY(number) (UINT64_C(1) << (number))

struct permissions {
	uint64_t capabilities;	/* the effective ones */
	bool is_root;		/* judged by the user id */
	bool in_user_namespace; /* not the initial one: its capabilities do not count for BPF */
};

struct permissions permissions_own(void);

/* The capabilities that BPF needs: CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON. */
uint64_t permissions_for_bpf(void);

/* Those of `needed` that are missing. CAP_SYS_ADMIN includes CAP_BPF and CAP_PERFMON (capabilities(7)). */
uint64_t permissions_missing(const struct permissions *own, uint64_t needed);

#define PERMISSIONS_TEXT_MAX 256
/*
 * Why an operation that needs the capabilities `needed` failed with `errnum`, EPERM or EACCES, and what to do about it,
 * on one line. Returns `text`.
 */
const char *permissions_hint(const struct permissions *own, uint64_t needed, int errnum,
			     char text[PERMISSIONS_TEXT_MAX]);

#endif
