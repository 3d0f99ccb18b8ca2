#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Nothing bypasses the firewall: while neighbours are flushed and fail under load, at `up`, at every change, with the
# firewall dead and with the LAN device down, no frame with a source in a VPN prefix leaves the gateway for a host other
# than the firewall. The kernel counts frames at the LAN's end of the gateway's cable. WGVIA_FLUSHES=N flushes the
# neighbours N times in each mode [600], WGVIA_RATE=N sends N packets per second through the tunnel [4000], and half as
# many from the gateway: scripts/vm sets it, because its guests are slow.

# shellcheck disable=SC2086 # addresses are words

load ../lib/net.bash
load ../lib/load.bash
load ../lib/agent.bash

RATE=${WGVIA_RATE:-4000}

# Neighbours that do not answer fail within a tenth of a second.
setup_more() {
	load_up
	set_sysctls "$NS_GW" net.ipv{4,6}.neigh.ens3.retrans_time_ms=30
}

teardown() {
	local name
	agent_stop KILL
	for name in forwarded own flusher monitor; do
		unspawn $name KILL
	done
	ip -n "$NS_LAN" link set fw up
	ip -n "$NS_SVC" route delete $C1_4/32 2>/dev/null || true
	ip -n "$NS_SVC" route delete $C1_6/128 2>/dev/null || true
	lan_device_up 2>/dev/null || true
	set_sysctls "$NS_GW" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	load_sweep
}

up() {
	wgvia up wg6 "${WORDS[@]}" "$@"
}

# Out of the tunnel and from the gateway itself, to the service on the LAN and to the Internet.
leak_load() {
	load_start forwarded "$NS_C1" $RATE $C1_4 $SVC4 $C1_6 $SVC6 $C1_4 $INET4 $C1_6 $INET6
	load_start own "$NS_GW" $((RATE / 2)) $WG4 $SVC4 $WG6 $SVC6 $WG4 $INET4 $WG6 $INET6
}

wire_sees() { # COUNT: packets to the firewall
	[ "$(wire to_firewall)" -ge "$1" ]
}

# begin [WORD...]: `up`, load, and counters that start now.
begin() {
	up "$@"
	leak_load
	poll 5 wire_sees 100
	poll 5 ping_once "$NS_C1" $SVC4 # what was sent before `up` has passed
	wire_reset
	poll 5 wire_sees 1000
}

# end: nothing leaked, and the load ran all the time.
end() {
	local forwarded own
	forwarded=$(load_stop forwarded)
	own=$(load_stop own)
	figures "$* $(wire to_firewall) frames to the firewall, $(wire leaked) to others;" \
		"$(jq -r '"\(.sent) sent, \(.out.lost) lost"' <<<"$forwarded") of those forwarded," \
		"$(jq -r '"\(.sent) sent, \(.out.lost) lost"' <<<"$own") of the gateway's own"
	[ "$(jq .out.received <<<"$forwarded")" -gt 1000 ]
	[ "$(jq .out.received <<<"$own")" -gt 500 ]
}

leaked_nothing() {
	is "$(wire leaked) frames to others than the firewall" "0 frames to others than the firewall"
}

# flush_start COUNT [ADDRESS...]: flushes these or all neighbours of the gateway, every few milliseconds, so that each
# flush finds packets.
flush_start() {
	local count=$1
	shift
	# shellcheck disable=SC2016 # the inner shell's variables
	spawn "$NS_GW" flusher bash -c 'for ((i = 0; i < $0; i++)); do
		for to in "${@:-all}"; do
			ip -statistics neighbour flush to "$to" dev ens3
		done
		sleep 0.005
	done' "$count" "$@"
}

# flushed: how often there was something to flush.
flushed() {
	grep -c 'Flush is complete' "$TOPO_DIR/flusher.log"
}

# flush_end [COUNT]: at least that many.
flush_end() {
	poll 120 process_gone "$(<"$TOPO_DIR/flusher.pid")"
	[ "$(flushed)" -ge "$1" ]
}

# flushes MODE
flushes() {
	local count=${WGVIA_FLUSHES:-600}
	begin mode "$1"
	flush_start $((count + count / 2))
	flush_end "$count"
	end "$(flushed) flushes,"
}

@test "mode fast: neighbours are flushed" {
	flushes fast
	leaked_nothing
}

@test "mode stack: neighbours are flushed" {
	flushes stack
	leaked_nothing
}

# The kernel takes packets out of a neighbour's queue and looks up their neighbour by their own route. If an egress
# program that passes everything it has seen before does not leak here, this test is ineffective.
@test "a naive egress program leaks" {
	variant naive bpf/wgvia.bpf.c 's/return has_gateways_mac(skb, link_len) ?/return true || has_gateways_mac(skb, link_len) ?/'
	export WGVIA=$BATS_FILE_TMPDIR/naive/build/wgvia
	begin mode stack
	flush_start 300
	flush_end 200
	end "$(flushed) flushes,"
	[ "$(wire leaked)" -gt 0 ]
}

# deaths MODE: the firewall does not answer and its neighbour entries fail, while the service's are added and removed;
# then it recovers.
deaths() {
	local i four six
	begin mode "$1"
	spawn "$NS_GW" monitor ip monitor neigh
	flush_start 100000 $SVC4 $SVC6
	for ((i = 0; i < 6; i++)); do
		four=$(failures $FW4)
		six=$(failures $FW6)
		ip -n "$NS_LAN" link set fw down
		# Otherwise it would be considered reachable for half a minute. The flusher may remove an entry
		# meanwhile.
		poll 5 ip -n "$NS_GW" neighbour flush dev ens3
		poll 5 failed $FW4 $((four + 3))
		poll 5 failed $FW6 $((six + 3))
		ip -n "$NS_LAN" link set fw up
		poll 5 neighbour_known $FW4
		poll 5 neighbour_known $FW6
	done
	unspawn flusher
	unspawn monitor
	end "6 deaths of the firewall, $(flushed) flushes,"
}

# failures ADDRESS: how often it has failed; the next packet immediately starts a new attempt.
failures() {
	grep -c "^$1 .*FAILED" "$TOPO_DIR/monitor.log" || true
}

failed() { # ADDRESS COUNT
	[ "$(failures "$1")" -ge "$2" ]
}

neighbour_known() { # ADDRESS
	ip -n "$NS_GW" neighbour show "$1" dev ens3 | grep "lladdr $FW_MAC"
}

@test "mode fast: the firewall dies and comes back" {
	deaths fast
	leaked_nothing
}

@test "mode stack: the firewall dies and comes back" {
	deaths stack
	leaked_nothing
}

handed_on() {
	since '.counters | .redirected.packets + .retargeted.packets + .bounced.packets'
}

arrived() {
	echo $(($(wire to_firewall) + $(wire leaked) + $(wire bounced)))
}

lost() {
	since '[.lost[].packets] | add'
}

has_lost() { # COUNT
	[ "$(lost)" -gt "$1" ]
}

adds_up() {
	[ "$(handed_on)" -eq $(($(arrived) + $(lost))) ]
}

# exact MODE: neighbours are flushed, and the firewall is absent for a while. Each packet has arrived, or is counted as
# lost after the redirect; so do replies of a service that accepts the firewall's ICMP redirects and sends them to the
# gateway. An agent attached the counting program; a running one would mark the firewall as dead.
exact() {
	up mode "$1"
	export AGENT_ENV=()
	agent_start interval 60
	agent_stop
	[ "$(wgvia -j stats wg6 | jq .lost)" != null ] || skip "kernel $(uname -r) does not report what it drops"
	ip -n "$NS_SVC" route replace $C1_4/32 via $GW4
	ip -n "$NS_SVC" route replace $C1_6/128 via $GW6
	poll 5 ping_once "$NS_C1" $SVC4
	wire_reset
	remember_counters
	spawn "$NS_GW" monitor ip monitor neigh
	leak_load
	poll 5 wire_sees 1000
	flush_start 100000
	ip -n "$NS_LAN" link set fw down
	poll 10 failed $FW4 3
	poll 10 failed $FW6 3
	poll 10 has_lost 100
	ip -n "$NS_LAN" link set fw up
	poll 5 neighbour_known $FW4
	poll 5 neighbour_known $FW6
	unspawn flusher
	unspawn monitor
	end "$(flushed) flushes,"
	poll 10 adds_up || is "$(arrived) arrived, $(lost) lost" "$(handed_on) in all"
	# with stack, the kernel drops some before they are re-targeted, as any router does
	[ "$1" = stack ] ||
		is "$(since .directions.out.redirected.packets) redirected at the tunnel" "$(injected) redirected at the tunnel"
	has_lost 100
	[ "$(wire bounced)" -gt 100 ]
	figures "$(handed_on) redirected, $(arrived) arrived, lost after the redirect:" \
		"$(wgvia -j stats wg6 | jq -c '.lost | map_values(.packets) | with_entries(select(.value > 0))')"
}

@test "mode fast: each packet has arrived or is counted as lost after the redirect" {
	exact fast
}

@test "mode stack: each packet has arrived or is counted as lost after the redirect" {
	exact stack
}

# ups MODE: `up` while packets go straight to the service; once it has returned, none does.
ups() {
	local i leaked=0
	begin mode "$1"
	for ((i = 0; i < 15; i++)); do
		wgvia down wg6
		poll 5 wire_leaks
		up mode "$1"
		poll 5 ping_once "$NS_C1" $SVC4
		wire_reset
		poll 5 wire_sees 200
		leaked=$((leaked + $(wire leaked)))
	done
	end "15 times down and up,"
	is "$leaked frames to others than the firewall" "0 frames to others than the firewall"
}

wire_leaks() {
	[ "$(wire leaked)" -gt 0 ]
}

@test "mode fast: at up" {
	ups fast
}

@test "mode stack: at up" {
	ups stack
}

# change NUMBER: mode, gateway, prefixes, program.
change() {
	case $(($1 % 6)) in
	0) up mode stack ;;
	1) wgvia route replace wg6 from $VPN4 via $FW4B && wgvia route replace wg6 from $VPN6 via $FW6B ;;
	2) up mode fast ;;
	3) WGVIA=$BATS_FILE_TMPDIR/program/build/wgvia up ;;
	4) wgvia up wg6 from 10.6.0.0/17 via $FW4B from 10.6.128.0/17 via $FW4 from 2001:db8:1::/51 via $FW6B \
		from 2001:db8:1:2000::/51 via $FW6 ;;
	5) WGVIA=$BATS_FILE_TMPDIR/maps/build/wgvia up mode stack ;;
	esac
}

@test "mode, gateway, prefixes, program and maps change while neighbours are flushed" {
	local i count=$((${WGVIA_FLUSHES:-600} / 5))
	variant program bpf/wgvia.bpf.c 's,Dual BSD/GPL,Dual MIT/GPL,'
	variant maps bpf/maps.h '/define PREFIXES_MAX/s/20/19/'
	begin
	flush_start 100000
	for ((i = 0; i < count; i++)); do
		change $i
	done
	unspawn flusher
	end "$count changes, $(flushed) flushes,"
	leaked_nothing
}

# The kernel removes routes and IPv6 addresses of a device that goes down.
lan_device_up() {
	ip -n "$NS_GW" link set ens3 up
	ip -n "$NS_GW" -force -batch - <<-END
		address replace $GW6/64 dev ens3 nodad
		route replace default via $FW4
		route replace ::/0 via $FW6
	END
}

# downs MODE: the LAN device goes down and up.
downs() {
	local i
	begin mode "$1"
	for ((i = 0; i < 10; i++)); do
		ip -n "$NS_GW" link set ens3 down
		lan_device_up
		wire_reset_kept
		poll 5 wire_sees 200
	done
	end "10 times down and up,"
}

# wire_reset_kept: the frames to the firewall are counted from zero.
wire_reset_kept() {
	in_ns "$NS_LAN" nft reset counter netdev wire to_firewall >/dev/null
}

@test "mode fast: the LAN device goes down and up" {
	downs fast
	leaked_nothing
}

@test "mode stack: the LAN device goes down and up" {
	downs stack
	leaked_nothing
}

@test "the gateway's own traffic, while nothing is forwarded" {
	local own
	set_sysctls "$NS_GW" net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
	up
	load_start own "$NS_GW" $((RATE * 3 / 4)) $WG4 $SVC4 $WG6 $SVC6 $WG4 $INET4 $WG6 $INET6
	poll 5 wire_sees 100
	wire_reset
	flush_start 300
	flush_end 200
	own=$(load_stop own)
	figures "$(flushed) flushes, $(wire to_firewall) frames to the firewall, $(wire leaked) to others;" \
		"$(jq -r '"\(.sent) sent, \(.out.lost) lost"' <<<"$own")"
	[ "$(jq .out.received <<<"$own")" -gt 500 ]
	leaked_nothing
}
