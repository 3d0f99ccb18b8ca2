/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How often each prefix map was changed (the map `changes`), and the programs that count it (bpf/index/changes.bpf.c),
 * pinned in the instance's folder. An index says which state of its map it was made from; see bpf/index/index_lines.h.
 */
#ifndef WGVIA_CHANGE_COUNT_H
#define WGVIA_CHANGE_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "datapath/instance.h"

struct change_counts {
	uint64_t count[2]; /* of prefixes4, prefixes6 */
};

/* 0 or -errno. */
int change_count_read(const struct instance *instance, struct change_counts *changes);
/* Counts a change that is about to be made by this program, which holds the lock. 0 or -errno. */
int change_count_add(const struct instance *instance);

/*
 * Whether every change of the instance's prefix maps is counted; attaches what counts them where it is not there. False
 * where the kernel has no such programs (fentry and fexit: 5.5, CONFIG_FUNCTION_TRACER, BTF).
 */
bool change_count_are_counted(const struct instance *instance);
/* Whether that is so already: 1, 0, or -EPERM where it cannot be told without CAP_SYS_ADMIN. */
int change_count_are_counted_now(const struct instance *instance);
/* Takes away what counts for another instance, whose place this one has taken. */
void change_count_tidy(const struct instance *instance);
/* Takes it away where it is there. */
void change_count_leave_uncounted(const struct instance *instance);

#endif
