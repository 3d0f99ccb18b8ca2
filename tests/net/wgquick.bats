#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# wgvia in the real wg-quick's hooks, as in the README: down and up repeatedly while a client sends, and what can fail
# meanwhile. CYCLES=N is the number of repetitions in each mode [100].

# shellcheck disable=SC2154 # `run` sets $stderr
load ../lib/wgquick.bash
load ../lib/load.bash

CYCLES=${CYCLES:-100}

setup_more() {
	room_up
	wire_up
	spawn "$NS_SVC" echo "$TOOLS/load" echo "$LOAD_PORT"
}

teardown() {
	local status=0
	unspawn client KILL
	wgvia down wg6 || status=1
	room ip link delete wg6 2>/dev/null
	return $status
}

WORDS_QUICK="from $VPN6 via $FW6 from $VPN4 via $FW4"

# conf LINE...: the tunnel's file with these hooks.
conf() {
	wg_conf "Address = $WG4/16, $WG6/50" "Table = off" "$@"
}

# hooks [WORD...]: the README's hooks, with these additional words.
hooks() {
	conf "PreUp = wgvia up %i $WORDS_QUICK $*" "PostUp = wgvia up %i $WORDS_QUICK $*" "PostDown = wgvia down %i"
}

connections_work() {
	tunnels_answer && answers "$NS_C1" "$SVC4" service "$C1_4" && answers "$NS_C2" "$SVC6" service "$C2_6"
}

# quietly up|down: shows its output if it fails.
quietly() {
	wg_quick "$1" >"$BATS_TEST_TMPDIR/said" 2>&1 || { cat "$BATS_TEST_TMPDIR/said" && return 1; }
}

# ---- a client that sends all the time ----

# client_sends: 1,000 packets per second to the service, of both families. They are lost while there is no tunnel.
client_sends() {
	wire_reset
	spawn "$NS_C1" client "$TOOLS/load" send 1000 "$LOAD_PORT" "$C1_4" "$SVC4" "$C1_6" "$SVC6"
}

packets_come() { # COUNT: in total
	[ "$(($(wire to_firewall) + $(wire leaked)))" -ge "$1" ]
}

# cycle: down, then up, until the client's packets come through the tunnel again.
cycle() {
	quietly down
	quietly up
	poll 20 packets_come $(($(wire to_firewall) + $(wire leaked) + 20))
}

cycles_under_load() { # MODE
	local down up i
	hooks mode "$1"
	down=$(footprint)
	quietly up
	up=$(footprint)
	client_sends
	for ((i = 0; i < CYCLES; i++)); do
		cycle
	done
	figures "$(wire to_firewall) packets to the firewall, $(wire leaked) past it, $(load_figures "$(load_stop client)")"
	is "$(wire leaked) packets past the firewall" "0 packets past the firewall"
	is "$(footprint)" "$up"
	connections_work
	quietly down
	is "$(footprint)" "$down"
	is "$(attached)" ""
}

@test "mode fast: $CYCLES times down and up under load: no packet bypasses the firewall, and nothing is left" {
	cycles_under_load fast
}

@test "mode stack: $CYCLES times down and up under load: no packet bypasses the firewall, and nothing is left" {
	cycles_under_load stack
}

@test "with only PostUp and PreDown, packets bypass the firewall, and are counted" {
	local i
	conf "PostUp = wgvia up %i $WORDS_QUICK" "PreDown = wgvia down %i"
	quietly up
	client_sends
	for ((i = 0; i < 3; i++)); do
		cycle
	done
	load_stop client >/dev/null
	figures "$(wire leaked) packets past the firewall in 3 cycles"
	[ "$(wire leaked)" -gt 0 ]
	quietly down
}

@test "the interface is deleted without wg-quick: down reports it, the next up takes over what is left" {
	local before
	before=$(footprint)
	hooks
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

@test "an up that is refused in PreUp keeps the tunnel down, and leaves nothing" {
	local before
	before=$(footprint)
	conf "PreUp = wgvia up %i from $VPN4 via 203.0.113.77"
	run ! wg_quick up
	[[ $output == *"not on-link"* ]]
	is "$(footprint)" "$before"
}

@test "an up that is refused in PostUp removes the tunnel, and what PreUp prepared waits for the next" {
	local before
	before=$(footprint)
	conf "PreUp = wgvia up %i $WORDS_QUICK" "PostUp = wgvia up %i from $VPN4 via 203.0.113.77"
	run ! wg_quick up
	[[ $output == *"not on-link"* ]]
	is "$(wgvia -j show wg6 | jq -c '[.state, ([.attachments[].direction] | unique)]')" '["absent",["back","egress"]]'
	hooks
	quietly up
	connections_work
	quietly down
	is "$(footprint)" "$before"
}

@test "apply of a file in the hooks does the same" {
	local before file=$BATS_TEST_TMPDIR/wgvia.conf
	before=$(footprint)
	printf '%s\n' "from $VPN6 via $FW6" "from $VPN4 via $FW4" >"$file"
	conf "PreUp = wgvia apply %i $file" "PostUp = wgvia apply %i $file" "PostDown = wgvia down %i"
	quietly up
	client_sends
	cycle
	load_stop client >/dev/null
	is "$(wire leaked)" 0
	connections_work
	quietly down
	is "$(footprint)" "$before"
}

@test "up without words takes prefixes and firewall from what wg-quick and the host have set" {
	conf "PostUp = wgvia up %i" "PostDown = wgvia down %i"
	quietly up
	is "$(wgvia -j show wg6 | jq -c '[.prefixes[] | [.from, .via]] | sort')" \
		"[[\"$VPN4\",\"$FW4\"],[\"$VPN6\",\"$FW6\"]]"
	connections_work
	quietly down
}

@test "two PostUp lines, one for each family: the second one prints that it removes the prefix of the first" {
	conf "PostUp = wgvia up %i from $VPN6 via $FW6" "PostUp = wgvia up %i from $VPN4 via $FW4" "PostDown = wgvia down %i"
	quietly up
	is "$(grep '^[+-]' "$BATS_TEST_TMPDIR/said" | sort)" "+ from $VPN4 via $FW4 dev ens3
- from $VPN6 via $FW6 dev ens3"
	is "$(wgvia -j show wg6 | jq -c '[.prefixes[] | .via]')" "[\"$FW4\"]"
	quietly down
	conf "PostUp = wgvia up %i from $VPN6 via $FW6" "PostUp = wgvia route add %i from $VPN4 via $FW4" "PostDown = wgvia down %i"
	quietly up
	run ! grep '^[+-]' "$BATS_TEST_TMPDIR/said"
	is "$(wgvia -j show wg6 | jq -c '[.prefixes[] | .via] | sort')" "[\"$FW4\",\"$FW6\"]"
	connections_work
	quietly down
}
