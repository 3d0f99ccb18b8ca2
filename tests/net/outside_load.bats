#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `outside drop` with WireGuard and under load: what a client sends from addresses in no prefix reaches no LAN, with any
# trick (docs/SECURITY.md), while prefixes, modes and programs change, and while the tunnel is re-created. Each trick is
# effective: without `outside drop` it bypasses the firewall.

# shellcheck disable=SC2046,SC2086,SC2206 # addresses are words
# shellcheck disable=SC2153,SC2154 # the topology's variables; `run` sets $output

load ../lib/net.bash
load ../lib/load.bash
load ../lib/agent.bash
load ../lib/outside.bash

RATE=600
LOST4=192.0.2.77 METADATA4=169.254.7.7

setup_more() {
	load_servers_up
	outsider_up
	printf "neighbour add %s lladdr $SVC_MAC dev ens3\n" $LOST4 $METADATA4 | ip -n "$NS_GW" -batch -
	ip -n "$NS_GW" route add 169.254.0.0/16 dev ens3
}

teardown() {
	unspawn load KILL
	agent_stop KILL
	ip -n "$NS_GW" link delete second 2>/dev/null || true
	trick_over
	load_sweep
}

up() {
	wgvia up wg6 "${WORDS[@]}" "$@"
}

# wgvia: every `up` has the test's own words.
wgvia() {
	[ "$1" != up ] || set -- "$@" "${MORE[@]}" outside "$OUTSIDE"
	"$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" "$@"
}

# ---- tricks: each opens a way, and sets $flows to sources and destinations, or sends by itself (pinging) ----

plain() { :; }

neighbours_flushed() {
	spawn "$NS_GW" trick bash -c "while ip neighbour flush dev ens3; do sleep 0.005; done"
}

exempt() {
	MORE+=(bypass $SVC4 bypass $SVC6 bypass $INET4 bypass 192.0.5.0/24)
}

# The tunnel's own packets come through the real one.
firewall_dead() {
	WORDS=(from $VPN4 via 192.0.2.99 from $VPN6 via 2001:db8:2::99 on-fail pass)
}

address_was_lost() {
	flows=($OUT4 $LOST4)
	ip -n "$NS_GW" address add $LOST4/32 dev lo
	up
	ip -n "$NS_GW" address delete $LOST4/32 dev lo
}

metadata() {
	flows=($OUT4 $METADATA4)
}

broadcast() {
	flows=($OUT4 192.0.2.255)
	set_sysctls "$NS_GW" net.ipv4.conf.{all,wg6,ens3}.bc_forwarding=1
}

multicast() {
	multicast_router $OUT4
	pinging $OUT4 239.1.2.3 -t 5
}

fragments() {
	pinging $OUT4 $SVC4 -s 3000
}

fragments6() {
	pinging $OUT6 $SVC6 -s 3000
}

options() {
	pinging $OUT4 $SVC4 -R
}

dnat() {
	flows=($OUT4 $WG4 $OUT6 $WG6)
	trick_rules "chain pre { type nat hook prerouting priority dstnat;
		iif wg6 ip daddr $WG4 dnat ip to $SVC4; iif wg6 ip6 daddr $WG6 dnat ip6 to $SVC6; };"
}

masquerade() {
	trick_rules 'chain post { type nat hook postrouting priority srcnat; oif { ens3, ens4 } masquerade; };'
}

trick_rules() { # CHAIN
	in_ns "$NS_GW" nft "table inet trick { $1 }"
}

# pinging SOURCE ADDRESS|OPTION...: instead of the load.
pinging() {
	flows=()
	spawn "$NS_C1" outsider ping -q -n -i 0.005 -I "$@"
}

TRICKS="plain neighbours_flushed exempt firewall_dead address_was_lost metadata broadcast multicast fragments fragments6
	options dnat masquerade"

# try_trick NAME MODE: it bypasses the firewall without `outside drop`, and each of its packets is refused with it.
try_trick() {
	local flows=("${OUT_FLOWS[@]}") WORDS=("${WORDS[@]}") MORE=(mode "$2") OUTSIDE=pass
	echo "$1, mode $2"
	up
	past_reset
	"$1"
	up
	[ ${#flows[@]} -eq 0 ] || outsider_load outsider $RATE "${flows[@]}"
	poll 10 gets_past 20 || is "$(past) past" "20 past"
	OUTSIDE=drop
	up
	ping_once "$NS_C1" $WG4 # packets on their way have left
	past_reset
	outsider_is_refused
	poll 10 refused_reach 100
	past_nothing
	trick_over
}

# trick_over: reverts all of it.
trick_over() {
	local name
	for name in outsider trick router; do
		unspawn $name KILL
	done
	in_ns "$NS_GW" nft delete table inet trick 2>/dev/null || true
	set_sysctls "$NS_GW" net.ipv4.conf.{all,wg6,ens3}.bc_forwarding=0
	"$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" down wg6
}

# tricks MODE
tricks() {
	local trick
	for trick in $TRICKS; do
		try_trick "$trick" "$1"
	done
}

@test "mode fast: no trick bypasses it" {
	tricks fast
}

@test "mode stack: no trick bypasses it" {
	tricks stack
}

@test "while prefixes, gateways, modes and devices change: no packet bypasses it, nothing in a prefix is lost" {
	local i sent before MORE=() OUTSIDE=drop
	up
	before=$(counter egress.refused)
	load_both_ways $RATE
	outsider_load outsider $RATE
	poll 5 refused_reach 20
	for ((i = 0; i < 48; i++)); do
		change $i
	done
	sent=$(load_stop outsider)
	figures "48 changes, $(past) past, $(counter egress.refused) refused; outside: $(load_figures "$sent")"
	is "refused $(($(counter egress.refused) - before))" "refused $(jq '.sent + .asked' <<<"$sent")"
	is "$(jq .out.received <<<"$sent") received" "0 received"
	lost_none "$(load_stop load)"
	past_nothing
}

@test "while the tunnel is deleted and re-created: nobody attaches anything, with up, with an agent" {
	local MORE=() OUTSIDE=drop
	for mode in fast stack; do
		echo "mode $mode"
		up mode $mode
		remakes up mode $mode
		wgvia down wg6
	done
	up
	agent_start
	remakes true
}
