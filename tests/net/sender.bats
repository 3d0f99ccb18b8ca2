#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# A firewall that sends from a MAC address other than that in its neighbour answers: `up`, `apply`, `route`, `check
# --probe` and the agent find out, and nobody else is believed. Then redirects, and hosts of the LAN that answer
# directly or for the gateway's address: `check` reports them, and its remedies work.

# shellcheck disable=SC2034,SC2086,SC2153,SC2154 # addresses are words; others read variables; the topology's variables, bats's

load ../lib/net.bash
load ../lib/agent.bash

OTHER_MAC=02:00:00:00:02:f1 THIRD_MAC=02:00:00:00:02:f2

# Redirects are off in tests that are not about them, because Linux limits their rate per host.
setup_more() {
	redirects_off
}

setup() {
	AGENT_ENV=()
	CAPTURE=$BATS_TEST_TMPDIR/lan.pcap
}

teardown() {
	agent_stop KILL
	unspawn forge KILL
	unspawn capture-lan.pcap INT
	firewall_again
	service_again
	sweep "$NS_GW" wg6
}

redirects_off() {
	set_sysctls "$NS_FW" net.ipv4.conf.{all,lan}.send_redirects=0
	ip -n "$NS_FW" route replace $VPN6 via $GW6
	ip -n "$NS_SVC" route replace ::/0 via $FW6
}

firewall_again() {
	local table
	for table in "netdev sender" "ip6 no_redirects" "inet silent"; do
		in_ns "$NS_FW" nft delete table $table 2>/dev/null
	done
	ip -n "$NS_FW" route replace $VPN4 via $GW4
	redirects_off
}

service_again() {
	ip -n "$NS_SVC" address delete $FW4/32 dev eth0 2>/dev/null || true
	ip -n "$NS_SVC" address delete $FW6/128 dev eth0 2>/dev/null || true
	ip -n "$NS_SVC" route flush cache
	ip -n "$NS_SVC" -6 route flush cache
	set_sysctls "$NS_SVC" net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
	ip -n "$NS_SVC" route replace default via $FW4
	ip -n "$NS_GW" neighbour flush dev ens3 nud all
	poll 5 ping_once "$NS_GW" $FW4
}

# sends_from MAC: the firewall's IP packets. Its neighbour requests and answers are unchanged, because their payload
# counts.
sends_from() {
	in_ns "$NS_FW" nft -f - <<-END
		table netdev sender
		delete table netdev sender
		table netdev sender {
			chain out {
				type filter hook egress device lan priority 0; policy accept;
				icmpv6 type { 133, 134, 135, 136, 137 } return
				meta protocol { ip, ip6 } ether saddr set $1
			}
		}
	END
}

honest() {
	in_ns "$NS_FW" nft delete table netdev sender
}

# entries SOURCE: of the map `senders`, named by the administrator (0) or found by a probe (1): family and MAC.
entries() {
	bpftool -j map dump pinned "$PIN_DIR/wg6/senders" | jq -r --argjson source "$1" '.[] | .formatted // . |
		select(.value == $source).key | "\(.gateway.family) \(.mac | map(tostring) | join("."))"' | sort
}

probed_is() { # LINE...
	is "$(entries 1)" "$(printf '%s\n' "$@")"
}

# in_map MAC: in the format of entries().
in_map() {
	local part line=
	for part in ${1//:/ }; do
		line+=.$((16#$part))
	done
	echo "${line#.}"
}

line4() { # WORD...
	echo "wg6: gateway $FW4 dev ens3 answers ARP with $FW_MAC and sends from ${1:-$OTHER_MAC}: all of these count as its own"
}

line6() {
	echo "wg6: gateway ${2:-$FW6} dev ens3 answers ND with $FW_MAC and sends from ${1:-$OTHER_MAC}: all of these count as its own"
}

# passes COUNT: that many pings to the service, for each family, and each of their frames takes the shortest path.
passes() {
	local before after
	start_capture "$NS_LAN" gw "$CAPTURE" "(icmp and host $SVC4) or
		(icmp6 and (ip6[40] == 128 or ip6[40] == 129) and host $SVC6)" # an agent may probe meanwhile
	before=$(verdicts)
	pings "$1" "$NS_C1" $SVC4
	pings "$1" "$NS_C1" $SVC6
	after=$(verdicts)
	poll 5 has_frames $((4 * $1)) || true
	stop_capture "$CAPTURE"
	is "$(frames "$CAPTURE" length) frames, verdicts $after" "$((4 * $1)) frames, verdicts $before"
}

has_frames() {
	[ "$(frames "$CAPTURE" length)" -ge "$1" ]
}

# What happens to packets that do not come from the firewall.
verdicts() {
	wgvia -j stats wg6 | jq -c '.counters | [.bounced, .direct, .refused] | map(.packets)'
}

# look [OPTION...]: sets $found to findings of `check` that begin with this word, "severity name: evidence".
look() {
	run wgvia -j check wg6 "$@"
	found=$(jq -r '.findings[] | "\(.severity) \(.name): \(.evidence)"' <<<"$output" | sort)
}

finds() { # TEXT
	grep -qF -- "$1" <<<"$found" || { echo "$found" && return 1; }
}

# Linux sends one IPv6 redirect per second, and each probe uses up the rate limit: so wait between probes.
probe_finds() { # TEXT
	look --probe
	finds "$1" >/dev/null && return
	sleep 3
	return 1
}

finds_not() {
	! grep -F -- "$1" <<<"$found"
}

# mend NAME [NAMESPACE]: runs the remedy of the last look.
mend() {
	local command
	while IFS= read -r command; do
		echo "mend: $command"
		in_ns "${2:-$NS_FW}" bash -c "${command#*: }"
	done < <(jq -r --arg name "$1" '.findings[] | select(.name == $name).remedy' <<<"$output")
}

# ---- commands find out ----

@test "up finds out and reports it; the firewall's packets pass in each direction, frame by frame" {
	local way
	sends_from $OTHER_MAC
	for way in via drop; do
		run -0 wgvia up wg6 "${WORDS[@]}" return $way
		is "$(grep gateway <<<"$output")" "$(line4)
$(line6)"
		probed_is "10 $(in_map $OTHER_MAC)" "2 $(in_map $OTHER_MAC)"
		passes 20
		wgvia down wg6
	done
	# the first `up` of all, in JSON
	run -0 wgvia -j up wg6 "${WORDS4[@]}"
	is "$(jq -r '.notes[]' <<<"$output" | grep gateway)" "$(line4 | sed 's/^wg6: //')"
}

@test "in mode stack, and with clsact" {
	sends_from $OTHER_MAC
	attach_type clsact
	for mode in fast stack; do
		wgvia up wg6 "${WORDS[@]}" return drop mode $mode
		passes 10
	done
}

@test "a firewall that sends from the address in its answers: nothing is reported, nothing is written" {
	run -0 wgvia up wg6 "${WORDS[@]}" return drop
	is "$(grep gateway <<<"$output")" ""
	is "$(entries 1)" ""
	passes 5
}

@test "without an answer nothing is known: return drop refuses what comes" {
	in_ns "$NS_FW" nft "table inet silent { chain forward { type filter hook forward priority -10
		ip daddr $GW4 icmp type echo-request drop; ip6 daddr $GW6 icmpv6 type echo-request drop; }; }"
	sends_from $OTHER_MAC
	run -0 wgvia up wg6 "${WORDS[@]}" return drop
	is "$(grep gateway <<<"$output")" ""
	is "$(entries 1)" ""
	run ! ping_once "$NS_C1" $SVC4 -W 1
	[ "$(counter refused)" -gt 0 ]
	in_ns "$NS_FW" nft delete table inet silent
	run -0 wgvia up wg6 "${WORDS[@]}" return drop
	passes 5
}

@test "the result of an earlier probe is removed when the firewall sends from elsewhere; named ones stay" {
	sends_from $OTHER_MAC
	wgvia up wg6 "${WORDS[@]}" return drop also $THIRD_MAC
	probed_is "10 $(in_map $OTHER_MAC)" "2 $(in_map $OTHER_MAC)"
	sends_from 02:00:00:00:02:f3
	wgvia up wg6 "${WORDS[@]}" return drop also $THIRD_MAC
	probed_is "10 $(in_map 02:00:00:00:02:f3)" "2 $(in_map 02:00:00:00:02:f3)"
	honest
	run -0 wgvia up wg6 "${WORDS[@]}" return drop also $THIRD_MAC
	is "$(grep gateway <<<"$output")" ""
	is "$(entries 1)" ""
	is "$(entries 0)" "0 $(in_map $THIRD_MAC)"
	sends_from $THIRD_MAC
	wgvia up wg6 "${WORDS[@]}" return drop also $THIRD_MAC
	passes 5
}

@test "apply reports it once, and not if nothing has changed" {
	local file=$BATS_TEST_TMPDIR/conf
	printf 'from %s via %s dev ens3\n' $VPN4 $FW4 $VPN6 $FW6 >"$file"
	sends_from $OTHER_MAC
	run -0 wgvia apply --dry-run wg6 "$file"
	is "$(grep gateway <<<"$output")" ""
	run -0 wgvia apply wg6 "$file"
	is "$(grep gateway <<<"$output")" "$(line4)
$(line6)"
	run -0 wgvia apply wg6 "$file"
	is "$output" ""
	sends_from $THIRD_MAC
	run -0 wgvia apply wg6 "$file"
	is "$output" "$(line4 $THIRD_MAC)
$(line6 $THIRD_MAC)"
	passes 5
}

@test "route reports it for a new gateway, and does not touch the others" {
	sends_from $OTHER_MAC
	wgvia up wg6 "${WORDS4[@]}" return drop
	run -0 wgvia route add wg6 "${WORDS6[@]}"
	is "$output" "$(line6)"
	probed_is "10 $(in_map $OTHER_MAC)" "2 $(in_map $OTHER_MAC)"
	passes 5
	run -0 wgvia route add wg6 from 10.7.0.0/16 via $FW4
	is "$output" ""
	wgvia route del wg6 from 10.7.0.0/16
}

@test "a prefix without an address of this host is probed from its own first one" {
	sends_from $OTHER_MAC
	run -0 wgvia up wg6 from 10.6.128.0/17 via $FW4 dev ens3
	is "$(grep gateway <<<"$output")" "$(line4)"
}

@test "a gateway on standby is probed, too" {
	ip -n "$NS_FW" address add 192.0.2.9/24 dev lan
	sends_from $OTHER_MAC
	run -0 wgvia up wg6 from $VPN4 via $FW4 dev ens3 or 192.0.2.9
	ip -n "$NS_FW" address delete 192.0.2.9/24 dev lan
	grep "gateway $FW4 dev ens3 answers ARP with $FW_MAC and sends from $OTHER_MAC" <<<"$output"
	grep "gateway 192.0.2.9 dev ens3 answers ARP with $FW_MAC and sends from $OTHER_MAC" <<<"$output"
}

@test "a link-local gateway's own MAC address is known from the start, and another one" {
	wgvia up wg6 "${WORDS4[@]}" from $VPN6 via $FW_LL dev ens3 return drop
	probed_is "10 $(in_map $FW_MAC)"
	passes 5
	sends_from $OTHER_MAC
	run -0 wgvia up wg6 "${WORDS4[@]}" from $VPN6 via $FW_LL dev ens3 return drop
	is "$(grep gateway <<<"$output")" "$(line4)
$(line6 $OTHER_MAC $FW_LL)"
	probed_is "10 $(in_map $FW_MAC)" "10 $(in_map $OTHER_MAC)" "2 $(in_map $OTHER_MAC)"
	passes 5
}

# fastest WORD...: the fastest of three runs of `up`, in milliseconds.
fastest() {
	local begin took best=1000000
	for _ in {1..3}; do
		ip -n "$NS_GW" neighbour flush dev ens3 nud all
		begin=${EPOCHREALTIME/[.,]/}
		wgvia up wg6 "$@" >/dev/null
		took=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
		((took > best)) || best=$took
		wgvia down wg6
	done
	echo $best
}

@test "gateways that do not answer delay nobody" {
	local good silent
	good=$(fastest "${WORDS[@]}")
	in_ns "$NS_FW" nft 'table inet silent { chain input { type filter hook input priority 0
		icmpv6 type nd-neighbor-solicit drop; }; }'
	silent=$(fastest from $VPN4 via 192.0.2.77 dev ens3 or 192.0.2.78 dev ens3 from $VPN6 via $FW6 dev ens3)
	echo "# $BATS_TEST_DESCRIPTION: up takes $good ms where they answer, $silent ms where they do not" >&3
	((silent - good < 1500 * ${POLL_FACTOR:-1})) # the kernel itself gives up after 3 seconds
}

@test "check --probe reports it, before the first up and after, and stores it" {
	sends_from $OTHER_MAC
	look --probe
	finds "info probe_sender: $(line4 | sed 's/^wg6: //')"
	finds "info probe_sender: $(line6 | sed 's/^wg6: //')"
	sends_from $THIRD_MAC
	wgvia up wg6 "${WORDS[@]}" return drop
	sends_from $OTHER_MAC
	run ! ping_once "$NS_C1" $SVC4 -W 1
	look --probe
	finds "info probe_sender: $(line4 | sed 's/^wg6: //')"
	probed_is "10 $(in_map $OTHER_MAC)" "2 $(in_map $OTHER_MAC)"
	passes 5
	honest
	look --probe
	finds_not probe_sender
	is "$(entries 1)" ""
}

# ---- hosts that did not see the secret ----

@test "a LAN host that answers probes without having seen them is not believed, nor one that repeats old ones" {
	# what it may know about earlier ones: they come back to the gateway from the firewall, as they would from
	# itself
	start_capture "$NS_LAN" gw "$CAPTURE" "ether src $FW_MAC and (icmp or icmp6) and (host $WG4 or host $WG6)"
	wgvia up wg6 "${WORDS[@]}"
	poll 5 has_frames 2
	stop_capture "$CAPTURE"
	spawn "$NS_SVC" forge /usr/bin/python3 "$TREE/tests/lib/forge.py" eth0 $SVC_MAC $GW_MAC "$CAPTURE" \
		$WG4 $GW4 $WG6 $GW6
	poll 60 grep -q begins "$TOPO_DIR/forge.log"
	grep -E "^([2-9]|[1-9][0-9]+) replayed" "$TOPO_DIR/forge.log"
	poll 20 forged_arrive
	for _ in {1..10}; do
		run -0 wgvia up wg6 "${WORDS[@]}" return drop
		is "$(grep gateway <<<"$output")" ""
		is "$(entries 1)" ""
	done
	look --probe
	finds_not probe_sender
	is "$(entries 1)" ""
	# while a firewall that sends from elsewhere is believed
	sends_from $OTHER_MAC
	run -0 wgvia up wg6 "${WORDS[@]}" return drop
	is "$(grep gateway <<<"$output")" "$(line4)
$(line6)"
}

forged_arrive() {
	[ "$(in_ns "$NS_GW" timeout 5 tcpdump -c 50 -n -i ens3 "ether src $SVC_MAC and (icmp or icmp6)" 2>/dev/null |
		wc -l)" -ge 50 ]
}

# ---- the agent ----

@test "an agent finds out when it starts, and notices a change within seconds" {
	sends_from $OTHER_MAC
	wgvia up wg6 "${WORDS[@]}" return drop
	sends_from $THIRD_MAC
	agent_start
	says "$(line4 $THIRD_MAC | sed 's/^wg6: //')"
	says "$(line6 $THIRD_MAC | sed 's/^wg6: //')"
	poll 5 probed_is "10 $(in_map $THIRD_MAC)" "2 $(in_map $THIRD_MAC)"
	passes 5
	sends_from $OTHER_MAC
	says "$(line4 | sed 's/^wg6: //')" 20
	says "$(line6 | sed 's/^wg6: //')" 20
	poll 5 probed_is "10 $(in_map $OTHER_MAC)" "2 $(in_map $OTHER_MAC)"
	passes 5
	honest
	says "gateway $FW4 dev ens3 sends from the MAC address that it answers with" 20
	poll 20 is_unprobed
}

is_unprobed() {
	is "$(entries 1)" ""
}

@test "an agent probes at once when the gateway has another MAC address, and restores what was removed" {
	wgvia up wg6 "${WORDS[@]}" return drop
	agent_start
	says "gateway $FW4 dev ens3 answers"
	sends_from $OTHER_MAC
	for address in $FW4 $FW6; do # to the kernel, it has moved, and comes back
		ip -n "$NS_GW" neighbour replace $address lladdr $SVC_MAC dev ens3 nud reachable
		ip -n "$NS_GW" neighbour replace $address lladdr $FW_MAC dev ens3 nud reachable
	done
	says "$(line4 | sed 's/^wg6: //')" 10
	says "$(line6 | sed 's/^wg6: //')" 10
	wgvia down wg6
	says "the instance was removed"
	wgvia up wg6 "${WORDS[@]}" return drop
	poll 5 probed_is "10 $(in_map $OTHER_MAC)" "2 $(in_map $OTHER_MAC)"
	wgvia route del wg6 "${WORDS4[@]}"
	poll 5 probed_is "10 $(in_map $OTHER_MAC)"
}

# ---- redirects, and hosts that answer directly ----

# IPv6 redirects are about link-local next hops, and come from such addresses.
redirects_on() {
	set_sysctls "$NS_FW" net.ipv4.conf.{all,lan}.send_redirects=1
	ip -n "$NS_FW" -6 route replace $VPN6 via $GW_LL dev lan
	ip -n "$NS_SVC" -6 route replace ::/0 via $FW_LL dev eth0
}

bounces() { # ADDRESS
	local before
	before=$(counter bounced)
	ping_once "$NS_C1" "$1" -c 5 -i 0.05
	[ "$(counter bounced)" -ge $((before + 5)) ]
}

@test "hosts that received a redirect are reported, and the firewall that sends it; the remedies work" {
	redirects_on
	wgvia up wg6 "${WORDS[@]}"
	poll 10 bounces $SVC4
	poll 10 bounces $SVC6
	look
	is "$status" 0
	is "$(grep -c "($SVC_MAC on dev ens3) answers $C1_4 through this host\|($SVC_MAC on dev ens3) answers $C1_6 through this host" \
		<<<"$found")" 1
	in_ns "$NS_SVC" ip route get $C1_4 | grep "via $GW4"
	jq -r '.findings[] | select(.name == "direct").remedy' <<<"$output" | grep "^on 2001:db8:2::3: ip route get $C1_6"
	mend direct "$NS_SVC" | grep "via $GW_LL"
	poll 20 probe_finds "info probe_redirects: gateway $FW6 dev ens3 sends ICMP redirects"
	is "$status" 0
	finds "info probe_redirects: gateway $FW4 dev ens3 sends ICMP redirects"
	finds_not probe_return
	mend probe_redirects
	look --probe
	finds_not probe_redirects
	service_again
	before=$(verdicts)
	in_ns "$NS_C1" ping -q -n -c 20 -i 0.02 $SVC4
	in_ns "$NS_C1" ping -q -n -c 20 -i 0.02 $SVC6
	is "$(verdicts)" "$before"
}

warns_of_redirects() {
	look --probe
	finds "warning probe_redirects: gateway $FW4"
}

@test "return any: redirects are a warning, and direct packets are reported from the counters; return drop, too" {
	redirects_on
	wgvia up wg6 "${WORDS4[@]}" return any
	poll 15 warns_of_redirects # Linux limits the rate per host
	is "$status" 1
	ip -n "$NS_SVC" route add $C1_4 via $GW4
	pings 5 "$NS_C1" $SVC4
	look
	finds "info direct: 5 packets for the prefixes did not come from the firewall: 'return any' accepted them"
	wgvia down wg6
	wgvia up wg6 "${WORDS4[@]}" return drop
	run ! ping_once "$NS_C1" $SVC4 -W 1
	look
	ip -n "$NS_SVC" route delete $C1_4
	finds "info direct: 1 packets for the prefixes did not come from the firewall: 'return drop' dropped them"
	poll 15 warns_of_redirects
	finds "warning probe_redirects: gateway $FW4 dev ens3 sends ICMP redirects, as it just did to this host: hosts of the LAN that \
obey them answer '$VPN4' through this host, which 'return drop' drops: their connections fail"
}

@test "many hosts that answer directly are distinguished by MAC address, the last ones are listed" {
	local n
	wgvia up wg6 "${WORDS4[@]}"
	spawn "$NS_SVC" forge /usr/bin/python3 -c '
import sys
from scapy.all import Ether, ICMP, IP, sendp
for _ in range(2):
    sendp([Ether(src=f"02:00:00:00:0a:{n:02x}", dst=sys.argv[1]) / IP(src=f"192.0.2.{n}", dst=sys.argv[2]) /
        ICMP(type=0, seq=n) for n in range(100, 120)], iface="eth0", verbose=0)
print("sent", flush=True)' $GW_MAC $C1_4
	poll 60 grep sent "$TOPO_DIR/forge.log"
	poll 5 bounced_are 20
	look
	is "$(grep -c "^info direct: 192.0.2.1.* answers $C1_4 through this host" <<<"$found")" 8
	finds "info direct: 12 more hosts answer through this host"
}

bounced_are() {
	[ "$(counter bounced)" -ge "$1" ]
}

finds_other_gateway() {
	look --probe
	finds "warning probe_return: gateway $FW4 dev ens3 has its return path to '$VPN4' through $SVC4, not through this"
}

@test "the standby gateway of a pair: no remedy moves the return path from the active one" {
	local mode
	redirects_on
	wgvia up wg6 "${WORDS[@]}"
	# redirects first: Linux sends nine, then none while packets arrive that would trigger one
	for mode in redirects silent forwards; do
		ip -n "$NS_FW" route replace $VPN4 via $SVC4 # the active gateway
		ip -n "$NS_FW" route replace $VPN6 via $SVC6
		set_sysctls "$NS_FW" net.ipv4.conf.{all,lan}.send_redirects=0
		[ $mode != forwards ] || set_sysctls "$NS_SVC" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
		[ $mode != redirects ] || set_sysctls "$NS_FW" net.ipv4.conf.{all,lan}.send_redirects=1
		[ $mode != redirects ] || set_sysctls "$NS_SVC" net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
		look --probe
		is "$status" 1
		if [ $mode = silent ]; then
			finds "error probe_return: gateway $FW4"
			finds "the active gateway, if this host is the other one of a pair"
		else
			poll 20 finds_other_gateway
		fi
		mend probe_return
		ip -n "$NS_FW" route get $WG4 | grep "via $SVC4"
		ip -n "$NS_FW" route get $WG6 | grep "via $SVC6"
	done
}

@test "two hosts that answer for the gateway's address are reported, and a permanent entry ends it" {
	wgvia up wg6 "${WORDS[@]}"
	ip -n "$NS_SVC" address add $FW4/32 dev eth0
	ip -n "$NS_SVC" address add $FW6/128 dev eth0 nodad
	look --probe
	is "$status" 1
	grep "^warning probe_duplicate: $FW_MAC and $SVC_MAC answer for gateway $FW4\|^warning probe_duplicate: $SVC_MAC and $FW_MAC answer for gateway $FW4" <<<"$found"
	grep "^warning probe_duplicate: .* answer for gateway $FW6" <<<"$found"
	mend probe_duplicate "$NS_GW"
	look --probe
	is "$status" 0
	finds "info probe_duplicate"
	is "$(ip -n "$NS_GW" -j neighbour show dev ens3 nud permanent | jq -r '.[].lladdr' | sort -u)" $FW_MAC
}
