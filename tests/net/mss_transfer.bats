#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `mss`: transfers of 10 MB by a path that is narrower than the ends assume, without Packet Too Big messages: they stall
# without `mss`, and complete with it.

# shellcheck disable=SC2086,SC2153 # addresses are words; the topology's variables

load ../lib/net.bash

# The ends get no messages: neither from the gateway about its tunnel, nor from the firewall about its uplink.
setup() {
	local ns
	for ns in "$NS_SVC" "$NS_C1"; do
		in_ns "$ns" nft -f - <<-END
			table inet deaf {
				chain input {
					type filter hook input priority filter; policy accept;
					icmp type destination-unreachable drop
					icmpv6 type packet-too-big drop
				}
			}
		END
	done
}

teardown() {
	in_ns "$NS_SVC" nft delete table inet deaf
	in_ns "$NS_C1" nft delete table inet deaf
	ip -n "$NS_GW" link set wg6 mtu 1420
	ip -n "$NS_FW" route delete $INET4/32 2>/dev/null || true
	ip -n "$NS_FW" route delete $INET6/128 2>/dev/null || true
	sweep "$NS_GW" wg6
}

# transfer SECONDS ADDRESS [OPTION...]: 10 MB arrive in time; the last part is still in a buffer when iperf3 ends.
transfer() {
	local seconds=$1 address=$2 ns=$NS_SVC
	shift 2
	[[ $address != @($INET4|$INET6) ]] || ns=$NS_INET
	iperf_server "$ns"
	is "$(in_ns "$NS_C1" timeout $seconds iperf3 -c $address -p 5203 -n 16M -J "$@" |
		jq -r '[.error // "no error", .end.sum_received.bytes >= 10e6] | join(" ")')" "no error true"
}

# stalls ADDRESS [OPTION...]
stalls() {
	run ! transfer 3 "$@"
	hang_up
}

both_modes() {
	local mode
	for mode in fast stack; do
		echo "mode $mode"
		# a tunnel that is narrower at this end: the outgoing SYN's option matters
		ip -n "$NS_GW" link set wg6 mtu 1280
		wgvia up wg6 "${WORDS[@]}" mode $mode
		stalls $SVC4 -R
		stalls $SVC6 -R
		wgvia up wg6 "${WORDS[@]}" mode $mode mss auto
		transfer 60 $SVC4 -R
		transfer 60 $SVC6 -R
		ip -n "$NS_GW" link set wg6 mtu 1420
		# a path behind the firewall: the returning SYN-ACK's option matters
		ip -n "$NS_FW" route add $INET4/32 dev wan mtu lock 1300
		ip -n "$NS_FW" route add $INET6/128 dev wan mtu lock 1300
		stalls $INET4
		stalls $INET6
		wgvia up wg6 "${WORDS[@]}" mode $mode mss 1240
		transfer 60 $INET4
		transfer 60 $INET6
		ip -n "$NS_FW" route delete $INET4/32
		ip -n "$NS_FW" route delete $INET6/128
		wgvia down wg6
	done
}

@test "10 MB stall without mss and complete with it, both modes: tcx" {
	attach_type tcx
	both_modes
}

@test "10 MB stall without mss and complete with it, both modes: clsact" {
	attach_type clsact
	both_modes
}
