#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `from allowed-ips`: the prefixes from which WireGuard's peers may send, and which change with them. With wireguard-go
# or, if available, with the kernel's WireGuard.

# shellcheck disable=SC2030,SC2031,SC2086 # each test has its own peers; addresses are words
# shellcheck disable=SC2034 # others read variables

load ../lib/wireguard.bash
load ../lib/agent.bash
load ../lib/followed.bash

FOLLOWED=allowed-ips
ALLOWED=(from allowed-ips via "$FW4" dev ens3 from allowed-ips via "$FW6" dev ens3)

setup() {
	AGENT_ENV=()
	wg_at "$NS_GW" wg6 showconf wg6 | sed '1,/^\[Peer\]/{/^\[Peer\]/!d}' >"$BATS_TEST_TMPDIR/peers"
}

teardown() {
	# a stopped server answers nobody
	[ ! -e "$TOPO_DIR/wg6.pid" ] || kill -CONT "$(<"$TOPO_DIR/wg6.pid")"
	agent_stop
	wg_replace "$BATS_TEST_TMPDIR/peers"
	sweep "$NS_GW" wg6
}

# The topology's own two clients, aggregated.
CLIENTS4=10.6.0.10/31 CLIENTS6=2001:db8:1::10/127

# peers_agent WORD...: `run wg6 WORD...` where the tunnel's socket is visible.
peers_agent() {
	local pid=$TOPO_DIR/wg6.pid where=(env)
	[ ! -e "$pid" ] || where=(nsenter --target "$(<"$pid")" --mount)
	agent_listen
	spawn "$NS_GW" agent "${where[@]}" "${AS_UNIT[@]}" env "NOTIFY_SOCKET=$TOPO_DIR/notify" \
		"$WGVIA" --pin-dir "$PIN_DIR" run wg6 "$@"
	agent_says_ready
}

@test "up: the ranges of all peers, aggregated; shown, saved, applied" {
	local file=$BATS_TEST_TMPDIR/wg6.conf
	wg_set peer "$(new_key)" allowed-ips 10.7.0.0/25,10.7.0.128/25,2001:db8:7::/64,fe80::7/128
	wg_set peer "$(new_key)" allowed-ips 10.7.1.0/24
	wg_set peer "$(new_key)"
	run -0 wgvia up wg6 "${ALLOWED[@]}"
	is "$(followed)" "$CLIENTS4 10.7.0.0/23 $CLIENTS6 2001:db8:7::/64"
	wgvia show wg6 | grep -E "^    from 10.7.0.0/23 via $FW4 dev ens3 .*\(allowed-ips\)$"
	wgvia save wg6 >"$file"
	is "$(grep ^from "$file")" "from allowed-ips via $FW4 dev ens3
from allowed-ips via $FW6 dev ens3"
	is "$(wgvia apply wg6 "$file")" ""
	look
	is "$(finding uncovered_peer .)" ""
}

@test "HTTP to the service works with it" {
	wgvia up wg6 "${ALLOWED[@]}"
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
}

@test "a peer that may send from everywhere is refused, unless that prefix is named" {
	local key range via
	key=$(new_key)
	for range in 0.0.0.0/0 ::/0; do
		via=$FW4
		[ $range = 0.0.0.0/0 ] || via=$FW6
		wg_set peer "$key" allowed-ips $range
		run -1 wgvia up wg6 "${ALLOWED[@]}"
		is "${lines[0]}" "wgvia: peer '$key' may send from every address: its AllowedIPs have '$range'"
		is "${lines[1]}" "hint: name the networks instead: from PREFIX; or, to accept every address: from $range"
		run -0 wgvia up wg6 "${ALLOWED[@]}" from $range via $via
		wgvia show wg6 | grep -E "^    from $range via $via dev ens3 [^(]*$"
		wgvia down wg6
	done
}

@test "an interface that is not WireGuard's is refused, with nothing changed" {
	ip -n "$NS_GW" tuntap add wg7 mode tun
	run -1 wgvia up wg7 from allowed-ips via $FW4
	ip -n "$NS_GW" link delete wg7
	is "${lines[0]}" "wgvia: interface 'wg7' is not a WireGuard interface"
	[ ! -e "$PIN_DIR/wg7" ]
}

@test "an agent, with the unit's capabilities, follows peers: added, changed, removed, and one that may send from everywhere" {
	local key other
	key=$(new_key) other=$(new_key)
	printf '%s %s %s %s %s %s\n' "${ALLOWED[@]}" >"$BATS_TEST_TMPDIR/wg6.conf"
	peers_agent "$BATS_TEST_TMPDIR/wg6.conf"
	soon $CLIENTS4 $CLIENTS6
	wg_set peer "$key" allowed-ips 10.7.0.0/24
	soon $CLIENTS4 10.7.0.0/24 $CLIENTS6
	says "+ from 10.7.0.0/24 via $FW4 dev ens3 (allowed-ips)"
	wg_set peer "$other" allowed-ips 10.7.1.0/24,2001:db8:7::/64
	soon $CLIENTS4 10.7.0.0/23 $CLIENTS6 2001:db8:7::/64
	wg_set peer "$key" remove
	soon $CLIENTS4 10.7.1.0/24 $CLIENTS6 2001:db8:7::/64
	wg_set peer "$key" allowed-ips 0.0.0.0/0
	says "not followed: peer '$key' may send from every address"
	wg_set peer "$other" remove
	soon $CLIENTS4 $CLIENTS6 # the others are followed
	agent_stop
	wgvia down wg6
	# also at the start
	peers_agent "$BATS_TEST_TMPDIR/wg6.conf"
	soon $CLIENTS4 $CLIENTS6
	says "not followed: peer '$key' may send from every address"
	wg_set peer "$key" remove
}

@test "an agent: a peer that is removed and added between two readings is there again" {
	local key
	key=$(new_key)
	wg_set peer "$key" allowed-ips 10.7.0.0/24
	wgvia up wg6 "${ALLOWED[@]}"
	peers_agent
	soon $CLIENTS4 10.7.0.0/24 $CLIENTS6
	for i in {1..3}; do
		wg_set peer "$key" remove
		ip -n "$NS_GW" link set wg6 mtu $((1400 + i)) # and the agent reads again
		soon $CLIENTS4 $CLIENTS6
		wg_set peer "$key" allowed-ips 10.7.0.0/24
		soon $CLIENTS4 10.7.0.0/24 $CLIENTS6
	done
}

@test "while the peers cannot be read, no prefix that may be theirs is deleted, and none moves" {
	local server=$TOPO_DIR/wg6.pid
	[ -e "$server" ] || skip "the kernel's WireGuard always answers"
	wgvia up wg6 "${ALLOWED[@]}" from $CLIENTS4 via $FW4
	kill -STOP "$(<"$server")"
	run wgvia route del wg6 from $CLIENTS4
	is "$status ${lines[0]}" "1 wgvia: WireGuard did not answer in time at '/var/run/wireguard/wg6.sock'"
	run wgvia route replace wg6 from allowed-ips via 192.0.2.9
	is "$status ${lines[0]}" "1 wgvia: WireGuard did not answer in time at '/var/run/wireguard/wg6.sock'"
	kill -CONT "$(<"$server")"
	is "$(via $CLIENTS4)" $FW4
	wgvia route del wg6 from $CLIENTS4
	is "$(followed)" "$CLIENTS4 $CLIENTS6"
}

@test "an agent reports when the peers cannot be read, and when they can again" {
	local server=$TOPO_DIR/wg6.pid
	[ -e "$server" ] || skip "the kernel's WireGuard always answers"
	wgvia up wg6 "${ALLOWED[@]}"
	peers_agent
	kill -STOP "$(<"$server")"
	says "WireGuard did not answer in time"
	kill -CONT "$(<"$server")"
	says "the peers can be read again"
	is "$(followed)" "$CLIENTS4 $CLIENTS6"
}

# downloads: one after the other, until the file "enough" exists; fails with the first that fails.
downloads() {
	while [ ! -e "$BATS_TEST_TMPDIR/enough" ]; do
		download "$NS_C1" $SVC4 && download "$NS_C2" $SVC6 || return
	done
}

has_prefix() {
	[[ " $(followed) " == *" $1 "* ]]
}

has_no_prefix() {
	! has_prefix "$1"
}

@test "peers come and go while clients download: nothing bypasses the firewall, and the downloads are complete" {
	local loop mode key
	key=$(new_key)
	past_begin "$CLIENTS4, 10.7.0.0/24" "$CLIENTS6, 2001:db8:7::/64"
	for mode in fast stack; do
		wgvia up wg6 "${ALLOWED[@]}" mode $mode outside drop
		peers_agent
		rm -f "$BATS_TEST_TMPDIR/enough"
		downloads 3>&- &
		loop=$!
		for _ in {1..3}; do
			wg_set peer "$key" allowed-ips 10.7.0.0/24,2001:db8:7::/64
			poll 10 has_prefix 10.7.0.0/24
			wg_set peer "$key" remove
			poll 10 has_no_prefix 10.7.0.0/24
		done
		touch "$BATS_TEST_TMPDIR/enough"
		wait $loop
		agent_stop
		wgvia down wg6
	done
	is "$(past)" 0
	in_ns "$NS_LAN" nft delete table netdev wire
}
