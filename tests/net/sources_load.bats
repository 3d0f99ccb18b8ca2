#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Prefixes that follow the tunnel's addresses, changed repeatedly under load: with `outside drop` no packet of an old or
# new prefix bypasses the firewall, and a flow that always has a prefix loses nothing.

# shellcheck disable=SC2034,SC2046,SC2086 # others read variables; addresses are words

load ../lib/net.bash
load ../lib/load.bash
load ../lib/agent.bash

NEW4=10.16.0.0/16 NEW6=2001:db8:16::/64 NEW_WG4=10.16.0.1 NEW_WG6=2001:db8:16::1 NEW_C4=10.16.0.7 NEW_C6=2001:db8:16::7

setup_more() {
	load_up
	# packets of the new prefixes must go to the firewall as well
	in_ns "$NS_LAN" nft -f - <<-END
		add rule netdev wire out ether saddr $GW_MAC ip saddr $NEW4 ether daddr != $FW_MAC counter name leaked
		add rule netdev wire out ether saddr $GW_MAC ip6 saddr $NEW6 ether daddr != $FW_MAC counter name leaked
	END
	ip -n "$NS_C1" -batch - <<-END
		address add $NEW_C4/32 dev wgc1
		address add $NEW_C6/128 dev wgc1 nodad
	END
	ip -n "$NS_FW" route add $NEW4 via $GW4
	ip -n "$NS_FW" route add $NEW6 via $GW6
}

setup() {
	AGENT_ENV=()
}

teardown() {
	unspawn load KILL
	unspawn new KILL
	agent_stop KILL
	ip -n "$NS_GW" address delete $NEW_WG4/16 dev wg6 2>/dev/null || true
	ip -n "$NS_GW" address delete $NEW_WG6/64 dev wg6 2>/dev/null || true
	load_sweep
}

has_new() {
	wgvia -j show wg6 | jq -e --arg p $NEW4 --arg q $NEW6 'any(.prefixes[]; .from == $p) and any(.prefixes[]; .from == $q)' \
		>/dev/null
}

has_no_new() {
	! wgvia -j show wg6 | jq -e --arg p $NEW4 --arg q $NEW6 'any(.prefixes[]; .from == $p or .from == $q)' >/dev/null
}

# renumbered MODE TIMES: the new network's client sends all the time, also while it has no prefix.
renumbered() {
	local mode=$1 result i
	wgvia up wg6 from addresses via $FW4 from addresses via $FW6 mode $mode outside drop
	agent_start
	wire_reset
	load_both_ways 500
	load_start new "$NS_C1" 500 $NEW_C4 $SVC4 $NEW_C6 $SVC6
	for ((i = 0; i < $2; i++)); do
		ip -n "$NS_GW" address add $NEW_WG4/16 dev wg6
		ip -n "$NS_GW" address add $NEW_WG6/64 dev wg6 nodad
		poll 10 has_new
		ip -n "$NS_GW" address delete $NEW_WG4/16 dev wg6
		ip -n "$NS_GW" address delete $NEW_WG6/64 dev wg6
		poll 10 has_no_new
	done
	result=$(load_stop load)
	load_stop new >/dev/null
	figures "$2 times, $(load_figures "$result"), $(wire leaked) leaked, $(counter egress.refused) dropped of the new prefix"
	load_lost_nothing "$result"
	is "$(wire leaked)" 0
	[ "$(counter egress.refused)" -gt 0 ] # it was tried
}

@test "mode fast: renumbered under load" {
	renumbered fast 15
}

@test "mode stack: renumbered under load" {
	renumbered stack 15
}

# One network replaces another that contains the same client, in one step: it is never without a prefix.
@test "a wider prefix replaces a narrower one, and back: nothing is lost" {
	local result i from=16 to=12
	wgvia up wg6 from addresses via $FW4 from addresses via $FW6 outside drop
	agent_start
	wire_reset
	load_both_ways 3000
	for ((i = 0; i < 100; i++)); do
		ip -n "$NS_GW" -batch - <<-END
			address add $WG4/$to dev wg6
			address delete $WG4/$from dev wg6
		END
		poll 10 has_only 10.$((to == 12 ? 0 : 6)).0.0/$to
		to=$from from=$((28 - to))
	done
	result=$(load_stop load)
	figures "$(load_figures "$result"), $(wire leaked) leaked"
	load_lost_nothing "$result"
	is "$(wire leaked) $(counter egress.refused)" "0 0"
}

has_only() { # PREFIX
	[ "$(wgvia -j show wg6 | jq -r '[.prefixes[].from | select(contains(":") | not)] | join(" ")')" = "$1" ]
}
