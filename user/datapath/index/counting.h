/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether changes of maps can be counted on this machine: programs at functions of the kernel do that, see
 * bpf/index/changes.bpf.c. Where they cannot, the packet path is loaded without all that relies on counts.
 */
#ifndef WGVIA_COUNTING_H
#define WGVIA_COUNTING_H

#include <stdbool.h>

/*
 * WGVIA_INDEX, for tests and benchmarks: "no" as on a kernel that cannot count; "blind" as on one that can, if only
 * wgvia changes the maps.
 */
bool counting_is_set(const char *word);

/*
 * Whether the kernel accepts such programs: BTF, tracing programs (5.5). False is final. Attaching may still fail, as
 * on arm64 before 6.4. Tried once in each process.
 */
bool counting_is_possible(void);
/*
 * kernel.ftrace_enabled=0: the programs do not run. Nothing but `down` should attach or detach them then. A change of
 * those at one function, which several instances share, may end in a warning of the kernel, and nobody can trace until
 * it boots again (ftrace_shutdown(), seen with 6.12).
 */
bool counting_is_switched_off(void);
/*
 * Whether the packet path may keep decisions where changes are counted. It keeps them by CPU, so no other packet may
 * preempt it there. Newer kernels with PREEMPT_RT do not guarantee that. An index works there.
 */
bool counting_allows_keeping(void);

#endif
