/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What mode fast would bypass on this host, for a caller that chooses a mode: the findings of `check` about that.
 */
#ifndef WGVIA_FAST_MODE_H
#define WGVIA_FAST_MODE_H

#include "check/finding.h"

enum fast_effect { FAST_BYPASSES_NOTHING, FAST_BYPASSES, FAST_UNKNOWN };

/*
 * Examines the request in mode fast, on the present host. `why` gets what is bypassed, or why that is unknown. A clamp
 * of the MSS does not count: `*mss` is its replacement, in the format of struct wgvia_meta, or WGVIA_MSS_OFF.
 */
enum fast_effect fast_mode_examine(const struct request *request, uint32_t *mss, char why[FINDING_EVIDENCE]);

#endif
