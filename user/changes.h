/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How often each prefix map was changed (the map `changes`), and the programs that count it (bpf/changes.bpf.c), pinned
 * in the instance's folder. An index says which state of its map it was made from; see bpf/index_lines.h.
 */
#ifndef WGVIA_CHANGES_H
#define WGVIA_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "instance.h"

struct changes {
	uint64_t count[2]; /* of prefixes4, prefixes6 */
};

/* 0 or -errno. */
int changes_read(const struct instance *instance, struct changes *changes);
/* Counts a change that is about to be made by this program, which holds the lock. 0 or -errno. */
int changes_count(const struct instance *instance);

/*
 * Whether every change of the instance's prefix maps is counted; attaches what counts them where it is not there. False
 * where the kernel has no such programs (fentry and fexit: 5.5, CONFIG_FUNCTION_TRACER, BTF).
 */
bool changes_are_counted(const struct instance *instance);
/* Whether that is so already: 1, 0, or -EPERM where it cannot be told without CAP_SYS_ADMIN. */
int changes_are_counted_now(const struct instance *instance);
/* Takes away what counts for another instance, whose place this one has taken. */
void changes_tidy(const struct instance *instance);
/* Takes it away where it is there. */
void changes_leave_uncounted(const struct instance *instance);

#endif
