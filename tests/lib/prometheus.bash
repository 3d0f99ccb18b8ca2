# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prometheus and promtool: installed, or as scripts/deps has unpacked Debian's package.

# shellcheck disable=SC2034 # the tests read them

RULES=$TREE/packaging/prometheus/wgvia.rules.yml
DASHBOARD=$TREE/packaging/grafana/wgvia.json

# needs_prometheus: PROMETHEUS and PROMTOOL; without them the test is skipped.
needs_prometheus() {
	local path=$PATH:/var/cache/wgvia/unpacked/prometheus/usr/bin:/var/cache/wgvia/unpacked/promtool/usr/bin
	PROMETHEUS=$(PATH=$path command -v prometheus)
	PROMTOOL=$(PATH=$path command -v promtool)
	if [ ! -x "$PROMETHEUS" ] || [ ! -x "$PROMTOOL" ]; then
		skip "no prometheus and promtool: scripts/deps"
	fi
}
