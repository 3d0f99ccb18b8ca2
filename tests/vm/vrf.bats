#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# VRFs: the tunnel and the LANs in one, and only the LAN in one. Which routes, which addresses of this host, and where
# packets go, in both modes.

# shellcheck disable=SC2046,SC2086 # addresses are words
# shellcheck disable=SC2153 # the topology's variables

load ../lib/wire.bash

GW2_MAC=02:00:00:00:05:02 SVC2_MAC=02:00:00:00:05:03
SVC2_4=192.0.5.3 SVC2_6=2001:db8:5::3
export WIRE_NAMES="$WIRE_NAMES gw2=$GW2_MAC svc2=$SVC2_MAC"

# vrf_begin DEVICE...: the gateway between wires, these devices in the VRF "red".
vrf_begin() {
	local device
	wire_begin
	wire_tunnel wg6 tun
	wire_cable ens3 lan
	wire_cable ens4 lan2 $GW2_MAC $SVC2_MAC
	wire_start
	ip -n "$NS_GW" link add red type vrf table 100 || skip "no VRF in kernel $(uname -r)"
	ip -n "$NS_GW" link set red up
	for device; do
		ip -n "$NS_GW" link set "$device" master red
	done
	wire_address wg6 $WG4/16 $WG6/50
	wire_address ens3 $GW4/24 $GW6/64
	wire_address ens4 192.0.5.2/24 2001:db8:5::2/64
	wire_neighbours ens3 $FW_MAC $FW4 $FW6
	wire_neighbours ens3 $SVC_MAC $SVC4 $SVC6
	wire_neighbours ens4 $SVC2_MAC $SVC2_4 $SVC2_6
	ip -n "$NS_GW" -batch - <<-END
		route add 198.19.0.0/16 via $SVC4 dev ens3 table 100
		route add default via $FW4 dev ens3 table 100
		route add ::/0 via $FW6 dev ens3 table 100
	END
}

# redirected_and_returned: everything goes to the firewall, also packets to the second LAN and from the service to the
# client.
redirected_and_returned() {
	told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun 'pkt(4)' 'pkt(6)'
	told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun "pkt(4, dst='$SVC2_4')" "pkt(6, dst='$SVC2_6')"
	told "tun #1 hops 63
tun #2 hops 63" lan "pkt(4, src='$SVC4', dst='$C1_4')" "pkt(6, src='$SVC6', dst='$C1_6')"
}

# bats test_tags=vm
@test "tunnel and LANs in a VRF: its default route, its addresses, and everything goes to the firewall" {
	vrf_begin wg6 ens3 ens4
	for mode in fast stack; do
		echo "mode $mode"
		wgvia up wg6 from $VPN4 from $VPN6 mode $mode >"$TOPO_DIR/up"
		grep -x "wg6: from $VPN4 via $FW4 dev ens3" "$TOPO_DIR/up"
		grep -x "wg6: from $VPN6 via $FW6 dev ens3" "$TOPO_DIR/up"
		grep "2 LAN devices are in the VRF 'red'" "$TOPO_DIR/up"
		redirected_and_returned
		wgvia explain wg6 from $C1_4 to $GW4 | tee /dev/stderr | grep -w local
		wgvia explain wg6 from $C1_6 to $GW6 | grep -w local
		run wgvia check wg6
		! grep -E 'dev red|^error' <<<"$output" || { echo "$output" && false; }
		! grep -q bypassed_route <<<"$output"
		grep -E "reach.*'192.0.5.0/24'.* dev ens4" <<<"$output"
		# what stops packets is in the table of the VRF
		ip -n "$NS_GW" route add blackhole 203.0.113.128/25 table 100
		ip -n "$NS_GW" route add blackhole 198.51.100.0/25
		wgvia -j check wg6 >"$TOPO_DIR/check" || true
		is "$mode $(jq -r '.findings[] | select(.name == "bypassed_route") | .evidence' "$TOPO_DIR/check" | cut -d "'" -f 2)" \
			"$mode $([ $mode = stack ] || echo 203.0.113.128/25)"
		ip -n "$NS_GW" route del blackhole 203.0.113.128/25 table 100
		ip -n "$NS_GW" route del blackhole 198.51.100.0/25
		wgvia up wg6 from $VPN4 via $FW4 from $VPN6 via $FW6 mode $mode
		wgvia down wg6
	done
}

# bats test_tags=vm,long
@test "the LAN alone in a VRF" {
	vrf_begin ens3
	ip -n "$NS_GW" -batch - <<-END
		route add default via $FW4 dev ens3
		route add ::/0 via $FW6 dev ens3
		route add $VPN4 dev wg6 table 100
		route add 2001:db8:1::/50 dev wg6 table 100
		route add 198.19.0.0/16 via $SVC4 dev ens3
	END
	for mode in fast stack; do
		echo "mode $mode"
		wgvia up wg6 from $VPN4 via $FW4 dev ens3 from $VPN6 via $FW6 dev ens3 mode $mode
		redirected_and_returned
	done
}

# bats test_tags=vm
@test "outside drop is refused for a tunnel in a VRF, and check reports a tunnel that moved there later" {
	vrf_begin ens3 ens4
	wgvia up wg6 from $VPN4 via $FW4 dev ens3 outside drop
	wgvia -j check wg6 >"$TOPO_DIR/check" || true
	is "$(jq -r '.findings[] | select(.evidence | test("VRF")).name' "$TOPO_DIR/check")" ""
	ip -n "$NS_GW" link set wg6 master red
	wgvia -j check wg6 >"$TOPO_DIR/check" || true
	is "$(jq -r '.findings[] | select(.evidence | test("VRF")) | .severity + " " + .name' "$TOPO_DIR/check")" "error outside"
	run -1 wgvia up wg6 from $VPN4 via $FW4 dev ens3 outside drop
	[[ $output == *"'outside drop' does not work for 'wg6': it is a device of VRF 'red'"* ]]
}

# bats test_tags=vm,long
@test "rp_filter: a route of a table other than the VRF's does not count" {
	vrf_begin wg6 ens3
	set_sysctls "$NS_GW" net.ipv4.conf.all.rp_filter=1
	wgvia up wg6 from $VPN4 from $VPN6
	finds_rp_filter 0
	ip -n "$NS_GW" link set ens4 master red
	finds_rp_filter 1
}

finds_rp_filter() { # COUNT
	wgvia -j check wg6 >"$TOPO_DIR/check" || true
	is "$(jq '[.findings[] | select(.name == "rp_filter" and (.evidence | contains("ens3")))] | length' "$TOPO_DIR/check")" "$1"
}
