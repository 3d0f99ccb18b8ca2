#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# scripts/bench e2e: figures of several clients, for each way; whatever does not come through ends it; it leaves
# nothing. Speed decides nothing here. tests/vm/threaded.bats runs it with the kernel's WireGuard.

# shellcheck disable=SC2030,SC2031,SC2154 # each test has its own $pid, which start_e2e sets
load ../lib/net.bash
load ../lib/e2e.bash

setup_file() { :; }
teardown_file() { :; }

setup() {
	cd "$TREE" || return
}

teardown() {
	end_e2e
}

# bats test_tags=long
@test "e2e: three clients, by each way: plausible figures, wgvia's counters agree, and nothing is left" {
	start_e2e --rounds 1 --seconds 1 --peers 3 --json "$BATS_TEST_TMPDIR/json"
	wait "$pid"
	plausible "$BATS_TEST_TMPDIR/json" '["nothing","rule","fast","stack"]' '[false]'
	is "$(grep -c "wgvia, mode stack  *IPv[46] " "$BATS_TEST_TMPDIR/text")" 8
	nothing_left_of_e2e "$pid"
}

# bats test_tags=long
@test "e2e: what the firewall drops ends the run with one line, and nothing is left" {
	start_e2e --rounds 1000 --seconds 1
	poll 60 [ -e "/sys/fs/bpf/wgviae2e$pid/wg6" ]
	in_ns "wgviae2e$pid-fw" nft insert rule inet firewall forward ip6 saddr "$VPN6" drop
	status=0
	wait "$pid" || status=$?
	is "$status" 1
	is "$(wc -l <"$BATS_TEST_TMPDIR/text")" 1
	grep "^bench: .*, IPv6, .*: what was sent has not come through, client 1" "$BATS_TEST_TMPDIR/text"
	nothing_left_of_e2e "$pid"
}

@test "e2e: an interrupted run leaves nothing" {
	start_e2e --peers 4 --rounds 1000
	poll 40 [ -e "/run/netns/wgviae2e$pid-c4" ]
	kill -TERM "$pid"
	poll 30 process_gone "$pid"
	nothing_left_of_e2e "$pid"
}

@test "e2e: wrong options, and what this kernel lacks, are one line" {
	local words
	while read -r -a words; do
		run -2 scripts/bench e2e "${words[@]}"
		is "$output" "bench: e2e takes --rounds N, --seconds N, --peers 1 to 9, --rate N, --threaded, --flowtable and \
--json FILE: '${words[*]}'"
	done <<-END
		--peers 0
		--peers 10
		--rate -1
		--rounds
		--threads
	END
	if ! unshare --net ip link add wg6 type wireguard 2>/dev/null; then
		run -1 scripts/bench e2e --threaded
		is "$output" "bench: threads are those of the kernel's WireGuard, which kernel $(uname -r) lacks: try scripts/vm"
	fi
}
