#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The pair of VPN gateways in docs/PAIR.md, set up from its files: keepalived, WireGuard with one key, and wgvia with an
# agent on both. Whatever fails on the active one, the other one takes over, a download survives, and nothing reaches
# the service except via the firewall. The duration and the number of lost packets are printed.

# shellcheck disable=SC2086,SC2153,SC2154 # addresses are words; the topology's variables; who_is_active sets variables
# shellcheck disable=SC2030,SC2031,SC2034 # others read variables

load ../lib/net.bash
load ../lib/load.bash
load ../lib/agent.bash
load ../lib/rooms.bash
load ../lib/gateway_pair.bash

RATE=200      # packets per second
SIZE=16000000 # bytes of a download, at a million per second

setup_more() {
	set_sysctls "$NS_C1" net.ipv6.conf.wgc1.router_solicitations=0 # one test has a client that sends nothing
	spawn_here "$NS_SVC" "echo-$NS_SVC" "$TOOLS/load" echo "$LOAD_PORT"
	service_wire
	http_get "$NS_SVC" "$(url $SVC4)$SIZE" >"$BATS_FILE_TMPDIR/octets"
	{ gateways_up && gateways_start; } || { tail -n +1 "$TOPO_DIR"/{room,agent,keepalived}*.log && return 1; }
}

teardown() {
	unspawn download KILL
	unspawn load KILL
	unspawn pings KILL
	hang_up
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 12 "$TOPO_DIR"/{agent,keepalived}?.log
}

teardown_file() {
	gateways_down
	topology_down
}

# ---- a client that is active all the time ----

client_reaches() {
	ping_once "$NS_C1" $SVC4 && ping_once "$NS_C1" $SVC6
}

# client_begins: packets and a download, and the passive gateway knows the client's endpoint.
client_begins() {
	poll 60 client_reaches
	who_is_active
	poll 20 stands_by $passive
	copy_endpoints $passive
	in_ns "$NS_SVC" nft reset counters >/dev/null
	load_both_ways $RATE
	spawn "$NS_C1" download curl -gsS --noproxy '*' --limit-rate 1M --max-time 120 -o "$BATS_TEST_TMPDIR/octets" \
		"$(url $SVC4)$SIZE"
	poll 10 downloaded 500000
}

downloaded() { # OCTETS
	[ "$(stat -c %s "$BATS_TEST_TMPDIR/octets")" -ge "$1" ]
}

copy_endpoints() { # 0|1
	room "$1" /etc/keepalived/copy-endpoints "${OWN4[1 - $1]}"
	is "$(room "$1" wg show wg6 endpoints)" "$(room $((1 - $1)) wg show wg6 endpoints)"
}

# client_ends TEXT: the download is complete and right, and nothing reached the service except via the firewall.
client_ends() {
	local result
	poll 100 process_gone "$(<"$TOPO_DIR/download.pid")"
	cmp "$BATS_TEST_TMPDIR/octets" "$BATS_FILE_TMPDIR/octets" || { cat "$TOPO_DIR/download.log" && return 1; }
	result=$(load_stop load)
	figures "$1: $(load_figures "$result"): $(jq "(.sent - .back.received) * 1000 / $RATE | floor" <<<"$result") ms"
	is "$(service_counter leaked) leaked" "0 leaked"
	is "$(endpoint_at_client)" "$GW4:51820"
	[ "$(service_counter from_firewall)" -gt 0 ]
}

# A client follows the sender's address, so this must have been the shared one.
endpoint_at_client() {
	wg_at "$NS_C1" wgc1 show wgc1 endpoints | cut -f 2
}

# fails_over MODE BREAK MEND: commands, which get the number of the gateway
fails_over() {
	mode_set $1
	client_begins
	$2 $active
	poll 20 is_active $passive
	poll 20 is_passive $active
	poll 60 client_reaches
	$3 $active
	poll 20 is_healthy $active
	poll 20 stands_by $active
	is_active $passive # it does not fail back by itself
	client_ends "$1"
}

in_both_modes() {
	local mode
	for mode in fast stack; do
		fails_over $mode "$@"
	done
}

# ---- failures ----

instance_up() {
	kill -HUP "$(<"$TOPO_DIR/agent$1.pid")"
}

# As the document describes for maintenance.
rests() {
	unspawn keepalived$1
	poll 20 is_active $((1 - $1))
	room $1 wgvia down wg6
}

works_again() {
	instance_up $1
	poll 20 is_healthy $1
	keepalived_start $1
}

tunnel_off() {
	room $1 ip link set wg6 down
}

# IPv6 addresses were lost with it
tunnel_on() {
	tunnel_kill $1
	poll 5 eval "! room $1 ip link show wg6"
	tunnel_start $1
}

cable_out() {
	ip -n "$NS_LAN" link set "$(gateway_port $1)" down
}

cable_in() {
	ip -n "$NS_LAN" link set "$(gateway_port $1)" up
}

@test "one of the two is active, for both families; the other one is healthy and on standby" {
	who_is_active
	poll 20 stands_by $passive
	is_healthy $passive
	poll 60 client_reaches
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	for number in 0 1; do
		run room $number wgvia check wg6
		is "$status" 0 || { echo "$output" && return 1; }
	done
}

@test "keepalived is stopped on the active one, then wgvia's instance is removed" {
	in_both_modes rests works_again
}

# bats test_tags=long
@test "WireGuard is killed on the active one" {
	in_both_modes tunnel_kill tunnel_on
}

# bats test_tags=long
@test "the tunnel of the active one is down" {
	in_both_modes tunnel_off tunnel_on
}

@test "the cable of the active one is pulled" {
	in_both_modes cable_out cable_in
}

# bats test_tags=long
@test "without the other one's endpoints the client begins a new handshake" {
	poll 60 client_reaches
	who_is_active
	poll 20 stands_by $passive
	forget_endpoints $passive
	load_both_ways $RATE
	poll 10 service_has_seen 200
	cable_out $active
	poll 20 is_active $passive
	poll 100 client_reaches
	cable_in $active
	figures "$(load_figures "$(load_stop load)")"
}

# Only the gateway can begin: it knows where the client is, and sends from the shared address.
# bats test_tags=long
@test "a client that sends nothing is reached by the other one" {
	poll 60 client_reaches
	for number in 1 2; do
		who_is_active
		poll 20 stands_by $passive
		copy_endpoints $passive
		cable_out $active
		poll 20 is_active $passive
		poll 30 ping_once "$NS_SVC" $C1_4
		is "$(endpoint_at_client)" "$GW4:51820"
		cable_in $active
		poll 20 stands_by $active
	done
}

# Otherwise it would use the gateway's old session, which the client still reads, but answers with the new one.
@test "a gateway that becomes active forgets its sessions, but not the endpoints of its clients" {
	poll 60 client_reaches
	who_is_active
	poll 20 stands_by $passive
	copy_endpoints $passive
	cable_out $active
	poll 20 is_active $passive
	poll 60 client_reaches
	cable_in $active
	poll 20 stands_by $active
	# the one that was active first: it has a session, and the endpoint
	is "$(room $active wg show wg6 latest-handshakes | awk '{ print ($2 > 0) }')" 1
	before=$(room $active wg showconf wg6 | sort)
	room $active /etc/keepalived/forget-sessions
	is "$(room $active wg show wg6 latest-handshakes | cut -f 2)" 0
	is "$(room $active wg showconf wg6 | sort)" "$before"
}

@test "the passive one's WireGuard sends nothing" {
	poll 60 client_reaches
	who_is_active
	copy_endpoints $passive
	poll 20 passive_tries
	is "$(endpoint_at_client)" "$GW4:51820"
	client_reaches
}

# WireGuard begins a handshake at most every 5 seconds.
passive_tries() {
	room $passive ping -q -c 1 -W 1 $C1_4 || true
	[ "$(room $passive nft -j list chain inet pair output |
		jq '[.nftables[].rule // empty | .expr[].counter // empty | .packets] | add')" -gt 0 ]
}

forget_endpoints() { # 0|1
	room $1 sh -c 'wg showconf wg6 | sed /^Endpoint/d | wg setconf wg6 /dev/stdin'
	is "$(room $1 wg show wg6 endpoints | cut -f 2)" "(none)"
}

service_has_seen() { # COUNT
	[ "$(service_counter from_firewall)" -ge "$1" ]
}

# Until keepalived has moved the address, the gateway forwards as if there were no wgvia, which is the meaning of down.
@test "wgvia's instance is removed on the active one: it gives up the addresses" {
	poll 60 client_reaches
	who_is_active
	poll 20 stands_by $passive
	copy_endpoints $passive
	in_ns "$NS_SVC" nft reset counters >/dev/null
	load_both_ways $RATE
	poll 10 service_has_seen 200
	room $active wgvia down wg6
	poll 20 is_active $passive
	poll 20 is_passive $active
	poll 60 client_reaches
	result=$(load_stop load)
	figures "$(load_figures "$result"), $(service_counter leaked) past the firewall"
	in_ns "$NS_SVC" nft reset counters >/dev/null
	client_reaches
	is "$(service_counter leaked)" 0
	instance_up $active
	poll 20 is_healthy $active
	poll 20 stands_by $active
}

# changes 0|1: how often it became the active one
changes() {
	grep -c 'ip4) Entering MASTER STATE' "$TOPO_DIR/keepalived$1.log" || true
}

both_unhealthy() {
	is_unhealthy 0 && is_unhealthy 1
}

both_passive() {
	is_passive 0 && is_passive 1
}

firewall_dies() { # MODE
	local before
	mode_set $1
	client_begins
	before="$(changes 0) $(changes 1)"
	ip -n "$NS_LAN" link set fw down
	poll 20 both_unhealthy
	poll 20 both_passive
	is "$(service_counter leaked)" 0
	before_return="$(changes 0) $(changes 1)"
	ip -n "$NS_LAN" link set fw up
	poll 20 is_healthy 0
	poll 20 is_healthy 1
	poll 60 client_reaches
	client_ends "$1"
	figures "$1: became active before, while the firewall was dead, after: $before, $before_return, $(changes 0) $(changes 1)"
}

@test "the firewall is dead for both: none is active, they do not exchange the addresses, and it works again afterwards" {
	firewall_dies fast
	firewall_dies stack
}

@test "wgvia's agent is killed on the active one: nothing changes" {
	mode_set fast
	client_begins
	unspawn agent$active KILL
	is_healthy $active
	client_ends fast
	is_active $active
	agent_start_at $active
}
