#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Slow scripts show on a terminal what they are doing, and nothing of that elsewhere. See tests/pkg/deb.bats as well.

bats_require_minimum_version 1.5.0

TREE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

@test "check-kernels prints the present kernel and the number of kernels" {
	# shellcheck disable=SC2154 # bats sets $output
	run script -qec "'$TREE/scripts/check-kernels' 0.0 0.1" /dev/null </dev/null
	grep "^Linux 0.0, 1 of 2" <<<"$output"
	grep "^Linux 0.1, 2 of 2" <<<"$output"
	run "$TREE/scripts/check-kernels" 0.0
	run ! grep "^Linux" <<<"$output"
}
