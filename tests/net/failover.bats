#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Two real firewalls with keepalived fail over under load, IPv4 and IPv6: a pair that shares an address, with wgvia and
# with the classic recipe (ip rule), and two gateways that an agent watches. The number of lost packets, and the
# duration, are only printed. A test fails if traffic does not flow again, if a packet bypasses the firewalls, or if one
# is lost unaccounted.

# shellcheck disable=SC2086,SC2153,SC2034 # addresses are words; others set and read variables

load ../lib/net.bash
load ../lib/load.bash
load ../lib/agent.bash
load ../lib/pair.bash

RATE=1000

setup_more() {
	pair_setup
}

setup() {
	NS_SECOND=$TOPO_NAME-second
	AGENT_ENV=()
}

teardown() {
	unspawn load KILL
	agent_stop KILL
	recipe_down
	first_plugged
	load_sweep
}

teardown_file() {
	pair_down
	topology_down
	rm -rf "$PIN_DIR"
}

# The classic recipe, as in many a PostUp.
recipe_up() {
	ip -n "$NS_GW" -batch - <<-END
		rule add from $VPN4 table 666
		route add $VPN4 dev wg6 table 666
		route add default via $FW4 dev ens3 table 666
	END
	ip -6 -n "$NS_GW" -batch - <<-END
		rule add from $VPN6 table 666
		route add $VPN6 dev wg6 table 666
		route add default via $FW6 dev ens3 table 666
	END
}

recipe_down() {
	ip -n "$NS_GW" rule delete table 666 2>/dev/null
	ip -6 -n "$NS_GW" rule delete table 666 2>/dev/null
	ip -n "$NS_GW" route flush table 666 2>/dev/null
	ip -6 -n "$NS_GW" route flush table 666 2>/dev/null
	return 0
}

both_families() {
	ping_once "$NS_C1" $SVC4 && ping_once "$NS_C1" $SVC6
}

# fails_over [COMMAND...]: the first firewall fails while packets flow, the second one takes over; the first one
# returns, and everything is as before once the command succeeds.
fails_over() {
	local before
	poll 10 both_families
	pair_reset
	remember_counters 2>/dev/null || true # ip rule has no instance
	load_both_ways $RATE
	poll 10 pair_counted first 500
	first_pulled
	poll 20 pair_counted second 1000
	poll 10 both_families
	first_plugged
	"${@:-true}"
	before=$(pair_counter first)
	poll 10 pair_counted first $((before + 500))
	result=$(load_stop load)
	tell_figures "$result"
	account "$result"
	is "$(pair_counter leaked)" 0
}

tell_figures() { # JSON
	jq -r --arg rate $RATE '"\(.sent) sent, lost \(.sent - .back.received): \(.out.lost) out, \(.back.lost) back, of " +
		"\((.sent - .back.received) * 1000 / ($rate | tonumber) | floor) ms; " +
		"\(.out.reordered + .back.reordered) reordered"' <<<"$1" | sed "s/^/# $BATS_TEST_DESCRIPTION: /" >&3
}

# Every packet came back, or is known to be lost on the way; and more came back than before the failure.
account() { # JSON
	jq -e '.sent == .out.received + .out.lost and .out.received == .back.received + .back.lost
		and .refused == 0 and .out.duplicated == 0 and .back.received > 1000' <<<"$1" ||
		is "$1" "all accounted for"
}

# No packet is lost in the gateway: each that came out of the tunnel was redirected, or dropped because no gateway was
# left.
all_counted() {
	[ "$(injected)" -ge "$(jq .sent <<<"$result")" ] # pings, too
	is "$(since '.counters | .redirected.packets + .no_gateway.packets') counted" "$(injected) counted"
}

lost_after() {
	since '[.lost[].packets] | add'
}

arrived() {
	echo $(($(pair_counter first) + $(pair_counter second)))
}

no_gateway() {
	since .counters.no_gateway.packets
}

adds_up() {
	[ "$(injected)" -eq $(($(arrived) + $(lost_after) + $(no_gateway))) ]
}

# Each packet that came out of the tunnel arrived in the LAN, or is counted: dropped by wgvia, or by the kernel afterwards.
exactly_counted() {
	[ "$(wgvia -j stats wg6 | jq .lost)" != null ] || return 0 # this kernel does not report what it drops
	poll 10 adds_up || is "$(arrived) arrived, $(no_gateway) no_gateway, $(lost_after) lost" "$(injected) in all"
	echo "# $BATS_TEST_DESCRIPTION: $(injected) injected, $(arrived) arrived in the LAN, $(no_gateway) no_gateway," \
		"lost after the redirect:" \
		"$(wgvia -j stats wg6 | jq -c '.lost | map_values(.packets) | with_entries(select(.value > 0))')" >&3
}

back_again() {
	in_force $VPN4 $FIRST4 && in_force $VPN6 $FIRST6
}

@test "a shared address, wgvia" {
	wgvia up wg6 from $VPN4 via $FW4 from $VPN6 via $FW6
	fails_over
	all_counted
}

@test "a shared address, wgvia with an agent" {
	wgvia up wg6 from $VPN4 via $FW4 from $VPN6 via $FW6
	agent_start
	says "gateway $FW4 dev ens3 answers"
	fails_over
	all_counted
	exactly_counted
	says "gateway $FW4 dev ens3 has moved to $SECOND_MAC"
}

@test "a shared address, ip rule" {
	recipe_up
	fails_over
}

# two_gateways WORD...: words for the agent
two_gateways() {
	wgvia up wg6 from $VPN4 via $FIRST4 or $SECOND4 health ${KIND:-neighbour} \
		from $VPN6 via $FIRST6 or $SECOND6 health ${KIND:-neighbour}
	agent_start hold 1 "$@"
	says "gateway $SECOND4 dev ens3 answers"
	says "gateway $FIRST4 dev ens3 is healthy"
	fails_over back_again
	all_counted
	exactly_counted
}

@test "two gateways, agent" {
	two_gateways
}

@test "two gateways, agent, health forward" {
	KIND=forward two_gateways
}

@test "two gateways, agent with interval 0.1, health forward" {
	KIND=forward two_gateways interval 0.1
}

@test "two gateways, agent with interval 0.1" {
	two_gateways interval 0.1
}
