/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands of hooks that set netfilter rules.
 */
#ifndef WGVIA_IMPORT_RULES_H
#define WGVIA_IMPORT_RULES_H

#include "import/translate.h"

/* Whether it is a rule that clamps the MSS, and nothing else. */
bool rules_is_clamp(const struct step *step);
/*
 * The line of the first remaining command that sets, or may set, rules for forwarded packets; 0: none. Rules of INPUT
 * and OUTPUT do not count.
 */
unsigned int rules_find(const struct translation *translation);
/*
 * The clamp of the MSS that the file's rules set, in the format of struct wgvia_meta; rules_find() ignores these rules.
 */
uint32_t rules_find_mss(const struct translation *translation);

#endif
