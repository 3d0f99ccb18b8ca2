/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of this version's pins and markers in an instance's folder.
 */
#ifndef WGVIA_PIN_NAMES_H
#define WGVIA_PIN_NAMES_H

#include <stdbool.h>

bool pin_name_is_ours(const char *name);
/* The same, without the markers, which are folders (qdisc.c). */
bool pin_name_is_a_pin(const char *name);

#endif
