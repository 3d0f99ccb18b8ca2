#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Devices that move to another network namespace, as a container's do, and come back: tcx programs move with them, a
# clsact does not. Programs on a moved device are reported and detached there, and devices that come back work again.

# shellcheck disable=SC2086,SC2154,SC2153,SC2034 # addresses are words; others set and read variables

load ../lib/net.bash
load ../lib/agent.bash

setup_more() {
	export NS_AWAY=$TOPO_NAME-away
}

teardown() {
	agent_stop KILL
	[ ! -e "/run/netns/$NS_AWAY" ] || {
		lan_back 2>/dev/null || true
		tunnel_back 2>/dev/null || true
		ip netns delete "$NS_AWAY"
	}
	ip -n "$NS_GW" link delete second 2>/dev/null || true
	sweep "$NS_GW" wg6
	nothing_left
}

# away DEVICE: moves it from the gateway to another namespace.
away() {
	[ -e "/run/netns/$NS_AWAY" ] || ip netns add "$NS_AWAY"
	ip -n "$NS_GW" link set "$1" netns "$NS_AWAY"
	ip -n "$NS_AWAY" link set "$1" up
}

lan_back() {
	ip -n "$NS_AWAY" link set ens3 netns "$NS_GW" && ip -n "$NS_GW" link set ens3 up && gateway_addresses
}

tunnel_back() {
	ip -n "$NS_AWAY" link set wg6 netns "$NS_GW" && ip -n "$NS_GW" -batch - <<-END
		link set wg6 up
		address add $WG4/16 dev wg6
		address add $WG6/50 dev wg6 nodad
	END
}

# Programs at a device that moved away.
programs_away() {
	in_ns "$NS_AWAY" "$TREE/build/tests/lib/tcx" list "$1"
	in_ns "$NS_AWAY" tc filter show dev "$1" ingress
	in_ns "$NS_AWAY" tc filter show dev "$1" egress
}

none_away() {
	[ -z "$(programs_away "$1")" ]
}

# finds TEXT: `check` reports that about an attachment.
finds() {
	wgvia -j check wg6 >"$BATS_TEST_TMPDIR/check" || true
	jq -e --arg text "$1" '.findings[] | select(.name == "attachment" and (.evidence | contains($text)))' \
		"$BATS_TEST_TMPDIR/check" || { cat "$BATS_TEST_TMPDIR/check" && return 1; }
}

mended() {
	jq -e 'all(.findings[]; .name != "attachment")' <(wgvia -j check wg6)
}

attached_is() {
	is "$(wgvia -j show wg6 | jq -c '[.attachments[] | select(.attached) | .direction] | sort')" "$1"
}

goes_by_the_firewall() {
	poll 10 ping_once "$NS_C1" $WG4
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
}

@test "tcx: a LAN device that moved away: show and check report it, down detaches the programs there" {
	attach_type tcx
	wgvia up wg6 "${WORDS[@]}"
	away ens3
	is "$(programs_away ens3 | wc -l)" 2
	is "$(wgvia -j show wg6 | jq -c '[.attachments[] | select(.moved) | .attached]')" "[false,false]"
	is "$(wgvia show wg6 | grep -c 'IN ANOTHER NETWORK NAMESPACE')" 2
	finds "moved with the device to another network namespace"
	wgvia down wg6
	none_away ens3
}

@test "tcx: up detaches the programs of a device that moved away" {
	attach_type tcx
	ip -n "$NS_GW" link add second type veth peer name second.peer
	ip -n "$NS_GW" link set second up
	wgvia up wg6 "${WORDS[@]}"
	away second
	is "$(programs_away second | wc -l)" 2
	finds "moved with the device to another network namespace"
	is "$(jq -r '.findings[] | select(.name == "attachment") | .remedy' "$BATS_TEST_TMPDIR/check")" "wgvia up wg6 ${WORDS4[*]} ${WORDS6[*]}"
	wgvia up wg6 "${WORDS[@]}"
	none_away second
	mended
	ip -n "$NS_AWAY" link delete second
}

# Its ifindex there, which belongs to another LAN device here, must not make the moved device look present.
@test "tcx: a LAN device that moved away and has there the ifindex of another LAN device here" {
	local taken number
	attach_type tcx
	ip netns add "$NS_AWAY"
	taken=$(ip -n "$NS_GW" -j link show ens3 | jq '.[].ifindex')
	# its own number is in use there, and the kernel continues counting
	ip -n "$NS_AWAY" link add taken index "$taken" type veth peer name taken.peer index 1000
	ip -n "$NS_AWAY" link add last type veth peer name last.peer
	number=$(ip -n "$NS_AWAY" -j link show | jq 'map(.ifindex) - [1000] | max + 1')
	ip -n "$NS_GW" link add second index "$number" type veth peer name second.peer
	ip -n "$NS_GW" link set second up
	wgvia up wg6 "${WORDS[@]}"
	away ens3
	is "$(ip -n "$NS_AWAY" -j link show ens3 | jq '.[].ifindex')" "$number"
	is "$(wgvia -j show wg6 | jq -c '[.attachments[] | select(.moved) | .attached]')" "[false,false]"
	wgvia down wg6
	none_away ens3
}

# comes_back ATTACH: without an agent.
comes_back() {
	attach_type "$1"
	wgvia up wg6 "${WORDS[@]}"
	goes_by_the_firewall
	away ens3
	lan_back
	finds "dev ens3"
	is "$(wgvia -j show wg6 | jq -c '[.prefixes[].usable]')" "[false,false]"
	wgvia up wg6 "${WORDS[@]}"
	mended
	goes_by_the_firewall
	# the tunnel: the kernel forwards return traffic until `up`
	away wg6
	tunnel_back
	finds "wg6"
	wgvia up wg6 "${WORDS[@]}"
	mended
	goes_by_the_firewall
	[ "$(counter back.returned)" -gt 0 ]
}

@test "tcx: devices that come back: check reports them, up makes them work again" {
	comes_back tcx
}

@test "clsact: devices that come back: check reports them, up makes them work again" {
	comes_back clsact
}

@test "tcx: a device that comes back with another ifindex" {
	local index
	attach_type tcx
	wgvia up wg6 "${WORDS[@]}"
	index=$(ip -n "$NS_GW" -j link show ens3 | jq '.[].ifindex')
	ip netns add "$NS_AWAY"
	ip -n "$NS_AWAY" link add taken index "$index" type bridge
	away ens3
	# a device here takes the number as well
	ip -n "$NS_GW" link add second index "$index" type veth peer name second.peer
	finds "moved with the device to another network namespace"
	is "$(wgvia -j show wg6 | jq -c '[.attachments[] | select(.moved) | .attached]')" "[false,false]"
	ip -n "$NS_GW" link delete second
	lan_back
	wgvia up wg6 "${WORDS[@]}"
	mended
	attached_is '["back","egress","out"]'
	is "$(attached | grep -c '^ens3 tcx')" 2
	goes_by_the_firewall
}

# followed ATTACH: with an agent.
followed() {
	attach_type "$1"
	AGENT_ENV=("WGVIA_ATTACH=$1")
	wgvia up wg6 "${WORDS[@]}"
	agent_start
	away ens3
	poll 5 none_away ens3
	lan_back
	poll 10 attached_is '["back","egress","out"]'
	poll 10 mended
	goes_by_the_firewall
	away wg6
	poll 5 none_away wg6
	tunnel_back
	poll 10 attached_is '["back","egress","out"]'
	poll 10 mended
	goes_by_the_firewall
}

@test "tcx: an agent detaches programs that move away at once, and attaches them to what comes back" {
	followed tcx
}

@test "clsact: an agent attaches programs to what comes back" {
	followed clsact
}

@test "tcx: an agent detaches programs that move away even if it cannot change anything else" {
	attach_type tcx
	wgvia up wg6 "${WORDS[@]}"
	agent_start
	mkdir -p "$PIN_DIR/wg6/clsact_out_99_1/theirs" # no command can change the instance now
	away ens3
	poll 5 none_away ens3
	rm -r "$PIN_DIR/wg6/clsact_out_99_1"
	lan_back
	poll 10 attached_is '["back","egress","out"]'
	goes_by_the_firewall
}
