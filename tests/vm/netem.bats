#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# A LAN that loses, delays and reorders (sch_netem): TCP works in both modes, each packet that arrived by the tunnel is
# counted once and leaves once, and nothing bypasses the firewall. The tunnel itself is lossless, so what the client
# sent is what arrived.

# shellcheck disable=SC2086 # addresses are words
# bats file_tags=vm

load ../lib/net.bash
load ../lib/load.bash

SIZE=100000 OCTETS=$BATS_FILE_TMPDIR/octets

setup_more() {
	if ! in_ns "$NS_LAN" tc qdisc add dev svc root netem delay 0; then
		export NO_NETEM=yes
		return
	fi
	wire_up
	http_get "$NS_SVC" "$(url $SVC4)$SIZE" >"$OCTETS" # what every transfer must return
	is "$(wc -c <"$OCTETS")" $SIZE
	# Frames are counted on the wire, so segmentation happens before: as in a NIC.
	in_ns "$NS_GW" ethtool -K ens3 tx off tso off gso off >/dev/null
	# What the client passes to its tunnel, in packets: tc counts the segments of a GSO packet.
	in_ns "$NS_C1" tc qdisc add dev wgc1 clsact
	in_ns "$NS_C1" tc filter add dev wgc1 egress prio 1 protocol ip flower dst_ip $SVC4 action pass
	in_ns "$NS_C1" tc filter add dev wgc1 egress prio 2 protocol ipv6 flower dst_ip $SVC6 action pass
}

setup() {
	[ -z "${NO_NETEM:-}" ] || skip "no netem in kernel $(uname -r)"
}

# netem WORD...: between the service and the LAN, in both directions.
netem() {
	in_ns "$NS_SVC" tc qdisc replace dev eth0 root netem "$@"
	in_ns "$NS_LAN" tc qdisc replace dev svc root netem "$@"
}

# netem_dropped: by both of them.
netem_dropped() {
	{
		in_ns "$NS_SVC" tc -s -j qdisc show dev eth0
		in_ns "$NS_LAN" tc -s -j qdisc show dev svc
	} | jq -s 'map(.[] | select(.kind == "netem") | .drops) | add'
}

# What the client has sent to the service in total.
sent() {
	in_ns "$NS_C1" tc -s -j filter show dev wgc1 egress | jq '[.. | .stats? // empty | .packets] | add'
}

# What wgvia has sent to the firewall.
counted() {
	wgvia -j stats wg6 | jq '.counters | .redirected.packets + .retargeted.packets'
}

# What the gateway's own rules dropped before: in mode stack, the tracker finds a late packet invalid now and then.
invalid() {
	in_ns "$NS_GW" nft -j list chain inet gateway forward | jq '[.. | .counter? // empty | .packets] | add'
}

# For what the client has sent since sent0, counted0 and invalid0.
all_is_counted() {
	[ "$(($(sent) - sent0))" -eq "$(($(counted) - counted0 + $(invalid) - invalid0))" ]
}

# tcp_gets_through: in both modes; counters continue from one to the other.
tcp_gets_through() {
	local mode sent0='' counted0 invalid0
	for mode in fast stack; do
		echo "mode $mode"
		wgvia up wg6 "${WORDS[@]}" mode $mode
		if [ -z "$sent0" ]; then
			wire_reset
			sent0=$(sent) counted0=$(counted) invalid0=$(invalid)
		fi
		transfers
		poll 5 all_is_counted ||
			is "$(($(counted) - counted0)) counted, $(($(invalid) - invalid0)) invalid" "$(($(sent) - sent0)) sent"
		[ "$mode" = stack ] || is "$(invalid)" "$invalid0"
		is "$(wire to_firewall) to the firewall" "$(($(counted) - counted0)) to the firewall"
		is "$(wire leaked) leaked" "0 leaked"
		is "$(counter too_big) $(counter no_gateway)" "0 0"
	done
	[ "$(counter redirected)" -gt 0 ]
	[ "$(counter retargeted)" -gt 0 ]
}

# bats test_tags=long
@test "a LAN that loses, delays and reorders: TCP works, what arrived is counted, nothing leaks" {
	netem loss 5% delay 10ms 4ms reorder 25% 50%
	tcp_gets_through
	[ "$(netem_dropped)" -gt 0 ]
}

# A queueing discipline of the administrator on the LAN device itself, after wgvia's egress program.
# bats test_tags=long
@test "netem on the gateway's own LAN device: TCP works, nothing leaks, and it is kept after down" {
	local mode
	in_ns "$NS_GW" tc qdisc add dev ens3 root netem loss 2% delay 5ms 2ms
	for mode in fast stack; do
		wgvia up wg6 "${WORDS[@]}" mode $mode
		wire_reset
		transfers
		[ "$(wire to_firewall)" -gt 0 ]
		is "$(wire leaked) leaked" "0 leaked"
	done
	wgvia down wg6
	in_ns "$NS_GW" tc qdisc show dev ens3 | grep '^qdisc netem .* root .*loss 2%'
	in_ns "$NS_GW" tc qdisc delete dev ens3 root
}
