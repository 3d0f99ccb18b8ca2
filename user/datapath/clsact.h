/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A filter of our own at clsact, for attach.c. A filter does not hold a pin: `pin` is that of its program.
 */
#ifndef WGVIA_CLSACT_H
#define WGVIA_CLSACT_H

#include "datapath/attach.h"

int clsact_add(const struct attachment *point, const char *pin, int prog_fd);
int clsact_replace(const struct attachment *attachment, const char *pin, int prog_fd);
/* Removes the filter where it is ours still. The pin is the caller's to remove. */
int clsact_remove(const struct attachment *attachment, const char *pin);
/*
 * The id of the filter's program where it is ours, by its pin or by that of a replacement that a command which was
 * killed had not finished; 0: there is no filter of ours.
 */
int clsact_find(const struct attachment *point, const char *pin, uint32_t *id);
/* The filter's program, by the same pins. An fd or -errno. */
int clsact_get_program(const struct attachment *attachment, const char *pin);

/* Of libbpf's bpf_tc_*: no such filter, no such device, no clsact; other errors say nothing about them. */
bool clsact_is_gone(int err);

#endif
