/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands of hooks that set netfilter rules.
 */
#ifndef WGVIA_IMPORT_RULES_H
#define WGVIA_IMPORT_RULES_H

#include "import/translate.h"

/* A rule that clamps the MSS, and does nothing else. */
bool rules_is_clamp(const struct step *step);
/*
 * The line of the first command that stays and sets rules for what this host forwards, or may; 0: there is none. Rules
 * of INPUT and OUTPUT are not such.
 */
unsigned int rules_find(const struct translation *translation);
/* What rules that the file sets make of the MSS, as struct wgvia_meta has it; they are none of rules_find()'s. */
uint32_t rules_find_mss(const struct translation *translation);

#endif
