// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/pin_names.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

#include "base/util.h"
#include "datapath/instance.h"

/* In addition to the maps: programs.c, gateway_map.c, lost.c, prefix_counters.c, index/, attach.c, qdisc.c. */
static const char *const patterns[] = {
	"wgvia_*",	 "gateways", "index4",	 "index6",  "before_update*", "after_update*", "before_delete*",
	"after_delete*", "tcx_*",    "clsact_*", "qdisc_*", "lost",	      "count_lost*",   "prefix_counters_*"};

bool pin_name_is_ours(const char *name)
{
	for (int i = 0; i < MAP_COUNT; i++)
		if (!strcmp(name, map_names[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (!fnmatch(patterns[i], name, 0))
			return true;
	return false;
}

bool pin_name_is_a_pin(const char *name)
{
	return pin_name_is_ours(name) && strncmp(name, "qdisc_", strlen("qdisc_")) != 0;
}
