/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A prefix from its text, for tables of tests.
 */
#ifndef WGVIA_TEST_PREFIX_H
#define WGVIA_TEST_PREFIX_H

#include "config/parse.h"

static inline struct prefix prefix_from(const char *text)
{
	struct prefix prefix;
	struct error error;

	if (parse_prefix(text, &prefix, &error))
		fail_msg("%s", error.text);
	return prefix;
}

#endif
