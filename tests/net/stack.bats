#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Mode stack: the firewall gets its packets, and everything that the gateway does with a forwarded packet still happens:
# filter, connection tracking, NAT, ICMP errors, accounting, marks. Also the gateway's own packets, and a running
# instance that changes its mode. sizes.bats covers sizes and odd packets.

# shellcheck disable=SC2086 # addresses are words
# shellcheck disable=SC2154 # the topology's variables

load ../lib/net.bash

setup_more() {
	export MARKS=/sys/fs/bpf/$TOPO_NAME-marks
	bpf_build marks
}

setup() {
	CAPTURE=$BATS_TEST_TMPDIR/lan.pcap
}

teardown() {
	unspawn capture-lan.pcap INT
	in_ns "$NS_GW" nft delete table inet test 2>/dev/null
	sweep "$NS_GW" wg6
	if [ -e "$MARKS" ]; then
		in_ns "$NS_GW" tc qdisc delete dev ens3 clsact
		rm -rf "$MARKS"
	fi
}

up() {
	wgvia up wg6 "${WORDS[@]}" "$@"
}

# rules "NAME CHAIN-TYPE" RULE...: a chain of the gateway's own; named counters are created.
rules() {
	local rule chain=$1
	shift
	{
		echo "add table inet test"
		printf '%s\n' "$@" | sed -n 's/.*counter name \([a-z]*\).*/add counter inet test \1/p' | sort -u
		echo "add chain inet test ${chain/ / { type } }"
		for rule; do echo "add rule inet test ${chain%% *} $rule"; done
	} | in_ns "$NS_GW" nft -f -
}

FORWARD="forward filter hook forward priority -10;"

# counted NAME [packets|bytes]
counted() {
	in_ns "$NS_GW" nft -j list counters | jq ".nftables[].counter | select(.name == \"$1\") | .${2:-packets}"
}

# What the gateway sends on the LAN from or to a host of the VPN or the LAN, except neighbour discovery and what it
# bounces: the service accepts redirects.
watch_lan() {
	start_capture "$NS_LAN" gw "$CAPTURE" "ether src $GW_MAC and (tcp or udp port 5000 or icmp or
		(icmp6 and (ip6[40] == 128 or ip6[40] == 129))) and not
		(ether dst $FW_MAC and (src host $SVC4 or src host $SVC6))"
}

# who_goes_where: "SOURCE MAC" of all frames in the capture, each once.
who_goes_where() {
	frames "$CAPTURE" -r '[.[] | .src + " " + .to] | unique | .[]'
}

# seen_to_the_end: once this ping is in the capture, so is everything before it.
seen_to_the_end() {
	in_ns "$NS_GW" ping -q -n -c 1 -W 10 -s 999 $SVC4 >/dev/null
	poll 5 last_is_there
	stop_capture "$CAPTURE"
}

last_is_there() {
	# shellcheck disable=SC2016 # jq's variable
	frames "$CAPTURE" -e --arg a $GW4 'map(select(.src == $a and (.payload | length) == 2014)) | length == 1'
}

# ---- destinations ----

@test "mode stack: HTTP goes via the firewall, and nothing else is on the wire" {
	up mode stack
	watch_lan
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	answers "$NS_C2" $INET4 internet $C2_4
	answers "$NS_C2" $INET6 internet $C2_6
	answers "$NS_SVC" $C1_4 client $SVC4
	answers "$NS_SVC" $C1_6 client $SVC6
	seen_to_the_end
	is "$(who_goes_where)" "$C1_4 $FW_MAC
$C2_4 $FW_MAC
$GW4 $SVC_MAC
$C1_6 $FW_MAC
$C2_6 $FW_MAC"
	is "$(counter redirected) $(counter returned)" "0 0"
}

# once_each ADDRESS SOURCE BYTES: twenty requests.
once_each() {
	remember_counters
	watch_lan
	pings 20 "$NS_C1" $1
	seen_to_the_end
	grown retargeted 20 $((20 * $3))
	# shellcheck disable=SC2016 # jq's variable
	is "$(frames "$CAPTURE" --arg a $2 'map(select(.src == $a)) |
		[length, (map(.payload) | unique | length), (map(.hops) | unique), (map(.to) | unique)]' -c)" \
		"[20,20,[63],[\"$FW_MAC\"]]"
}

@test "mode stack: each packet is on the LAN once and counts once" {
	up mode stack
	once_each $SVC4 $C1_4 84
	once_each $SVC6 $C1_6 104
	once_each $INET4 $C1_4 84
	once_each $INET6 $C1_6 104
}

# ---- what the gateway does with a packet ----

@test "mode stack: FORWARD rules see each packet, and may drop it" {
	up mode stack
	rules "$FORWARD" "ip saddr $C1_4 tcp dport 80 counter name refused reject with tcp reset" \
		"ip6 saddr $C1_6 tcp dport 80 counter name refused drop" "ip saddr $C2_4 counter name passed" \
		"ip daddr $C2_4 counter name passed"
	run -7 http_get "$NS_C1" http://$SVC4/
	is "$(counted refused)" 1
	times_out "$NS_C1" $SVC6
	[ "$(counted refused)" -gt 1 ]
	is "$(counter retargeted)" 0
	pings 5 "$NS_C2" $SVC4
	is "$(counted passed) $(counted passed bytes)" "10 840"

	up # in mode fast, they see nothing
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	pings 5 "$NS_C2" $SVC4
	is "$(counted passed)" 10
}

@test "mode stack: connection tracking on the gateway sees whole connections" {
	local kind
	up mode stack
	rules "$FORWARD" "ct state new counter name new" "ct state invalid counter name invalid" \
		"ct state established ct direction original counter name original" \
		"ct state established ct direction reply counter name reply"
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	is "$(counted new) $(counted invalid)" "2 0"
	for kind in original reply; do # ACK, request, FIN; SYN-ACK, answer, FIN: of two connections
		[ "$(counted $kind)" -ge 6 ]
	done
}

@test "mode stack: masquerading on the gateway works" {
	up mode stack
	rules "postrouting nat hook postrouting priority srcnat;" "oifname ens3 ip saddr $VPN4 masquerade" \
		"oifname ens3 ip6 saddr $VPN6 masquerade"
	answers "$NS_C1" $SVC4 service $GW4
	answers "$NS_C1" $SVC6 service $GW6
	answers "$NS_C1" $INET4 internet $GW4
	answers "$NS_C1" $INET6 internet $GW6
}

@test "mode stack: what the gateway sends elsewhere by NAT goes via the firewall" {
	up mode stack
	rules "prerouting nat hook prerouting priority dstnat;" \
		"iifname wg6 ip daddr $WG4 tcp dport 8080 dnat ip to $SVC4:80" \
		"iifname wg6 ip6 daddr $WG6 tcp dport 8080 dnat ip6 to [$SVC6]:80"
	watch_lan
	is "$(http_get "$NS_C1" http://$WG4:8080/)" "service saw $C1_4"
	is "$(http_get "$NS_C1" "http://[$WG6]:8080/")" "service saw $C1_6"
	seen_to_the_end
	is "$(who_goes_where)" "$C1_4 $FW_MAC
$GW4 $SVC_MAC
$C1_6 $FW_MAC"
}

@test "mode stack: a hop limit that ends at the gateway or at the firewall is answered by it" {
	up mode stack
	in_ns "$NS_C1" ping -n -c 1 -W 10 -t 1 $SVC4 | grep "From $WG4 .*Time to live exceeded"
	in_ns "$NS_C1" ping -n -c 1 -W 10 -t 2 $SVC4 | grep "From $FW4 .*Time to live exceeded"
	in_ns "$NS_C1" ping -n -c 1 -W 10 -t 1 $SVC6 | grep "From $WG6 .*Hop limit"
	in_ns "$NS_C1" ping -n -c 1 -W 10 -t 2 $SVC6 | grep "From $FW6 .*Hop limit"
}

# ---- marks ----

# count_marks: at the LAN's egress, after wgvia, where an administrator's shaper would read marks.
count_marks() {
	in_ns "$NS_GW" tc qdisc add dev ens3 clsact 2>/dev/null || true
	mkdir -p "$MARKS"
	bpftool prog load "$BATS_FILE_TMPDIR/marks.o" "$MARKS/prog" type classifier pinmaps "$MARKS" 2>&1
	in_ns "$NS_GW" tc filter add dev ens3 egress prio 60000 bpf da object-pinned "$MARKS/prog"
}

# marked: "N of M": that many of the pings to the firewall carry the mark.
marked() {
	bpftool -j map dump pinned "$MARKS/seen" | jq -r '[.[].formatted.value] | "\(.[1]) of \(add)"'
}

@test "mode stack: the administrator's mark arrives unchanged" {
	up mode stack
	count_marks
	pings 5 "$NS_C1" $SVC4
	pings 5 "$NS_C1" $SVC6
	is "$(marked)" "0 of 10"
	rules "prerouting filter hook prerouting priority mangle;" \
		"iifname wg6 icmp type echo-request meta mark set 0x12345678" \
		"iifname wg6 icmpv6 type echo-request meta mark set 0x12345678"
	pings 5 "$NS_C1" $SVC4
	pings 5 "$NS_C1" $SVC6
	is "$(marked)" "10 of 20"
}

# own_mark MODE
own_mark() {
	up mode $1
	count_marks
	rules "output filter hook output priority mangle;" "icmp type echo-request meta mark set 0x12345678" \
		"icmpv6 type echo-request meta mark set 0x12345678"
	pings 5 "$NS_GW" $SVC4 -I $WG4
	pings 5 "$NS_GW" $SVC6 -I $WG6
	is "$(marked)" "10 of 10"
}

@test "mode fast: the mark of the gateway's own packets arrives unchanged" {
	own_mark fast
}

@test "mode stack: the mark of the gateway's own packets arrives unchanged" {
	own_mark stack
}

# ---- the gateway's own traffic ----

# own_traffic MODE: ping, TCP and a datagram from each address of the gateway.
own_traffic() {
	local address
	up mode $1
	watch_lan
	for address in $WG4 $GW4; do
		pings 2 "$NS_GW" $SVC4 -I $address
		is "$(in_ns "$NS_GW" curl -gsS -m 30 --interface $address http://$SVC4/)" "service saw $address"
		in_ns "$NS_GW" /usr/bin/python3 "$TOPO_LIB/wire.py" udp $address $SVC4 100
	done
	for address in $WG6 $GW6; do
		pings 2 "$NS_GW" $SVC6 -I $address
		is "$(in_ns "$NS_GW" curl -gsS -m 30 --interface $address "http://[$SVC6]/")" "service saw $address"
		in_ns "$NS_GW" /usr/bin/python3 "$TOPO_LIB/wire.py" udp $address $SVC6 100
	done
	seen_to_the_end
	is "$(who_goes_where)" "$WG4 $FW_MAC
$GW4 $SVC_MAC
$WG6 $FW_MAC
$GW6 $SVC_MAC"
	is "$(frames "$CAPTURE" -c 'group_by(.src) | map([.[].protocol] | unique)')" "[[1,6,17],[1,6,17],[6,17,58],[6,17,58]]"
	is "$(counter redirected)" 0
}

@test "mode fast: the gateway's own traffic goes by its address: to the firewall, or directly" {
	own_traffic fast
}

@test "mode stack: the gateway's own traffic goes by its address: to the firewall, or directly" {
	own_traffic stack
}

# ---- an unknown neighbour ----

# waits MODE: a packet that waits for the firewall's neighbour has a route to the service, and the service's neighbour
# is known.
waits() {
	up mode $1
	pings 1 "$NS_GW" $SVC4
	pings 1 "$NS_GW" $SVC6
	watch_lan
	for _ in {1..5}; do
		forget_firewall
		pings 3 "$NS_GW" $SVC4 -I $WG4 -l 3
		forget_firewall
		pings 3 "$NS_GW" $SVC6 -I $WG6 -l 3
		forget_firewall
		pings 3 "$NS_C1" $SVC4 -l 3
		forget_firewall
		pings 3 "$NS_C1" $SVC6 -l 3
	done
	seen_to_the_end
	is "$(who_goes_where)" "$WG4 $FW_MAC
$C1_4 $FW_MAC
$GW4 $SVC_MAC
$WG6 $FW_MAC
$C1_6 $FW_MAC"
	is "$(frames "$CAPTURE" 'map(select(.to != "'$SVC_MAC'")) | [length, (unique_by(.payload) | length)] | join(" ")')" '"60 60"'
	is "$(counter retargeted)" $(($2 * 15))
	is "$(counter no_gateway)" 0
}

forget_firewall() {
	ip -n "$NS_GW" neighbour delete $FW4 dev ens3 2>/dev/null || true # it may be unknown already
	ip -n "$NS_GW" neighbour delete $FW6 dev ens3 2>/dev/null || true
}

@test "mode fast: what waits for the firewall's neighbour goes to the firewall, once" {
	waits fast 2
}

@test "mode stack: what waits for the firewall's neighbour goes to the firewall, once" {
	waits stack 4
}

# ---- changes of the mode ----

@test "up changes the mode of a running instance, both ways" {
	local mode
	up
	for mode in stack fast stack fast; do
		up mode $mode
		is "$(wgvia -j show wg6 | jq -r .mode)" $mode
		is "$(wgvia -j show wg6 | jq '[.attachments[] | select(.direction != "egress")] | length')" \
			"$([ $mode = fast ] && echo 2 || echo 1)"
		remember_counters
		pings 5 "$NS_C1" $SVC4
		pings 5 "$NS_C1" $SVC6
		if [ $mode = fast ]; then
			grown redirected 10 940
			grown returned 10 940
			grown retargeted 0 0
		else
			grown redirected 0 0
			grown returned 0 0
			grown retargeted 10 940
		fi
	done
}

# A firewall and a gateway that drop packets of connections that they did not see begin, and a mode that changes now and
# then.
@test "a change of the mode loses no packet of a connection, and none bypasses the firewall" {
	local job jobs=() before
	up
	watch_lan
	before=$(echo_replies "$NS_C1")
	for job in "$C1_4 $SVC4" "$C1_6 $SVC6"; do
		in_ns "$NS_C1" ping -q -n -c 400 -i 0.005 -W 2 ${job#* } >"$BATS_TEST_TMPDIR/ping${#jobs[@]}" 3>&- &
		jobs+=($!)
	done
	while [ -e /proc/${jobs[0]} ] && ! process_gone ${jobs[0]}; do
		up mode stack
		answers "$NS_C1" $SVC4 service $C1_4
		up mode fast
		answers "$NS_C1" $SVC6 service $C1_6
	done
	wait "${jobs[@]}" || true # ping does not wait for a late last reply; the kernel has counted it
	seen_to_the_end
	poll 2 replies_are "$NS_C1" $((before + 800)) || is "$(($(echo_replies "$NS_C1") - before)) replies" "800 replies"
	who_goes_where | grep -qx "$C1_4 $FW_MAC"
	who_goes_where | grep -qx "$C1_6 $FW_MAC"
	# this host's own probes go to the firewall as well, one round for each up
	is "$(who_goes_where | grep -v " $FW_MAC\$")" "$GW4 $SVC_MAC"
}
