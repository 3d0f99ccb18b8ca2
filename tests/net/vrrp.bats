#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Two real firewalls with keepalived, which change roles under load: the cost of bouncing and refusing frames that do
# not come from the firewall. With use_vmac both answer for the shared address with one MAC address, but each sends from
# its own, so that only the new master's announcement shows the change. The number of packets that a change costs is
# printed; a test fails if it is more than a handful, or if traffic does not flow again.

# shellcheck disable=SC2034,SC2086,SC2153,SC2154 # addresses are words; others set and read variables

load ../lib/net.bash
load ../lib/load.bash
load ../lib/agent.bash
load ../lib/pair.bash

RATE=500
HANDFUL=500 # of 500 packets per second: 1 s, most of which a busy machine may need until the agent runs

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
	load_sweep
}

teardown_file() {
	pair_down
	topology_down
	rm -rf "$PIN_DIR"
}

# keepalived_again [yes]: restarts both, with use_vmac.
keepalived_again() {
	unspawn keepalived-first
	unspawn keepalived-second
	poll 10 has_not_shared "$NS_FW"
	poll 10 has_not_shared "$NS_SECOND"
	export PAIR_VMAC=${1:-}
	pair_arp "$NS_FW" $((${#PAIR_VMAC} > 0))
	pair_arp "$NS_SECOND" $((${#PAIR_VMAC} > 0))
	keepalived_start "$NS_FW" first MASTER 200
	keepalived_start "$NS_SECOND" second BACKUP 100
	poll 20 has_shared "$NS_FW"
	ip -n "$NS_GW" neighbour flush dev ens3 nud all
	ip -n "$NS_SVC" neighbour flush dev eth0 nud all
	poll 20 both_families
}

both_families() {
	ping_once "$NS_C1" $SVC4 && ping_once "$NS_C1" $SVC6
}

# The MAC of the gateway's neighbour entry for the shared address.
shared_mac() { # ADDRESS
	ip -n "$NS_GW" -j neighbour show $1 dev ens3 | jq -r '.[0].lladdr'
}

returned() { # COUNT
	[ "$(counter returned)" -ge "$1" ]
}

# The first one resigns orderly: the second one sees priority 0, and takes over at once.
first_resigns() {
	kill -TERM "$(<"$TOPO_DIR/keepalived-first.pid")"
	poll 10 has_shared "$NS_SECOND"
}

first_returns() {
	unspawn keepalived-first
	keepalived_start "$NS_FW" first MASTER 200
	poll 20 has_shared "$NS_FW"
	poll 10 has_not_shared "$NS_SECOND"
}

# changes_places: there and back under load; costs() reports the cost of each.
changes_places() {
	local before
	load_both_ways $RATE
	poll 10 returned 500
	before="$(counter bounced) $(counter refused)"
	first_resigns
	poll 20 returned $(($(counter returned) + 500))
	costs "to the second" $before
	before="$(counter bounced) $(counter refused)"
	first_returns
	poll 20 returned $(($(counter returned) + 500))
	costs "back to the first" $before
	result=$(load_stop load)
	figures "$(load_figures "$result"), of $RATE a second"
}

costs() { # TEXT BOUNCED REFUSED: the previous values
	local bounced=$(($(counter bounced) - $2)) refused=$(($(counter refused) - $3))
	figures "$1: $bounced packets bounced, $refused refused"
	((bounced <= HANDFUL && refused <= HANDFUL)) || { cat "$TOPO_DIR/agent.log" && return 1; }
}

@test "a pair that answers and sends with its own MAC addresses, return via, no agent" {
	keepalived_again
	wgvia up wg6 from $VPN4 via $FW4 from $VPN6 via $FW6
	is "$(shared_mac $FW4)" $FW_MAC
	changes_places
}

@test "a pair that answers and sends with its own MAC addresses, return drop, no agent" {
	keepalived_again
	wgvia up wg6 from $VPN4 via $FW4 from $VPN6 via $FW6 return drop
	changes_places
}

@test "a pair with use_vmac, return via, no agent" {
	keepalived_again yes
	run -0 wgvia up wg6 from $VPN4 via $FW4 from $VPN6 via $FW6
	grep "gateway $FW4 dev ens3 answers ARP with 00:00:5e:00:01:04 and sends from $FW_MAC" <<<"$output"
	grep "gateway $FW6 dev ens3 answers ND with 00:00:5e:00:02:06 and sends from $FW_MAC" <<<"$output"
	changes_places
	is "$(shared_mac $FW4)" 00:00:5e:00:01:04
}

@test "a pair with use_vmac, return drop, an agent" {
	keepalived_again yes
	wgvia up wg6 from $VPN4 via $FW4 from $VPN6 via $FW6 return drop
	agent_start
	says "gateway $FW4 dev ens3 answers ARP with 00:00:5e:00:01:04 and sends from $FW_MAC"
	changes_places
	says "gateway $FW4 dev ens3 answers ARP with 00:00:5e:00:01:04 and sends from $SECOND_MAC"
}
