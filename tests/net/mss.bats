#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `mss auto|N`: on the wire, a TCP SYN's MSS option is lowered in both directions and in both modes, with a right
# checksum, and no other packet changes. Also the words for it.

# shellcheck disable=SC2086 # addresses are words
# shellcheck disable=SC2153,SC2154 # the topology's variables; `run` sets $output

load ../lib/wire.bash

WORDS+=(from 198.18.0.1 via "$FW4" dev ens3) # the sentinel, which must come out
BACK4="src='$SVC4', dst='$C1_4'" BACK6="src='$SVC6', dst='$C1_6'"

setup() {
	wire_usual
	ip -n "$NS_GW" link set wg6 mtu 1420
}

# clamps MSS4 MSS6: SYNs with more come out with this; those with as much or less are unchanged.
clamps() {
	told "lan gw>fw $C1_4>$SVC4 hops 63 [1] mss $1
lan gw>fw $C1_6>$SVC6 hops 63 [2] mss $2
lan gw>fw $C1_4>$SVC4 hops 63 [3] mss $1
lan gw>fw #4 hops 63
lan gw>fw #5 hops 63" tun "syn(4, 1460)" "syn(6, 1440)" "syn(4, $1 + 1, 'SEC')" "syn(4, $1)" "syn(6, $2 - 1)"
	told "tun $SVC4>$C1_4 hops 63 [1] mss $1
tun $SVC6>$C1_6 hops 63 [2] mss $2
tun #3 hops 63
tun #4 hops 63" lan "syn(4, 1460, 'SA', $BACK4)" "syn(6, 1440, 'SA', $BACK6)" "syn(4, $1 - 1, 'SA', $BACK4)" \
		"syn(6, $2, 'SA', $BACK6)"
}

# as_they_are EXPRESSION...: in both directions; WAY in an expression stands for the addresses.
as_they_are() {
	local out="src='$C1_4'"
	told "$(printf 'lan gw>fw #%s hops 63\n' $(seq $#))" tun "${@//WAY/$out}"
	told "$(printf 'tun #%s hops 63\n' $(seq $#))" lan "${@//WAY/$BACK4}"
}

both_modes() {
	local mode
	for mode in fast stack; do
		echo "mode $mode"
		wgvia up wg6 "${WORDS[@]}" mode $mode mss auto
		clamps 1380 1360
		wgvia up wg6 "${WORDS[@]}" mode $mode mss 1300
		clamps 1300 1300
		wgvia up wg6 "${WORDS[@]}" mode $mode
		told "lan gw>fw #1 hops 63" tun "syn(4, 1460)"
		told "tun #1 hops 63" lan "syn(6, 1440, 'SA', $BACK6)"
	done
}

@test "both directions, IPv4 and IPv6, both modes: tcx" {
	attach_type tcx
	both_modes
}

@test "both directions, IPv4 and IPv6, both modes: clsact" {
	attach_type clsact
	both_modes
}

@test "auto follows the MTU of the tunnel and of the LAN" {
	kernel_can check_mtu || skip "kernel $(uname -r) has no bpf_check_mtu()"
	local mode
	for mode in fast stack; do
		echo "mode $mode"
		wgvia up wg6 "${WORDS[@]}" mode $mode mss auto
		ip -n "$NS_GW" link set wg6 mtu 1340
		clamps 1300 1280
		ip -n "$NS_GW" link set ens3 mtu 1320
		clamps 1280 1260
		ip -n "$NS_GW" link set ens3 mtu 1500
		ip -n "$NS_GW" link set wg6 mtu 1420
		clamps 1380 1360
	done
}

@test "only valid SYNs change" {
	local mode
	for mode in fast stack; do
		echo "mode $mode"
		wgvia up wg6 "${WORDS[@]}" mode $mode mss 536
		as_they_are "syn(4, 1460, 'A', WAY)" "syn(4, 1460, 'SR', WAY)" "pkt(4, WAY)" \
			"syn(4, 0, options=[('WScale', 7)], WAY)" "syn(4, 0, options=[('MSS', 1460), ('MSS', 1460)], WAY)"
	done
	wgvia up wg6 "${WORDS[@]}" mss 536
	# fragments: a later one, and a first one with an incomplete header
	told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun "IP(src='$C1_4', dst='$SVC4', frag=1, proto=6) / bytes(syn(4, 1460)[TCP])" \
		"IP(src='$C1_4', dst='$SVC4', flags='MF', proto=6) / bytes(syn(4, 1460)[TCP])[:24]"
	told "lan gw>fw #1 hops 63" tun \
		"IPv6(src='$C1_6', dst='$SVC6') / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))]) / syn(6, 1460)[TCP]"
}

@test "exempt packets, and packets from a stranger before the bounce, are unchanged" {
	wgvia up wg6 "${WORDS[@]}" mss 1300 bypass $INET4/32
	told "lan gw>fw #1 hops 63" tun "syn(4, 1460, dst='$INET4')"
	# a stranger's goes to the firewall unchanged, and is lowered when it comes from there
	told "lan gw>fw #1 hops 63" lan "Ether(src='$SVC_MAC', dst='$GW_MAC') / syn(4, 1460, 'SA', $BACK4)"
}

@test "the words: show, save, apply, and what is refused" {
	local file=$BATS_TEST_TMPDIR/file
	wgvia up wg6 "${WORDS[@]}" mss 1360
	wgvia show wg6 >"$BATS_TEST_TMPDIR/shown"
	grep -q "^wg6: up mode fast on-fail drop outside pass mss 1360 counters off return via$" "$BATS_TEST_TMPDIR/shown"
	is "$(wgvia -j show wg6 | jq -c .mss)" '"1360"'
	wgvia save wg6 >"$file"
	grep -qx "mss 1360" "$file"
	sed -i 's/mss 1360/mss 536/' "$file"
	is "$(wgvia apply wg6 "$file" | grep mss)" "- mss 1360
+ mss 536"
	is "$(wgvia -j show wg6 | jq -r .mss)" 536
	for word in on 0 1 535 65496 -1 ''; do
		run -2 wgvia up wg6 "${WORDS[@]}" mss "$word"
		[[ $output == "wgvia: '$word' is not a valid MSS: auto, off, or 536 to 65495" ]]
	done
	is "$(wgvia -j show wg6 | jq -r .mss)" 536
	wgvia up wg6 "${WORDS[@]}"
	is "$(wgvia -j show wg6 | jq -r .mss)" off
}

@test "a kernel without bpf_check_mtu() refuses auto with a clear reason, and changes nothing" {
	! kernel_can check_mtu || skip "this kernel has it"
	wgvia up wg6 "${WORDS[@]}" mss 1360
	state >"$BATS_TEST_TMPDIR/before"
	run -1 wgvia up wg6 "${WORDS[@]}" mss auto
	[[ $output == *"'mss auto' does not work on this kernel"*"mss 1360"* ]]
	wgvia save wg6 | sed 's/mss 1360/mss auto/' >"$BATS_TEST_TMPDIR/file"
	run -1 wgvia apply -c wg6 "$BATS_TEST_TMPDIR/file"
	[[ $output == *"'mss auto' does not work on this kernel"* ]]
	state | diff "$BATS_TEST_TMPDIR/before" -
}
