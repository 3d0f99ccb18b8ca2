#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Changes under load: while 5,000 packets a second go out and come back, and TCP transfers run both ways, gateways,
# prefixes, bypass list, mode and program change, and nothing is lost or reordered. A change that fails, wherever it
# fails, leaves the old state in force. WGVIA_CHANGES=N makes N changes for each kind of attachment [500].

# shellcheck disable=SC2086 # addresses are words

export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-$((120 + ${WGVIA_CHANGES:-500} / 5))}
load ../lib/net.bash
load ../lib/load.bash

setup_more() {
	load_up
	spawn_here "$NS_SVC" iperf6 iperf3 -s -p 5202
	poll 5 listening "$NS_SVC" tcp 5202 1
	gcc -shared -fPIC -O2 -Wall -o "$BATS_FILE_TMPDIR/fault.so" "$TREE/tests/net/fault.c"
}

teardown() {
	local name
	for name in load tcp4 tcp6; do
		unspawn $name KILL
	done
	ip -n "$NS_GW" link delete second 2>/dev/null || true
	load_sweep
}

up() {
	wgvia up wg6 "${WORDS[@]}" "$@"
}

# The other addresses of the firewall.
WORDS_B=(from "$VPN6" via "$FW6B" dev ens3 from "$VPN4" via "$FW4B" dev ens3)
# The same prefixes in halves.
WORDS_HALVES=(from 10.6.0.0/17 via "$FW4B" from 10.6.128.0/17 via "$FW4" from 2001:db8:1::/51 via "$FW6B"
	from 2001:db8:1:2000::/51 via "$FW6")

# others THIRD: a hundred prefixes more, for a change that takes its time.
others() {
	printf "from 172.16.$1.%d/32 via $FW4 dev ens3 " {1..100}
}

# load_both_ways RATE
load_both_ways() {
	load_start load "$NS_C1" "$1" $C1_4 $SVC4 $C1_6 $SVC6
}

# A device more is a program more, and another list of devices in all of them: all are loaded anew.
second_device() {
	ip -n "$NS_GW" link add second type veth peer name second netns "$NS_LAN" && ip -n "$NS_GW" link set second up
}

# change NUMBER: one of sixteen.
change() {
	# shellcheck disable=SC2046 # words
	case $(($1 % 16)) in
	0) wgvia route replace wg6 from $VPN6 via $FW6B ;;
	1) wgvia route replace wg6 from $VPN4 via $FW4B ;;
	2) wgvia bypass add wg6 198.18.0.0/15 ;;
	3) up $(others 1) ;;
	4) wgvia up wg6 "${WORDS_HALVES[@]}" $(others 2) ;;
	5) up mode stack ;;
	6) wgvia route replace wg6 from $VPN6 via $FW6B ;;
	7) wgvia route replace wg6 from $VPN4 via $FW4B ;;
	8) second_device && up mode stack bypass 198.18.0.0/15 ;;
	9) up ;;
	10) wgvia bypass add wg6 2001:db8:ffff::/48 ;;
	11) wgvia route add wg6 from 2001:db8:77::/48 via $FW6 ;;
	12) wgvia route del wg6 from 2001:db8:77::/48 ;;
	13) ip -n "$NS_GW" link delete second && up ;;
	14) up on-fail pass $(others 3) ;;
	15) wgvia up wg6 "${WORDS_B[@]}" ;;
	esac
}

# A transfer at 8 Mbit/s that does not end by itself.
tcp_start() { # NAME ADDRESS PORT [-R]
	spawn_here "$NS_C1" "$1" iperf3 -J -t 86400 -b 8M -l 1K -c "$2" -p "$3" "${@:4}"
}

tcp_stop() { # NAME: its bytes
	local pid
	pid=$(<"$TOPO_DIR/$1.pid")
	kill -INT "$pid"
	poll 10 process_gone "$pid"
	jq '.end | [.sum_sent.bytes, .sum_received.bytes] | max' "$TOPO_DIR/$1.log"
}

# Segments that the two ends of transfers have sent again though they were lost; what the other end says it had already
# (DSACK, RFC 2883) was late, as it happens where a process does not run for some milliseconds.
segments_lost() {
	local ns
	for ns in $NS_C1 $NS_SVC; do
		in_ns "$ns" nstat -asz TcpRetransSegs TcpExtTCPDSACKRecv
	done | awk '/RetransSegs/ { sum += $2 } /DSACKRecv/ { sum -= $2 } END { print sum }'
}

sent_at_least() { # COUNT: packets that the programs have seen
	[ $(($(counter redirected) + $(counter retargeted))) -ge "$1" ]
}

# ---- changes that succeed ----

# changes ATTACH
changes() {
	local i count=${WGVIA_CHANGES:-500} begin result tcp4 tcp6 segments
	attach_type "$1"
	up
	pings 1 "$NS_GW" $FW4B
	pings 1 "$NS_GW" $FW6B
	wire_reset
	segments=$(segments_lost)
	load_both_ways 5000
	tcp_start tcp4 $SVC4 5201
	tcp_start tcp6 $SVC6 5202 -R
	poll 5 sent_at_least 2000
	begin=${EPOCHREALTIME/[.,]/}
	for ((i = 0; i < count; i++)); do
		change $i >"$BATS_TEST_TMPDIR/change" 2>&1 || is "change $i: $(<"$BATS_TEST_TMPDIR/change")" "change $i: "
	done
	begin=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000000))
	tcp4=$(tcp_stop tcp4)
	tcp6=$(tcp_stop tcp6)
	segments=$(($(segments_lost) - segments))
	result=$(load_stop load)
	figures "$count changes in $begin s: $(load_figures "$result"), TCP $tcp4 bytes out $tcp6 back," \
		"$segments segments lost, $(wire leaked) leaked"
	load_lost_nothing "$result"
	is "$(jq .refused <<<"$result")" 0
	is "$segments segments lost" "0 segments lost"
	[ "$tcp4" -gt 100000 ]
	[ "$tcp6" -gt 100000 ]
	is "$(wire leaked)" 0
	[ "$(counter redirected)" -gt 0 ]
	[ "$(counter retargeted)" -gt 0 ]
	is "$(counter no_gateway)" 0
}

@test "tcx: changes under load lose and reorder nothing" {
	changes tcx
}

@test "clsact: changes under load lose and reorder nothing" {
	changes clsact
}

# transfer_survives ADDRESS: one that began in mode stack, where a connection tracker saw its beginning, goes on when it
# comes back there after a while in mode fast, where none saw it.
transfer_survives() {
	local segments
	up mode stack
	segments=$(segments_lost)
	tcp_start tcp4 "$1" 5201
	poll 5 sent_at_least 500
	up mode fast
	poll 5 sent_at_least 2000
	up mode stack
	poll 5 sent_at_least 3500
	up mode fast
	poll 5 sent_at_least 5000
	tcp_stop tcp4
	is "$(($(segments_lost) - segments)) segments lost" "0 segments lost"
}

@test "a TCP transfer goes from mode stack to fast, back and again, IPv4" {
	transfer_survives $SVC4
}

@test "a TCP transfer goes from mode stack to fast, back and again, IPv6" {
	transfer_survives $SVC6
}

# ---- changes that fail ----

# What an instance is, without the numbers that the kernel gives and what the network does.
view() {
	wgvia -j show wg6 | jq -S 'del(.attachments[] | .link_id, .prog_id) | del(.prefixes[].neighbour) |
		.attachments |= sort_by(.dev, .direction)'
}

pins() {
	find "$PIN_DIR" -mindepth 1 | sort
}

# refused TEXT COMMAND...: it says so in one line, and nothing has changed.
refused() {
	local text=$1
	shift
	state >"$BATS_TEST_TMPDIR/before"
	run -1 --separate-stderr wgvia "$@"
	# shellcheck disable=SC2154 # bats sets it
	grep -v '^hint: ' <<<"$stderr" >"$BATS_TEST_TMPDIR/stderr"
	is "$(wc -l <"$BATS_TEST_TMPDIR/stderr")" 1
	grep "^wgvia: .*$text" "$BATS_TEST_TMPDIR/stderr"
	as_before
}

# as_before: nothing has changed since `state` was written to $BATS_TEST_TMPDIR/before.
as_before() {
	state >"$BATS_TEST_TMPDIR/after"
	cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after" && return
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after" | cut -c -200
	return 1
}

# refusals ATTACH: what is wrong with words, with pins, with a second device.
refusals() {
	local number handle priority pin result
	attach_type "$1"
	up bypass 198.18.0.0/15
	load_both_ways 1000
	refused "not on-link" route replace wg6 from $VPN4 via 203.0.113.2
	refused "not on-link" up wg6 from $VPN6 via $FW6 from $VPN4 via 203.0.113.2 mode stack
	refused "no such device" up wg6 "${WORDS[@]}" from 10.99.0.0/16 via $FW4 dev ens9
	refused "own address" up wg6 "${WORDS_B[@]}" from 10.99.0.0/16 via $GW4
	second_device
	number=$(ip -n "$NS_GW" -j link show second | jq '.[].ifindex')
	handle=$(wgvia -j show wg6 | jq '.attachments[0].handle')
	priority=$(wgvia -j show wg6 | jq '.attachments[0].priority')
	pin=$PIN_DIR/wg6/tcx_egress_$number
	[ "$1" = tcx ] || pin=$PIN_DIR/wg6/clsact_egress_${number}_$handle
	mkdir "$pin"
	refused "cannot attach to 'second'" up wg6 "${WORDS_HALVES[@]}" mode stack
	rmdir "$pin"
	if [ "$1" = clsact ]; then
		in_ns "$NS_GW" tc qdisc add dev second clsact
		in_ns "$NS_GW" tc filter add dev second egress prio "$priority" handle "$handle" bpf bytecode '1,6 0 0 0'
		refused "cannot attach to 'second': somebody's filter" up wg6 "${WORDS_HALVES[@]}" mode stack
		in_ns "$NS_GW" tc filter show dev second egress | grep bytecode
		in_ns "$NS_GW" tc qdisc delete dev second clsact
	fi
	wgvia up wg6 "${WORDS_HALVES[@]}" mode stack
	result=$(load_stop load)
	figures "$(load_figures "$result")"
	load_lost_nothing "$result"
	is "$(view | jq '.attachments | length')" 2
}

@test "tcx: a change that is refused leaves all as it was" {
	refusals tcx
}

@test "clsact: a change that is refused leaves all as it was" {
	refusals clsact
}

# faulty NUMBER fail|kill COMMAND...: see fault.c. Fails like the command; $fault tells whether the fault happened.
faulty() {
	local number=$1 kind=$2 file=$BATS_TEST_TMPDIR/fault status=0
	shift 2
	rm -f "$file"
	LD_PRELOAD=$BATS_FILE_TMPDIR/fault.so FAULT=$kind FAULT_AT=$number FAULT_FILE=$file \
		wgvia "$@" >"$BATS_TEST_TMPDIR/faulty" 2>&1 || status=$?
	fault=no
	[ ! -e "$file" ] || fault=yes
	return $status
}

# faults ATTACH: a change of everything, from and to both modes, in which one step after the other fails, or before
# which wgvia is killed. Either the old state is in force or the new one; after a kill, `up` mends it; packets flow.
faults() {
	local old=(up wg6 "${WORDS[@]}" bypass 198.18.0.0/15) new=(up wg6 "${WORDS_HALVES[@]}" mode stack on-fail pass)
	local result kind number status total=0
	attach_type "$1"
	wgvia "${old[@]}"
	load_both_ways 1000
	second_device
	for _ in to-stack to-fast; do
		wgvia "${new[@]}"
		{ view && pins; } >"$BATS_TEST_TMPDIR/new"
		for kind in fail kill; do
			fault=yes
			for ((number = 1; number < 200; number++)); do
				ip -n "$NS_GW" link set second down # is not watched by `old`
				wgvia "${old[@]}"
				ip -n "$NS_GW" link set second up
				state >"$BATS_TEST_TMPDIR/before"
				status=0
				faulty $number $kind "${new[@]}" || status=$?
				[ $fault = yes ] || break
				total=$((total + 1))
				if [ $kind = kill ]; then
					is $status 137
					wgvia "${new[@]}"
				fi
				if [ $kind = kill ] || [ $status -eq 0 ]; then
					{ view && pins; } | diff "$BATS_TEST_TMPDIR/new" - || is "after $kind $number" "all as wanted"
				else
					grep '^wgvia: ' "$BATS_TEST_TMPDIR/faulty"
					as_before || is "after $kind $number" "as before"
				fi
			done
			is $fault no
		done
		old=("${new[@]}")
		new=(up wg6 "${WORDS[@]}" bypass 198.18.0.0/15)
	done
	result=$(load_stop load)
	figures "$total faults, $(load_figures "$result")"
	load_lost_nothing "$result"
	wgvia down wg6
	nothing_left
}

@test "tcx: whichever step of a change fails or is the last, nothing is lost" {
	faults tcx
}

@test "clsact: whichever step of a change fails or is the last, nothing is lost" {
	faults clsact
}

# first_faults ATTACH: an `up` where nothing was leaves nothing when it fails; after a kill, `down` does.
first_faults() {
	local kind number status total=0
	attach_type "$1"
	second_device
	for kind in fail kill; do
		fault=yes
		for ((number = 1; number < 200; number++)); do
			status=0
			faulty $number $kind up wg6 "${WORDS[@]}" bypass 198.18.0.0/15 || status=$?
			[ $fault = yes ] || break
			total=$((total + 1))
			if [ $kind = kill ] || [ $status -eq 0 ]; then
				wgvia down wg6
			fi
			nothing_left || is "after $kind $number" "nothing left"
			is "$(in_ns "$NS_GW" tc qdisc show dev second | grep clsact)" ""
		done
		is $fault no
		wgvia down wg6
	done
	figures "$total faults"
	nothing_left
}

@test "tcx: whichever step of a first up fails or is the last, nothing is left" {
	first_faults tcx
}

@test "clsact: whichever step of a first up fails or is the last, nothing is left" {
	first_faults clsact
}

@test "a device that comes and goes while changes run disturbs nothing" {
	local flapper result i failed=0
	up
	load_both_ways 1000
	(while ip -n "$NS_GW" link add second type veth peer name second netns "$NS_LAN"; do
		ip -n "$NS_GW" link set second up
		ip -n "$NS_GW" link delete second || break
	done) 3>&- &
	flapper=$!
	for ((i = 0; i < 40; i++)); do
		up mode stack || failed=$((failed + 1))
		up || failed=$((failed + 1))
	done
	kill $flapper
	wait $flapper || true
	ip -n "$NS_GW" link delete second 2>/dev/null || true
	up
	is "$(pins | grep -c /tcx_)" 3
	result=$(load_stop load)
	figures "$failed of 80 changes refused, $(load_figures "$result")"
	load_lost_nothing "$result"
}

# ---- versions ----

# takes_over ATTACH OLD NEW: while packets flow, an instance of one program becomes the other's, and nothing is lost or
# goes past the firewall. Sets kept to yes where the counters went on.
takes_over() {
	local result before=$BATS_TEST_TMPDIR/before
	attach_type "$1"
	WGVIA=$2
	up
	pings 1 "$NS_C1" $SVC4
	wire_reset
	load_both_ways 5000
	poll 5 sent_at_least 2000
	remember_counters
	WGVIA=$3
	# shellcheck disable=SC2046 # words
	up $(others 1) $(others 2) $(others 3)
	kept=yes
	[ "$(counter redirected)" -ge "$(jq .counters.redirected.packets "$before")" ] || kept=no
	poll 5 sent_at_least 2000
	result=$(load_stop load)
	figures "$(load_figures "$result"), counters kept: $kept"
	load_lost_nothing "$result"
	is "$(wire leaked)" 0
	is "$(pins | grep -c "/$1_")" 3
	is "$(pins | grep -c '%')" 0
}

# other_program ATTACH: the maps fit, so they are used again.
other_program() {
	variant program bpf/wgvia.bpf.c 's,Dual BSD/GPL,Dual MIT/GPL,'
	takes_over "$1" "$WGVIA" "$BATS_FILE_TMPDIR/program/build/wgvia"
	is $kept yes
}

# other_maps ATTACH: the maps do not fit, so new ones are filled before they are used.
other_maps() {
	variant maps bpf/maps.h '/define PREFIXES_MAX/s/20/19/'
	takes_over "$1" "$WGVIA" "$BATS_FILE_TMPDIR/maps/build/wgvia"
	is $kept no
}

build_abi() {
	variant abi include/wgvia_abi.h 's/^#define WGVIA_ABI .*/#define WGVIA_ABI 99/'
}

# other_abi ATTACH
other_abi() {
	build_abi
	takes_over "$1" "$WGVIA" "$BATS_FILE_TMPDIR/abi/build/wgvia"
	is $kept no
	is "$(wgvia -j show wg6 | jq .abi)" 99
}

@test "tcx: another program takes over the maps" {
	other_program tcx
}

@test "clsact: another program takes over the maps" {
	other_program clsact
}

@test "tcx: maps of another size are filled anew" {
	other_maps tcx
}

@test "clsact: maps of another size are filled anew" {
	other_maps clsact
}

@test "tcx: a higher ABI takes over" {
	other_abi tcx
}

@test "clsact: a higher ABI takes over" {
	other_abi clsact
}

@test "a lower ABI is refused, and the instance runs on; down works" {
	local result newer=$BATS_FILE_TMPDIR/abi/build/wgvia
	build_abi
	WGVIA=$newer up
	load_both_ways 1000
	refused "ABI version 99" up wg6 "${WORDS[@]}" mode stack
	refused "ABI version 99" route replace wg6 from $VPN4 via $FW4B
	refused "ABI version 99" bypass add wg6 198.18.0.0/15
	refused "ABI version 99" show wg6
	refused "ABI version 99" stats wg6
	result=$(load_stop load)
	load_lost_nothing "$result"
	wgvia down wg6
	nothing_left
}
