/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Findings of `check` that the administrator has accepted, each with a reason: "accept FINDING reason TEXT". And the
 * names of all findings. Pure.
 */
#ifndef WGVIA_ACCEPTED_H
#define WGVIA_ACCEPTED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "wgvia_abi.h"

/* In the order of the alphabet. */
extern const char *const finding_names[];
extern const size_t finding_name_count;

struct acceptance {
	struct wgvia_finding finding;
	struct wgvia_acceptance why;
};

/* In the order of the findings' names, each once. */
struct accepted {
	struct acceptance *all;
	size_t count;
};

/*
 * Adds an entry of a file or a map, in its place in the order. A finding that does not exist, one that is there
 * already, and a reason that a file cannot hold are usage errors; -ENOMEM.
 */
int accepted_add(struct accepted *accepted, const char *finding, const char *reason, struct error *error);
/* The reason; NULL: the finding is not accepted. */
const char *accepted_reason(const struct accepted *accepted, const char *finding);
bool accepted_equal(const struct accepted *a, const struct accepted *b);
/* `to`, which is empty, is the caller's to free. 0 or -ENOMEM. */
int accepted_copy(const struct accepted *from, struct accepted *to);

#endif
