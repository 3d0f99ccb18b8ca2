#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `from addresses`: prefixes that the user did not name, and that change with the tunnel's addresses.

# shellcheck disable=SC2034,SC2046,SC2086 # others read variables; addresses are words
# shellcheck disable=SC2153 # the topology's variables

load ../lib/wire.bash
load ../lib/agent.bash
load ../lib/followed.bash

FOLLOWED=addresses
# Another network of the same provider, and its client.
NEW4=10.16.0.0/16 NEW6=2001:db8:16::/64 NEW_WG4=10.16.0.1 NEW_WG6=2001:db8:16::1 NEW_C4=10.16.0.7 NEW_C6=2001:db8:16::7
ADDRESSES=(from addresses via "$FW4" dev ens3 from addresses via "$FW6" dev ens3)

setup() {
	wire_usual
	wire_answers $FW4 192.0.2.9 $FW6
	FILE=$BATS_TEST_TMPDIR/wg6.conf
}

teardown() {
	agent_stop
	wire_end
}

# Each family's client's packets go to the firewall, and the service's answers into the tunnel.
goes_by_firewall() { # CLIENT4 CLIENT6
	wgvia route replace wg6 from 198.18.0.1 via $FW4 dev ens3 # the sentinel, which must come out
	told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun "pkt(4, src='$1')" "pkt(6, src='$2')"
	told "tun #1 hops 63
tun #2 hops 63" lan "pkt(4, src='$SVC4', dst='$1')" "pkt(6, src='$SVC6', dst='$2')"
}

renumber() {
	wire_address wg6 $NEW_WG4/16 $NEW_WG6/64
}

@test "up: the words, the prefixes that they mean, and what is shown and saved of both" {
	for mode in fast stack; do
		run -0 wgvia up wg6 "${ADDRESSES[@]}" mode $mode
		is "${lines[0]}" "wg6: from $VPN4 via $FW4 dev ens3 (addresses)"
		is "${lines[1]}" "wg6: from $VPN6 via $FW6 dev ens3 (addresses)"
		wgvia show wg6 | grep -Fx "    from addresses via $FW4 dev ens3"
		wgvia show wg6 | grep -E "^    from $VPN6 via $FW6 dev ens3 .*\(addresses\)$"
		is "$(wgvia -j show wg6 | jq -c .sources)" \
			"[\"from addresses via $FW4 dev ens3\",\"from addresses via $FW6 dev ens3\"]"
		is "$(wgvia save wg6 | grep ^from)" "from addresses via $FW4 dev ens3
from addresses via $FW6 dev ens3"
		wgvia save wg6 >"$FILE"
		is "$(wgvia apply wg6 "$FILE")" ""
		goes_by_firewall $C1_4 $C1_6
		wgvia down wg6
		wgvia apply wg6 "$FILE"
		is "$(followed)" "$VPN4 $VPN6"
		wgvia down wg6
	done
}

@test "up alone, and up with 'via' alone, mean 'from addresses'" {
	wgvia up wg6
	is "$(wgvia save wg6 | grep ^from)" "from addresses"
	is "$(followed)" "$VPN4 $VPN6"
	goes_by_firewall $C1_4 $C1_6
	wgvia up wg6 via $FW4
	is "$(wgvia save wg6 | grep ^from)" "from addresses via $FW4 dev ens3"
	is "$(followed)" "$VPN4"
	run -0 wgvia up wg6 from addresses dev ens3
	is "$(wgvia save wg6 | grep ^from)" "from addresses dev ens3"
	is "$(followed)" "$VPN4 $VPN6"
}

@test "a named prefix takes precedence, and stays when its address is removed" {
	wgvia up wg6 "${ADDRESSES[@]}" from $VPN4 via 192.0.2.9 dev ens3
	is "$(followed)" "$VPN6"
	is "$(via $VPN4)" 192.0.2.9
	run -0 wgvia route del wg6 from $VPN4
	is "$(followed)" "$VPN4 $VPN6"
	is "$(via $VPN4)" $FW4
	run -1 wgvia route del wg6 from $VPN4
	is "${lines[0]}" "wgvia: '$VPN4' belongs to 'from addresses', which would add it again"
	is "${lines[1]}" "hint: to remove all of them: wgvia route del wg6 from addresses"
}

@test "route add, replace and del accept the word" {
	wgvia up wg6 from 10.99.0.0/16 via $FW4
	wgvia route add wg6 from addresses via $FW4
	is "$(followed)" "$VPN4"
	run -1 wgvia route add wg6 from addresses via 192.0.2.9
	is "${lines[0]}" "wgvia: 'from addresses' exists already: 'route replace' changes it"
	wgvia route add wg6 from addresses via $FW6
	is "$(followed)" "$VPN4 $VPN6"
	wgvia route replace wg6 from addresses via 192.0.2.9
	is "$(via $VPN4) $(via $VPN6)" "192.0.2.9 $FW6"
	run -1 wgvia route del wg6 from addresses via $FW4
	is "${lines[0]}" "wgvia: 'addresses' has another gateway or device than the command names"
	run -0 wgvia -j route del wg6 from addresses via 192.0.2.9
	is "$(jq -c '[.changes[] | [.action, .source, .statement]]' <<<"$output")" \
		"[[\"del\",\"addresses\",\"from addresses via 192.0.2.9 dev ens3\"],[\"del\",\"addresses\",\"from $VPN4 via 192.0.2.9 dev ens3 (addresses)\"]]"
	wgvia route del wg6 from addresses
	is "$(followed)" ""
	run -1 wgvia route del wg6 from addresses
	is "${lines[0]}" "wgvia: 'from addresses' is not one of 'wg6'"
}

@test "a word without 'via' is for the families without one of their own; what is saved is accepted again" {
	wgvia up wg6
	wgvia route replace wg6 from addresses via $FW4
	wgvia save wg6 >"$FILE"
	is "$(grep ^from "$FILE")" "from addresses via $FW4 dev ens3
from addresses"
	is "$(wgvia apply wg6 "$FILE")" ""
	wgvia down wg6
	wgvia up wg6 from addresses via $FW6 from addresses
	is "$(wgvia save wg6 | grep ^from)" "from addresses
from addresses via $FW6 dev ens3"
	is "$(followed)" "$VPN4 $VPN6"
	run -1 wgvia route del wg6 from addresses via $FW4
	is "${lines[1]}" "hint: it has no 'via': it uses the default route"
}

@test "no prefix at all: up and check report it" {
	run -0 wgvia up wg6 from addresses
	run -0 wgvia route del wg6 from addresses
	run -1 wgvia -j check wg6
	is "$(jq -r '.findings[] | select(.name == "no_prefix") | .severity, .evidence' <<<"$output")" "error
no prefix is in force: traffic from the tunnel bypasses the firewall"
	wgvia down wg6
	ip -n "$NS_GW" address flush dev wg6
	run -0 wgvia up wg6 from addresses
	[[ $output == *"no prefix yet: nothing goes via the firewall until"* ]]
}

@test "another default route without an agent: check reports that the prefixes would go there" {
	wgvia up wg6
	ip -n "$NS_GW" route replace default via 192.0.2.9 dev ens3
	run -1 wgvia -j check wg6
	is "$(jq -r '.findings[] | select(.name == "sources") | .evidence' <<<"$output")" \
		"'from addresses' now gives '$VPN4' another gateway than the one in force: via 192.0.2.9 dev ens3"
}

@test "up, apply and a reload keep the prefixes of a family that has none now; a new gateway applies to them, too" {
	wgvia up wg6 "${ADDRESSES[@]}"
	wgvia save wg6 >"$FILE"
	ip -n "$NS_GW" address delete $WG6/50 dev wg6
	is "$(wgvia apply wg6 "$FILE")" ""
	is "$(followed)" "$VPN4 $VPN6"
	wgvia up wg6 "${ADDRESSES[@]}" mode stack
	is "$(followed)" "$VPN4 $VPN6"
	wgvia route replace wg6 from addresses via 2001:db8:2::9 dev ens3
	is "$(via $VPN6)" 2001:db8:2::9
	wgvia up wg6 "${ADDRESSES[@]}"
	is "$(via $VPN6)" $FW6
	# the default route is deleted, and the agent reads its file again
	wgvia up wg6
	echo "from addresses" >"$FILE"
	agent_start "$FILE"
	ip -n "$NS_GW" route delete default
	agent_signal HUP
	says "' is in force"
	is "$(followed)" "$VPN4 $VPN6"
}

@test "an address with length 0 means no prefix" {
	ip -n "$NS_GW" address add 10.50.0.1/0 dev wg6
	wgvia up wg6
	is "$(followed)" "$VPN4 $VPN6"
}

@test "an address with a peer means the peer's network" {
	ip -n "$NS_GW" address add 10.50.0.1 peer 10.51.0.0/24 dev wg6
	ip -n "$NS_GW" address add 2001:db8:50::1 peer 2001:db8:51::/64 dev wg6
	wgvia up wg6
	is "$(followed)" "$VPN4 10.51.0.0/24 $VPN6 2001:db8:51::/64"
}

@test "what bpftool writes into 'sources' and wgvia would not write is ignored" {
	local value ifindex
	wgvia up wg6 from addresses via $FW4
	ifindex=$(ip -n "$NS_GW" -j link show ens3 | jq '.[].ifindex')
	for value in "7 0 0 0  192 0 2 9" "2 0 0 0  192 0 2 9"; do # of an unknown family, and IPv4's for IPv6
		bpftool map update pinned "$PIN_DIR/wg6/sources" key 1 0 0 0 10 0 0 0 \
			value $ifindex 0 0 0  $value 0 0 0 0 0 0 0 0 0 0 0 0  0 0 0 0  0 0 0 0
		is "$(wgvia save wg6 | grep ^from)" "from addresses via $FW4 dev ens3"
	done
	wgvia route add wg6 from 10.99.0.0/16 via $FW4
	is "$(followed)" "$VPN4"
}

@test "words that contradict each other are refused" {
	local words text
	while IFS='|' read -r words text; do
		run -2 wgvia up wg6 $words
		is "${lines[0]}" "wgvia: $text"
	done <<-END
		from addresses from addresses|from 'addresses' is given twice
		from addresses via $FW4 via $FW6|'via' is given twice: another family needs a 'from addresses' of its own, and 'or ADDRESS' names more gateways
		from addresses via $FW6 from addresses via 2001:db8:2::9|from 'addresses' is given twice for IPv6
		from addresses or $FW4|'addresses' needs a first gateway before 'or $FW4': via ADDRESS
		from allowed-ip|'allowed-ip' is not a valid prefix: ADDRESS/LENGTH is needed
		via $FW4 from addresses|'via' without 'from' means the prefixes of 'wg6': it cannot be combined with 'from'
	END
	nothing_left
}

@test "without an agent, the next command takes new addresses, and removed ones are dropped" {
	wgvia up wg6 "${ADDRESSES[@]}"
	renumber
	is "$(followed)" "$VPN4 $VPN6"
	wgvia route add wg6 from 10.99.0.0/16 via $FW4
	is "$(followed)" "$VPN4 $NEW4 $VPN6 $NEW6"
	goes_by_firewall $NEW_C4 $NEW_C6
}

@test "an agent follows addresses, with a file and without; the last one stays until there is another" {
	printf '%s %s %s %s %s %s\n' "${ADDRESSES[@]}" >"$FILE"
	for file in "" "$FILE"; do
		wgvia up wg6 "${ADDRESSES[@]}"
		agent_start $file
		is "$(followed)" "$VPN4 $VPN6"
		renumber
		soon $VPN4 $NEW4 $VPN6 $NEW6
		says "+ from $NEW6 via $FW6 dev ens3 (addresses)"
		ip -n "$NS_GW" address delete $WG4/16 dev wg6
		ip -n "$NS_GW" address delete $WG6/50 dev wg6
		soon $NEW4 $NEW6
		ip -n "$NS_GW" address delete $NEW_WG4/16 dev wg6
		ip -n "$NS_GW" link set wg6 mtu 1400 # and is read again
		ip -n "$NS_GW" link set wg6 mtu 1420
		wire_address wg6 $WG6/50
		soon $NEW4 $VPN6 $NEW6
		ip -n "$NS_GW" address delete $NEW_WG6/64 dev wg6
		wire_address wg6 $WG4/16
		soon $VPN4 $VPN6
		goes_by_firewall $C1_4 $C1_6
		agent_stop
		wgvia down wg6
	done
}

@test "an agent that starts before the tunnel exists takes its prefixes when it has addresses" {
	echo "from addresses via $FW4 dev ens3 or 192.0.2.9 dev ens3" >"$FILE"
	ip -n "$NS_GW" link set wg6 netns "$NS_LAN"
	agent_start "$FILE"
	is "$(wgvia save wg6 | grep ^from)" "from addresses via $FW4 dev ens3 or 192.0.2.9 dev ens3"
	is "$(followed)" ""
	ip -n "$NS_LAN" link set wg6 netns "$NS_GW"
	wire_address wg6 $WG4/16
	soon $VPN4
	# the tunnel is removed, and returns with another network
	ip -n "$NS_GW" link set wg6 netns "$NS_LAN"
	says "the tunnel was removed"
	is "$(followed)" "$VPN4"
	ip -n "$NS_LAN" link set wg6 netns "$NS_GW"
	wire_address wg6 $NEW_WG4/16
	soon $NEW4
	agent_stop
	wgvia route replace wg6 from 198.18.0.1 via $FW4 dev ens3
	told "lan gw>fw #1 hops 63" tun "pkt(4, src='$NEW_C4')"
}

@test "the default route changes: an agent moves the prefixes that follow it" {
	wgvia up wg6
	agent_start
	ip -n "$NS_GW" route replace default via 192.0.2.9 dev ens3
	in_force $VPN4 192.0.2.9
	is "$(followed)" "$VPN4 $VPN6"
	ip -n "$NS_GW" route delete default
	ip -n "$NS_GW" address add 10.17.0.1/16 dev wg6
	soon $VPN4 10.17.0.0/16 $VPN6
	in_force 10.17.0.0/16 192.0.2.9
}
