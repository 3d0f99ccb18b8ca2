#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `mode stack` with the flowtable of docs/FLOWTABLE.md: connections that the kernel forwards by it still go via the
# firewall, when the firewall fails, and when the mode changes.

# shellcheck disable=SC2034,SC2086,SC2153,SC2154 # others read variables; addresses are words; the topology's variables
# bats file_tags=vm

load ../lib/net.bash
load ../lib/load.bash
load ../lib/agent.bash
load ../lib/pair.bash

RATE=50 # packets a second: an emulated machine on a busy host
DOCUMENT=$TREE/docs/FLOWTABLE.md

setup_file() {
	topology_names "wgvia$$"
	ip netns add "$NS_GW"
	if ! in_ns "$NS_GW" nft 'table inet t { flowtable f { hook ingress priority 0; devices = { lo }; }; }'; then
		export NO_FLOWTABLE=yes
		return
	fi
	ip netns delete "$NS_GW"
	topology_up "wgvia$$"
	export PIN_DIR=/sys/fs/bpf/$TOPO_NAME
	spawn_here "$NS_SVC" "echo-$NS_SVC" "$TOOLS/load" echo "$LOAD_PORT"
	pair_up
	http_get "$NS_SVC" "$(url $SVC4)3000000" >"$BATS_FILE_TMPDIR/octets"
}

setup() {
	[ -z "${NO_FLOWTABLE:-}" ] || skip "kernel $(uname -r) has no flowtables"
	NS_SECOND=$TOPO_NAME-second
	AGENT_ENV=()
	flowtable_up
}

teardown() {
	[ -z "${NO_FLOWTABLE:-}" ] || return 0
	unspawn load KILL
	unspawn download KILL
	agent_stop KILL
	first_plugged
	load_sweep
}

teardown_file() {
	[ -n "${NO_FLOWTABLE:-}" ] || pair_down
	topology_down
	rm -rf "$PIN_DIR"
}

# In the place of keepalived, whose times are too short for an emulated machine: the shared addresses move by hand.
keepalived_start() { # NAMESPACE NAME ...
	[ "$2" = second ] || shared_to "$1"
}

shared_to() { # NAMESPACE
	ip -n "$1" -batch - <<-END
		address add $FW4/24 dev lan
		address add fe80::1/64 dev lan nodad
		address add $FW6/64 dev lan nodad
	END
	ip -n "$NS_SVC" neighbour flush dev eth0 nud all
}

first_pulled() {
	ip -n "$NS_LAN" link set fw down
	shared_to "$NS_SECOND"
}

first_plugged() {
	ip -n "$NS_SECOND" address delete $FW4/24 dev lan 2>/dev/null || return 0
	ip -n "$NS_SECOND" address delete fe80::1/64 dev lan
	ip -n "$NS_SECOND" address delete $FW6/64 dev lan
	ip -n "$NS_LAN" link set fw up
	ip -n "$NS_SVC" neighbour flush dev eth0 nud all
}

# flowtable_up: the document's file and commands, in the place of the topology's rules.
flowtable_up() {
	local examples=$BATS_TEST_TMPDIR/examples commands
	/usr/bin/python3 "$TOPO_LIB/examples.py" "$DOCUMENT" >"$examples"
	jq -j '.[] | select(.kind == "file").text' "$examples" >"$BATS_TEST_TMPDIR/flowtable.nft"
	commands=$(jq -r '.[].steps[].command' "$examples")
	in_ns "$NS_GW" nft flush ruleset
	in_ns "$NS_GW" bash -ec "${commands/\/etc\/nftables.d/$BATS_TEST_TMPDIR}"
}

# offloaded PROTOCOL: connections that the flowtable forwards.
offloaded() {
	in_ns "$NS_GW" cat /proc/net/nf_conntrack | grep -c " $1 .*OFFLOAD" || true
}

is_offloaded() { # PROTOCOL
	[ "$(offloaded $1)" -gt 0 ]
}

download_begins() {
	spawn "$NS_C1" download curl -gsS --noproxy '*' --limit-rate 200k --max-time 200 -o "$BATS_TEST_TMPDIR/octets" \
		"$(url $SVC4)3000000"
}

download_ends() {
	poll 30 process_gone "$(<"$TOPO_DIR/download.pid")"
	cmp "$BATS_TEST_TMPDIR/octets" "$BATS_FILE_TMPDIR/octets" || { cat "$TOPO_DIR/download.log" && return 1; }
}

all_by_the_firewall() {
	is "$(pair_counter leaked) leaked" "0 leaked"
	[ "$(pair_counter "$1")" -gt 0 ]
}

# carried FIREWALL: a download and packets are forwarded by the flowtable, to that firewall.
carried() {
	pair_reset
	load_both_ways $RATE
	download_begins
	poll 10 is_offloaded tcp
	poll 10 is_offloaded udp
	poll 10 pair_counted $1 100
	download_ends
	figures "$(load_figures "$(load_stop load)")"
	all_by_the_firewall $1
}

# bats test_tags=long
@test "TCP and UDP that the flowtable forwards go via the firewall" {
	wgvia up wg6 from $VPN4 via $FIRST4 from $VPN6 via $FIRST6 mode stack
	carried first
}

# forwarded: packets that the chain of the file has seen
forwarded() {
	in_ns "$NS_GW" nft -j list chain inet gateway forward | jq '[.. | .counter? // empty | .packets] | add'
}

# bats test_tags=long
@test "the gateway's own rules see the beginning of a connection, and not what the flowtable forwards" {
	wgvia up wg6 from $VPN4 via $FIRST4 from $VPN6 via $FIRST6 mode stack
	in_ns "$NS_GW" nft insert rule inet gateway forward ip saddr $C1_4 counter
	download_begins
	poll 10 is_offloaded tcp
	before=$(forwarded)
	download_ends
	echo "$before before, $(forwarded) after"
	[ "$before" -gt 0 ]
	(($(forwarded) - before < 50)) # of some hundreds
	in_ns "$NS_GW" nft insert rule inet gateway forward ip saddr $C1_4 tcp dport 80 ct state new drop
	times_out "$NS_C1" $SVC4
}

# bats test_tags=long
@test "the mode changes while a connection is forwarded by the flowtable" {
	wgvia up wg6 from $VPN4 via $FIRST4 from $VPN6 via $FIRST6 mode stack
	pair_reset
	load_both_ways $RATE
	download_begins
	poll 10 is_offloaded tcp
	for mode in fast stack fast stack; do
		wgvia up wg6 from $VPN4 via $FIRST4 from $VPN6 via $FIRST6 mode $mode
		before=$(pair_counter first)
		poll 10 pair_counted first $((before + 100))
	done
	poll 10 is_offloaded udp
	download_ends
	result=$(load_stop load)
	figures "$(load_figures "$result")"
	all_by_the_firewall first
	# an emulated machine loses one by itself now and then
	jq -e '.out.lost + .back.lost <= .sent / 100' <<<"$result"
}

# look: the finding of flowtables
look() {
	wgvia -j check wg6 | jq -r '.findings[] | select(.name == "flowtable") | .severity, .evidence, .remedy'
}

# bats test_tags=long
@test "check names a flowtable that the tunnel has left, and what it names helps" {
	wgvia up wg6 from $VPN4 via $FIRST4 from $VPN6 via $FIRST6 mode stack
	is "$(look)" ""
	tunnel_gone
	tunnels_again
	wgvia up wg6 from $VPN4 via $FIRST4 from $VPN6 via $FIRST6 mode stack
	run -0 look
	is "${lines[0]}" info
	grep "flowtable 'inet gateway established', which lacks dev wg6:" <<<"${lines[1]}"
	carried first # by the ordinary path in one direction
	in_ns "$NS_GW" bash -ec "${lines[2]}"
	is "$(look)" ""
	wgvia up wg6 from $VPN4 via $FIRST4 from $VPN6 via $FIRST6 mode fast
	in_ns "$NS_GW" nft delete table inet gateway
	is "$(look)" ""
}

# bats test_tags=long
@test "the firewall fails and returns, with an agent: what the flowtable forwards follows" {
	tunnel_lossless # WireGuard itself gets here by the firewall that fails
	flowtable_up
	wgvia up wg6 from $VPN4 via $FIRST4 or $SECOND4 from $VPN6 via $FIRST6 or $SECOND6 mode stack
	agent_start hold 1
	says "gateway $SECOND4 dev ens3 answers"
	says "gateway $FIRST4 dev ens3 is healthy"
	pair_reset
	load_both_ways $RATE
	poll 10 pair_counted first 100
	poll 10 is_offloaded udp
	first_pulled
	poll 10 pair_counted second 100
	is_offloaded udp
	first_plugged
	before=$(pair_counter first)
	poll 10 pair_counted first $((before + 100))
	figures "$(load_figures "$(load_stop load)")"
	all_by_the_firewall second
}
