#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# scripts/bench e2e with what the host's kernel may lack: the kernel's WireGuard, threaded NAPI and flowtables.
# tests/net/e2e.bats has its other tests.

# shellcheck disable=SC2030,SC2031,SC2154 # each test has its own $pid, which start_e2e sets
load ../lib/net.bash
load ../lib/e2e.bash

export BATS_TEST_TIMEOUT=1800 # programs by the hundred, in an emulated machine

setup_file() { :; }
teardown_file() { :; }

setup() {
	cd "$TREE" || return
	unshare --net ip link add wg6 type wireguard || skip "no WireGuard in kernel $(uname -r)"
}

teardown() {
	end_e2e
}

# bats test_tags=vm,long
@test "e2e: two clients by each way, without and with threaded NAPI: plausible figures" {
	if [[ $(uname -r) = 5.10.* ]]; then
		run -1 scripts/bench e2e --threaded
		grep "^bench: kernel $(uname -r) has no threaded NAPI$" <<<"$output"
		return
	fi
	start_e2e --rounds 1 --seconds 1 --peers 2 --rate 50 --threaded --json "$BATS_TEST_TMPDIR/json"
	wait "$pid" || { cat "$BATS_TEST_TMPDIR/text" && return 1; }
	plausible "$BATS_TEST_TMPDIR/json" '["nothing","rule","fast","stack"]' '[false,true]'
	grep "the whole machine, with the kernel's WireGuard" "$BATS_TEST_TMPDIR/text"
	nothing_left_of_e2e "$pid"
}

# bats test_tags=vm,long
@test "e2e: the ways with a flowtable" {
	unshare --net nft 'table inet t { flowtable f { hook ingress priority 0; devices = { lo }; }; }' ||
		skip "kernel $(uname -r) has no flowtables"
	start_e2e --rounds 1 --seconds 1 --rate 50 --flowtable --json "$BATS_TEST_TMPDIR/json"
	wait "$pid" || { cat "$BATS_TEST_TMPDIR/text" && return 1; }
	plausible "$BATS_TEST_TMPDIR/json" '["nothing","rule","fast","stack","ruleflow","stackflow"]' '[false]'
	nothing_left_of_e2e "$pid"
}
