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
		latency out.fast
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
	is "$(jq -r '"\(.rounds) rounds, \(.ratios | length) ratios:", (.latencies[] | "\(.key) \(.packets)"),
		(.groups[1].rows[] | "\(.key) \(.family)")' "$BATS_TEST_TMPDIR/json" |
		paste -sd ' ')" "2 rounds, 2 ratios: out.fast 400 out.fast 400 out.plain 4 out.plain 6 out.neigh 4 out.neigh 6 \
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

# series KEY BASE NS...: a row of wire's output, for both families.
series() {
	jq -nc '$ARGS.positional as [$key, $base] | (4, 6) |
		{key: $key, family: ., base: $base, ns: ($ARGS.positional[2:] | map(tonumber))}' --args "$@"
}

# raw: rows on standard input become wire's output.
raw() {
	jq -s '{rounds: (.[0].ns | length), packets: 1000, rows: .}' >"$BATS_TEST_TMPDIR/raw"
}

# report OPTION...: of $ROWS and what raw has made; JSON and text are kept.
report() {
	tests/bench/report.py "$ROWS" "$BATS_TEST_TMPDIR/raw" --json "$BATS_TEST_TMPDIR/json" "$@" >"$BATS_TEST_TMPDIR/text"
}

# some_rows OUT.FAST...: the rows of $ROWS, of which that one has these series.
some_rows() {
	local count=$#
	# shellcheck disable=SC2046 # a number for each round
	{
		series drop.out - $(yes 100 | head -n $count)
		series drop.back - $(yes 1 | head -n $count)
		series out.plain drop.out $(yes 300 | head -n $count)
		series out.neigh drop.out $(yes 200 | head -n $count)
		series out.fast drop.out "$@"
		series back.fast drop.back $(yes 2 | head -n $count)
	} | raw
}

@test "costs are taken within a round, ratios too; low costs are those of 10 % quantiles" {
	{
		series drop.out - 100 200 300 400 500 600 700 800 900 1000 1100
		series drop.back - 1 1 1 1 1 1 1 1 1 1 1
		series out.plain drop.out 300 400 500 600 700 800 900 1000 1100 1200 1300
		series out.neigh drop.out 200 300 400 500 600 700 800 900 1000 1100 1200
		series out.fast drop.out 210 310 410 510 610 710 810 910 1010 1110 1200
		series back.fast drop.back 2 2 2 2 2 2 2 2 2 2 2
	} | raw
	report
	is "$(jq -c '.groups[1].rows[] | select(.key == "out.fast" and .family == 4) | [.median, .low, .from, .to] | map(numbers += 0)' \
		"$BATS_TEST_TMPDIR/json")" '[110,110,110,110]'
	is "$(jq -c '.ratios[0] | [.median, .low, .from, .to]' "$BATS_TEST_TMPDIR/json")" '[0.55,0.55,0.55,0.55]'
	some_rows 200 400 100 {501..508}
	report
	is "$(jq -c '.groups[1].rows[] | select(.key == "out.fast" and .family == 6) | [.median, .low] | map(numbers += 0)' \
		"$BATS_TEST_TMPDIR/json")" '[403,100]'
}

@test "a limit is met or missed where the whole interval lies on one side of it, and open otherwise" {
	while read -r kind low high limit verdict; do
		# shellcheck disable=SC2046 # a number for each round
		some_rows $(for _ in {1..10}; do echo "$low $high"; done) "$low"
		sed -i '/^\(target\|scal\)/d' "$ROWS"
		echo "$kind ${limit//\// } fast" >>"$ROWS"
		report
		echo "$kind $low $high $limit: $(jq -c '.ratios[0] | [.from, .to, .verdict]' "$BATS_TEST_TMPDIR/json")"
		is "$(jq -r '.ratios[].verdict' "$BATS_TEST_TMPDIR/json" | paste -sd ' ')" "$verdict $verdict"
		grep "fast .*IPv4 .*${limit##*/}  ${verdict/missed/MISSED}$" "$BATS_TEST_TMPDIR/text"
	done <<-END
		target  180 190 out.fast/out.plain/0.50 met
		target  200 200 out.fast/out.plain/0.50 met
		target  210 290 out.fast/out.plain/0.50 missed
		target  180 220 out.fast/out.plain/0.50 open
		target  180 200 out.fast/out.plain/0.50 met
		target  200 201 out.fast/out.plain/0.50 open
		scaling 300 310 out.fast/out.plain/1.90 met
		scaling 400 410 out.fast/out.plain/1.90 missed
		scaling 300 400 out.fast/out.plain/1.90 open
		scaled  280 300 out.fast/out.plain/out.neigh/out.neigh/0.97 met
		scaled  320 330 out.fast/out.plain/out.neigh/out.neigh/0.97 missed
		scaled  300 330 out.fast/out.plain/out.neigh/out.neigh/0.97 open
	END
}

@test "the same measurements give the same report" {
	some_rows {201..240} {160..200}
	report
	is "$(jq -c '.ratios[0] | [.median, .from, .to]' "$BATS_TEST_TMPDIR/json")" '[0.5,0.455,0.545]'
	jq 'del(.machine)' "$BATS_TEST_TMPDIR/json" >"$BATS_TEST_TMPDIR/before"
	report
	jq 'del(.machine)' "$BATS_TEST_TMPDIR/json" | cmp - "$BATS_TEST_TMPDIR/before"
}

@test "percentiles of packets that were sent one at a time" {
	some_rows 200 200
	jq '(.rows[] | select(.key == "out.fast")) |= . + {latency: [range(1000; 0; -1)]}' "$BATS_TEST_TMPDIR/raw" \
		>"$BATS_TEST_TMPDIR/with"
	mv "$BATS_TEST_TMPDIR/with" "$BATS_TEST_TMPDIR/raw"
	report
	is "$(jq -c '.latencies[] | [.key, .family, .packets, .p50, .p90, .p99] | map(numbers += 0)' "$BATS_TEST_TMPDIR/json" | paste -sd ' ')" \
		'["out.fast",4,1000,501,900,990] ["out.fast",6,1000,501,900,990]'
	grep -E "wgvia +501 +900 +990 +501 +900 +990$" "$BATS_TEST_TMPDIR/text"
}

@test "what became worse is pointed out, but not where the intervals overlap" {
	some_rows {200..220}
	{
		echo 'out.fast/out.plain 4 0.400 0.380 0.420'
		echo 'out.fast/out.plain 6 0.400 0.380 0.560'
	} >"$BATS_TEST_TMPDIR/ratios"
	report --compare "$BATS_TEST_TMPDIR/ratios"
	grep "fast, to forwarding .*IPv4 .*0.400 .*0.550   WORSE by 38 %$" "$BATS_TEST_TMPDIR/text"
	grep "fast, to forwarding .*IPv6 .*0.400 .*0.550$" "$BATS_TEST_TMPDIR/text"
	report --record "$BATS_TEST_TMPDIR/ratios"
	grep -E "^out.fast/out.plain +4 +0.550 +0.5[0-9]* +0.5[0-9]*$" "$BATS_TEST_TMPDIR/ratios"
	report --compare "$BATS_TEST_TMPDIR/ratios"
	is "$(grep -c "fast, to forwarding .*0.550 .*0.550$" "$BATS_TEST_TMPDIR/text")" 2
}

# flow_lanes: `ip rule` and mode stack with a flowtable, beside the lanes of $ROWS
flow_lanes() {
	cat >>"$ROWS" <<-END
		lane ruleflow  - 1
		lane stackflow - 1
		needs ruleflow  flowtable
		needs stackflow flowtable
		row out.ruleflow   ruleflow  out  one drop.out  firewall -
		row out.stackflow  stackflow out  one drop.out  firewall retargeted
		row back.ruleflow  ruleflow  back one drop.back tunnel   -
		row back.stackflow stackflow back one drop.back tunnel   -
		title out.ruleflow rule and flowtable
		title out.stackflow stack and flowtable
		title back.ruleflow back, rule and flowtable
		title back.stackflow back, stack and flowtable
		latency out.ruleflow
		target out.fast out.ruleflow 0.5 fast, to flowtable
	END
}

# has_flowtables: the kernel of this host
has_flowtables() {
	unshare --net nft 'table inet t { flowtable f { hook ingress priority 0; devices = { lo }; }; }' 2>/dev/null
}

@test "a flowtable's lanes are measured, and left out with a line where the kernel has none" {
	flow_lanes
	scripts/bench --rows "$ROWS" --brief --rounds 2 --json "$BATS_TEST_TMPDIR/json" >"$BATS_TEST_TMPDIR/text"
	grep "wgvia, back" "$BATS_TEST_TMPDIR/text"
	if has_flowtables; then
		run ! grep "is left out" "$BATS_TEST_TMPDIR/text"
		is "$(jq '.ratios | length' "$BATS_TEST_TMPDIR/json")" 4
		is "$(jq -r '.latencies[].key' "$BATS_TEST_TMPDIR/json" | paste -sd ' ')" \
			"out.fast out.fast out.ruleflow out.ruleflow"
		return
	fi
	is "$(grep "is left out" "$BATS_TEST_TMPDIR/text")" "$(for lane in ruleflow stackflow; do
		echo "lane $lane is left out: kernel $(uname -r) has no flowtable"
	done)"
	run ! grep "flow\$\|to flowtable" "$BATS_TEST_TMPDIR/text"
	is "$(jq '.ratios | length' "$BATS_TEST_TMPDIR/json")" 2
}

@test "a flowtable that forwards nothing is found" {
	has_flowtables || skip "kernel $(uname -r) has no flowtables"
	flow_lanes
	sed -i '/^row back.ruleflow/d; /^title back.ruleflow/d' "$ROWS" # no reply, so never established
	not_as_told "lane ruleflow: [0-9]* of [0-9]* packets in the chain forward, so the flowtable has not forwarded them"
}
