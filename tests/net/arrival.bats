#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Answers that arrive at a device other than the gateway's: a macvlan that holds a VRRP address, as keepalived creates
# with use_vmac, and a second network card in the same LAN. Each is accepted where it arrives.

# shellcheck disable=SC2086,SC2153 # addresses are words; the topology's variables
load ../lib/net.bash

VIRTUAL4=192.0.2.50 VIRTUAL_LL=fe80::50 VIRTUAL_MAC=00:00:5e:00:01:33
NIC_MAC=02:00:00:00:02:22 NIC_LL=fe80::22

teardown() {
	forget_redirects
	set_sysctls "$NS_GW" net.ipv4.conf.ens3.arp_ignore=0
	in_ns "$NS_FW" ip neighbour delete $GW4 dev lan 2>/dev/null
	in_ns "$NS_FW" ip route replace $VPN4 via $GW4
	in_ns "$NS_FW" ip -6 route replace $VPN6 via $GW_LL dev lan
	ip -n "$NS_GW" link delete vrrp.51 2>/dev/null
	ip -n "$NS_GW" link delete ens4 2>/dev/null
	sweep "$NS_GW" wg6
}

# The firewall's routes lead to a virtual address of this host.
virtual_up() {
	ip -n "$NS_GW" link add vrrp.51 link ens3 address $VIRTUAL_MAC type macvlan mode private ||
		skip "no macvlan in kernel $(uname -r)"
	ip -n "$NS_GW" link set vrrp.51 up
	ip -n "$NS_GW" address add $VIRTUAL4/24 dev vrrp.51
	ip -n "$NS_GW" address add $VIRTUAL_LL/64 dev vrrp.51 nodad
	set_sysctls "$NS_GW" net.ipv4.conf.ens3.arp_ignore=1 # as keepalived sets it: ens3 does not answer for that address
	in_ns "$NS_FW" ip route replace $VPN4 via $VIRTUAL4
	in_ns "$NS_FW" ip -6 route replace $VPN6 via $VIRTUAL_LL dev lan
}

# A second card of this host; by default each card answers ARP requests for every address, and the firewall heard the
# second one.
second_card_up() {
	cable "$NS_GW" ens4 $NIC_MAC "$NS_LAN" gw2 02:00:00:00:02:a4
	ip -n "$NS_LAN" link set gw2 master lan
	ip -n "$NS_GW" address add 192.0.2.22/24 dev ens4
	ip -n "$NS_GW" address add $NIC_LL/64 dev ens4 nodad
	# WireGuard answers by the device on which it was asked
	ip -n "$NS_GW" route add default via $FW4 dev ens4 metric 100
	in_ns "$NS_FW" ip neighbour replace $GW4 lladdr $NIC_MAC dev lan
	in_ns "$NS_FW" ip -6 route replace $VPN6 via $NIC_LL dev lan
}

# arrives DEVICE: what the service sends to the clients is seen only there.
arrives() {
	local device=$1 file=$BATS_TEST_TMPDIR/arrival.pcap address
	for address in "$SVC4" "$SVC6"; do
		start_capture "$NS_GW" "$device" "$file" "src $address and (icmp[0] = 0 or (icmp6 and ip6[40] = 129))"
		ping_once "$NS_C1" "$address"
		poll 5 captured "$file" 1
		stop_capture "$file"
		rm -f "$file"
	done
}

# all_works DEVICE MODE
all_works() {
	local address
	arrives "$1"
	for address in "$SVC4" "$SVC6"; do
		download "$NS_C1" "$address"
	done
	answers "$NS_C1" "$SVC4" service "$C1_4"
	answers "$NS_C1" "$SVC6" service "$C1_6"
	answers "$NS_SVC" "$C1_4" client "$SVC4"
	answers "$NS_SVC" "$C1_6" client "$SVC6"
	[ "$2" = stack ] || [ "$(counter returned)" -gt 1000 ]
	run wgvia -j check wg6 --probe
	is "$(jq -r '[.findings[] | select(.name | startswith("probe")) | select(.severity != "info").name] | join(" ")' <<<"$output")" ""
	is "$(jq '[.findings[] | select(.name == "probe")] | length' <<<"$output")" 2
	is "$(jq -r '[.findings[] | select(.remedy | test("bypass|-[46]? *neighbour")).name] | join(" ")' <<<"$output")" ""
}

@test "answers to a VRRP address on a macvlan, which exists before up" {
	virtual_up
	for mode in fast stack; do
		wgvia up wg6 "${WORDS[@]}" mode $mode
		all_works vrrp.51 $mode
	done
}

@test "answers at a second card of the LAN, which exists before up" {
	second_card_up
	for mode in fast stack; do
		wgvia up wg6 "${WORDS[@]}" mode $mode
		all_works ens4 $mode
	done
}
