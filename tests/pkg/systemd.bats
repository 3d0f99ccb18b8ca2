#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The units, installed somewhere by `make install`: systemd finds no errors in them, and their sandbox is as tight as
# docs/AGENT.md says. Nothing is started, and no root is needed; tests/vm/systemd.bats runs them.

bats_require_minimum_version 1.5.0

setup_file() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	make -s install PREFIX="$BATS_FILE_TMPDIR"
	export UNITS=$BATS_FILE_TMPDIR/lib/systemd/system
}

@test "systemd-analyze verify reports nothing" {
	run -0 systemd-analyze verify --man=no "$UNITS"/wgvia@wg6.service "$UNITS"/wgvia-metrics.service "$UNITS"/wgvia-metrics.timer
	[ -z "$output" ]
}

@test "installed units name the program at its place" {
	run ! grep -r /usr/local "$UNITS"
	grep -q "^ExecStart=$BATS_FILE_TMPDIR/sbin/wgvia run" "$UNITS/wgvia@.service"
}

@test "the agent is restarted after a failure, but not if its file is invalid" {
	grep -qx "Restart=on-failure" "$UNITS/wgvia@.service"
	grep -qx "RestartPreventExitStatus=2" "$UNITS/wgvia@.service"
}

@test "the exposure level of systemd-analyze security is that in docs/AGENT.md" {
	local unit figure
	for unit in wgvia@.service wgvia-metrics.service; do
		figure=$(systemd-analyze security --offline=yes --no-pager "$UNITS/$unit" |
			sed -n 's/.*Overall exposure level for .*: \([0-9.]*\) .*/\1/p')
		echo "$unit: $figure"
		[ -n "$figure" ]
		grep -Eq "\`$unit\`[^|]*\| $figure( |\$)" docs/AGENT.md
	done
}
