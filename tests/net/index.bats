#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The index of many prefixes: while it is in force, packets go as the maps say, at the next packet after a change, by
# whomever. Kernels that cannot count changes have none; for them, the tests that are tagged vm run in QEMU.

# shellcheck disable=SC2030,SC2031,SC2046,SC2086,SC2154 # bats runs each test in a subshell; words; `stream` sets $missing

load ../lib/net.bash
load ../lib/agent.bash
load ../lib/fault.bash

setup_more() {
	export PINS=$PIN_DIR/wg6
	many 300 >"$TOPO_DIR/many.conf"
	IFINDEX=$(ip -j -n "$NS_GW" link show ens3 | jq '.[0].ifindex')
	export IFINDEX
}

teardown() {
	agent_stop 2>/dev/null || true
	sysctl -qw kernel.ftrace_enabled=1 2>/dev/null || true
	sweep "$NS_GW" wg6
}

# many COUNT: a configuration with the clients' prefixes among that many others of each family.
many() {
	local i
	echo "from $VPN4 via $FW4 dev ens3"
	echo "from $VPN6 via $FW6 dev ens3"
	for ((i = 0; i < $1; i++)); do
		echo "from 10.$((20 + i / 256)).$((i % 256)).0/24 via $FW4 dev ens3"
		printf 'from 2001:db8:%x::/48 via %s dev ens3\n' $((0x1000 + i)) $FW6
	done
}

# The families with an index in force.
indexes() {
	wgvia -j show wg6 | jq -r '.indexes | join(" ")'
}

indexed() {
	[ "$(indexes)" = "$1" ]
}

# gauges VALUE: how many families have that value of wgvia_index_up.
gauges() {
	wgvia stats wg6 --prometheus | grep -c "^wgvia_index_up{interface=\"wg6\",family=\"ipv[46]\"} $1$" || true
}

finding() {
	wgvia -j check wg6 | jq -r '.. | objects | select(.name? == "index") | .severity' | sort -u
}

both_answer() {
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
}

# key4 and value4 are 10.6.0.0/16 and 192.0.2.1, as bytes.
key4="10 00 00 00 0a 06 00 00"

value4() {
	printf '%02x 00 00 00 02 00 00 00 c0 00 02 01' "$IFINDEX"
	printf ' 00%.0s' {1..20}
}

counting_programs() {
	bpftool -j prog show | jq -r '[.[] | select(.name == "before_update")] | length'
}

none_counts() {
	[ "$(counting_programs)" -eq 0 ]
}

@test "without an index, everything works as with one, and check reports it" {
	export WGVIA_INDEX=no
	wgvia apply wg6 "$TOPO_DIR/many.conf"
	is "$(indexes)" ""
	is "$(finding)" info
	is "$(gauges 0) $(gauges 1)" "2 0"
	both_answer
	unset WGVIA_INDEX
}

# kept: whether the packet path keeps decisions about IPv4 and IPv6, "80 80" or "00 00": the highest byte of two counts.
kept() {
	local key
	for key in 2 3; do
		bpftool -j map lookup pinned "$PINS/changes" key $key 0 0 0 | jq -r '.value[7]'
	done | sed 's/0x//' | xargs
}

# Programs may preempt each other there, so no decision is kept.
is_rt() {
	uname -v | grep -q PREEMPT_RT
}

@test "few prefixes have none; decisions are kept where changes are counted" {
	wgvia up wg6 "${WORDS4[@]}" "${WORDS6[@]}"
	is "$(indexes)" ""
	is "$(finding)" ""
	is "$(kept)" "$([ "$(counting_programs)" = 1 ] && ! is_rt && echo 80 80 || echo 00 00)"
	both_answer
	WGVIA_INDEX=no wgvia up wg6 "${WORDS4[@]}" "${WORDS6[@]}"
	is "$(kept)" "00 00"
	poll 10 none_counts
	WGVIA_INDEX=blind wgvia up wg6 "${WORDS4[@]}" "${WORDS6[@]}"
	is "$(kept)" "80 80"
	both_answer
}

size_of_out() {
	bpftool -j prog show pinned "$PINS/wgvia_out" | jq .bytes_xlated
}

@test "where changes cannot be counted, the programs have no part that relies on counts" {
	local small large
	WGVIA_INDEX=no wgvia up wg6 "${WORDS4[@]}" "${WORDS6[@]}"
	small=$(size_of_out)
	WGVIA_INDEX=blind wgvia up wg6 "${WORDS4[@]}" "${WORDS6[@]}"
	large=$(size_of_out)
	[ $((2 * small)) -lt "$large" ]
	wgvia down wg6
	wgvia up wg6 "${WORDS4[@]}" "${WORDS6[@]}"
	is "$(size_of_out)" "$([ "$(counting_programs)" = 1 ] && echo $large || echo $small)"
	both_answer
}

# uncounted FILTER: of the finding about changes that are not counted.
uncounted() {
	wgvia -j check wg6 | jq -r ".findings[] | select(.name == \"changes\") | $1"
}

@test "check reports decisions that are kept although changes are not counted, and its remedy ends that" {
	WGVIA_INDEX=blind wgvia up wg6 "${WORDS4[@]}" "${WORDS6[@]}"
	is "$(uncounted .severity)" warning
	eval "$(uncounted .remedy)"
	is "$(uncounted .)" ""
	both_answer
}

@test "kept decisions: a command's change takes effect on the next packet" {
	export WGVIA_INDEX=blind
	local mode
	for mode in fast stack; do
		wgvia up wg6 "${WORDS4[@]}" "${WORDS6[@]}" mode $mode
		is "$(kept)" "80 80"
		both_answer
		both_answer # some ticks later, so that its decisions are kept
		wgvia bypass add wg6 $SVC4
		times_out "$NS_C1" $SVC4
		answers "$NS_C1" $SVC6 service $C1_6
		wgvia bypass del wg6 $SVC4
		both_answer
		wgvia bypass add wg6 $SVC6
		times_out "$NS_C1" $SVC6
		wgvia bypass del wg6 $SVC6
		wgvia route del wg6 from $VPN6
		times_out "$NS_C1" $SVC6
		wgvia route add wg6 "${WORDS6[@]}"
		both_answer
	done
}

@test "a command's change takes effect on the next packet" {
	export WGVIA_INDEX=blind
	wgvia apply wg6 "$TOPO_DIR/many.conf"
	is "$(indexes)" "ipv4 ipv6"
	is "$(finding)" ""
	is "$(gauges 0) $(gauges 1)" "0 2"
	both_answer
	wgvia route del wg6 from $VPN4
	times_out "$NS_C1" $SVC4
	answers "$NS_C1" $SVC6 service $C1_6
	wgvia route add wg6 "${WORDS4[@]}"
	wgvia route del wg6 from $VPN6
	answers "$NS_C1" $SVC4 service $C1_4
	times_out "$NS_C1" $SVC6
	wgvia route add wg6 "${WORDS6[@]}"
	both_answer
	is "$(indexes)" "ipv4 ipv6"
}

@test "while commands change the prefixes, and the index with them, nothing is lost" {
	export WGVIA_INDEX=blind
	wgvia apply wg6 "$TOPO_DIR/many.conf"
	remember_counters
	stream 300 "$NS_C1" $SVC4 change_many
	is "$missing" 0
	grown redirected 300 25200
	is "$(indexes)" "ipv4 ipv6"
}

change_many() {
	wgvia route replace wg6 from $VPN4 via $FW6 dev ens3
	wgvia route replace wg6 from $VPN4 via $FW4 dev ens3
}

@test "a command that is killed, or fails, leaves no outdated index in force" {
	local kind number
	export WGVIA_INDEX=blind
	wgvia apply wg6 "$TOPO_DIR/many.conf"
	for kind in kill fail; do
		for ((number = 1; ; number++)); do
			faulty $number $kind route del wg6 from $VPN4 || true
			[ $fault = yes ] || break
			if wgvia -j show wg6 | jq -e --arg p $VPN4 'any(.prefixes[]; .from == $p)' >/dev/null; then
				ping_once "$NS_C1" $SVC4
			else
				! ping_once "$NS_C1" $SVC4
				wgvia route add wg6 "${WORDS4[@]}"
			fi
		done
		[ $number -gt 4 ]
		wgvia route add wg6 "${WORDS4[@]}"
	done
}

# ---- with counting programs ----

# bats test_tags=vm
@test "many prefixes get an index, and fewer lose it" {
	wgvia apply wg6 "$TOPO_DIR/many.conf"
	is "$(indexes)" "ipv4 ipv6"
	is "$(counting_programs)" 1
	both_answer
	wgvia up wg6 "${WORDS4[@]}" "${WORDS6[@]}"
	is "$(bpftool -j map dump pinned "$PINS/indexes" | jq 'length')" 0
	is "$(counting_programs) $(kept)" "1 80 80"
	wgvia apply wg6 "$TOPO_DIR/many.conf"
	is "$(indexes)" "ipv4 ipv6"
	wgvia down wg6
	nothing_left
	poll 10 none_counts
}

# up_without_tracing PROGRAMS: `up` leaves so many counting programs attached while tracing is switched off, and nothing
# is kept; with tracing changes are counted again.
up_without_tracing() {
	sysctl -qw kernel.ftrace_enabled=0
	wgvia up wg6 "${WORDS4[@]}" "${WORDS6[@]}"
	is "$(kept) $(counting_programs)" "00 00 $1"
	sysctl -qw kernel.ftrace_enabled=1
	wgvia up wg6 "${WORDS4[@]}" "${WORDS6[@]}"
	is "$(kept) $(counting_programs)" "80 80 1"
}

# bats test_tags=vm
@test "decisions are kept only while changes are really counted" {
	up_without_tracing 0
	both_answer
	up_without_tracing 1
	agent_start
	rm "$PINS/before_update"
	poll 20 [ -e "$PINS/before_update" ]
	is "$(kept) $(counting_programs)" "80 80 1"
	sysctl -qw kernel.ftrace_enabled=0
	poll 20 outputs "00 00" kept
	sysctl -qw kernel.ftrace_enabled=1
	both_answer
}

# keep: until decisions about both services are kept: some ticks between packets.
keep() {
	in_ns "$NS_C1" ping -q -c 5 -i 0.05 $SVC4
	in_ns "$NS_C1" ping -q -c 5 -i 0.05 $SVC6
}

# redirected_by COUNT NAMESPACE ADDRESS: of one request more, that many packets are redirected out of the tunnel.
redirected_by() {
	local before
	before=$(counter redirected)
	ping_once "$NS_C1" "$2" || true
	is "$2: $(($(counter redirected) - before))" "$2: $1"
}

# bats test_tags=vm
@test "kept decisions: bpftool's changes of each of the four tries take effect on the next packet" {
	local service4="20 00 00 00 c0 00 02 03" service6
	service6="80 00 00 00 20 01 0d b8 00 02 00 00 00 00 00 00 00 00 00 03"
	wgvia up wg6 "${WORDS4[@]}" "${WORDS6[@]}"
	is_rt || is "$(kept)" "80 80"
	keep
	redirected_by 1 $SVC4
	bpftool map update pinned "$PINS/bypass4" key hex $service4 value hex 06 00 00 00 01 00 00 00
	redirected_by 0 $SVC4
	redirected_by 1 $SVC6
	bpftool map update pinned "$PINS/bypass6" key hex $service6 value hex 06 00 00 00 01 00 00 00
	redirected_by 0 $SVC6
	keep || true
	bpftool map delete pinned "$PINS/bypass4" key hex $service4
	redirected_by 1 $SVC4
	bpftool map delete pinned "$PINS/bypass6" key hex $service6
	redirected_by 1 $SVC6
	keep
	bpftool map delete pinned "$PINS/prefixes4" key hex $key4
	redirected_by 0 $SVC4
	redirected_by 1 $SVC6
	bpftool map delete pinned "$PINS/prefixes6" key hex 32 00 00 00 20 01 0d b8 00 01 00 00 00 00 00 00 00 00 00 00
	redirected_by 0 $SVC6
}

# bats test_tags=vm
@test "what bpftool changes takes effect on the next packet" {
	wgvia apply wg6 "$TOPO_DIR/many.conf"
	both_answer
	bpftool map delete pinned "$PINS/prefixes4" key hex $key4
	times_out "$NS_C1" $SVC4
	is "$(indexes)" ipv6
	is "$(finding)" info
	bpftool map update pinned "$PINS/prefixes4" key hex $key4 value hex $(value4)
	both_answer
	is "$(indexes)" ipv6
	wgvia bypass add wg6 203.0.113.0/24
	is "$(indexes)" "ipv4 ipv6"
	is "$(finding)" ""
	both_answer
	# the same number of prefixes, but a different one
	bpftool map update pinned "$PINS/prefixes4" key hex $key4 value hex 00 00 00 00 $(value4 | cut -d ' ' -f 5-)
	remember_counters
	in_ns "$NS_C1" ping -q -n -c 3 -i 0.005 -W 0.3 $SVC4 | grep " 0 received"
	grown no_gateway 3 252
}

# writes DEFINE: clang's option; prints the program with the map that bpftool's further words name.
writes() {
	local define=$1
	shift
	clang -O2 -g -target bpf "$define" -idirafter "/usr/include/$(gcc -dumpmachine)" -I "$TREE/include" \
		-c "$TREE/tests/net/writes.bpf.c" -o "$BATS_TEST_TMPDIR/writes.o"
	bpftool prog load "$BATS_TEST_TMPDIR/writes.o" "$PIN_DIR-writes" type classifier "$@" 2>&1
}

@test "no BPF program can write to a prefix map or the bypass list, where the change would not be counted" {
	local define map
	wgvia apply wg6 "$TOPO_DIR/many.conf"
	for map in prefixes4 prefixes6 bypass4 bypass6; do
		is "$map $(($(bpftool -j map show pinned "$PINS/$map" | jq .flags) & 0x80))" "$map 128" # BPF_F_RDONLY_PROG
	done
	for define in -DIN_PLACE -DBY_HELPER; do
		writes $define
		rm "$PIN_DIR-writes"
		run writes $define map name prefixes4 pinned "$PINS/prefixes4"
		rm -f "$PIN_DIR-writes"
		[ "$status" -ne 0 ]
		[[ $output == *"write into map forbidden"* ]]
	done
	both_answer
}

# bats test_tags=vm
@test "the agent builds it again" {
	wgvia apply wg6 "$TOPO_DIR/many.conf"
	agent_start
	bpftool map delete pinned "$PINS/prefixes4" key hex $key4
	poll 20 indexed "ipv4 ipv6"
	times_out "$NS_C1" $SVC4
	answers "$NS_C1" $SVC6 service $C1_6
	# without the counting programs, the index is not trusted
	rm "$PINS/after_delete"
	is "$(indexes)" ""
	poll 20 indexed "ipv4 ipv6"
	is "$(counting_programs)" 1
}

# bats test_tags=vm
@test "counting programs are recognised by their pins; without them it is unknown, and the agent attaches them again" {
	wgvia apply wg6 "$TOPO_DIR/many.conf" >/dev/null
	is "$(as_unit -j show wg6 | jq -c .indexes)" '["ipv4","ipv6"]'
	is "$(as_unit -j check wg6)" "$(wgvia -j check wg6)"
	rm "$PINS"/*_program # as left by a build without such pins
	is "$(as_unit -j show wg6 | jq -c .indexes)" '[]'
	is "$(indexes)" "ipv4 ipv6"
	as_unit check wg6 | grep "it is not known whether the 301 IPv4 prefixes have an index: an older wgvia created it"
	agent_start
	poll 20 [ -e "$PINS/after_delete_program" ]
	poll 20 indexed "ipv4 ipv6"
	is "$(as_unit -j show wg6 | jq -c .indexes)" '["ipv4","ipv6"]'
	is "$(counting_programs)" 1
	both_answer
	agent_stop
	wgvia down wg6
	nothing_left
}

# bats test_tags=vm
@test "an instance that replaces another removes the other's programs" {
	wgvia apply wg6 "$TOPO_DIR/many.conf"
	rm "$PINS/meta"
	wgvia up wg6 "${WORDS4[@]}" "${WORDS6[@]}"
	is "$(find "$PINS" -name 'index[46]')" ""
	poll 10 outputs 1 counting_programs
	rm "$PINS/meta"
	wgvia apply wg6 "$TOPO_DIR/many.conf"
	is "$(indexes)" "ipv4 ipv6"
	is "$(counting_programs)" 1
	both_answer
}
