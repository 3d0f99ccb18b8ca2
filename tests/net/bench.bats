#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The benchmark is trustworthy: it refuses to report on a variant that does not do what its name says, computes the
# right figures, and leaves nothing behind. Speed decides nothing here.

# shellcheck disable=SC2030,SC2031 # each test has its own $pid
load ../lib/net.bash

setup_file() { :; }
teardown_file() { :; }

setup() {
	cd "$TREE" || return
	ROWS=$BATS_TEST_TMPDIR/rows
	cat >"$ROWS" <<-END
		lane drop  drop  1
		lane plain -     1
		lane neigh neigh 1
		lane fast  -     1
		group Injection
		row drop.out   drop  out one     -        nothing  -
		row drop.back  drop  back one    -        nothing  -
		title drop.out dropped
		title drop.back dropped
		group Costs
		row out.plain  plain out one     drop.out  service  -
		row out.neigh  neigh out one     drop.out  firewall -
		row out.fast   fast  out one     drop.out  firewall redirected
		row back.fast  fast  back one    drop.back tunnel   returned
		title out.plain forwarding
		title out.neigh floor
		title out.fast  wgvia
		title back.fast wgvia, back
		target out.fast out.plain 0.5 fast, to forwarding
	END
}

teardown() {
	process_gone "${pid:-none}" || { kill -TERM "$pid" && poll 20 process_gone "$pid"; }
}

# start_bench OPTION...: in the background, as $pid, which is part of its objects' names.
start_bench() {
	scripts/bench --rows "$ROWS" "$@" >"$BATS_TEST_TMPDIR/text" 2>&1 3>&- &
	pid=$!
}

# nothing_left_of PID: of that run of the benchmark.
nothing_left_of() {
	run ! grep "wgviabench$1-" <(ip netns list)
	[ ! -e "/sys/fs/bpf/wgviabench$1" ]
}

# not_as_told TEXT: bench ends with that reason, and reports nothing.
not_as_told() {
	run -1 --separate-stderr scripts/bench --rows "$ROWS" --brief --rounds 2
	is "$output" ""
	# shellcheck disable=SC2154 # bats sets it
	grep -- "$1" <<<"$stderr"
	grep "nothing is reported" <<<"$stderr"
}

@test "all packets arrive where they should: there are figures, and nothing is left" {
	start_bench --brief --rounds 2 --json "$BATS_TEST_TMPDIR/json" --svg "$BATS_TEST_TMPDIR/svg"
	wait $pid
	grep "forwarding" "$BATS_TEST_TMPDIR/text"
	is "$(jq -r '"\(.rounds) rounds, \(.ratios | length) ratios:", (.groups[1].rows[] | "\(.key) \(.family)")' \
		"$BATS_TEST_TMPDIR/json" | paste -sd ' ')" "2 rounds, 2 ratios: out.plain 4 out.plain 6 out.neigh 4 out.neigh 6 \
out.fast 4 out.fast 6 back.fast 4 back.fast 6"
	grep -q '</svg>' "$BATS_TEST_TMPDIR/svg"
	nothing_left_of $pid
}

@test "packets to the service instead of the firewall are detected" {
	sed -i '/^row out.plain/s/service/firewall/' "$ROWS"
	not_as_told "out.plain, IPv4: the frame goes to the MAC that ends in: 3, not 1"
}

@test "packets that pass instead of being dropped are detected" {
	sed -i '/^row out.plain/s/service/nothing/' "$ROWS"
	not_as_told "out.plain, IPv4: a packet that is to be dropped at once has gone on"
}

@test "packets that do not arrive are detected" {
	sed -i '/^row drop.out/s/nothing/service/' "$ROWS"
	not_as_told "drop.out, IPv4: packets that have arrived: 0, not 1"
}

@test "a verdict other than the row's is detected" {
	sed -i '/^row out.fast/s/redirected/outside/' "$ROWS"
	not_as_told "lane fast: wgvia has counted 0 packets as outside, not "
}

@test "packets lost in the middle are detected" {
	start_bench --rounds 9999
	poll 40 [ -e "/sys/fs/bpf/wgviabench$pid/fast/wg6" ]
	in_ns "wgviabench$pid-plain" nft -f - <<-END
		table netdev loss {
			chain in {
				type filter hook ingress device wg6 priority 0; policy accept;
				numgen inc mod 1000 0 drop
			}
		}
	END
	status=0
	wait $pid || status=$?
	is "$status" 1
	grep "out.plain, IPv[46]: packets that have arrived: [0-9]*, not [0-9]*" "$BATS_TEST_TMPDIR/text"
	grep "nothing is reported" "$BATS_TEST_TMPDIR/text"
}

@test "an interrupted run leaves nothing" {
	start_bench --rounds 9999
	poll 40 [ -e "/sys/fs/bpf/wgviabench$pid/fast/wg6" ]
	kill -TERM $pid
	poll 20 process_gone $pid
	nothing_left_of $pid
}

@test "costs and ratios are computed within a round, and what became worse is pointed out" {
	jq -n '{rounds: 3, packets: 1000, rows: [
		(["drop.out", "-", 100, 200, 300], ["drop.back", "-", 1, 1, 1], ["out.plain", "drop.out", 300, 400, 500],
		["out.neigh", "drop.out", 200, 300, 400], ["out.fast", "drop.out", 190, 310, 430],
		["back.fast", "drop.back", 2, 2, 2]) as [$key, $base, $a, $b, $c] | (4, 6) as $family |
		{key: $key, family: $family, base: $base, ns: [$a, $b, $c]}]}' >"$BATS_TEST_TMPDIR/raw"
	printf 'out.fast/out.plain 4 0.549\nout.fast/out.plain 6 0.400\n' >"$BATS_TEST_TMPDIR/ratios"
	tests/bench/report.py "$ROWS" "$BATS_TEST_TMPDIR/raw" --json "$BATS_TEST_TMPDIR/json" \
		--compare "$BATS_TEST_TMPDIR/ratios" >"$BATS_TEST_TMPDIR/text"
	is "$(jq -c '.groups[1].rows[] | select(.key == "out.fast" and .family == 4) | [.median, .q1, .q3]' \
		"$BATS_TEST_TMPDIR/json")" '[110,100,120]'
	is "$(jq -c '.ratios[0] | [.median, .met]' "$BATS_TEST_TMPDIR/json")" '[0.55,false]'
	grep "fast, to forwarding .*IPv4 .*0.549 .*0.550$" "$BATS_TEST_TMPDIR/text"
	grep "fast, to forwarding .*IPv6 .*0.400 .*0.550   WORSE by 38 %$" "$BATS_TEST_TMPDIR/text"
}
