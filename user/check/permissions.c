// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether this process may create an instance, if there is none: capabilities, and a place for the pins.
 */
#include <errno.h>

#include "base/permissions.h"
#include "check/finding.h"
#include "datapath/pins.h"

void check_permissions(struct examined *examined, const char *pin_dir)
{
	struct permissions own = permissions_own();
	struct error error = {};
	char hint[PERMISSIONS_TEXT_MAX];

	if (permissions_missing(&own, permissions_for_bpf()))
		finding_add(examined, SEVERITY_ERROR, "capabilities",
			    permissions_hint(&own, permissions_for_bpf(), EPERM, hint),
			    "this process cannot load programs: 'wgvia up %s' is refused", examined->tunnel);
	if (pins_check_mount(pin_dir, &error))
		finding_add(examined, SEVERITY_ERROR, "bpffs", error.hint, "%s", error.text);
}
