#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `up IFACE via ADDRESS`: the interface's own prefixes, via a given firewall. tests/unit/test_parse.c and test_plan.c
# have tables of what is refused and omitted.

# shellcheck disable=SC2153,SC2154 # `run` sets $status, $output

load ../lib/net.bash

prefixes() {
	wgvia -j show wg6 | jq -r '[.prefixes[] | "\(.from) via \(.via) dev \(.dev)"] | sort | join(", ")'
}

# without_defaults COMMAND...: while the gateway has no default route.
without_defaults() {
	local status=0
	ip -n "$NS_GW" route delete default
	ip -n "$NS_GW" -6 route delete default
	"$@" || status=$?
	ip -n "$NS_GW" route add default via "$FW4"
	ip -n "$NS_GW" -6 route add default via "$FW6"
	return $status
}

@test "up via a firewall of each family takes the interface's prefixes, and reports them" {
	run -0 --separate-stderr without_defaults wgvia up wg6 via "$FW4" via "$FW6" dev ens3
	[[ $output == "wg6: from $VPN4 via $FW4 dev ens3 (addresses)
wg6: from $VPN6 via $FW6 dev ens3 (addresses)"* ]]
	is "$(prefixes)" "$VPN4 via $FW4 dev ens3, $VPN6 via $FW6 dev ens3"
	answers "$NS_C1" "$SVC4" service "$C1_4"
	answers "$NS_C1" "$SVC6" service "$C1_6"
}

@test "up via one firewall takes the prefixes of its family, and reports those that are omitted" {
	run -0 wgvia up wg6 via "$FW6"
	[[ $output == *"wg6: $VPN4 left out: no 'via' names an IPv4 address"* ]]
	is "$(prefixes)" "$VPN6 via $FW6 dev ens3"
	answers "$NS_C1" "$SVC6" service "$C1_6"
}

@test "words in the wrong order: IFACE comes first" {
	local words
	for words in "up from $VPN4 via $FW4 wg6" "up via $FW4 wg6" "route add from $VPN4 via $FW4 wg6" \
		"bypass add 198.18.0.0/15 wg6" "explain from $C1_4 to $SVC4 wg6" "trace verdict redirected wg6"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr wgvia $words
		[[ "$status $stderr" == "2 wgvia: IFACE comes first, before '"* ]] || is "$stderr" "... IFACE comes first ..."
	done
	run --separate-stderr wgvia apply /etc/wgvia/wg6.conf wg6
	is "$status ${stderr##*$'\n'}" "2 hint: IFACE comes first, then FILE"
}
