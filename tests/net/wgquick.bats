#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# wgvia in the real wg-quick's hooks, as the README has them: down and up again and again, and what goes wrong on the way.

# shellcheck disable=SC2154 # `run` sets $stderr
load ../lib/wgquick.bash

CYCLES=${CYCLES:-100}
export BATS_TEST_TIMEOUT=300 # a cycle takes 0.2 s on an idle machine

# hooks LINE...: the file with the README's PostUp and these lines.
hooks() {
	wg_conf "Address = $WG4/16, $WG6/50" "Table = off" \
		"PostUp = wgvia up %i from $VPN6 via $FW6 from $VPN4 via $FW4" "$@"
}

connections_work() {
	tunnels_answer && answers "$NS_C1" "$SVC4" service "$C1_4" && answers "$NS_C2" "$SVC6" service "$C2_6"
}

# quietly up|down: its output is shown where it fails.
quietly() {
	wg_quick "$1" >"$BATS_TEST_TMPDIR/said" 2>&1 || { cat "$BATS_TEST_TMPDIR/said" && return 1; }
}

@test "$CYCLES times down and up: nothing is left when down, nothing piles up when up, and connections work" {
	local down up i
	hooks "PreDown = wgvia down %i"
	down=$(footprint)
	quietly up
	up=$(footprint)
	for ((i = 0; i < CYCLES; i++)); do
		quietly down
		quietly up
	done
	is "$(footprint)" "$up"
	connections_work
	quietly down
	is "$(footprint)" "$down"
	is "$(attached)" ""
}

@test "the interface is deleted behind wg-quick's back: down says so, the next up takes over what is left" {
	local before
	before=$(footprint)
	hooks "PreDown = wgvia down %i"
	quietly up
	ip -n "$NS_GW" link delete wg6
	run ! wg_quick down
	[[ $output == *"not a WireGuard interface"* ]]
	quietly up
	is "$(wgvia -j show | jq length)" 1
	connections_work
	quietly down
	is "$(footprint)" "$before"
}

@test "down as PostDown, when the interface has gone already, leaves nothing either" {
	local before
	before=$(footprint)
	hooks "PostDown = wgvia down %i"
	quietly up
	connections_work
	quietly down
	is "$(footprint)" "$before"
	is "$(attached)" ""
}

@test "an up that is refused takes the tunnel down again, and leaves nothing" {
	local before
	before=$(footprint)
	wg_conf "Address = $WG4/16" "Table = off" "PostUp = wgvia up %i from $VPN4 via 203.0.113.77"
	run ! wg_quick up
	[[ $output == *"not on-link"* ]]
	is "$(footprint)" "$before"
}

@test "up without words takes prefixes and firewall from what wg-quick and the host have set" {
	wg_conf "Address = $WG4/16, $WG6/50" "Table = off" "PostUp = wgvia up %i" "PreDown = wgvia down %i"
	quietly up
	is "$(wgvia -j show wg6 | jq -c '[.prefixes[] | [.prefix, .via]] | sort')" \
		"[[\"$VPN4\",\"$FW4\"],[\"$VPN6\",\"$FW6\"]]"
	connections_work
	quietly down
}
