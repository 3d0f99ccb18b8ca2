#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Changes under load: while 5,000 packets per second go out and come back, and TCP transfers run in both directions,
# gateways, prefixes, bypass list, mode, program and version change, and nothing is lost or reordered. WGVIA_CHANGES=N
# makes N changes for each kind of attachment [500], WGVIA_RATE=N sends N packets per second [5000]: scripts/vm sets
# both, because its guests are slow.

# shellcheck disable=SC2086 # addresses are words

load ../lib/net.bash
load ../lib/load.bash

RATE=${WGVIA_RATE:-5000}

setup_more() {
	load_up
	spawn_here "$NS_SVC" iperf6 iperf3 -s -p 5202
	poll 5 listening "$NS_SVC" tcp 5202 1
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

# A transfer without an end, at 8 Mbit/s with the usual rate.
tcp_start() { # NAME ADDRESS PORT [-R]
	spawn_here "$NS_C1" "$1" iperf3 -J -t 86400 -b $((RATE * 1600)) -l 1K -c "$2" -p "$3" "${@:4}"
}

tcp_stop() { # NAME: its bytes
	local pid
	pid=$(<"$TOPO_DIR/$1.pid")
	kill -INT "$pid"
	poll 10 process_gone "$pid"
	jq '.end | [.sum_sent.bytes, .sum_received.bytes] | max' "$TOPO_DIR/$1.log"
}

# TCP segments that one of the two ends sent, including retransmissions, and that did not reach the other one. The
# kernels count them; nothing merges segments on the way, and no clock is involved.
segments_lost() {
	local ns
	for ns in $NS_C1 $NS_SVC; do
		in_ns "$ns" nstat -asz TcpOutSegs TcpRetransSegs TcpInSegs
	done | awk '/OutSegs|RetransSegs/ { sum += $2 } /InSegs/ { sum -= $2 } END { print sum }'
}

# no_segment_lost BEFORE SENDER...: no more than that many; what is on its way arrives while the senders pause. At the
# end of a connection some may get lost: a firewall drops what it sees after a reset.
no_segment_lost() {
	local before=$1 name
	shift
	for name; do
		kill -STOP "$(<"$TOPO_DIR/$name.pid")"
	done
	lost=0
	poll 5 segments_lost_are "$before" || lost=$(($(segments_lost) - before))
	for name; do
		kill -CONT "$(<"$TOPO_DIR/$name.pid")"
	done
	is "$lost segments lost" "0 segments lost"
}

# Twice, because the two ends are not read at the same moment.
segments_lost_are() {
	[ "$(segments_lost)" -eq "$1" ] && [ "$(segments_lost)" -eq "$1" ]
}

sent_at_least() { # COUNT: packets that the programs saw
	[ $(($(counter redirected) + $(counter retargeted))) -ge "$1" ]
}

# ---- changes that succeed ----

# changes ATTACH
changes() {
	local i count=${WGVIA_CHANGES:-500} begin result tcp4 tcp6 segments lost
	attach_type "$1"
	up
	pings 1 "$NS_GW" $FW4B
	pings 1 "$NS_GW" $FW6B
	wire_reset
	segments=$(segments_lost)
	load_both_ways $RATE
	tcp_start tcp4 $SVC4 5201
	tcp_start tcp6 $SVC6 5202 -R
	poll 20 sent_at_least $((RATE * 2 / 5))
	begin=${EPOCHREALTIME/[.,]/}
	for ((i = 0; i < count; i++)); do
		change $i >"$BATS_TEST_TMPDIR/change" 2>&1 || is "change $i: $(<"$BATS_TEST_TMPDIR/change")" "change $i: "
	done
	begin=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000000))
	no_segment_lost "$segments" tcp4 iperf6 || true
	tcp4=$(tcp_stop tcp4)
	tcp6=$(tcp_stop tcp6)
	result=$(load_stop load)
	figures "$count changes in $begin s: $(load_figures "$result"), TCP $tcp4 bytes out $tcp6 back," \
		"$lost segments lost, $(wire leaked) leaked"
	load_lost_nothing "$result"
	is "$(jq .refused <<<"$result")" 0
	is "$lost segments lost" "0 segments lost"
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

# transfer_survives ADDRESS: a transfer that began in mode stack, where a connection tracker saw its beginning,
# continues when mode stack returns after a while in mode fast, where none saw it.
transfer_survives() {
	local segments lost
	up mode stack
	segments=$(segments_lost)
	tcp_start tcp4 "$1" 5201
	poll 20 sent_at_least 500
	up mode fast
	poll 20 sent_at_least 2000
	up mode stack
	poll 20 sent_at_least 3500
	up mode fast
	poll 20 sent_at_least 5000
	no_segment_lost "$segments" tcp4
	tcp_stop tcp4
}

@test "a TCP transfer survives mode stack to fast, back and again, IPv4" {
	transfer_survives $SVC4
}

@test "a TCP transfer survives mode stack to fast, back and again, IPv6" {
	transfer_survives $SVC6
}

# ---- versions ----

# takes_over ATTACH OLD NEW: while packets flow, an instance of one program is taken over by the other, and nothing is
# lost or bypasses the firewall. Sets kept to yes if the counters continued.
takes_over() {
	local result before=$BATS_TEST_TMPDIR/before
	attach_type "$1"
	WGVIA=$2
	up
	pings 1 "$NS_C1" $SVC4
	wire_reset
	load_both_ways $RATE
	poll 20 sent_at_least $((RATE * 2 / 5))
	remember_counters
	WGVIA=$3
	# shellcheck disable=SC2046 # words
	up $(others 1) $(others 2) $(others 3)
	kept=yes
	[ "$(counter redirected)" -ge "$(jq .counters.redirected.packets "$before")" ] || kept=no
	poll 20 sent_at_least $((RATE * 2 / 5))
	result=$(load_stop load)
	figures "$(load_figures "$result"), counters kept: $kept"
	load_lost_nothing "$result"
	is "$(wire leaked)" 0
	is "$(pins | grep -c "/$1_")" 3
	is "$(pins | grep -c '%')" 0
}

# other_program ATTACH: the maps fit, so they are reused.
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

@test "tcx: maps of another size are filled again" {
	other_maps tcx
}

@test "clsact: maps of another size are filled again" {
	other_maps clsact
}

@test "tcx: a higher ABI takes over" {
	other_abi tcx
}

@test "clsact: a higher ABI takes over" {
	other_abi clsact
}

@test "a lower ABI is refused, and the instance keeps running; down works" {
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
