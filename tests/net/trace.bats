#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `wgvia trace` on real traffic: its output, that the kernel applies its filter, and that it leaves nothing enabled
# however it ends. tests/prog/test_trace.c covers what the packet path reports in each case.

# shellcheck disable=SC2086,SC2153,SC2154,SC2317 # addresses are words; `run` sets $status, $output, $stderr_lines

load ../lib/net.bash

setup() {
	wgvia up wg6 "${WORDS[@]}"
}

teardown() {
	unspawn trace KILL
	sweep "$NS_GW" wg6
}

# trace [OPTION...] -- WORD...: `wgvia trace wg6 WORD...` in the background; returns when it listens.
trace() {
	local options
	options_of "$@"
	shift $((${#options[@]} + 1))
	rm -f "$TOPO_DIR/trace.stderr"
	# shellcheck disable=SC2016 # the inner shell's
	spawn "$NS_GW" trace bash -c 'exec "$@" 2>"$0"' "$TOPO_DIR/trace.stderr" \
		"$WGVIA" --pin-dir "$PIN_DIR" "${options[@]}" trace wg6 "$@"
	poll 5 grep -q "^listening on 'wg6'$" "$TOPO_DIR/trace.stderr"
	pid=$(<"$TOPO_DIR/trace.pid")
}

lines() {
	cat "$TOPO_DIR/trace.log"
}

# shows REGEX: waits for such a line.
shows() {
	poll 5 grep -Eq "$1" "$TOPO_DIR/trace.log" && return
	echo "no line is: $1"
	lines
	return 1
}

ends() {
	poll 5 process_gone "$pid"
}

# The deadline in the map: 0 when nobody reads.
deadline() {
	bpftool -j map dump pinned "$PIN_DIR/wg6/trace" | jq '.[0].formatted.value.until'
}

is_off() {
	[ "$(deadline)" -eq 0 ]
}

TIME='^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6}'

@test "a line for each decision: time, addresses, length, verdict, gateway, in both families" {
	trace --
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	ping_once "$NS_C1" $SVC4
	ping_once "$NS_C1" $WG6
	ping_once "$NS_C1" $C2_4
	shows "$TIME out wg6 $C1_4\.[0-9]+ > $SVC4\.80 tcp len 60 redirected via $FW4 dev ens3$"
	shows "$TIME back ens3 $SVC4\.80 > $C1_4\.[0-9]+ tcp len 60 returned$"
	shows "$TIME out wg6 $C1_6\.[0-9]+ > $SVC6\.80 tcp len 80 redirected via $FW6 dev ens3$"
	shows "$TIME back ens3 $SVC6\.80 > $C1_6\.[0-9]+ tcp len 80 returned$"
	shows "$TIME out wg6 $C1_4 > $SVC4 icmp type 8 code 0 len 84 redirected via $FW4 dev ens3$"
	shows "$TIME out wg6 $C1_6 > $WG6 icmp6 type 128 code 0 len 104 local$"
	shows "$TIME out wg6 $C1_4 > $C2_4 icmp type 8 code 0 len 84 tunnel$"
	kill -INT "$pid"
	ends
	is "$(tail -n 1 "$TOPO_DIR/trace.stderr")" "$(lines | wc -l) decisions shown, 0 skipped"
}

@test "every packet that is counted is shown, and none twice" {
	local shown
	trace --
	remember_counters
	pings 200 "$NS_C1" $SVC4
	pings 200 "$NS_C1" $SVC6
	kill -TERM "$pid"
	ends
	for verdict in redirected returned; do
		shown=$(grep -c " $verdict" "$TOPO_DIR/trace.log")
		is "$verdict $shown" "$verdict $(($(counter $verdict) - $(jq ".counters.$verdict.packets" \
			"$BATS_TEST_TMPDIR/before")))"
		[ "$shown" -ge 400 ]
	done
}

@test "mode stack, and what this host sends" {
	wgvia up wg6 "${WORDS[@]}" mode stack
	trace --
	ping_once "$NS_C1" $SVC6
	in_ns "$NS_GW" ping -q -c 1 -W 10 -I $WG4 $SVC4
	shows "$TIME egress ens3 $C1_6 > $SVC6 icmp6 type 128 code 0 len 104 retargeted via $FW6 dev ens3$"
	shows "$TIME egress ens3 $WG4 > $SVC4 icmp type 8 code 0 len 84 retargeted via $FW4 dev ens3$"
}

@test "the kernel applies the filter: from, to, verdicts, count" {
	trace -- from $C1_4/31 verdict hop_limit verdict local to 192.0.2.0/24 count 3
	pings 20 "$NS_C1" $SVC4
	ping_once "$NS_C1" $WG4
	ping_once "$NS_C2" $GW6
	for _ in 1 2 3 4; do
		ping_once "$NS_C1" $SVC4 -t 1 || true
	done
	ends
	is "$(lines | grep -c " $C1_4 > $SVC4 icmp type 8 code 0 len 84 hop_limit$")" 3
	is "$(lines | wc -l)" 3
	# unwanted events did not even reach the ring buffer
	is "$(tail -n 1 "$TOPO_DIR/trace.stderr")" "3 decisions shown, 0 skipped"
	is_off
}

@test "a verdict without a usable gateway" {
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key 16 0 0 0 10 6 0 0 \
		value hex 0f 27 00 00 02 00 00 00 c0 00 02 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
	trace -- verdict no_gateway count 1
	ping_once "$NS_C1" $SVC4 || true
	shows "$TIME out wg6 $C1_4 > $SVC4 icmp type 8 code 0 len 84 no_gateway via $FW4 dev if9999$"
}

@test "JSON: one object per line, with everything in the text" {
	trace -j -- from $C1_6 verdict redirected count 1
	answers "$NS_C1" $SVC6 service $C1_6
	ends
	jq -e --arg from $C1_6 --arg to $SVC6 --arg via $FW6 '
		(.time | . > 1e9) and .interface == "wg6" and .direction == "out" and .dev == "wg6" and
		.from == $from and .to == $to and .protocol == "tcp" and .sport > 0 and
		.dport == 80 and .hop_limit == 64 and .len == 80 and .packets == 1 and
		.verdict == "redirected" and .gateway == {via: $via, dev: "ens3"}' "$TOPO_DIR/trace.log"
	[ "$(jq '.time - now | fabs < 60' "$TOPO_DIR/trace.log")" = true ]
}

@test "ended by a signal, or because its reader exits, it is off at once" {
	local signal
	for signal in INT TERM HUP; do
		trace --
		ping_once "$NS_C1" $SVC4
		shows redirected
		[ "$(deadline)" -gt 0 ]
		kill -$signal "$pid"
		ends
		is_off
	done
	in_ns "$NS_GW" "$WGVIA" --pin-dir "$PIN_DIR" trace wg6 2>"$TOPO_DIR/trace.stderr" 3>&- |
		head -n 1 >"$TOPO_DIR/head" &
	poll 5 grep -q "^listening on 'wg6'$" "$TOPO_DIR/trace.stderr"
	for _ in {1..500}; do
		ping_once "$NS_C1" $SVC4
		if grep -q 'cannot write the output: broken pipe' "$TOPO_DIR/trace.stderr"; then break; fi
	done
	wait $!
	grep -qx 'wgvia: cannot write the output: broken pipe' "$TOPO_DIR/trace.stderr"
	grep -q redirected "$TOPO_DIR/head"
	is_off
}

# Nobody is left to switch it off: the next packet after the deadline does.
@test "killed, it is off at the deadline" {
	trace --
	kill -KILL "$pid"
	ends
	for _ in {1..500}; do
		ping_once "$NS_C1" $SVC4
		if is_off; then return; fi
		sleep 0.02
	done
	return 1
}

@test "delayed for longer than the deadline, it reports that, and continues" {
	trace --
	kill -STOP "$pid"
	for _ in {1..500}; do
		ping_once "$NS_C1" $SVC4
		if is_off; then break; fi
		sleep 0.02
	done
	is_off
	kill -CONT "$pid"
	poll 5 grep -q 'was suspended' "$TOPO_DIR/trace.stderr"
	ping_once "$NS_C1" $SVC6
	shows " $SVC6 icmp6 "
}

@test "only one reader per instance; when it is killed, the next one takes over, and sees nothing old" {
	trace --
	run -1 --separate-stderr wgvia trace wg6
	is "${stderr_lines[0]}" "wgvia: cannot trace 'wg6': another 'wgvia trace' is running"
	kill -STOP "$pid"
	ping_once "$NS_C1" $SVC4 # into the ring buffer
	kill -KILL "$pid"
	ends
	trace -- count 1
	ping_once "$NS_C1" $SVC6
	ends
	is "$(lines | wc -l)" 1
	shows " $SVC6 icmp6 "
}

@test "it follows an instance through changes, and into new maps" {
	trace --
	wgvia up wg6 "${WORDS[@]}" mode stack
	ping_once "$NS_C1" $SVC4
	shows " egress ens3 $C1_4 > $SVC4 .* retargeted "
	# shellcheck disable=SC2046 # bytes are words
	bpftool map update pinned "$PIN_DIR/wg6/meta" key 0 0 0 0 value hex \
		01 $(bpftool -j map dump pinned "$PIN_DIR/wg6/meta" | jq -r '.[0].value[1:][] | sub("0x"; "")')
	wgvia up wg6 "${WORDS[@]}" # an older version's instance is replaced as a whole
	for _ in {1..200}; do
		ping_once "$NS_C1" $SVC6
		if grep -q " out wg6 $C1_6 > $SVC6 " "$TOPO_DIR/trace.log"; then break; fi
		sleep 0.02
	done
	shows " out wg6 $C1_6 > $SVC6 .* redirected "
}

@test "the instance is removed during a trace: the trace ends and reports it" {
	trace --
	wgvia down wg6
	ends
	grep -qx "wgvia: the instance on 'wg6' was removed" "$TOPO_DIR/trace.stderr"
	nothing_left
	wgvia up wg6 "${WORDS[@]}"
}

@test "bad words and no instance: refused with a reason" {
	local line
	while IFS='|' read -r words line; do
		run -2 --separate-stderr wgvia trace $words
		is "${stderr_lines[0]}" "wgvia: $line"
	done <<-'END'
		|IFACE is missing
		wg6 from|'from' needs a value
		wg6 from x|'x' is not a valid prefix: ADDRESS/LENGTH is needed
		wg6 from 10.6.0.1/16|'10.6.0.1/16' has host bits set: do you mean '10.6.0.0/16'?
		wg6 from 10.6.0.0/16 to 2001:db8::/32|'from' and 'to' are not of the same address family
		wg6 from 10.6.0.0/16 from 10.7.0.0/16|'from' is given twice
		wg6 verdict lost|'lost' is not a valid verdict: redirected, returned, outside, no_gateway ...
		wg6 count 0|count '0' is not a number from 1 to 1000000000
		wg6 dir out|unexpected word 'dir': from PREFIX, to PREFIX, verdict V, count N
	END
	run -1 --separate-stderr wgvia trace wg7
	is "${stderr_lines[0]}" "wgvia: no instance on 'wg7'"
}
