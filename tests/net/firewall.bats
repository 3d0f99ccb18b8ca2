#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The pair of firewalls of docs/FIREWALL.md, made of its very files: keepalived, conntrackd and a ruleset that drops what
# it does not know. Established downloads survive the death of the active firewall, and do not where nobody has told the
# other one of them. How long it takes and how many packets are lost is printed, and judges nothing.

# shellcheck disable=SC2086,SC2153,SC2154 # addresses are words; the topology's variables; active_firewall sets variables
# shellcheck disable=SC2034 # others read variables

load ../lib/net.bash
load ../lib/load.bash
load ../lib/agent.bash
load ../lib/pair.bash
load ../lib/rooms.bash
load ../lib/firewalls.bash
load ../lib/bird.bash

RATE=200      # packets a second
SIZE=16000000 # octets of each download

setup_more() {
	has_conntrackd || return 0
	tunnel_lossless || return
	spawn_here "$NS_SVC" "echo-$NS_SVC" "$TOOLS/load" echo "$LOAD_PORT"
	poll 5 listening "$NS_SVC" udp "$LOAD_PORT" 1 || return
	{ firewalls_up && firewall_start 0 && poll 10 firewall_is_active 0 && firewall_start 1; } ||
		{ tail -n +1 "$TOPO_DIR"/{firewall,conntrackd,keepalived}*.log && return 1; }
	http_get "$NS_SVC" "$(url $SVC4)$SIZE" >"$BATS_FILE_TMPDIR/octets"
}

setup() {
	has_conntrackd || skip "conntrackd is missing: scripts/deps unpacks it"
	NS_SECOND=$TOPO_NAME-second
	AGENT_ENV=()
	told=yes
}

teardown() {
	unspawn download4 KILL
	unspawn download6 KILL
	unspawn load KILL
	birds_end
	agent_stop KILL
	load_sweep
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 30 "$TOPO_DIR"/{conntrackd,keepalived}?.log
}

teardown_file() {
	firewalls_down
	topology_down
	rm -rf "$PIN_DIR"
}

# instance_up [WORD...]: the document's, and a statement more.
instance_up() {
	{ cat "$TOPO_DIR/firewall-files0/etc/wgvia/wg6.conf" && echo "$*"; } | wgvia apply wg6 -
}

both_families() {
	ping_once "$NS_C1" $SVC4 && ping_once "$NS_C1" $SVC6
}

# ---- downloads ----

downloads_begin() {
	rm -f "$BATS_TEST_TMPDIR/go"
	download_begins 4 $SVC4
	download_begins 6 $SVC6
	poll 10 got 4 200000
	poll 10 got 6 200000
}

download_begins() { # 4|6 ADDRESS
	rm -f "$BATS_TEST_TMPDIR/octets$1"
	spawn "$NS_C1" download$1 /usr/bin/python3 "$TOPO_LIB/paced_get.py" "$(url $2)$SIZE" "$BATS_TEST_TMPDIR/octets$1" \
		"$BATS_TEST_TMPDIR/go"
}

octets() { # 4|6
	stat -c %s "$BATS_TEST_TMPDIR/octets$1" 2>/dev/null || echo 0
}

got() { # 4|6 OCTETS
	[ "$(octets $1)" -ge "$2" ]
}

# downloads_complete: and they have brought what the service has.
downloads_complete() {
	local family
	touch "$BATS_TEST_TMPDIR/go"
	for family in 4 6; do
		poll 60 process_gone "$(<"$TOPO_DIR/download$family.pid")"
		cmp "$BATS_TEST_TMPDIR/octets$family" "$BATS_FILE_TMPDIR/octets" || { cat "$TOPO_DIR/download$family.log" && return 1; }
	done
}

# ---- who forwards, and what it drops ----

dropped() { # 0|1
	in_ns "$(firewall_ns $1)" nft -j list counter inet firewall dropped | jq '.nftables[] | .counter // empty | .packets'
}

has_dropped() { # 0|1 COUNT
	[ "$(dropped $1)" -ge "$2" ]
}

forwards() { # 0|1 COUNT
	pair_counted "$([ $1 = 0 ] && echo first || echo second)" $2
}

figures_of() { # JSON
	figures "$(load_figures "$1"), together $(jq "(.sent - .back.received) * 1000 / $RATE | floor" <<<"$1") ms"
}

# goes COMMAND...: of the active firewall, which gets its number, while downloads run; the other one carries on.
goes() {
	poll 20 both_families
	active_firewall
	pair_reset
	load_both_ways $RATE
	downloads_begin
	[ -z "$told" ] || poll 10 was_told $passive
	before=$(dropped $passive)
	"$@" $active
	is_under_way 4
	is_under_way 6
	poll 20 firewall_is_active $passive
	poll 20 forwards $passive 200
}

# takes_back COMMAND...: the one that was active first, from the other one, which the command gets
takes_back() {
	poll 20 got 4 $(($(octets 4) + 200000))
	poll 20 got 6 $(($(octets 6) + 200000))
	poll 10 was_told $active
	is_under_way 4
	is_under_way 6
	pair_reset
	"$@" $passive
	poll 20 firewall_is_active $active
	poll 20 forwards $active 200
}

# Of both downloads, by the other firewall's conntrackd.
was_told() { # 0|1
	[ "$(firewall_room $1 conntrackd -e | grep -c 'ESTABLISHED.* dport=80 ')" -ge 2 ]
}

# More is to come than the buffers of sockets hold.
is_under_way() { # 4|6
	[ "$(octets $1)" -lt $((SIZE / 2)) ] || { echo "IPv$1 has already brought $(octets $1) octets" && return 1; }
}

survive() {
	downloads_complete
	figures_of "$(load_stop load)"
	is "$(pair_counter leaked)" 0
}

# The firewall does forward, what begins now; what it was not told of it drops.
die() {
	local result
	poll 20 both_families
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	poll 20 has_dropped $passive $((before + 4))
	result=$(load_stop load)
	figures_of "$result"
	octets="$(octets 4) $(octets 6)"
	poll 20 has_dropped $passive $(($(dropped $passive) + 2)) # they are sent again and again
	is "$(octets 4) $(octets 6)" "$octets"
	process_runs download4
	process_runs download6
}

process_runs() { # NAME
	! process_gone "$(<"$TOPO_DIR/$1.pid")"
}

@test "mode fast: downloads survive the death of the active firewall" {
	instance_up
	poll 20 both_families
	run -0 wgvia check --probe wg6
	goes firewall_dies
	survive
	firewall_returns $active
}

# The downloads are older than the repaired firewall.
@test "mode stack: downloads survive the death of the active firewall, its repair, and the death of the other one" {
	instance_up mode stack
	goes firewall_dies
	firewall_returns $active
	takes_back firewall_dies
	survive
	firewall_returns $passive
}

firewall_rests() { # 0|1
	kill -TERM "$(<"$TOPO_DIR/keepalived$1.pid")"
}

firewall_works() { # 0|1
	unspawn keepalived$1
	firewall_keepalived $1
	poll 10 firewall_stands_by $1
}

@test "an agent: downloads survive when keepalived is stopped on the active firewall" {
	instance_up
	agent_start
	goes firewall_rests
	firewall_works $active
	# what it still knows of them is from before
	takes_back firewall_rests
	survive
	firewall_works $passive
}

own4=("$FIRST4" "$SECOND4") own6=("$FIRST6" "$SECOND6")

# The list begins with the one that is active now.
@test "two gateways in wgvia's list, an agent: downloads survive, but the repaired firewall must not be preferred" {
	active_firewall
	wgvia up wg6 from $VPN4 via ${own4[active]} or ${own4[passive]} from $VPN6 via ${own6[active]} or ${own6[passive]}
	agent_start hold 1
	says "gateway ${own4[passive]} dev ens3 answers"
	says "gateway ${own6[passive]} dev ens3 answers"
	goes firewall_dies
	survive
	firewall_returns $active
	in_force $VPN4 ${own4[active]}
	before=$(dropped $passive)
	times_out "$NS_C1" $SVC4
	poll 10 has_dropped $passive $((before + 1))
}

# bird_for 0|1: the firewall's file, with its own addresses
bird_for() {
	bird_file firewall | sed "s/\b$FW4\b/${own4[$1]}/; s/\b$FW6 /${own6[$1]} /"
}

# bird_for_gateway: its file, with both firewalls in the place of the one
bird_for_gateway() {
	local number
	bird_file gateway | sed '/^protocol bgp/,/^}/d'
	for number in 0 1; do
		bird_file gateway | sed -n '/^protocol bgp/,/^}/p' |
			sed "s/firewall[46]/&_$number/; s/\b$FW4\b/${own4[number]}/; s/\b$FW6 /${own6[number]} /"
	done
}

# bats test_tags=long
@test "both firewalls have the routes from BGP: downloads survive" {
	local number
	need_bird
	bird_examples
	instance_up
	bird_for_gateway >"$TOPO_DIR/gateway.conf"
	bird_start "$NS_GW" gateway "$TOPO_DIR/gateway.conf"
	for number in 0 1; do
		ip -n "$(firewall_ns $number)" route delete $VPN4
		ip -n "$(firewall_ns $number)" -6 route delete $VPN6
		bird_for $number >"$TOPO_DIR/firewall$number.conf"
		bird_start "$(firewall_ns $number)" $number "$TOPO_DIR/firewall$number.conf"
	done
	poll 30 has_bird_routes "$NS_FW"
	poll 30 has_bird_routes "$NS_SECOND"
	goes firewall_dies
	survive
	birds_end
	firewall_returns $active
	for number in 0 1; do
		firewall_room $number sh -ec "$(firewall_commands 'ip ')"
	done
}

birds_end() {
	local name
	for name in gateway 0 1; do
		unspawn bird-$name
	done
}

# keepalived does not call conntrackd's script.
without_script() {
	local number
	for number in 0 1; do
		unspawn keepalived$number
	done
	for number in 0 1; do
		firewall_room $number sh -c 'sed /notify/d /etc/keepalived/keepalived.conf >/run/without.conf'
		firewall_keepalived $number /run/without.conf
		poll 10 is_one_of_two $number
	done
}

is_one_of_two() { # 0|1
	firewall_is_active $1 || firewall_stands_by $1
}

# bats test_tags=long
@test "without conntrackd's script downloads do not survive" {
	instance_up
	without_script
	goes firewall_dies
	die
	firewall_returns $active
}

# Last: it leaves a firewall dead.
@test "without conntrackd downloads do not survive" {
	instance_up
	without_script
	unspawn conntrackd0
	unspawn conntrackd1
	told=
	goes firewall_dies
	die
}
