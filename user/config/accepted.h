/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Findings of `check` that the administrator accepted, each with a reason: "accept FINDING reason TEXT". Also the names
 * of all findings. Pure.
 */
#ifndef WGVIA_ACCEPTED_H
#define WGVIA_ACCEPTED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "wgvia_abi.h"

/* In alphabetical order. */
extern const char *const finding_names[];
extern const size_t finding_name_count;

struct acceptance {
	struct wgvia_finding finding;
	struct wgvia_acceptance why;
};

/* Sorted by the names of the findings, each once. */
struct accepted {
	struct acceptance *all;
	size_t count;
};

/*
 * Adds an entry of a file or a map at its place in the order. An unknown finding, one that is already there, and a
 * reason that a file cannot hold are usage errors; -ENOMEM.
 */
int accepted_add(struct accepted *accepted, const char *finding, const char *reason, struct error *error);
/* The reason; NULL: the finding is not accepted. */
const char *accepted_reason(const struct accepted *accepted, const char *finding);
bool accepted_equal(const struct accepted *a, const struct accepted *b);
/* `to` must be empty; the caller frees it. 0 or -ENOMEM. */
int accepted_copy(const struct accepted *from, struct accepted *to);

#endif
