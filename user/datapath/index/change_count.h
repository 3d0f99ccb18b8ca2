/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How often each prefix map and the bypass list changed (the map `changes`), and the programs that count this
 * (bpf/index/changes.bpf.c), pinned in the instance's folder. An index records the state of its map from which it was
 * built (bpf/index/index_lines.h), and the packet path keeps decisions for as long as the counts stay (bpf/decision.h).
 */
#ifndef WGVIA_CHANGE_COUNT_H
#define WGVIA_CHANGE_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "datapath/instance.h"

struct change_counts {
	uint64_t count[4]; /* of prefixes4, of prefixes6, of each with the bypass list: bpf/index/index_lines.h */
};

/* 0 or -errno. */
int change_count_read(const struct instance *instance, struct change_counts *changes);
/* Counts a change that this process is about to make; it must hold the lock. 0 or -errno. */
int change_count_add(const struct instance *instance);

/* The same for the bypass list alone: no earlier decision is in force then, and the indexes stay. */
int change_count_add_bypass(const struct instance *instance);

/*
 * Whether every change to these maps is counted; attaches the counting programs if they are missing, and tells the
 * packet path. False if the kernel does not support them (fentry and fexit: 5.5, CONFIG_FUNCTION_TRACER, BTF).
 */
bool change_count_are_counted(const struct instance *instance);
/* Whether they are counted already: 1, 0, or -EPERM if only CAP_SYS_ADMIN could tell. */
int change_count_are_counted_now(const struct instance *instance);
/* The packet path keeps decisions, but changes are no longer counted: a pin was removed, or tracing switched off. */
bool change_count_is_trusted_wrongly(const struct instance *instance);
/* Removes counting programs of the instance that this one replaced. */
void change_count_tidy(const struct instance *instance);
/* Tells the packet path, and removes the counting programs, if any; not while tracing is switched off. */
void change_count_leave_uncounted(const struct instance *instance);

#endif
