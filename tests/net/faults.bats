#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# A change that fails at any step leaves the old state in force; the next `up` completes or undoes one that was killed.
# Packets flow all the time, and none is lost. live.bats covers changes that succeed.

# shellcheck disable=SC2030,SC2031,SC2086 # addresses are words

# WGVIA_FAULTS=N tries every Nth step of a change, from a random one on [8]; 1 tries all of them.
STEP=${WGVIA_FAULTS:-8}
load ../lib/net.bash
load ../lib/load.bash
load ../lib/fault.bash

setup_more() {
	load_up
}

teardown() {
	local dev
	unspawn load KILL
	[ -z "${held:-}" ] || kill -KILL "$held" 2>/dev/null || true
	for dev in second wg7; do
		ip -n "$NS_GW" link delete $dev 2>/dev/null || true
	done
	"$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" down wg7
	load_sweep
}

up() {
	wgvia up wg6 "${WORDS[@]}" "$@"
}

# ---- refusals ----

# refusals ATTACH: errors in words, in pins, at a second device.
refusals() {
	local number handle priority pin result
	attach_type "$1"
	up bypass 198.18.0.0/15
	load_both_ways 1000
	refused "not on-link" route replace wg6 from $VPN4 via 203.0.113.2
	refused "not on-link" up wg6 from $VPN6 via $FW6 from $VPN4 via 203.0.113.2 mode stack
	refused "no such device" up wg6 "${WORDS[@]}" from 10.99.0.0/16 via $FW4 dev ens9
	refused "an address of this host" up wg6 "${WORDS_B[@]}" from 10.99.0.0/16 via $GW4
	second_device
	number=$(ip -n "$NS_GW" -j link show second | jq '.[].ifindex')
	handle=$(wgvia -j show wg6 | jq '.attachments[0].handle')
	priority=$(wgvia -j show wg6 | jq '.attachments[0].priority')
	pin=$PIN_DIR/wg6/tcx_egress_$number
	[ "$1" = tcx ] || pin=$PIN_DIR/wg6/clsact_egress_${number}_$handle
	mkdir -p "$pin/theirs"
	refused "cannot remove '$pin'" up wg6 "${WORDS_HALVES[@]}" mode stack
	rm -r "$pin"
	if [ "$1" = clsact ]; then
		in_ns "$NS_GW" tc qdisc add dev second clsact
		in_ns "$NS_GW" tc filter add dev second egress prio "$priority" handle "$handle" bpf bytecode '1,6 0 0 0'
		refused "cannot attach to 'second': another program's filter" up wg6 "${WORDS_HALVES[@]}" mode stack
		in_ns "$NS_GW" tc filter show dev second egress | grep bytecode
		in_ns "$NS_GW" tc qdisc delete dev second clsact
	fi
	wgvia up wg6 "${WORDS_HALVES[@]}" mode stack
	result=$(load_stop load)
	figures "$(load_figures "$result")"
	load_lost_nothing "$result"
	is "$(view | jq '.attachments | length')" 4 # both directions, at two devices
}

@test "tcx: a change that is refused leaves all as it was" {
	refusals tcx
}

@test "clsact: a change that is refused leaves all as it was" {
	refusals clsact
}

# faults ATTACH: a change of everything, from and to both modes, in which one step after the other fails, or before
# which wgvia is killed. Either the old state is in force or the new one; after a kill, `up` recovers; packets flow, via
# the firewall.
faults() {
	local old=(up wg6 "${WORDS[@]}" bypass 198.18.0.0/15) new=(up wg6 "${WORDS_HALVES[@]}" mode stack on-fail pass)
	local result kind number status total=0
	attach_type "$1"
	wgvia "${old[@]}"
	wire_reset
	load_both_ways 1000
	second_device
	for _ in to-stack to-fast; do
		wgvia "${new[@]}"
		{ view && pins; } >"$BATS_TEST_TMPDIR/new"
		for kind in fail kill; do
			fault=yes
			for ((number = 1 + RANDOM % STEP; number < 200; number += STEP)); do
				ip -n "$NS_GW" link set second down # `old` does not watch it
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
	figures "$total faults, $(load_figures "$result"), $(wire leaked) leaked"
	load_lost_nothing "$result"
	is "$(wire leaked)" 0
	wgvia down wg6
	nothing_left
}

@test "tcx: whichever step of a change fails or is the last, nothing is lost" {
	faults tcx
}

# bats test_tags=long
@test "clsact, entry by entry: whichever step of a change fails or is the last, nothing is lost" {
	export WGVIA_BATCH=no
	faults clsact
}

# first_faults ATTACH: an `up` without an instance leaves nothing when it fails; after a kill, `down` removes
# everything.
first_faults() {
	local kind number status total=0
	attach_type "$1"
	second_device
	for kind in fail kill; do
		fault=yes
		for ((number = 1 + RANDOM % STEP; number < 200; number += STEP)); do
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

@test "clsact, entry by entry: whichever step of a first up fails or is the last, nothing is left" {
	export WGVIA_BATCH=no
	first_faults clsact
}

@test "a device that is added and removed during changes disturbs nothing" {
	local flapper result i failed=0
	up
	load_both_ways 1000
	(while [ ! -e "$BATS_TEST_TMPDIR/stop" ] && ip -n "$NS_GW" link add second type veth peer name second netns "$NS_LAN"; do
		ip -n "$NS_GW" link set second up
		ip -n "$NS_GW" link delete second || break
	done) 3>&- &
	flapper=$!
	for ((i = 0; i < 40; i++)); do
		up mode stack || failed=$((failed + 1))
		up || failed=$((failed + 1))
	done
	: >"$BATS_TEST_TMPDIR/stop"
	wait $flapper || true
	ip -n "$NS_GW" link delete second 2>/dev/null || true
	up
	is "$(pins | grep -c /tcx_)" 3
	result=$(load_stop load)
	figures "$failed of 80 changes refused, $(load_figures "$result")"
	load_lost_nothing "$result"
}

# ---- an interface that vanishes in the middle of up ----

# vanishing NUMBER DEVICE COMMAND...: the command stops before that step, the device is deleted, and the command
# continues. Fails like the command; $fault shows whether it got that far.
vanishing() {
	local number=$1 dev=$2 file=$BATS_TEST_TMPDIR/fault status=0
	shift 2
	rm -f "$file"
	LD_PRELOAD=$FAULT_SO FAULT=hold FAULT_AT=$number FAULT_FILE=$file \
		"$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" "$@" >"$BATS_TEST_TMPDIR/faulty" 2>&1 3>&- &
	held=$!
	poll 30 held_or_gone
	fault=no
	if [ -e "$file" ]; then
		fault=yes
		ip -n "$NS_GW" link delete "$dev"
		kill -CONT $held
	fi
	wait $held || status=$?
	held=
	return $status
}

held_or_gone() {
	grep -q '^State:.T' "/proc/$held/status" || process_gone "$held"
}

# complains_once: one line about what could not be done.
complains_once() {
	is "$(grep -v '^hint: ' "$BATS_TEST_TMPDIR/faulty" | grep -vc '^wg[67]: ')" 1
	grep -q "^wgvia: cannot [^?]*$" "$BATS_TEST_TMPDIR/faulty" || is "$(<"$BATS_TEST_TMPDIR/faulty")" "wgvia: cannot ..."
}

# A change that begins to use a LAN device: either it is refused, and everything is as before, or it was complete when
# the device vanished, and stays so. Traffic of other prefixes is not affected.
lan_vanishes() {
	local new=(up wg6 "${WORDS_HALVES[@]}" from 10.99.0.0/16 via 172.31.0.2 dev second) number status result
	local refusals=0 fault=yes
	attach_type "$1"
	up
	wire_reset
	load_both_ways 1000
	state >"$BATS_TEST_TMPDIR/before"
	for ((number = 1 + RANDOM % STEP; number < 200; number += STEP)); do
		second_device
		ip -n "$NS_GW" address add 172.31.0.1/24 dev second
		status=0
		vanishing $number second "${new[@]}" || status=$?
		[ $fault = yes ] || break
		case $status in
		0) wgvia show wg6 | grep -q "from 10.99.0.0/16 .*UNUSABLE" ;;
		1)
			complains_once
			as_before || is "step $number: $(<"$BATS_TEST_TMPDIR/faulty")" "as before"
			refusals=$((refusals + 1))
			;;
		*) is "step $number: status $status" "0 or 1" ;;
		esac
		up
		is "$(pins | grep -c "/$1_")" 3
		state >"$BATS_TEST_TMPDIR/before"
	done
	is "$fault $status" "no 0"
	result=$(load_stop load)
	figures "$((number - 1)) steps, $refusals refused, $(load_figures "$result"), $(wire leaked) leaked"
	[ $refusals -gt 0 ]
	load_lost_nothing "$result"
	is "$(wire leaked)" 0
}

@test "tcx: a LAN device that vanishes before any step of a change" {
	lan_vanishes tcx
}

@test "clsact: a LAN device that vanishes before any step of a change" {
	lan_vanishes clsact
}

# tunnel_vanishes ATTACH: a first up that is refused leaves nothing, and one that was completed can be removed.
tunnel_vanishes() {
	local number status refusals=0 fault=yes
	attach_type "$1"
	for ((number = 1 + RANDOM % STEP; number < 200; number += STEP)); do
		ip -n "$NS_GW" tuntap add dev wg7 mode tun
		status=0
		vanishing $number wg7 up wg7 from 10.7.0.0/16 via $FW4 || status=$?
		[ $fault = yes ] || break
		case $status in
		0) wgvia down wg7 ;;
		1)
			complains_once
			refusals=$((refusals + 1))
			;;
		*) is "step $number: status $status" "0 or 1" ;;
		esac
		nothing_left || is "step $number: $(<"$BATS_TEST_TMPDIR/faulty")" "nothing left"
	done
	is "$fault $status" "no 0"
	figures "$((number - 1)) steps, $refusals refused"
	[ $refusals -gt 0 ]
	wgvia down wg7
	nothing_left
}

@test "tcx: a tunnel that vanishes before any step of its first up" {
	tunnel_vanishes tcx
}

@test "clsact: a tunnel that vanishes before any step of its first up" {
	tunnel_vanishes clsact
}
