#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The main function on real traffic: through a tunnel, a gateway and a stateful firewall, seen from both ends and on the
# wire. cli.bats covers refusals by the command line, foreign.bats programs of others.

# shellcheck disable=SC2086,SC2154 # addresses are words; `stream` sets $missing

load ../lib/net.bash

teardown() {
	service_heeds_redirects 1
	sweep "$NS_GW" wg6
}

up() {
	wgvia up wg6 "${WORDS[@]}" "$@"
}

# ---- the purpose ----

@test "HTTP to the service: fails without wgvia, works with it, fails after down" {
	times_out "$NS_C1" $SVC4
	times_out "$NS_C1" $SVC6
	up
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	answers "$NS_C2" $SVC4 service $C2_4
	answers "$NS_C2" $SVC6 service $C2_6
	wgvia down wg6
	times_out "$NS_C1" $SVC4
	times_out "$NS_C1" $SVC6
}

@test "clsact: HTTP to the service" {
	attach_type clsact
	up
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
}

# iperf NAMESPACE ARGUMENT...: megabytes received, in a second; on an emulated machine, in as many as needed.
iperf() {
	local ns=$1
	shift
	iperf_server "$NS_SVC"
	in_ns "$ns" iperf3 -p 5203 -J -t "${POLL_FACTOR:-1}" "$@" | jq '.end.sum_received.bytes / 1000000 | floor'
}

is_fast() {
	[ "$(iperf "$NS_C1" -c "$@")" -gt 1 ]
}

# iperf_both_ways ATTACH: whole segments, including GSO packets, out and back; neither direction slower than 8 Mbit/s,
# which it was when every large packet had to be retransmitted.
iperf_both_ways() {
	attach_type "$1"
	up
	poll 10 is_fast $SVC4
	poll 10 is_fast $SVC4 -R
	poll 10 is_fast $SVC6
	poll 10 is_fast $SVC6 -R
	is "$(counter too_big)" 0
}

@test "tcx: iperf3 both ways, IPv4 and IPv6" {
	iperf_both_ways tcx
}

@test "clsact: iperf3 both ways, IPv4 and IPv6" {
	iperf_both_ways clsact
}

@test "hosts on the Internet answer" {
	up
	remember_counters
	answers "$NS_C1" $INET4 internet $C1_4
	answers "$NS_C1" $INET6 internet $C1_6
	[ "$(counter redirected)" -gt "$(jq .counters.redirected.packets "$BATS_TEST_TMPDIR/before")" ]
}

@test "the gateway's own addresses answer, on the LAN and in the VPN" {
	local address
	up
	remember_counters
	for address in $GW4 $WG4; do
		is "$(udp_ask "$NS_C1" $address 53 hello)" "$address saw $C1_4: hello"
	done
	for address in $GW6 $WG6; do
		is "$(udp_ask "$NS_C1" $address 53 hello)" "$address saw $C1_6: hello"
	done
	grown local 4 $((2 * (20 + 8 + 6) + 2 * (40 + 8 + 6)))
	grown redirected 0 0
}

@test "peer to peer stays in the tunnel" {
	local capture=$BATS_TEST_TMPDIR/lan.pcap
	up
	start_capture "$NS_LAN" lan "$capture" "net $VPN4 or net $VPN6"
	answers "$NS_C2" $C1_4 client $C2_4
	answers "$NS_C2" $C1_6 client $C2_6
	[ "$(counter tunnel)" -gt 0 ]
	pings 1 "$NS_C1" $SVC4 # packets that cross the LAN are seen there
	poll 5 seen "$capture" $SVC4
	stop_capture "$capture"
	run ! seen "$capture" $C2_4
	run ! seen "$capture" $C2_6
}

seen() { # FILE ADDRESS
	# shellcheck disable=SC2016 # jq's variable
	frames "$1" -e --arg a "$2" 'map(select(.src == $a or .dst == $a)) | length > 0'
}

@test "a VPN client is reached from the LAN, whether or not redirects are accepted there" {
	service_heeds_redirects 0
	times_out "$NS_SVC" $C1_4
	times_out "$NS_SVC" $C1_6
	up
	answers "$NS_SVC" $C1_4 client $SVC4
	answers "$NS_SVC" $C1_6 client $SVC6
	service_heeds_redirects 1
	answers "$NS_SVC" $C1_4 client $SVC4
	answers "$NS_SVC" $C1_6 client $SVC6
}

@test "what the gateway itself sends from the VPN prefix goes via the firewall too" {
	up
	is "$(in_ns "$NS_GW" curl -gsS -m 30 --interface $WG4 http://$SVC4/)" "service saw $WG4"
	is "$(in_ns "$NS_GW" curl -gsS -m 30 --interface $WG6 "http://[$SVC6]/")" "service saw $WG6"
	[ "$(counter retargeted)" -gt 0 ]
}

# ---- the wire ----

# Another host may send a request for the gateway at any time, and so become known again.
no_neighbours() {
	local ns
	for ns in $NS_GW $NS_FW $NS_SVC; do
		ip -n "$ns" neighbour flush all
	done
	! ip -n "$NS_GW" neighbour get $FW4 dev ens3 && ! ip -n "$NS_GW" neighbour get $FW6 dev ens3
}

first_packet() { # ATTACH ADDRESS
	attach_type "$1"
	up
	poll 5 no_neighbours
	pings 1 "$NS_C1" "$2"
}

@test "tcx: the very first packet arrives with no neighbour known, IPv4" {
	first_packet tcx $SVC4
}

@test "tcx: the very first packet arrives with no neighbour known, IPv6" {
	first_packet tcx $SVC6
}

@test "clsact: the very first packet arrives with no neighbour known, IPv4" {
	first_packet clsact $SVC4
}

@test "clsact: the very first packet arrives with no neighbour known, IPv6" {
	first_packet clsact $SVC6
}

echo_filter="(icmp and (icmp[0] == 0 or icmp[0] == 8)) or (icmp6 and (ip6[40] == 128 or ip6[40] == 129))"

# has_frames FILE COUNT
has_frames() {
	[ "$(frames "$1" length)" -eq "$2" ]
}

# on_the_wire ATTACH CLIENT-ADDRESS SERVICE-ADDRESS: one request and its reply, in the tunnel and on the LAN, where the
# service's routes lead via the firewall.
on_the_wire() {
	local tunnel=$BATS_TEST_TMPDIR/tunnel.pcap lan=$BATS_TEST_TMPDIR/lan.pcap
	attach_type "$1"
	service_heeds_redirects 0
	up
	start_capture "$NS_C1" wgc1 "$tunnel" "$echo_filter"
	start_capture "$NS_LAN" lan "$lan" "$echo_filter"
	pings 1 "$NS_C1" "$3" -s 777 -p 7767766961 -t 33
	poll 5 has_frames "$tunnel" 2
	poll 5 has_frames "$lan" 4
	stop_capture "$tunnel"
	stop_capture "$lan"

	# Gateway, firewall, service, and the same way back; every hop decrements the limit.
	is "$(frames "$lan" -r '.[] | [.from, .to, .src, .dst, .hops] | join(" ")')" \
		"$GW_MAC $FW_MAC $2 $3 32
$FW_MAC $SVC_MAC $2 $3 31
$SVC_MAC $FW_MAC $3 $2 64
$FW_MAC $GW_MAC $3 $2 63"
	is "$(frames "$tunnel" -r '.[] | [.src, .dst, .hops] | join(" ")')" "$2 $3 33
$3 $2 62"

	# What left the client is what left the gateway; what arrived at the gateway is what arrived at the client.
	is "$(frames "$lan" '.[0].payload')" "$(frames "$tunnel" '.[0].payload')"
	is "$(frames "$tunnel" '.[1].payload')" "$(frames "$lan" '.[3].payload')"
	is "$(frames "$lan" 'map(.header_ok) | all')" true
	is "$(frames "$tunnel" 'map(.header_ok) | all')" true
}

@test "tcx: on the wire, IPv4" {
	on_the_wire tcx $C1_4 $SVC4
}

@test "tcx: on the wire, IPv6" {
	on_the_wire tcx $C1_6 $SVC6
}

@test "clsact: on the wire, IPv4" {
	on_the_wire clsact $C1_4 $SVC4
}

@test "clsact: on the wire, IPv6" {
	on_the_wire clsact $C1_6 $SVC6
}

@test "a hop limit that ends at the gateway or at the firewall is answered by it" {
	up
	remember_counters
	in_ns "$NS_C1" ping -n -c 1 -W 10 -t 1 $SVC4 | grep "From $WG4 .*Time to live exceeded"
	in_ns "$NS_C1" ping -n -c 1 -W 10 -t 2 $SVC4 | grep "From $FW4 .*Time to live exceeded"
	in_ns "$NS_C1" ping -n -c 1 -W 10 -t 1 $SVC6 | grep "From $WG6 .*Hop limit"
	in_ns "$NS_C1" ping -n -c 1 -W 10 -t 2 $SVC6 | grep "From $FW6 .*Hop limit"
	grown hop_limit 2 $((84 + 104))
}

# In mode fast from Linux 5.12 on; before, see sizes.bats.
@test "the gateway reports packets that are too big for the tunnel" {
	local mode=fast
	kernel_can check_mtu || mode=stack
	up mode $mode
	in_ns "$NS_SVC" ip route flush cache
	remember_counters
	in_ns "$NS_SVC" ping -n -c 1 -W 10 -M 'do' -s 1460 $C1_4 | grep "From $GW4 .*mtu = 1420"
	in_ns "$NS_SVC" ping -n -c 1 -W 10 -M 'do' -s 1440 $C1_6 | grep "From $GW6 .*mtu=1420"
	[ $mode = stack ] || grown too_big 2 2976
}

# slips_past MODE ADDRESS: frames from the VPN that leave the gateway for a host other than the firewall, while the
# gateway's neighbour entries are deleted repeatedly and packets wait for them in the kernel's queues. A packet that
# waits when its neighbour entry is deleted is lost, with or without wgvia.
slips_past() {
	local capture=$BATS_TEST_TMPDIR/leak.pcap
	up mode "$1"
	start_capture "$NS_LAN" lan "$capture" \
		"ether src $GW_MAC and not ether dst $FW_MAC and (src net $VPN4 or src net $VPN6)"
	stream 500 "$NS_C1" "$2" ip -loops 0 -n "$NS_GW" neighbour flush dev ens3
	stop_capture "$capture"
	is "$(frames "$capture" length)" 0
}

@test "mode fast: nothing bypasses the firewall while neighbours come and go, IPv4" {
	slips_past fast $SVC4
}

@test "mode fast: nothing bypasses the firewall while neighbours come and go, IPv6" {
	slips_past fast $SVC6
}

@test "mode stack: nothing bypasses the firewall while neighbours come and go, IPv4" {
	slips_past stack $SVC4
}

@test "mode stack: nothing bypasses the firewall while neighbours come and go, IPv6" {
	slips_past stack $SVC6
}

# ---- counters ----

# counts ATTACH: packets and bytes of IP, 100 requests and replies each.
counts() {
	attach_type "$1"
	up
	remember_counters
	pings 100 "$NS_C1" $SVC4
	grown redirected 100 8400
	grown returned 100 8400
	remember_counters
	pings 100 "$NS_C1" $SVC6
	grown redirected 100 10400
	grown returned 100 10400
	is "$(counter retargeted)" 0
	is "$(counter no_gateway)" 0
}

@test "tcx: counters grow by exactly what was sent" {
	counts tcx
}

@test "clsact: counters grow by exactly what was sent" {
	counts clsact
}

# ---- up and down ----

# goes ATTACH: `down` removes everything, and packets go as before.
goes() {
	local before
	before=$(state)
	attach_type "$1"
	pings 1 "$NS_C1" $SVC4
	up
	[ "$(wgvia -j show wg6 | jq -r '[.attachments[].type] | unique | join(" ")')" = "$1" ]
	[ -n "$(attached)" ]
	wgvia down wg6
	nothing_left
	is "$(state)" "$before"
	is "$(wgvia -j show | jq length)" 0
	pings 1 "$NS_C1" $SVC4
	pings 1 "$NS_C1" $SVC6
	pings 1 "$NS_C1" $INET4
	pings 1 "$NS_C1" $INET6
}

@test "tcx: down leaves nothing behind" {
	goes tcx
}

@test "clsact: down leaves nothing behind" {
	goes clsact
}

# replaced ATTACH: no packet is lost, and none bypasses the firewall, while `up` runs repeatedly with changing words.
replaced() {
	attach_type "$1"
	up
	stream 400 "$NS_C1" $SVC6 up_with_changing_words
	is "$missing" 0
	is "$(counter redirected) $(counter returned)" "400 400"
}

up_with_changing_words() {
	up on-fail pass
	up on-fail drop bypass 198.18.0.0/15
	up
}

@test "tcx: up on a running instance loses no packet" {
	replaced tcx
}

@test "clsact: up on a running instance loses no packet" {
	replaced clsact
}

@test "mode stack: the kernel forwards, the firewall still sees both directions" {
	up mode stack
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	answers "$NS_SVC" $C1_6 client $SVC6
	[ "$(counter retargeted)" -gt 0 ]
	is "$(counter redirected)" 0
	wgvia down wg6
	nothing_left
}
