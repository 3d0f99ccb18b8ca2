#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Prefixes that overlap with the gateway's own LAN: the gateway's LAN address in a prefix, clients with addresses of the
# LAN. What happens to connections, what `up`, `apply`, `route` and `check` report, and that the remedy works.

# shellcheck disable=SC2046,SC2086,SC2153,SC2154,SC2206 # words; the topology's variables; bats sets $output
load ../lib/net.bash

NEAR4=192.0.2.10 NEAR6=2001:db8:2::a # clients' addresses inside the LAN
ALL=(from 0.0.0.0/0 via $FW4 dev ens3 from ::/0 via $FW6 dev ens3)

setup_more() {
	local address
	spawn "$NS_GW" web /usr/bin/python3 "$TOPO_LIB/servers.py" http 80 gateway
	poll 10 answers "$NS_SVC" $GW4 gateway $SVC4
	for address in $NEAR4 $NEAR6; do
		ip -n "$NS_C1" address add $address dev wgc1 2>/dev/null || ip -n "$NS_C1" address add $address dev wgc1 nodad
	done
	wg_at "$NS_GW" wg6 set wg6 peer "$(wg_at "$NS_C1" wgc1 show wgc1 | sed -n 's/  public key: //p')" \
		allowed-ips $C1_4/32,$C1_6/128,$NEAR4/32,$NEAR6/128
}

teardown() {
	local address
	in_ns "$NS_FW" nft delete table inet silent 2>/dev/null
	for address in $NEAR4/32 $NEAR6/128; do
		ip -n "$NS_GW" route delete $address dev wg6 2>/dev/null
		ip -n "$NS_GW" neighbour delete proxy ${address%/*} dev ens3 2>/dev/null
	done
	sweep "$NS_GW" wg6
}

# Clients are on the LAN by proxy ARP and ND.
clients_are_near() {
	local address
	for address in $NEAR4 $NEAR6; do
		ip -n "$NS_GW" route add $address dev wg6
		ip -n "$NS_GW" neighbour add proxy $address dev ens3
	done
	set_sysctls "$NS_GW" net.ipv6.conf.ens3.proxy_ndp=1
}

# found NAME [WORDS]: severity and evidence of that finding, one per line, in alphabetical order.
found() {
	wgvia -j check wg6 | jq -r --arg name "$1" '.findings[] | select(.name == $name) | "\(.severity): \(.evidence)"' | sort
}

# mend NAME: runs each command that `check` suggests for that finding.
mend() {
	local command
	while IFS= read -r command; do
		echo "mend: $command"
		eval "$command"
	done < <(wgvia -j check wg6 | jq -r --arg name "$1" '.findings[] | select(.name == $name).remedy')
}

# A LAN host's connection to the gateway's own address fails: its packets and the answers take different ways.
gateway_is_lost() {
	times_out "$NS_SVC" $GW4
	times_out "$NS_SVC" $GW6
}

gateway_answers() {
	answers "$NS_SVC" $GW4 gateway $SVC4
	answers "$NS_SVC" $GW6 gateway $SVC6
}

# By the second client: the first one also has addresses of the LAN, and would choose them.
clients_go_via_the_firewall() {
	answers "$NS_C2" $SVC4 service $C2_4
	answers "$NS_C2" $SVC6 service $C2_6
}

# service_saw CLIENT-ADDRESS SERVICE. Proxies delay their ND answers.
service_saw() {
	is "$(in_ns "$NS_C1" curl -gsS -m 30 --interface $1 "$(url $2)")" "service saw $1"
}

@test "the LAN address is in a prefix and 'return any' or 'drop': connections from the LAN fail, the remedy works" {
	local ret
	for ret in any drop; do
		gateway_answers
		run -0 wgvia up wg6 "${ALL[@]}" return $ret
		[[ $output == *"the address '$GW4' of dev ens3 is in the prefix '0.0.0.0/0': "*"wgvia check wg6"* ]]
		[[ $output == *"the address '$GW6' of dev ens3 is in the prefix '::/0': "* ]]
		gateway_is_lost
		is "$(found own_address | grep -o "^error: the address '[^']*' of dev ens3 is in the prefix '[^']*'")" \
			"error: the address '$GW4' of dev ens3 is in the prefix '0.0.0.0/0'
error: the address '$GW6' of dev ens3 is in the prefix '::/0'"
		mend own_address
		is "$(found own_address)" ""
		gateway_answers
		# with drop, a service that accepts the firewall's redirects answers nobody: sender.bats
		[ $ret = drop ] || clients_go_via_the_firewall
		is "$(wgvia -j show wg6 | jq -c '[.prefixes[].from]')" "[\"$VPN4\",\"$VPN6\"]"
		is "$(wgvia -j check wg6 | jq '[.findings[] | select(.name == "outside")] | length')" 0
		wgvia down wg6
	done
}

@test "with 'return via' connections from the LAN depend on the firewall, the remedy works" {
	wgvia up wg6 "${ALL[@]}"
	gateway_answers
	is "$(found own_address | wc -l)" 2
	[[ $(found own_address) == "warning: the address '$GW4' of dev ens3"*"only via the firewall"* ]]
	# what the LAN host sends to the gateway itself is not reported as an answer that bypasses the firewall
	is "$(found direct)" ""
	in_ns "$NS_FW" nft 'add table inet silent; add chain inet silent everything { type filter hook forward priority -300; policy drop; }'
	gateway_is_lost
	mend own_address
	gateway_answers
	is "$(found own_address)" ""
}

@test "a prefix that is the LAN itself: the remedy is the clients' part of it" {
	clients_are_near
	wgvia up wg6 from 192.0.2.0/24 via $FW4 dev ens3 from 2001:db8:2::/64 via $FW6 dev ens3 return any
	gateway_is_lost
	mend own_address
	is "$(found own_address)" ""
	gateway_answers
	is "$(wgvia -j show wg6 | jq -c '[.prefixes[].from]')" "[\"$NEAR4/32\",\"$NEAR6/128\"]"
}

@test "clients inside the LAN: hosts answer them directly, and 'return' decides what happens to that" {
	clients_are_near
	run -0 wgvia up wg6 from $NEAR4 via $FW4 from $NEAR6 via $FW6
	[[ $output == *"'$NEAR4/32' in the tunnel is a part of the LAN '192.0.2.0/24' of dev ens3"* ]]
	[[ $output == *"'$NEAR6/128' in the tunnel is a part of the LAN '2001:db8:2::/64' of dev ens3"* ]]
	poll 15 service_saw $NEAR4 $SVC4
	is "$(found lan | cut -d: -f1)" "info
info"
	is "$(found direct)" ""
	wgvia up wg6 from $NEAR4 via $FW4 from $NEAR6 via $FW6 return drop
	run ! in_ns "$NS_C1" curl -s -m 1 --interface $NEAR4 http://$SVC4/
	is "$(found lan | cut -d: -f1)" "warning
warning"
	eval "$(wgvia -j check wg6 | jq -r 'first(.findings[] | select(.name == "lan").remedy)')"
	poll 15 service_saw $NEAR4 $SVC4
	poll 15 service_saw $NEAR6 $SVC6
	is "$(found lan | cut -d: -f1)" "info
info"
}

@test "apply and route report a prefix with the LAN address when they add it, and no other" {
	printf 'from %s via %s\nfrom 192.0.0.0/16 via %s\n' $VPN4 $FW4 $FW4 >"$BATS_TEST_TMPDIR/conf"
	run -0 wgvia apply wg6 "$BATS_TEST_TMPDIR/conf"
	[[ $output == *"the address '$GW4' of dev ens3 is in the prefix '192.0.0.0/16'"* ]]
	run -0 wgvia route add wg6 from $VPN6 via $FW6
	is "$output" ""
	run -0 wgvia route add wg6 from ::/0 via $FW6
	[[ $output == "wg6: the address '$GW6' of dev ens3 is in the prefix '::/0'"* ]]
	is "$(grep -c . <<<"$output")" 1
	run -0 wgvia route replace wg6 from 192.0.2.0/24 via $FW4
	[[ $output == "wg6: the address '$GW4' of dev ens3 is in the prefix '192.0.2.0/24'"* ]]
	run -0 wgvia -j route replace wg6 from 192.0.2.0/24 via $FW4
	[[ $(jq -r '.notes[0]' <<<"$output") == "the address '$GW4'"* ]]
	run -0 wgvia route del wg6 from 192.0.2.0/24
	is "$output" ""
}

@test "the administrator has exempted the LAN: nothing to report" {
	wgvia up wg6 "${ALL[@]}" bypass 192.0.2.0/24 bypass 2001:db8:2::/64 return any
	gateway_answers
	is "$(found own_address)" ""
}
