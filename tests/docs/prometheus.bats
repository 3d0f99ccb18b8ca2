#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The alert rules with promtool: they are valid, and each has a case in which it fires and one in which it does not. In
# tests/net/prometheus.bats a real Prometheus evaluates them.

# shellcheck disable=SC2154 # what `run` sets

bats_require_minimum_version 1.5.0
TREE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
load ../lib/prometheus.bash

setup() {
	needs_prometheus
	cp "$RULES" "$TREE/tests/prometheus/rules.test.yml" "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR" || return
}

alerts() {
	sed -n 's/^ *- alert: //p' "$RULES"
}

@test "the alert rules are valid, and behave as in their cases" {
	"$PROMTOOL" check rules wgvia.rules.yml
	"$PROMTOOL" test rules rules.test.yml
}

@test "each alert has a case in which it fires, and one in which it does not" {
	local alert
	[ "$(alerts | wc -l)" -ge 11 ]
	for alert in $(alerts); do
		grep -q "alertname: $alert, exp_alerts: \[\]" rules.test.yml || { echo "$alert: no case without" && return 1; }
		grep -A 1 "alertname: $alert\$" rules.test.yml | grep -q 'exp_alerts:$' || { echo "$alert: no case with" && return 1; }
	done
}

# changed EXPRESSION: the rules, with another expression for each alert.
changed() {
	awk -v expr="$1" '
		/^        expr:/ { print "        expr: " expr; skip = 1; next }
		skip && /^        [a-z]/ { skip = 0 }
		!skip' "$RULES" >wgvia.rules.yml
	"$PROMTOOL" check rules wgvia.rules.yml >/dev/null
}

@test "the cases detect an alert that never fires, and one that always does" {
	local expression alert
	for expression in 'wgvia_nothing == 1' 'vector(1)'; do
		changed "$expression"
		run ! "$PROMTOOL" test rules rules.test.yml
		for alert in $(alerts); do
			grep -q "alertname: *$alert" <<<"$output" || { echo "$alert, $expression: $output" && return 1; }
		done
	done
}

@test "the alerts use existing metrics and verdicts" {
	local word
	while read -r word; do
		grep -q "\"$word\"" "$TREE"/user/commands/stats_*.c || { echo "$word" && return 1; }
	done < <(grep -v '^ *#' "$RULES" | grep -oE '\bwgvia_[a-z_]+' | sort -u)
	for word in $(sed -n 's/.*verdict=~\{0,1\}"\([a-z_|]*\)".*/\1/p' "$RULES" | tr '|' ' '); do
		grep -q "\"$word\"" "$TREE/include/wgvia_abi.h" || { echo "$word" && return 1; }
	done
}
