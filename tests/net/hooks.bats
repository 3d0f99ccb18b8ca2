#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Which netfilter hooks a redirected packet passes: counters at each hook of each device, one packet out and one back
# for each family. `check` reports the rules that mode fast bypasses, and relies on what is proven here.

# shellcheck disable=SC2086 # addresses are words

load ../lib/wire.bash

setup() {
	wire_begin
	wire_tunnel wg6 tun
	wire_cable ens3 lan
	wire_cable ens4 lan2
	wire_start
	wire_address wg6 $WG4/16 $WG6/50
	wire_lan ens3
	in_ns "$NS_GW" nft "add table netdev t; add table inet t" 2>/dev/null || skip "kernel $(uname -r) has no nftables"
	in_ns "$NS_GW" nft "add chain netdev t c { type filter hook egress device ens3 priority 0; }" 2>/dev/null ||
		skip "kernel $(uname -r) has no egress hook"
}

# counted_chain FAMILY NAME HOOK-WORDS: with counters for packets out of the tunnel and for packets back.
counted_chain() {
	echo "add chain $1 t $2 { type filter hook $3 priority 0; }"
	for rule in "ip saddr $C1_4" "ip6 saddr $C1_6"; do
		echo "add rule $1 t $2 $rule counter comment \"out\""
	done
	for rule in "ip daddr $C1_4" "ip6 daddr $C1_6"; do
		echo "add rule $1 t $2 $rule counter comment \"back\""
	done
}

count_hooks() {
	local device hook
	{
		echo "flush ruleset; add table netdev t; add table inet t"
		for device in wg6 ens3 ens4; do
			counted_chain inet ingress_$device "ingress device $device"
			for hook in ingress egress; do
				counted_chain netdev ${hook}_$device "$hook device $device"
			done
		done
		for hook in prerouting forward postrouting; do
			counted_chain inet $hook $hook
		done
	} | in_ns "$NS_GW" nft -f -
}

# counted: "FAMILY CHAIN DIRECTION PACKETS" for each chain that saw packets, of both families together.
counted() {
	in_ns "$NS_GW" nft -j list ruleset | jq -r '[.nftables[].rule // empty |
		{key: "\(.family) \(.chain) \(.comment)", packets: ([.expr[].counter.packets // 0] | add)} |
		select(.packets > 0)] | group_by(.key)[] | "\(.[0].key) \(map(.packets) | add)"'
}

# there_and_back: a packet of each family to the service via the firewall, and the answers into the tunnel.
there_and_back() {
	count_hooks
	told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun "pkt(4, src='$C1_4',dst='$SVC4')" "pkt(6, src='$C1_6',dst='$SVC6')"
	told "tun #1 hops 63
tun #2 hops 63" lan "pkt(4, src='$SVC4',dst='$C1_4')" "pkt(6, src='$SVC6',dst='$C1_6')"
}

@test "mode fast: redirected packets pass no hook, in neither direction" {
	for kind in tcx clsact; do
		[ $kind = clsact ] || "$TREE/build/tests/lib/tcx" probe || continue
		WGVIA_ATTACH=$kind wgvia up wg6 "${WORDS[@]}" mode fast
		there_and_back
		is "$(counted)" ""
	done
}

@test "mode stack: they pass each hook once" {
	wgvia up wg6 "${WORDS[@]}" mode stack
	there_and_back
	is "$(counted)" "inet forward back 2
inet forward out 2
inet ingress_ens3 back 2
inet ingress_wg6 out 2
inet postrouting back 2
inet postrouting out 2
inet prerouting back 2
inet prerouting out 2
netdev egress_ens3 out 2
netdev egress_wg6 back 2
netdev ingress_ens3 back 2
netdev ingress_wg6 out 2"
}

@test "mode stack: what the kernel sends to another device passes the egress hook there, not at the firewall's device" {
	wire_address ens4 203.0.113.2/24
	wire_neighbours ens4 $SVC_MAC 203.0.113.9
	wgvia up wg6 "${WORDS[@]}" mode stack
	count_hooks
	told "lan gw>fw #1 hops 63" tun "pkt(4, src='$C1_4',dst='203.0.113.9')"
	is "$(counted | grep egress)" "netdev egress_ens4 out 1"
}
