#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `outside drop`: packets from the tunnel with a source in no prefix reach this host and other clients, and nothing
# else: not the LAN, not a second one, not by source routes, DNAT or multicast routing, nor while the tunnel is absent.
# Dropped packets are counted.

# shellcheck disable=SC2046,SC2086 # addresses are words
# shellcheck disable=SC2153 # the topology's variables

load ../lib/wire.bash
load ../lib/outside.bash

BOTH="fast stack"
export WIRE_NAMES="$WIRE_NAMES gw2=$GW2_MAC svc2=$SVC2_MAC"
WORDS+=(from 198.18.0.1 via "$FW4" dev ens3) # the sentinel, which must come out
FROM4="src='$OUT4'" FROM6="src='$OUT6'"

setup() {
	wire_begin
	wire_tunnel wg6 tun
	wire_cable ens3 lan
	wire_cable ens4 lan2 $GW2_MAC $SVC2_MAC
	wire_start
	wire_address wg6 $WG4/16 $WG6/50
	outside_routes
	wire_lan ens3
	wire_address ens4 $GW2_4/24 $GW2_6/64
	wire_neighbours ens4 $SVC2_MAC $SVC2_4 $SVC2_6
}

# refused N COMMAND...: nothing comes out, and that many packets are counted as refused.
refused() {
	local number=$1 before
	before=$(counter egress.refused)
	shift
	told "" "$@"
	is "refused $(($(counter egress.refused) - before))" "refused $number"
}

@test "refused packets are in the metrics" {
	local refused
	wgvia up wg6 "${WORDS[@]}" outside drop
	refused 2 tun "pkt(4, $FROM4)" "pkt(6, $FROM6)"
	refused=$(wgvia stats --prometheus | sed -n 's/^wgvia_packets_total{interface="wg6",direction="egress",verdict="refused"} //p')
	is "$refused" "$(counter egress.refused)"
}

@test "it reaches this host and other clients, and no LAN" {
	local mode
	for mode in $BOTH; do
		echo "mode $mode"
		wgvia up wg6 "${WORDS[@]}" mode $mode outside drop
		refused 2 tun "pkt(4, $FROM4)" "pkt(6, $FROM6)"
		refused 2 tun "pkt(4, $FROM4, dst='$SVC2_4')" "pkt(6, $FROM6, dst='$SVC2_6')"
		refused 2 tun "pkt(4, $FROM4, dst='$INET4')" "pkt(6, $FROM6, dst='$INET6')"
		told "tun $WG4>$OUT4 hops 64 icmp 3/3
tun $WG6>$OUT6 hops 64 icmp 1/4" tun "pkt(4, $FROM4, dst='$WG4')" "pkt(6, $FROM6, dst='$WG6')"
		# apart from the kernel's own redirects, which it does not repeat
		is "$(wire tun "pkt(4, $FROM4, dst='$C1_4')" "pkt(6, $FROM6, dst='$C1_6')" | grep -v "icmp 5/1")" "tun #1 hops 63
tun #2 hops 63"
		told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun "pkt(4)" "pkt(6)"
		told "lan gw>svc #1
lan gw>svc #2" own "pkt(4, src='$GW4')" "pkt(6, src='$GW6')"
	done
	wgvia up wg6 "${WORDS[@]}"
	told "lan gw>svc #1 hops 63
lan gw>svc #2 hops 63" tun "pkt(4, $FROM4)" "pkt(6, $FROM6)"
}

@test "what a LAN sends to another LAN, and answers to clients, pass" {
	local mode
	for mode in $BOTH; do
		wgvia up wg6 "${WORDS[@]}" mode $mode outside drop
		told "lan gw>svc #1 hops 63
lan gw>svc #2 hops 63" lan2 "pkt(4, src='$SVC2_4', dst='$SVC4')" "pkt(6, src='$SVC2_6', dst='$SVC6')"
		told "tun #1 hops 63
tun #2 hops 63" lan "pkt(4, src='$SVC4', dst='$OUT4')" "pkt(6, src='$SVC6', dst='$OUT6')"
	done
}

@test "an exempt destination, a source route, DNAT, SNAT: dropped as well" {
	local mode
	set_sysctls "$NS_GW" net.ipv4.conf.{all,wg6}.accept_source_route=1
	for mode in $BOTH; do
		echo "mode $mode"
		wgvia up wg6 "${WORDS[@]}" bypass $SVC4 bypass $SVC6 mode $mode outside drop
		refused 2 tun "pkt(4, $FROM4)" "pkt(6, $FROM6)"
		refused 1 tun "IP(src='$OUT4', dst='$WG4', options=[IPOption_LSRR(routers=['$SVC4'], pointer=4)]) / UDP() / ('x' * 40)"
		in_ns "$NS_GW" nft "table inet inward { chain pre { type nat hook prerouting priority dstnat;
			iif wg6 ip daddr $WG4 dnat ip to $SVC4; iif wg6 ip6 daddr $WG6 dnat ip6 to $SVC6; }; }"
		refused 2 tun "pkt(4, $FROM4, dst='$WG4')" "pkt(6, $FROM6, dst='$WG6')"
		in_ns "$NS_GW" nft delete table inet inward
		in_ns "$NS_GW" nft "table inet outward { chain post { type nat hook postrouting priority srcnat;
			oif ens3 masquerade; }; }"
		refused 2 tun "pkt(4, $FROM4)" "pkt(6, $FROM6)"
		in_ns "$NS_GW" nft delete table inet outward
	done
}

# At first wg6 is another tunnel; then, to the programs, it is a new device, because it was in another namespace.
@test "while the tunnel is absent, and when it returns and nobody attaches anything" {
	local mode
	for mode in $BOTH; do
		echo "mode $mode"
		ip -n "$NS_GW" tuntap add wgx mode tun
		ip -n "$NS_GW" link set wgx up
		wgvia up wgx "${WORDS[@]}" mode $mode outside drop
		told "lan gw>svc #1 hops 63
lan gw>svc #2 hops 63" tun "pkt(4, $FROM4)" "pkt(6, $FROM6)"
		ip -n "$NS_GW" link delete wgx
		told "lan gw>svc #1 hops 63
lan gw>svc #2 hops 63" tun "pkt(4, $FROM4)" "pkt(6, $FROM6)"
		ip -n "$NS_GW" link set wg6 netns "$NS_LAN"
		ip -n "$NS_LAN" link set wg6 netns "$NS_GW"
		wire_address wg6 $WG4/16 $WG6/50
		outside_routes
		told "" tun "pkt(4, $FROM4)" "pkt(6, $FROM6)"
		is "$(wgvia -j stats wgx | jq .directions.egress.refused.packets)" 2
		told "lan gw>svc #1
lan gw>svc #2" own "pkt(4, src='$GW4')" "pkt(6, src='$GW6')"
		wgvia explain wgx from $OUT4 to $SVC4 | grep "refused: dropped (outside drop)"
		wgvia explain wgx from $C1_4 to $SVC4 | grep "retargeted: to the firewall $FW4"
		wgvia down wgx
	done
}

# If a conntrack helper has joined the fragments, the kernel copies the pieces without their ingress device
# (ip6_copy_metadata()).
@test "IPv6 fragments that conntrack joins and the kernel fragments again" {
	local mode pieces="fragment6(IPv6(src='$OUT6', dst='$SVC6') / IPv6ExtHdrFragment() / UDP(sport=4000, dport=5060) / \
Raw(octets(3000)), 1280)"
	in_ns "$NS_GW" nft 'table inet helped { ct helper sip { type "sip" protocol udp; };
		chain pre { type filter hook prerouting priority -150; udp dport 5060 ct helper set sip; }; }' ||
		skip "no SIP helper in kernel $(uname -r)"
	wgvia up wg6 "${WORDS[@]}"
	is "$(wire tun "$pieces" | grep -c "gw>svc")" 3
	for mode in $BOTH; do
		wgvia up wg6 "${WORDS[@]}" mode $mode outside drop
		refused 1 tun "$pieces" # after the first one the kernel gives up
	done
}

@test "words: saved, applied, shown, explained, refused" {
	local file=$BATS_TEST_TMPDIR/file
	wgvia up wg6 "${WORDS[@]}" outside drop
	wgvia show wg6 >"$BATS_TEST_TMPDIR/shown"
	grep -q "^wg6: up mode fast on-fail drop outside drop mss off counters off return via" "$BATS_TEST_TMPDIR/shown"
	is "$(wgvia -j show wg6 | jq -r .outside)" drop
	wgvia save wg6 >"$file"
	grep -qx "outside drop" "$file"
	sed -i 's/outside drop/outside pass/' "$file"
	is "$(wgvia apply wg6 "$file" | grep outside)" "- outside drop
+ outside pass"
	is "$(wgvia -j show wg6 | jq -r .outside)" pass
	wgvia up wg6 "${WORDS[@]}" outside drop
	wgvia explain wg6 from $OUT4 to $SVC4 | grep "refused: dropped (outside drop)"
	wgvia explain wg6 from $OUT6 to $SVC6 | grep "refused: dropped (outside drop)"
	wgvia explain wg6 from $OUT4 to $WG4 | grep "outside: left to the kernel"
	run -1 wgvia -j check wg6
	is "$(jq -r '.findings[] | select(.name == "outside") | .severity' <<<"$output")" warning
	run -2 wgvia up wg6 "${WORDS[@]}" outside maybe
	[[ $output == *"'maybe' is not a valid action for outside: pass or drop"* ]]
	run -2 wgvia up wg6 "${WORDS[@]}" outside drop outside pass
	is "$(wgvia -j show wg6 | jq -r .outside)" drop
}
