/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our own filter at clsact, for attach.c. Unlike a link, a filter has no pin: `pin` is that of its program.
 */
#ifndef WGVIA_CLSACT_H
#define WGVIA_CLSACT_H

#include "datapath/attach.h"

int clsact_add(const struct attachment *point, const char *pin, int prog_fd);
int clsact_replace(const struct attachment *attachment, const char *pin, int prog_fd);
/* Removes the filter if it is still ours. The caller removes the pin. */
int clsact_remove(const struct attachment *attachment, const char *pin);
/*
 * The id of the filter's program if it is ours, by its pin or by the pin of a replacement that a killed command left
 * unfinished. 0: there is no filter of ours.
 */
int clsact_find(const struct attachment *point, const char *pin, uint32_t *id);
/* The filter's program, by the same pins: an fd or -errno. */
int clsact_get_program(const struct attachment *attachment, const char *pin);

/* For errors of libbpf's bpf_tc_*: no such filter, device or clsact. Other errors do not prove that. */
bool clsact_is_gone(int err);

#endif
