#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# LAN devices that are removed and created: packets that concern a prefix are dropped and counted while there is no path
# to the firewall, and never bypass it; the programs in the kernel serve new devices.

# shellcheck disable=SC2086,SC2154,SC2153,SC2034 # addresses are words; others set and read variables

load ../lib/net.bash
load ../lib/agent.bash
load ../lib/fault.bash

setup_more() {
	wire_up
}

teardown() {
	agent_stop KILL
	ip -n "$NS_GW" link show ens3 >/dev/null 2>&1 || lan_made
	ip -n "$NS_GW" link delete second 2>/dev/null || true
	sweep "$NS_GW" wg6
	nothing_left
}

wire_up() {
	past_begin "$VPN4" "$VPN6"
}

# sent_for_nothing NAMESPACE OPTION...: 3 pings to the service for each family, unanswered.
sent_for_nothing() {
	local ns=$1 address
	shift
	for address in $SVC4 $SVC6; do
		run ! in_ns "$ns" ping -q -n -c 3 -i 0.005 -W 0.2 "$@" $address
	done
}

# The programs that are attached to existing devices.
programs() {
	wgvia -j show wg6 | jq -c '[.attachments[] | select(.attached) | .prog_id] | unique'
}

# stands_at DEVICE
stands_at() {
	wgvia -j show wg6 | jq -e --arg dev "$1" '.attachments[] | select(.attached and .dev == $dev and .direction == "egress")'
}

# second_lan
second_lan() {
	ip -n "$NS_GW" link add second type veth peer name second.peer
	ip -n "$NS_GW" link set second up
}

@test "a LAN device that was removed, and no agent: what would be sent there is dropped and counted" {
	second_lan
	ip -n "$NS_GW" address add 203.0.113.130/25 dev second
	ip -n "$NS_GW" address add 2001:db8:113::2/64 dev second nodad
	wgvia up wg6 from $VPN4 via 203.0.113.129 from $VPN6 via 2001:db8:113::1
	ip -n "$NS_GW" link delete second
	poll 10 ping_once "$NS_C1" $WG4 # the tunnel itself works
	remember_counters
	sent_for_nothing "$NS_C1"
	sent_for_nothing "$NS_C1" -s 1200
	grown no_gateway 12 $((3 * (84 + 1228 + 104 + 1248)))
	grown redirected 0 0
	grown too_big 0 0
	is "$(past)" 0
}

@test "mode fast: a tunnel that was re-created, and no agent: the kernel forwards, and everything goes via the firewall" {
	wgvia up wg6 "${WORDS[@]}"
	tunnel_gone
	tunnels_again
	remember_counters
	wgvia explain wg6 from $C1_4 to $SVC4 | grep "retargeted: to the firewall $FW4 by dev ens3"
	wgvia explain wg6 from $SVC4 to $C1_4 | grep "not returned: left to the kernel"
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	grown redirected 0 0
	grown returned 0 0
	[ "$(counter retargeted)" -gt "$(jq .counters.retargeted.packets "$BATS_TEST_TMPDIR/before")" ]
	is "$(past)" 0
	wgvia up wg6 "${WORDS[@]}"
	answers "$NS_C1" $SVC4 service $C1_4
	[ "$(counter redirected)" -gt 0 ]
}

# Devices by which gateways may be reached, apart from the tunnel.
known_devices() {
	bpftool -j map dump pinned "$PIN_DIR/wg6/devices" | jq -r '.[] | .value[0]' | sort -n | while read -r byte; do
		ip -n "$NS_GW" -j link show | jq -r --argjson index $((byte)) '.[] | select(.ifindex == $index) | .ifname'
	done | sort | xargs
}

@test "gateways are reached only by the devices to which wgvia is attached" {
	wgvia up wg6 "${WORDS[@]}"
	is "$(known_devices)" "ens3 wg6"
	second_lan
	is "$(known_devices)" "ens3 wg6"
	wgvia up wg6 "${WORDS[@]}"
	is "$(known_devices)" "ens3 second wg6"
	ip -n "$NS_GW" link set second down # no longer wanted
	wgvia up wg6 "${WORDS[@]}"
	is "$(known_devices)" "ens3 wg6"
	# somebody removed one
	bpftool map delete pinned "$PIN_DIR/wg6/devices" key "$(ifindex_of ens3)" 0 0 0
	run ! ping_once "$NS_C1" $SVC4 -W 1
	wgvia up wg6 "${WORDS[@]}"
	answers "$NS_C1" $SVC4 service $C1_4
}

ifindex_of() {
	ip -n "$NS_GW" -j link show "$1" | jq '.[].ifindex'
}

# no_program_more ATTACH: devices that come and go change the attachments, but load no program.
no_program_more() {
	local before
	attach_type "$1"
	AGENT_ENV=("WGVIA_ATTACH=$1")
	wgvia up wg6 "${WORDS[@]}"
	before=$(programs)
	second_lan
	wgvia up wg6 "${WORDS[@]}"
	stands_at second
	is "$(programs)" "$before"
	ip -n "$NS_GW" link delete second
	agent_start
	second_lan
	poll 5 stands_at second
	is "$(programs)" "$before"
	ip -n "$NS_GW" link delete ens3
	says "is dead: its device" # is down, or no longer exists
	lan_made
	poll 10 answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	is "$(programs)" "$before"
	is "$(past)" 0
}

@test "tcx: devices come and go, the programs stay" {
	no_program_more tcx
}

@test "clsact: devices come and go, the programs stay" {
	no_program_more clsact
}

# The programs in the kernel with the instance's maps, whoever holds them.
loaded() {
	bpftool -j prog show | jq -c --argjson meta "$(bpftool -j map show pinned "$PIN_DIR/wg6/meta" | jq .id)" \
		'[.[] | select(.name != "count_lost" and (.map_ids // [] | index($meta))) | .id] | unique'
}

pinned() {
	local program
	for program in out back back_l3 egress egress_l3; do
		bpftool -j prog show pinned "$PIN_DIR/wg6/wgvia_$program"
	done | jq -sc '[.[].id] | unique'
}

loaded_are_pinned() {
	[ "$(loaded)" = "$(pinned)" ]
}

@test "an agent releases programs when others have replaced them" {
	local before
	wgvia up wg6 "${WORDS[@]}"
	agent_start
	before=$(programs)
	wgvia up wg6 "${WORDS[@]}" mode stack
	rm "$PIN_DIR/wg6/wgvia_out"
	wgvia up wg6 "${WORDS[@]}" # loads what is missing, and the rest with it
	[ "$(programs)" != "$before" ]
	poll 20 loaded_are_pinned || {
		cat "$TOPO_DIR/agent.log"
		is "$(loaded)" "$(pinned)"
	}
	is "$(jq -nc "$(pinned) - $(programs) | length")" 2 # those for tunnels beside ours
}

# guarded ATTACH: the agent cannot include the new device, but attaches the egress program to it.
guarded() {
	local mode before
	attach_type "$1"
	for mode in fast stack; do
		AGENT_ENV=("WGVIA_ATTACH=$1" "LD_PRELOAD=$FAULT_SO" FAULT=devices FAULT_ERRNO=12)
		wgvia up wg6 "${WORDS[@]}" mode $mode
		agent_start
		ip -n "$NS_GW" link delete ens3
		lan_made
		says "cannot use 'ens3': cannot allocate memory"
		stands_at ens3
		before=$(counter no_gateway)
		run ! in_ns "$NS_GW" ping -q -n -c 3 -i 0.005 -W 0.2 -I $WG4 $SVC4
		run ! in_ns "$NS_GW" ping -q -n -c 3 -i 0.005 -W 0.2 -I $WG6 $SVC6
		[ "$(counter no_gateway)" -ge $((before + 6)) ] # ping retries a packet that was reported as dropped
		remember_counters
		sent_for_nothing "$NS_C1"
		grown no_gateway 6 $((3 * 84 + 3 * 104))
		is "$(past)" 0
		agent_stop
		wgvia down wg6
	done
}

@test "tcx: nothing bypasses the firewall by a device that cannot be used yet" {
	guarded tcx
}

@test "clsact: nothing bypasses the firewall by a device that cannot be used yet" {
	guarded clsact
}
