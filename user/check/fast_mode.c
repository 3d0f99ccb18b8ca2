// SPDX-License-Identifier: GPL-2.0-only
/*
 * The findings about a plan in mode fast, reduced to one answer.
 */
#include "check/fast_mode.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "check/ruleset_nft.h"

/* XDP is different: it runs before both modes. A clamp of the MSS is possible in mode fast as well. */
static bool is_about_fast(const struct examined *examined, const struct finding *finding)
{
	return strcmp(finding->name, "xdp") != 0 &&
	       (examined->clamp == WGVIA_MSS_OFF || strcmp(finding->name, "mss_clamp") != 0);
}

static bool is_unread(const struct finding *finding)
{
	return !strcmp(finding->name, "netfilter");
}

/* What is bypassed takes precedence over what cannot be read; of each kind, the most severe finding counts. */
static enum fast_effect judge(const struct examined *examined, char why[FINDING_EVIDENCE])
{
	const struct finding *worst = NULL;

	for (size_t i = 0; i < examined->count; i++) {
		const struct finding *finding = &examined->findings[i];

		if (is_about_fast(examined, finding) &&
		    (!worst || (is_unread(worst) && !is_unread(finding)) ||
		     (is_unread(worst) == is_unread(finding) && finding->severity > worst->severity)))
			worst = finding;
	}
	if (!worst)
		return FAST_BYPASSES_NOTHING;
	snprintf(why, FINDING_EVIDENCE, "%s", worst->evidence);
	return is_unread(worst) ? FAST_UNKNOWN : FAST_BYPASSES;
}

static enum fast_effect examine(struct examined *examined, const struct request *request, char why[FINDING_EVIDENCE])
{
	struct error error = {};

	if (ruleset_nft_kernel_is_refused()) {
		snprintf(why, FINDING_EVIDENCE, "this process may not read netfilter rules");
		return FAST_UNKNOWN;
	}
	if (plan_up(examined->host, request, &examined->plan, &error)) {
		snprintf(why, FINDING_EVIDENCE, "the file is not for this host: %s", error.text);
		return FAST_UNKNOWN;
	}
	examined->has_plan = true;
	check_netfilter(examined);
	check_kernel_path(examined);
	return judge(examined, why);
}

enum fast_effect fast_mode_examine(const struct request *request, uint32_t *mss, char why[FINDING_EVIDENCE])
{
	cleanup(host_view_free) struct host_view host = {};
	struct examined examined = {.host = &host, .tunnel = request->tunnel};
	enum fast_effect effect;

	snprintf(host.tunnel, sizeof(host.tunnel), "%s", request->tunnel);
	effect = examine(&examined, request, why);
	*mss = examined.clamp;
	plan_free(&examined.plan);
	free(examined.findings);
	return effect;
}
