#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Gateways of every kind: next hops, prefixes, tunnels and LAN devices of all sorts and numbers, IPv4 and IPv6, in both
# modes. Each test builds its own wires; "told TEXT PORT PACKET..." sends into one of them, and TEXT is everything that
# comes out of any: where, from and to which MAC, hop limit, and exactly once.

# shellcheck disable=SC2046,SC2086 # addresses are words
# shellcheck disable=SC2153 # the topology's variables

load ../lib/wire.bash

FW2_MAC=02:00:00:00:05:01 GW2_MAC=02:00:00:00:05:02 SVC2_MAC=02:00:00:00:05:03
FW2_4=192.0.5.1 FW2_6=2001:db8:5::1 GW2_4=192.0.5.2 GW2_6=2001:db8:5::2 SVC2_4=192.0.5.3 SVC2_6=2001:db8:5::3
D1_4=10.7.0.10 D1_6=2001:db8:7::10 # a client of the second tunnel
DUMMY4=198.18.7.1 DUMMY6=2001:db8:77::1 BEHIND4=198.18.7.9 BEHIND6=2001:db8:77::9
CLIENT_MAC=02:00:00:00:06:10 GWT_MAC=02:00:00:00:06:02
export WIRE_NAMES="$WIRE_NAMES fw2=$FW2_MAC gw2=$GW2_MAC svc2=$SVC2_MAC client=$CLIENT_MAC gwt=$GWT_MAC"
BOTH="fast stack"

setup() {
	wire_begin
}

# tunnel_and_lan [TUNNEL [LAN]]: devices tun and lan at the far ends.
tunnel_and_lan() {
	wire_tunnel "${1:-wg6}" tun
	wire_cable "${2:-ens3}" lan
	wire_start
	wire_address "${1:-wg6}" $WG4/16 $WG6/50
	wire_lan "${2:-ens3}"
}

# second_lan: a device ens4 with an interface of the firewall, a service and the far end lan2. It must exist before the
# daemon starts.
second_lan() {
	wire_cable ens4 lan2 $GW2_MAC $FW2_MAC
	wire_address ens4 $GW2_4/24 $GW2_6/64
	wire_neighbours ens4 $FW2_MAC $FW2_4 $FW2_6
	wire_neighbours ens4 $SVC2_MAC $SVC2_4 $SVC2_6
}

# answers_by LINK: makes wire() send the service's answers via that gateway.
answers_by() {
	local gateway=${1##*>} own=${1#* } frame
	own=${own%>*}
	frame="Ether(src='$(mac_of $gateway)', dst='$(mac_of $own)')"
	ANSWERS=("${1%% *}" "$frame / pkt(4, src='$SVC4', dst='$C1_4')" "$frame / pkt(6, src='$SVC6', dst='$C1_6')")
}

mac_of() {
	tr ' ' '\n' <<<"$WIRE_NAMES" | sed -n "s/^$1=//p"
}

# goes_by LINK: packets of both families leave there, and come back.
goes_by() {
	answers_by "$1"
	told "$1 #1 hops 63
$1 #2 hops 63" tun 'pkt(4)' 'pkt(6)' &&
		told "tun #1 hops 63
tun #2 hops 63" "${ANSWERS[@]}"
}

# learns LINK: for a gateway whose MAC address the kernel does not return, a link-local one, the first frames are
# bounced.
learns() {
	answers_by "$1"
	wire "${ANSWERS[@]}" >/dev/null
}

# ---- next hops ----

@test "a link-local next hop" {
	tunnel_and_lan
	wire_neighbours ens3 $FW2_MAC 169.254.0.1 fe80::1
	ip -n "$NS_GW" route add 169.254.0.1 dev ens3
	for mode in $BOTH; do
		wgvia up wg6 from $VPN4 via 169.254.0.1 dev ens3 from $VPN6 via fe80::1 dev ens3 mode $mode
		learns "lan gw>fw2"
		goes_by "lan gw>fw2"
	done
}

@test "a link-local next hop needs a device" {
	tunnel_and_lan
	run -2 wgvia up wg6 from $VPN6 via fe80::1
	echo "$output"
	nothing_left
}

@test "IPv4 via an IPv6 next hop" {
	local via
	tunnel_and_lan
	wire_neighbours ens3 $FW_MAC fe80::1
	ip -n "$NS_GW" neighbour delete $FW4 dev ens3
	for via in $FW6 fe80::1; do
		for mode in $BOTH; do
			wgvia up wg6 from $VPN4 via $via dev ens3 from $VPN6 via $via dev ens3 mode $mode
			[ $via = $FW6 ] || learns "lan gw>fw"
			goes_by "lan gw>fw"
		done
	done
}

@test "IPv6 via an IPv4 next hop is refused" {
	tunnel_and_lan
	run wgvia up wg6 from $VPN6 via $FW4 dev ens3
	[ "$status" -ne 0 ]
	nothing_left
}

# firewall_anyway: what the kernel sends to the firewall's MAC by itself arrives once and counts once.
firewall_anyway() {
	local mode
	for mode in $BOTH; do
		wgvia up wg6 from $VPN4 via $1 dev ens3 from $VPN6 via $2 dev ens3 mode $mode
		remember_counters
		told "lan gw>fw #1
lan gw>fw #2" own "pkt(4, src='$WG4', dst='$INET4')" "pkt(6, src='$WG6', dst='$INET6')"
		told "lan gw>fw #1
lan gw>fw #2" own "pkt(4, src='$WG4')" "pkt(6, src='$WG6')"
		grown retargeted 4 400
		grown no_gateway 0 0
	done
}

@test "a gateway that is the kernel's own next hop" {
	tunnel_and_lan
	firewall_anyway $FW4 $FW6
}

@test "a gateway that is the kernel's own next hop, on a device that does not forward" {
	tunnel_and_lan
	set_sysctls "$NS_GW" net.ipv4.conf.ens3.forwarding=0 net.ipv6.conf.ens3.forwarding=0
	ip -n "$NS_GW" route replace ::/0 via $FW6 dev ens3
	firewall_anyway $FW4 $FW6
}

@test "a gateway that is the kernel's own next hop, by a link-local address" {
	tunnel_and_lan
	wire_neighbours ens3 $FW_MAC 169.254.0.1 fe80::1
	ip -n "$NS_GW" route add 169.254.0.1 dev ens3
	firewall_anyway 169.254.0.1 fe80::1
}

# ---- prefixes ----

@test "several prefixes with several gateways on several devices" {
	second_lan
	wire_neighbours ens4 02:00:00:00:05:04 192.0.5.4 2001:db8:5::4
	WIRE_NAMES="$WIRE_NAMES fw3=02:00:00:00:05:04"
	local from_fw3="Ether(src='02:00:00:00:05:04', dst='$GW2_MAC')"
	tunnel_and_lan
	for mode in $BOTH; do
		wgvia up wg6 from 10.6.1.0/24 via $FW4 dev ens3 from 10.6.2.0/24 via $FW2_4 dev ens4 \
			from 10.6.3.0/24 via 192.0.5.4 dev ens4 from 2001:db8:1:1::/64 via $FW6 dev ens3 \
			from 2001:db8:1:2::/64 via $FW2_6 dev ens4 from 2001:db8:1:3::/64 via 2001:db8:5::4 dev ens4 mode $mode
		told "lan2 gw2>fw2 #2 hops 63
lan2 gw2>fw3 #3 hops 63
lan2 gw2>fw2 #5 hops 63
lan2 gw2>fw3 #6 hops 63
lan gw>fw #1 hops 63
lan gw>fw #4 hops 63
lan gw>svc #7 hops 63" tun "pkt(4, src='10.6.1.1')" "pkt(4, src='10.6.2.1')" "pkt(4, src='10.6.3.1')" \
			"pkt(6, src='2001:db8:1:1::1')" "pkt(6, src='2001:db8:1:2::1')" "pkt(6, src='2001:db8:1:3::1')" \
			"pkt(4, src='10.6.4.1')"
		told "tun #1 hops 63
tun #2 hops 63" lan "pkt(4, src='$SVC4', dst='10.6.1.1')" "pkt(6, src='$SVC6', dst='2001:db8:1:1::1')"
		told "tun #1 hops 63
tun #2 hops 63
tun #3 hops 63" lan2 "pkt(4, src='$SVC4', dst='10.6.2.1')" "$from_fw3 / pkt(4, src='$SVC4', dst='10.6.3.1')" \
			"$from_fw3 / pkt(6, src='$SVC6', dst='2001:db8:1:3::1')"
		# each is not a gateway of the other prefix
		told "lan2 gw2>fw2 #2 hops 63
lan2 gw2>fw3 #3 hops 63
lan gw>fw #1 hops 63" lan2 "pkt(4, src='$SVC4', dst='10.6.1.1')" "$from_fw3 / pkt(4, src='$SVC4', dst='10.6.2.1')" \
			"pkt(6, src='$SVC6', dst='2001:db8:1:3::1')"
	done
}

@test "of overlapping prefixes the longest wins" {
	second_lan
	tunnel_and_lan
	for mode in $BOTH; do
		wgvia up wg6 from 0.0.0.0/0 via $FW2_4 dev ens4 from $VPN4 via $FW4 dev ens3 from 10.6.1.0/24 via $FW2_4 dev ens4 \
			from 10.6.1.7/32 via $FW4 dev ens3 from ::/0 via $FW2_6 dev ens4 from $VPN6 via $FW6 dev ens3 \
			from 2001:db8:1:1::/64 via $FW2_6 dev ens4 from 2001:db8:1:1::7/128 via $FW6 dev ens3 mode $mode
		told "lan2 gw2>fw2 #2 hops 63
lan2 gw2>fw2 #3 hops 63
lan2 gw2>fw2 #4 hops 63
lan2 gw2>fw2 #7 hops 63
lan gw>fw #1 hops 63
lan gw>fw #5 hops 63
lan gw>fw #6 hops 63" tun "pkt(4, src='10.6.0.255')" "pkt(4, src='10.6.1.0')" "pkt(4, src='10.6.1.255')" \
			"pkt(4, src='10.6.1.8')" "pkt(4, src='10.6.2.0')" "pkt(4, src='10.6.1.7')" "pkt(4, src='10.8.0.1')"
		told "lan2 gw2>fw2 #2 hops 63
lan2 gw2>fw2 #3 hops 63
lan2 gw2>fw2 #4 hops 63
lan2 gw2>fw2 #7 hops 63
lan gw>fw #1 hops 63
lan gw>fw #5 hops 63
lan gw>fw #6 hops 63" tun "pkt(6, src='2001:db8:1:0:ffff:ffff:ffff:ffff')" "pkt(6, src='2001:db8:1:1::')" \
			"pkt(6, src='2001:db8:1:1:ffff:ffff:ffff:ffff')" "pkt(6, src='2001:db8:1:1::8')" \
			"pkt(6, src='2001:db8:1:2::')" "pkt(6, src='2001:db8:1:1::7')" "pkt(6, src='2001:db8:8::1')"
	done
}

# ---- two tunnels ----

# two_tunnels: wg6 and wg7, each with its own instance, on one LAN.
two_tunnels() {
	wire_tunnel wg7 tun2
	tunnel_and_lan
	wire_address wg7 10.7.0.1/16 2001:db8:7::1/48
}

up_both() { # MODE OF-WG6 MODE-OF-WG7
	wgvia up wg6 "${WORDS[@]}" mode "$1"
	wgvia up wg7 from 10.7.0.0/16 via $FW4 dev ens3 from 2001:db8:7::/48 via $FW6 dev ens3 mode "$2"
}

@test "two instances share a LAN device" {
	local modes
	two_tunnels
	for modes in "fast fast" "stack stack" "fast stack" "stack fast"; do
		echo "modes $modes"
		up_both $modes
		goes_by "lan gw>fw"
		told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun2 "pkt(4, src='$D1_4')" "pkt(6, src='$D1_6')"
		told "tun2 #1 hops 63
tun2 #2 hops 63" lan "pkt(4, src='$SVC4', dst='$D1_4')" "pkt(6, src='$SVC6', dst='$D1_6')"
		wgvia down wg7
		told "lan gw>svc #1 hops 63" tun2 "pkt(4, src='$D1_4')"
		goes_by "lan gw>fw"
	done
}

@test "two instances: from a client of one to a client of the other via the firewall" {
	local modes
	two_tunnels
	for modes in "fast fast" "stack stack" "fast stack" "stack fast"; do
		echo "modes $modes"
		up_both $modes
		told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun "pkt(4, dst='$D1_4')" "pkt(6, dst='$D1_6')"
		told "tun2 #1 hops 61
tun2 #2 hops 61" lan "pkt(4, hops=62, dst='$D1_4')" "pkt(6, hops=62, dst='$D1_6')"
		told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun2 "pkt(4, src='$D1_4', dst='$C1_4')" "pkt(6, src='$D1_6', dst='$C1_6')"
		told "tun #1 hops 61
tun #2 hops 61" lan "pkt(4, hops=62, src='$D1_4', dst='$C1_4')" "pkt(6, hops=62, src='$D1_6', dst='$C1_6')"
	done
}

# ---- a second LAN ----

@test "a service on a second LAN of the gateway is reached via the firewall" {
	second_lan
	tunnel_and_lan
	for mode in $BOTH; do
		wgvia up wg6 "${WORDS[@]}" mode $mode
		told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun "pkt(4, dst='$SVC2_4')" "pkt(6, dst='$SVC2_6')"
		told "lan gw>fw #1
lan gw>fw #2" own "pkt(4, src='$WG4', dst='$SVC2_4')" "pkt(6, src='$WG6', dst='$SVC2_6')"
		# What the firewall sends via this gateway was at the firewall.
		told "lan2 gw2>svc2 #1 hops 61
lan2 gw2>svc2 #2 hops 61" lan "pkt(4, hops=62, dst='$SVC2_4')" "pkt(6, hops=62, dst='$SVC2_6')"
		# Its answer may come from another interface of the firewall, and then it is bounced, unless that
		# interface is named.
		told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" lan2 "pkt(4, src='$SVC2_4', dst='$C1_4')" "pkt(6, src='$SVC2_6', dst='$C1_6')"
		wgvia up wg6 "${WORDS[@]}" mode $mode return drop also $FW2_4 dev ens4 also $FW2_6 dev ens4
		told "tun #1 hops 63
tun #2 hops 63" lan2 "pkt(4, src='$SVC2_4', dst='$C1_4')" "pkt(6, src='$SVC2_6', dst='$C1_6')"
		told "tun #1 hops 63
tun #2 hops 63" lan "pkt(4, src='$SVC2_4', dst='$C1_4')" "pkt(6, src='$SVC2_6', dst='$C1_6')"
		told "lan2 gw2>svc2 #1
lan2 gw2>svc2 #2" own "pkt(4, src='$GW2_4', dst='$SVC2_4')" "pkt(6, src='$GW2_6', dst='$SVC2_6')"
	done
}

@test "a second LAN: fragments that the kernel makes go to the firewall" {
	second_lan
	tunnel_and_lan
	ip -n "$NS_GW" link set wg6 mtu 9000
	for mode in $BOTH; do
		wgvia up wg6 "${WORDS[@]}" mode $mode
		told "lan gw>fw #1 in 3 pieces hops 63" tun "pkt(4, 4000, dst='$SVC2_4')"
	done
}

# The kernel finds that the packet fits the device that it chose, and the egress program can only drop what does not fit
# the gateway's: `up` reports it, it is counted, and does not bypass the firewall.
@test "a gateway's device that is narrower than the kernel's own choice: reported, counted, nothing bypasses the firewall" {
	second_lan
	tunnel_and_lan
	ip -n "$NS_GW" link set wg6 mtu 9000
	ip -n "$NS_GW" link set ens4 mtu 1300
	for mode in $BOTH; do
		echo "mode $mode"
		wgvia up wg6 from $VPN4 via $FW2_4 dev ens4 from $VPN6 via $FW2_6 dev ens4 mode $mode |
			grep "dev ens4 has mtu 1300, less than dev ens3 (1500)"
		before=$(wgvia -j stats wg6 | jq .directions.egress.too_big.packets)
		told "lan2 gw2>fw2 #1 hops 63
lan2 gw2>fw2 #2 hops 63" tun 'pkt(4, 1300, df=1)' 'pkt(6, 1300)' 'pkt(4, 1301, df=1)' 'pkt(6, 1301)'
		is "$(($(wgvia -j stats wg6 | jq .directions.egress.too_big.packets) - before))" 2
	done
}

# ---- another tunnel ----

@test "what is behind another tunnel of the gateway is reached via the firewall" {
	two_tunnels
	for mode in $BOTH; do
		wgvia up wg6 "${WORDS[@]}" mode $mode
		told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun "pkt(4, dst='$D1_4')" "pkt(6, dst='$D1_6')"
		told "lan gw>fw #1
lan gw>fw #2" own "pkt(4, src='$WG4', dst='$D1_4')" "pkt(6, src='$WG6', dst='$D1_6')"
		told "tun2 #1 hops 61
tun2 #2 hops 61" lan "pkt(4, hops=62, dst='$D1_4')" "pkt(6, hops=62, dst='$D1_6')"
		# and so are packets from there
		told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun2 "pkt(4, src='$D1_4', dst='$C1_4')" "pkt(6, src='$D1_6', dst='$C1_6')"
		told "tun #1 hops 61
tun #2 hops 61" lan "pkt(4, hops=62, src='$D1_4', dst='$C1_4')" "pkt(6, hops=62, src='$D1_6', dst='$C1_6')"
	done
}

# neighbour_is MAC ADDRESS: makes wire() set a neighbour entry between packets.
neighbour_is() {
	echo "command('ip -n $NS_GW neighbour replace $2 lladdr $1 dev ens3 nud permanent')"
}

# wait_for_firewall PACKET4 PACKET6 [COMMAND...]: the packets wait for its MAC addresses while the commands run, and
# arrive.
wait_for_firewall() {
	ip -n "$NS_GW" neighbour delete $FW4 dev ens3
	ip -n "$NS_GW" neighbour delete $FW6 dev ens3
	told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun "$@" "$(neighbour_is $FW_MAC $FW4)" "$(neighbour_is $FW_MAC $FW6)"
}

@test "packets for another tunnel wait for the firewall's MAC address, and then have a link header" {
	two_tunnels
	for mode in $BOTH; do
		wgvia up wg6 "${WORDS[@]}" mode $mode
		wait_for_firewall "pkt(4, dst='$D1_4')" "pkt(6, dst='$D1_6')"
	done
}

@test "packets that wait for the firewall's MAC address go there even if the service's changes meanwhile" {
	tunnel_and_lan
	for mode in $BOTH; do
		wgvia up wg6 "${WORDS[@]}" mode $mode
		wire_neighbours ens3 $SVC_MAC $SVC4 $SVC6
		wait_for_firewall 'pkt(4)' 'pkt(6)' "$(neighbour_is $FW2_MAC $SVC4)" "$(neighbour_is $FW2_MAC $SVC6)"
	done
}

@test "two instances with firewalls in different LANs: what one firewall sends to the other's tunnel does not circle" {
	second_lan
	two_tunnels
	for mode in $BOTH; do
		echo "mode $mode"
		wgvia up wg6 "${WORDS[@]}" mode $mode
		wgvia up wg7 from 10.7.0.0/16 via $FW2_4 dev ens4 from 2001:db8:7::/48 via $FW2_6 dev ens4 mode $mode
		told "tun2 #1 hops 61
tun2 #2 hops 61" lan2 "pkt(4, hops=62, dst='$D1_4')" "pkt(6, hops=62, dst='$D1_6')"
	done
}

# ---- broadcast and multicast ----

@test "a client's broadcast that this host forwards goes only to the firewall, this host's own to the LAN" {
	tunnel_and_lan
	set_sysctls "$NS_GW" net.ipv4.conf.{all,default,wg6,ens3}.bc_forwarding=1
	for mode in $BOTH; do
		wgvia up wg6 "${WORDS[@]}" mode $mode
		told "lan gw>fw #1 hops 63" tun "pkt(4, dst='192.0.2.255')"
		told "lan gw>ff:ff:ff:ff:ff:ff #1" own "pkt(4, src='$WG4', dst='192.0.2.255')"
	done
}

@test "a client's multicast that this host forwards goes only to the firewall, unless the administrator exempts it" {
	tunnel_and_lan
	multicast_router $C1_4
	told "lan gw>01:00:5e:01:02:03 #1 hops 63" tun "pkt(4, dst='239.1.2.3')"
	for mode in $BOTH; do
		wgvia up wg6 "${WORDS[@]}" mode $mode
		told "lan gw>fw #1 hops 63" tun "pkt(4, dst='239.1.2.3')"
		for list in 239.1.2.0/24 224.0.0.0/4 192.0.0.0/2; do
			wgvia bypass add wg6 $list
			told "lan gw>01:00:5e:01:02:03 #1 hops 63" tun "pkt(4, dst='239.1.2.3')"
			wgvia bypass del wg6 $list
		done
		wgvia down wg6
	done
	unspawn router
}

# ---- devices of every kind ----

@test "a bridge as LAN device" {
	wire_tunnel wg6 tun
	wire_cable eth0 lan 02:00:00:00:02:b0 $FW_MAC $GW_MAC
	bridge_up "$NS_GW" br0 $GW_MAC
	ip -n "$NS_GW" link set eth0 master br0
	wire_start
	wire_address wg6 $WG4/16 $WG6/50
	wire_lan br0
	for mode in $BOTH; do
		wgvia up wg6 from $VPN4 via $FW4 dev br0 from $VPN6 via $FW6 dev br0 mode $mode
		goes_by "lan gw>fw"
		told "lan gw>fw #1
lan gw>svc #2" own "pkt(4, src='$WG4')" "pkt(4, src='$GW4')"
	done
}

@test "a macvlan as LAN device" {
	wire_tunnel wg6 tun
	wire_cable eth0 lan 02:00:00:00:02:b0 $FW_MAC $GW_MAC
	ip -n "$NS_GW" link add link eth0 name lan0 address $GW_MAC type macvlan mode bridge ||
		skip "no macvlan in kernel $(uname -r)"
	wire_start
	wire_address wg6 $WG4/16 $WG6/50
	wire_lan lan0
	for mode in $BOTH; do
		wgvia up wg6 from $VPN4 via $FW4 dev lan0 from $VPN6 via $FW6 dev lan0 mode $mode
		remember_counters # the probes of `up` pass the program at eth0
		goes_by "lan gw>fw"
		told "lan gw>fw #1
lan gw>svc #2" own "pkt(4, src='$WG4')" "pkt(4, src='$GW4')"
		grown retargeted $([ $mode = fast ] && echo 1 100 || echo 3 300)
	done
}

# bats test_tags=vm
@test "a VLAN as LAN device" {
	wire_tunnel wg6 tun
	cable "$NS_GW" eth0 02:00:00:00:02:b0 "$NS_LAN" trunk 02:00:00:00:02:a0
	ip -n "$NS_GW" link add link eth0 name eth0.5 address $GW_MAC type vlan id 5 ||
		skip "no VLAN in kernel $(uname -r)"
	ip -n "$NS_LAN" link add link trunk name lan type vlan id 5
	ip -n "$NS_LAN" link set lan up
	in_ns "$NS_GW" ethtool -K eth0.5 tx off >/dev/null
	wire_port lan lan $FW_MAC $GW_MAC
	wire_start
	wire_address wg6 $WG4/16 $WG6/50
	wire_lan eth0.5
	for mode in $BOTH; do
		wgvia up wg6 from $VPN4 via $FW4 dev eth0.5 from $VPN6 via $FW6 dev eth0.5 mode $mode
		goes_by "lan gw>fw"
		told "lan gw>fw #1
lan gw>svc #2" own "pkt(4, src='$WG4')" "pkt(4, src='$GW4')"
	done
}

# swallowed: packets that went into the dummy, and so are lost.
swallowed() {
	ip -n "$NS_GW" -s -j link show dummy0 | jq '.[].stats64.tx.packets'
}

explained() { # SOURCE DESTINATION: the result
	wgvia -j explain wg6 from "$1" to "$2" | jq -r .result
}

# bats test_tags=vm,long
@test "a dummy device: its addresses are this host's; what is routed behind it is reached via the firewall" {
	local lost
	ip -n "$NS_GW" link add dummy0 type dummy || skip "no dummy in kernel $(uname -r)"
	tunnel_and_lan
	wire_address dummy0 $DUMMY4/24 $DUMMY6/64
	for mode in $BOTH; do
		echo "mode $mode"
		wgvia up wg6 "${WORDS[@]}" mode $mode
		wgvia show wg6 >"$BATS_TEST_TMPDIR/show"
		grep "egress dev dummy0 up" "$BATS_TEST_TMPDIR/show"
		grep "bypass $DUMMY4/32 local" "$BATS_TEST_TMPDIR/show"
		grep "bypass $DUMMY6/128 local" "$BATS_TEST_TMPDIR/show"
		told "tun $DUMMY4>$C1_4 hops 64 icmp 3/3
tun $DUMMY6>$C1_6 hops 64 icmp 1/4" tun "pkt(4, dst='$DUMMY4')" "pkt(6, dst='$DUMMY6')"
		wgvia explain wg6 from $C1_4 to $DUMMY4 | grep "kernel: delivers it to this host (local)"
		wgvia explain wg6 from $C1_6 to $DUMMY6 | grep "kernel: delivers it to this host (local)"

		lost=$(swallowed)
		told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun "pkt(4, dst='$BEHIND4')" "pkt(6, dst='$BEHIND6')"
		[[ $(explained $C1_4 $BEHIND4) == *"to the firewall $FW4 by dev ens3" ]]
		[[ $(explained $C1_6 $BEHIND6) == *"to the firewall $FW6 by dev ens3" ]]
		told "lan gw>fw #1
lan gw>fw #2" own "pkt(4, src='$WG4', dst='$BEHIND4')" "pkt(6, src='$WG6', dst='$BEHIND6')"
		is "$(swallowed)" "$lost"
		wgvia bypass add wg6 198.18.7.0/24
		wgvia bypass add wg6 2001:db8:77::/64
		told "" tun "pkt(4, dst='$BEHIND4')" "pkt(6, dst='$BEHIND6')"
		is "$(swallowed)" $((lost + 2))
		is "$(explained $C1_4 $BEHIND4)" "$([ $mode = fast ] && echo bypass || echo not re-targeted): left to the kernel"
		wgvia explain wg6 from $C1_6 to $BEHIND6 | grep "kernel: forwards it by dev dummy0"
	done
}

# ethernet_tunnel: clients are neighbours on it, or behind one.
ethernet_tunnel() {
	wire_cable vpn0 tun $GWT_MAC $CLIENT_MAC
	wire_cable ens3 lan
	wire_start
	wire_address vpn0 $WG4/16 $WG6/50
	wire_neighbours vpn0 $CLIENT_MAC $C1_4 $C1_6
	ip -n "$NS_GW" route add 10.8.0.0/16 via $C1_4
	ip -n "$NS_GW" route add 2001:db8:8::/48 via $C1_6
	wire_lan ens3
}

@test "an Ethernet device as the tunnel" {
	ethernet_tunnel
	for mode in $BOTH; do
		wgvia up vpn0 from $VPN4 via $FW4 dev ens3 from 10.8.0.0/16 via $FW4 dev ens3 \
			from $VPN6 via $FW6 dev ens3 from 2001:db8:8::/48 via $FW6 dev ens3 mode $mode
		told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63
lan gw>fw #3 hops 63
lan gw>fw #4 hops 63" tun 'pkt(4)' 'pkt(6)' "pkt(4, src='10.8.0.1')" "pkt(6, src='2001:db8:8::1')"
		told "tun gwt>client #1 hops 63
tun gwt>client #2 hops 63
tun gwt>client #3 hops 63
tun gwt>client #4 hops 63" lan "pkt(4, src='$SVC4', dst='$C1_4')" "pkt(6, src='$SVC6', dst='$C1_6')" \
			"pkt(4, src='$SVC4', dst='10.8.0.1')" "pkt(6, src='$SVC6', dst='2001:db8:8::1')"
		told "tun gwt>client $WG4>$C1_4 time-exceeded #1
tun gwt>client $WG6>$C1_6 time-exceeded #2" tun 'pkt(4, hops=1)' 'pkt(6, hops=1)'
		# Frames that are not for this host.
		told "" tun "Ether(src='$CLIENT_MAC', dst='02:00:00:00:06:99') / pkt(4)" \
			"Ether(src='$CLIENT_MAC', dst='ff:ff:ff:ff:ff:ff') / pkt(4)" \
			"Ether(src='$CLIENT_MAC', dst='02:00:00:00:06:99') / pkt(6)"
		told "" lan "Ether(src='$FW_MAC', dst='02:00:00:00:02:99') / pkt(4, src='$SVC4', dst='$C1_4')" \
			"Ether(src='$FW_MAC', dst='ff:ff:ff:ff:ff:ff') / pkt(4, src='$SVC4', dst='$C1_4')" \
			"Ether(src='$FW_MAC', dst='02:00:00:00:02:99') / pkt(6, src='$SVC6', dst='$C1_6')"
	done
}

@test "an Ethernet device as the tunnel: GSO packets of 64 KiB, and those that do not fit" {
	ethernet_tunnel
	for mode in $BOTH; do
		wgvia up vpn0 "${WORDS[@]}" mode $mode
		told "lan gw>fw #1 in 47 pieces hops 63
lan gw>fw #2 in 65 pieces hops 63" tun 'tcp(4, 65500, mss=1400, df=1)' 'tcp(6, 65000, mss=1000)'
		told "tun gwt>client #1 in 47 pieces hops 63
tun gwt>client #2 in 65 pieces hops 63" lan "tcp(4, 65500, mss=1400, df=1, src='$SVC4', dst='$C1_4')" \
			"tcp(6, 65000, mss=1000, src='$SVC6', dst='$C1_6')"
		ip -n "$NS_GW" link set ens3 mtu 1300
		told "tun gwt>client $WG4>$C1_4 frag-needed 1300 #1
tun gwt>client $WG6>$C1_6 too-big 1300 #2" tun 'tcp(4, 65500, mss=1400, df=1)' 'tcp(6, 65000, mss=1300)'
		ip -n "$NS_GW" link set ens3 mtu 1500
		ip -n "$NS_GW" link set vpn0 mtu 1300
		told "lan gw>svc $GW4>$SVC4 frag-needed 1300 #1
lan gw>svc $GW6>$SVC6 too-big 1300 #2" lan "tcp(4, 65500, mss=1400, df=1, src='$SVC4', dst='$C1_4')" \
			"tcp(6, 65000, mss=1300, src='$SVC6', dst='$C1_6')"
		ip -n "$NS_GW" link set vpn0 mtu 1500
	done
}

@test "frames that are longer than their packet leave without the padding" {
	ethernet_tunnel
	for mode in $BOTH; do
		wgvia up vpn0 "${WORDS[@]}" mode $mode
		told "tun gwt>client #1 hops 63
tun gwt>client #2 hops 63" lan "padded(pkt(4, 30, src='$SVC4', dst='$C1_4'), 16)" \
			"padded(pkt(6, 1300, src='$SVC6', dst='$C1_6'), 200)"
		told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun "padded(pkt(4, 30), 16)" "padded(pkt(6, 1300), 200)"
	done
}

# ---- names ----

@test "interface names with dots" {
	tunnel_and_lan wg.home eth0.5
	for mode in $BOTH; do
		wgvia up wg.home from $VPN4 via $FW4 dev eth0.5 from $VPN6 via $FW6 dev eth0.5 mode $mode
		goes_by "lan gw>fw"
		is "$(wgvia -j show wg.home | jq -r '.interface')" wg.home
		is "$(wgvia -j stats wg.home | jq '.counters.retargeted.packets')" \
			"$([ $mode = fast ] && echo 0 || echo 2)"
	done
	wgvia down wg.home
	is "$(find "$PIN_DIR" -mindepth 1)" ""
}

@test "two namespaces with the same names, each with separate pins" {
	local first status=0
	tunnel_and_lan
	wgvia up wg6 "${WORDS[@]}" mode fast
	first=$TOPO_NAME
	(
		wire_begin $$-second
		trap wire_end EXIT
		tunnel_and_lan
		PIN_DIR=/sys/fs/bpf/$first run -1 wgvia up wg6 "${WORDS[@]}"
		[[ $output == *"belong to another network namespace"* ]]
		PIN_DIR=/sys/fs/bpf/$first run -1 wgvia down wg6
		[[ $output == *"belong to another network namespace"* ]]
		told "lan gw>svc #1 hops 63" tun 'pkt(4)'
		wgvia up wg6 "${WORDS[@]}" mode stack
		goes_by "lan gw>fw"
		is "$(counter redirected) $(counter retargeted)" "0 2"
		wgvia down wg6
		told "lan gw>svc #1 hops 63" tun 'pkt(4)'
	) || status=$?
	is $status 0
	goes_by "lan gw>fw"
	is "$(counter redirected) $(counter retargeted)" "2 0"
}
