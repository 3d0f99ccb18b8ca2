#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# A change that fails, wherever it fails, leaves the old state in force; one that is killed is mended by the next `up`.
# Packets flow all the time, and none is lost. What succeeds is in live.bats.

# shellcheck disable=SC2030,SC2031,SC2086 # addresses are words

export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-120}
load ../lib/net.bash
load ../lib/load.bash
load ../lib/fault.bash

setup_more() {
	load_up
	fault_build
}

teardown() {
	unspawn load KILL
	ip -n "$NS_GW" link delete second 2>/dev/null || true
	load_sweep
}

up() {
	wgvia up wg6 "${WORDS[@]}" "$@"
}

# ---- refusals ----

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

# faults ATTACH: a change of everything, from and to both modes, in which one step after the other fails, or before
# which wgvia is killed. Either the old state is in force or the new one; after a kill, `up` mends it; packets flow, by
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
	figures "$total faults, $(load_figures "$result"), $(wire leaked) leaked"
	load_lost_nothing "$result"
	is "$(wire leaked)" 0
	wgvia down wg6
	nothing_left
}

@test "tcx: whichever step of a change fails or is the last, nothing is lost" {
	faults tcx
}

@test "clsact, entry by entry: whichever step of a change fails or is the last, nothing is lost" {
	export WGVIA_BATCH=no
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

@test "clsact, entry by entry: whichever step of a first up fails or is the last, nothing is left" {
	export WGVIA_BATCH=no
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
