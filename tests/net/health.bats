#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# How the agent sees each gateway, as reported by show and check, and what keeps a list of gateways together: every
# remedy names all of them, and `check --probe` probes all of them.

# shellcheck disable=SC2046,SC2086 # addresses and bytes are words
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154 # others set and read variables

load ../lib/net.bash
load ../lib/agent.bash
load ../lib/second.bash

setup_more() {
	second_up
	set_sysctls "$NS_FW2" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	second_routes
}

# What a second firewall needs besides answering ARP.
second_routes() {
	ip -n "$NS_FW2" route replace $VPN4 via $GW4
	ip -n "$NS_FW2" -6 route replace $VPN6 via $GW6
}

setup() {
	AGENT_ENV=()
	FILE=$BATS_TEST_TMPDIR/wg6.conf
}

teardown() {
	agent_stop KILL
	first_well
	second_well
	second_routes
	ip -n "$NS_LAN" link set gw up
	sweep "$NS_GW" wg6
	nothing_left
}

# health PREFIX GATEWAY [EXPRESSION]: what show reports about a gateway on the list of a prefix; "none": nothing.
health() {
	wgvia -j show wg6 | jq -r --arg p "$1" --arg g "$2" '.prefixes[] | select(.from == $p) |
		.gateways[] | select(.via == $g) | '"${3:-.health.state // \"none\"}"
}

is_health() { # PREFIX GATEWAY STATE
	[ "$(health "$1" "$2")" = "$3" ]
}

# found NAME GATEWAY: "SEVERITY EVIDENCE" of the findings with that name that name the gateway.
found() {
	wgvia -j check wg6 | jq -r --arg n "$1" --arg g "$2 " \
		'.findings[] | select(.name == $n and (.evidence | contains("gateway \($g)"))) | "\(.severity) \(.evidence)"'
}

remedy() { # NAME
	wgvia -j check wg6 | jq -r --arg n "$1" 'first(.findings[] | select(.name == $n).remedy)'
}

# ---- the agent's view ----

@test "show, -j show and check report each gateway: alive, dead and why, since when, in use" {
	wgvia up wg6 "${LISTS[@]}"
	agent_start interval 0.2 hold 0
	poll 10 is_health $VPN4 $FW4 alive
	poll 10 is_health $VPN4 $FW4B alive
	poll 10 is_health $VPN6 $FW6B alive
	is "$(health $VPN4 $FW4 '"\(.current) \(.health.seconds | type) \(.health.reason)"')" "true number null"
	is "$(health $VPN4 $FW4B .current)" false
	wgvia show wg6 | grep -E "via $FW4 dev ens3 .* \(alive for [0-9]+ s\) current or $FW4B dev ens3 .* \(alive for [0-9]+ s\)$"
	is "$(found gateway $FW4 | sed 's/[0-9]* s;/N s;/')" \
		"info the agent sees gateway $FW4 dev ens3: alive for N s; in use by 1 prefix"
	is "$(found gateway $FW4B | sed 's/[0-9]* s;/N s;/')" \
		"info the agent sees gateway $FW4B dev ens3: alive for N s; it is on standby"
	first_dead
	poll 10 is_health $VPN4 $FW4 dead
	in_force $VPN4 $FW4B
	is "$(health $VPN4 $FW4 '"\(.current) \(.health.reason)"')" "false it does not answer neighbour requests"
	wgvia show wg6 | grep -E "via $FW4 dev ens3 .*\(dead for [0-9]+ s: it does not answer neighbour requests\) or $FW4B"
	is "$(found gateway $FW4 | sed 's/for [0-9]* s/for N s/')" "warning the agent sees gateway $FW4 dev ens3: \
dead for N s: it does not answer neighbour requests; it is on standby, and would not help"
	is "$(found neighbour $FW4)" "" # one finding is enough
	run -1 wgvia check wg6
}

@test "a gateway that was dead and waits until it is preferred again is reported as held" {
	wgvia up wg6 "${LISTS[@]}"
	agent_start interval 0.2 hold 3600
	poll 10 is_health $VPN4 $FW4B alive || poll 10 is_health $VPN4 $FW4B held
	first_dead
	in_force $VPN4 $FW4B
	first_well
	poll 10 is_health $VPN4 $FW4 held
	wgvia show wg6 | grep -F "not preferred yet"
	is "$(found gateway $FW4 | sed 's/[0-9]* s,/N s,/')" \
		"info the agent sees gateway $FW4 dev ens3: alive for N s, not preferred yet; it is on standby"
}

is_dead_of() { # REASON
	[ "$(wgvia -j show wg6 | jq -r '.prefixes[0].health | "\(.state) \(.reason)"')" = "dead $1" ]
}

@test "a prefix with one gateway: a dead one is an error, with its device as the reason" {
	wgvia up wg6 from $VPN4 via $FW4 dev ens3
	agent_start interval 0.2
	says "gateway $FW4 dev ens3 answers"
	is "$(found gateway $FW4)" "" # no finding about a single gateway that is alive
	ip -n "$NS_LAN" link set gw down
	poll 10 is_dead_of "its device has no carrier"
	is "$(found gateway $FW4 | sed 's/for [0-9]* s/for N s/')" "error the agent sees gateway $FW4 dev ens3: \
dead for N s: its device has no carrier; in use by 1 prefix, without another gateway: on-fail applies"
}

@test "the leftovers of a killed agent are ignored, and the next one starts with no knowledge" {
	wgvia up wg6 "${LISTS[@]}"
	agent_start interval 0.2 hold 0
	first_dead
	poll 10 is_health $VPN4 $FW4 dead
	agent_stop KILL
	first_well
	[ -e "$PIN_DIR/wg6/gateways" ]
	is "$(health $VPN4 $FW4)" none
	is "$(wgvia -j show wg6 | jq -c '[.agent, ([.. | .health? // empty] | length)]')" '[false,0]'
	is "$(found gateway $FW4)" ""
	# the second one stays in force until an agent has seen the first one
	wgvia show wg6 | grep -q "no agent is running: the gateways stay as the last agent left them"
	mkdir -p "$PIN_DIR/wg6/index4/theirs" # then an agent cannot change or report anything
	agent_start interval 10 hold 0
	is "$(wgvia -j show wg6 | jq .agent) $(health $VPN4 $FW4)" "true none"
	agent_stop
	rm -r "$PIN_DIR/wg6/index4"
	agent_start interval 10 hold 0
	poll 10 is_health $VPN4 $FW4 alive # it was never "dead" to this one
	says_not "gateway $FW4 dev ens3 is dead"
	agent_stop
	is "$(find "$PIN_DIR" -name gateways)" ""
}

# key_of_first: the first gateway's key in the map; empty if it is missing.
key_of_first() {
	bpftool -j map dump pinned "$PIN_DIR/wg6/gateways" |
		jq -r '.[] | select(.formatted.key.addr[0:4] == [192, 0, 2, 1]) | .key | join(" ")'
}

is_not_in_map() {
	[ -z "$(key_of_first)" ]
}

@test "the report about the gateways survives a replacement of the instance, and returns after down and up" {
	wgvia up wg6 "${LISTS[@]}"
	agent_start interval 0.2 hold 0
	second_dead
	poll 10 is_health $VPN4 $FW4B dead
	bpftool map delete pinned "$PIN_DIR/wg6/devices" key 0 0 0 0
	rm "$PIN_DIR/wg6/trace" # so that `up` creates new maps
	wgvia up wg6 "${LISTS[@]}"
	poll 10 is_health $VPN4 $FW4B dead
	poll 10 is_health $VPN4 $FW4 alive
	wgvia down wg6
	wgvia up wg6 "${LISTS[@]}"
	poll 10 is_health $VPN4 $FW4B dead
	wgvia route replace wg6 from $VPN4 via $FW4B # and former gateways of the instance are removed
	poll 10 is_not_in_map
}

# scribble STATE FAULT: writes to the first gateway's value in the map, with a time in the future.
scribble() {
	bpftool map update pinned "$PIN_DIR/wg6/gateways" key $(key_of_first) \
		value hex ff ff ff ff ff ff ff 7f $1 00 00 00 $2 00 00 00 00 00 00 00 00 00 00 00
}

@test "nonsense in the map is ignored, and so is something else in its place" {
	wgvia up wg6 "${LISTS[@]}"
	agent_start interval 10 hold 0
	poll 10 is_health $VPN4 $FW4 alive
	scribble 63 63
	is "$(health $VPN4 $FW4)" unknown
	scribble 01 63
	is "$(health $VPN4 $FW4 '"\(.health.state) \(.health.seconds) \(.health.reason)"')" "dead 0 null"
	rm "$PIN_DIR/wg6/gateways"
	bpftool map create "$PIN_DIR/wg6/gateways" type hash key 4 value 400 entries 1 name mine
	is "$(health $VPN4 $FW4)" none
	run wgvia check wg6
	[ "$status" -le 1 ]
	second_dead
	ip -n "$NS_GW" neighbour flush dev ens3
	agent_signal HUP
	agent_stop
	agent_start interval 0.2 hold 0 # it replaces that by its own
	poll 10 is_health $VPN4 $FW4 alive
	rm "$PIN_DIR/wg6/gateways" # and works if it cannot
	mkdir -p "$PIN_DIR/wg6/gateways/theirs"
	second_well
	says "gateway $FW4B dev ens3 is healthy"
	first_dead
	in_force $VPN4 $FW4B
	says "cannot write the map 'gateways'"
	is "$(health $VPN4 $FW4)" none
	rmdir "$PIN_DIR/wg6/gateways/theirs"
}

asked() { # COUNT: ARP requests of the gateway
	[ "$(lan_counter asked asked)" -ge "$1" ]
}

@test "the agent writes changes only: nothing is written while nothing happens" {
	wgvia up wg6 "${LISTS[@]}"
	agent_start interval 0.1 hold 0
	poll 10 is_health $VPN4 $FW4 alive
	poll 10 is_health $VPN6 $FW6B alive
	bpftool map delete pinned "$PIN_DIR/wg6/gateways" key $(key_of_first)
	# after twenty requests nothing was written
	in_ns "$NS_LAN" nft 'table netdev asked { counter asked { }
		chain out { type filter hook ingress device gw priority 0; arp operation request counter name asked; }; }'
	poll 20 asked 20
	in_ns "$NS_LAN" nft delete table netdev asked
	is "$(bpftool -j map dump pinned "$PIN_DIR/wg6/gateways" | jq length)" 3
}

# ---- lists survive ----

# list_survives NAME: the remedy, run unchanged, keeps both gateways of the prefix.
list_survives() {
	local command
	command=$(remedy "$1")
	echo "remedy: $command"
	grep -F "from $VPN4 via $FW4 dev ens3 or $FW4B dev ens3" <<<"$command"
	eval "$command" >/dev/null
	is "$(wgvia save wg6 | grep "^from $VPN4 ")" "from $VPN4 via $FW4 dev ens3 or $FW4B dev ens3"
}

@test "remedies name all gateways of a list: value, attachment" {
	local value
	wgvia up wg6 "${LISTS[@]}" return drop also $FW4B dev ens3
	value=$(bpftool -j map dump pinned "$PIN_DIR/wg6/prefixes4" | jq -r '.[0].value | .[24] = "0x80" | map(ltrimstr("0x")) | join(" ")')
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key 16 0 0 0 10 6 0 0 value hex $value
	is "$(remedy value)" "wgvia route replace wg6 from $VPN4 via $FW4 dev ens3 or $FW4B dev ens3"
	list_survives value
	in_ns "$NS_GW" "$TREE/build/tests/lib/tcx" probe || return 0
	rm "$PIN_DIR/wg6/"*_egress_*
	remedy attachment
	list_survives attachment
	# `return` is kept as well
	is "$(wgvia save wg6 | grep ^return)" "return drop also $FW4B dev ens3"
}

@test "a remedy for a list with one unusable gateway has a placeholder for that one only" {
	local value
	wgvia up wg6 "${LISTS[@]}"
	# the device of the list's first gateway, and of the prefix's own, was removed
	value=$(bpftool -j map dump pinned "$PIN_DIR/wg6/failover" | jq -r '.[] | select(.formatted.value.hops[0].addr[0:4] == [192,0,2,1]) | [(.key | join(" ")), (.value | .[4] = "0x0f" | .[5] = "0x27" | map(ltrimstr("0x")) | join(" "))] | @tsv')
	bpftool map update pinned "$PIN_DIR/wg6/failover" key hex $(cut -f1 <<<"$value" | sed 's/0x//g') value hex $(cut -f2 <<<"$value")
	value=$(bpftool -j map dump pinned "$PIN_DIR/wg6/prefixes4" | jq -r '.[0].value | .[0] = "0x0f" | .[1] = "0x27" | map(ltrimstr("0x")) | join(" ")')
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key 16 0 0 0 10 6 0 0 value hex $value
	is "$(remedy value)" "wgvia route replace wg6 from $VPN4 via ADDRESS dev DEV or $FW4B dev ens3"
}

@test "remedies name all gateways of a list: outside, with eight of them" {
	local list="via $FW4 dev ens3" n
	for n in {21..27}; do
		list+=" or 192.0.2.$n dev ens3"
	done
	wgvia up wg6 from $VPN4 $list
	ip -n "$NS_GW" route add 10.7.0.0/16 dev wg6
	run wgvia -j check wg6
	ip -n "$NS_GW" route delete 10.7.0.0/16 dev wg6
	is "$(jq -r '.findings[] | select(.name == "outside").remedy' <<<"$output")" \
		"wgvia route add wg6 from 10.7.0.0/16 $list"
}

# ---- --probe ----

# probed GATEWAY: "SEVERITY NAME" of the findings of `check --probe` about that gateway, except redirects.
probed() {
	jq -r --arg g "$1 " '.findings[] | select((.name | startswith("probe")) and .name != "probe_redirects" and
		(.evidence | contains("gateway \($g)"))) | "\(.severity) \(.name)"' <<<"$output" | sort | paste -sd,
}

@test "check --probe probes every gateway of a list, and says which one is on standby" {
	wgvia up wg6 "${LISTS[@]}"
	run wgvia -j check wg6 --probe
	is "$(probed $FW4) $(probed $FW4B) $(probed $FW6) $(probed $FW6B)" \
		"info probe info probe info probe info probe"
	jq -r '.findings[] | select(.name == "probe").evidence' <<<"$output" | grep -F "gateway $FW4B dev ens3" |
		grep -F "; it is on standby"
	jq -r '.findings[] | select(.name == "probe").evidence' <<<"$output" | grep -F "gateway $FW4 dev ens3" |
		grep -vF "on standby"
	# the one on standby has no return path
	ip -n "$NS_FW2" route delete $VPN4 via $GW4
	run wgvia -j check wg6 --probe
	is "$(probed $FW4) $(probed $FW4B)" "info probe warning probe_return"
	# and when it is in use, that is an error
	wgvia up wg6 from $VPN4 via $FW4B or $FW4
	run wgvia -j check wg6 --probe
	is "$(probed $FW4) $(probed $FW4B)" "info probe error probe_return"
}

@test "check --probe: a gateway on standby that does not answer is reported, before the first up too" {
	set_sysctls "$NS_GW" net.ipv4.neigh.ens3.{retrans_time_ms=50,ucast_solicit=1}
	wgvia up wg6 "${LISTS[@]}"
	second_dead
	ip -n "$NS_GW" neighbour flush dev ens3 nud all
	run wgvia -j check wg6 --probe
	set_sysctls "$NS_GW" net.ipv4.neigh.ens3.{retrans_time_ms=1000,ucast_solicit=3}
	is "$(probed $FW4)" "info probe"
	grep -q "warning probe_neighbour" <<<"$(probed $FW4B)"
	jq -r '.findings[] | select(.name == "probe_neighbour").evidence' <<<"$output" |
		grep -F "gateway $FW4B does not answer neighbour requests on dev ens3" | grep -F "it is on standby for '$VPN4' and would not help"
}
