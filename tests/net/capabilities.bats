#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The unit's capabilities are enough for the agent and for every command: with only CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON
# and CAP_NET_RAW, they replace programs that another process loaded. Opening a program, a map or a link by its id takes
# CAP_SYS_ADMIN; pins do not. WGVIA_FAULTS=N tries every Nth step of a change, from a random one on [3].

# shellcheck disable=SC2046,SC2086,SC2154,SC2153,SC2034 # addresses are words; others set and read variables

load ../lib/net.bash
load ../lib/load.bash
load ../lib/agent.bash
load ../lib/fault.bash

# On a LAN device that is created later.
FAR4=203.0.113.140 FAR6=2001:db8:113::140 FAR_MAC=02:00:00:00:07:09

setup_more() {
	wire_up
}

setup() {
	AGENT_ENV=()
	mkdir -p "$BATS_TEST_TMPDIR"
	FILE=$BATS_TEST_TMPDIR/wg6.conf
	PINS=$PIN_DIR/wg6
}

teardown() {
	agent_stop KILL
	unspawn elsewhere
	in_ns "$NS_LAN" nft delete table netdev second 2>/dev/null || true
	ip -n "$NS_GW" link delete second 2>/dev/null || true
	ip -n "$NS_GW" link delete wg7 2>/dev/null || true
	ip -n "$NS_GW" link show ens3 >/dev/null 2>&1 || lan_made
	wgvia down wg7
	sweep "$NS_GW" wg6
	nothing_left
}

# Frames with a source in a prefix that leave the gateway: the client's pings to the firewall, and all to other hosts.
wire_up() {
	wire_table wire gw
}

wire_table() { # TABLE DEVICE
	in_ns "$NS_LAN" nft -f - <<-END
		table netdev $1 {
			counter firewall { }
			counter direct { }
			chain out {
				type filter hook ingress device $2 priority 0; policy accept;
				icmpv6 type { 133, 134, 135, 136, 137 } return
				ip saddr $VPN4 jump whom
				ip6 saddr $VPN6 jump whom
			}
			chain whom {
				ether daddr $FW_MAC ip saddr $C1_4 icmp type echo-request counter name firewall
				ether daddr $FW_MAC ip6 saddr $C1_6 icmpv6 type echo-request counter name firewall
				ether daddr $FW_MAC return
				counter name direct
			}
		}
	END
}

frames() { # TABLE COUNTER
	lan_counter "$1" "$2"
}

frames_are() {
	[ "$(frames "$1" "$2")" -eq "$3" ]
}

# by_firewall TABLE ADDRESS...: ten pings to each, ten frames to the firewall, and none to other hosts.
by_firewall() {
	local table=$1 address
	shift
	for address; do
		in_ns "$NS_LAN" nft reset counters >/dev/null
		in_ns "$NS_C1" ping -q -n -c 10 -i 0.005 -W 0.3 "$address" >/dev/null || true
		poll 2 frames_are wire firewall 10 || is "$(frames wire firewall) frames to the firewall" "10 frames to the firewall"
		is "$(frames wire direct) and $(frames $table direct) frames to others" "0 and 0 frames to others"
	done
}

both_answer() {
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
}

# second_lan: a LAN device whose hosts the gateway reaches directly.
second_lan() {
	ip -n "$NS_GW" link add second type veth peer name second netns "$NS_LAN"
	ip -n "$NS_LAN" link set second up
	wire_table second second
	ip -n "$NS_GW" -batch - <<-END
		link set second up
		address add 203.0.113.130/25 dev second
		address add 2001:db8:113::2/64 dev second nodad
		neighbour replace $FAR4 lladdr $FAR_MAC dev second
		neighbour replace $FAR6 lladdr $FAR_MAC dev second
	END
}

# attached_at DEVICE DIRECTION...
attached_at() {
	local device=$1
	shift
	[ "$(wgvia -j show wg6 | jq -r --arg dev "$device" '[.attachments[] | select(.attached and .dev == $dev).direction] |
		sort | join(" ")')" = "$*" ]
}

has_egress() { # DEVICE
	wgvia -j show wg6 | jq -e --arg dev "$1" '.attachments[] | select(.attached and .dev == $dev and .direction == "egress")'
}

programs() {
	wgvia -j show wg6 | jq -c '[.attachments[] | select(.attached).prog_id] | unique'
}

mode() {
	wgvia -j show wg6 | jq -r .mode
}

mode_is() {
	[ "$(mode)" = "$1" ]
}

file() { # LINE...
	printf '%s\n' "from $VPN4 via $FW4 dev ens3" "from $VPN6 via $FW6 dev ens3" "$@" >"$FILE"
}

# as_older: the state after a build that pins no programs and no indexes.
as_older() {
	rm -f "$PINS"/wgvia_* "$PINS"/index[46] "$PINS"/*_program
}

# many COUNT: the clients' prefixes among that many others.
many() {
	local i
	file
	for ((i = 0; i < $1; i++)); do
		echo "from 10.$((20 + i / 256)).$((i % 256)).0/24 via $FW4 dev ens3"
	done >>"$FILE"
}

indexes() {
	wgvia -j show wg6 | jq -r '.indexes | join(" ")'
}

@test "the agent in tests has the unit's capabilities" {
	agent_start
	is "$(grep '^Cap\(Prm\|Eff\|Bnd\)' "/proc/$(<"$TOPO_DIR/agent.pid")/status" | cut -f 2 | uniq)" 000000c000003000
	grep -q "^NoNewPrivs:.*1$" "/proc/$(<"$TOPO_DIR/agent.pid")/status"
}

# steady: without what changes by itself, a neighbour's state and how long ago something was.
steady() {
	sed -E 's/REACHABLE|STALE|DELAY|PROBE/STATE/g; s/[0-9]+ s ago/N s ago/g'
}

# commands ATTACH: on objects created by root, and on their own.
commands() {
	local words
	attach_type "$1"
	wgvia up wg6 "${WORDS[@]}"
	file "mode stack"
	for _ in root unit; do
		as_unit apply wg6 "$FILE"
		attached_at wg6
		attached_at ens3 back egress
		by_firewall wire $SVC4 $SVC6
		as_unit up wg6 "${WORDS[@]}" mode fast
		attached_at wg6 out
		attached_at ens3 back egress
		both_answer
		as_unit route add wg6 from 10.7.0.0/16 via $FW4
		as_unit route del wg6 from 10.7.0.0/16
		as_unit bypass add wg6 198.18.0.0/15
		for words in "-j show wg6" "-j stats wg6" "save wg6" "stats --prometheus" \
			"-j explain wg6 from $C1_4 to $SVC4" "-j check wg6"; do
			is "$(as_unit $words 2>&1 | steady)" "$(wgvia $words 2>&1 | steady)"
		done
		as_unit trace wg6 count 1 >"$BATS_TEST_TMPDIR/traced" 2>&1 3>&- &
		until process_gone $!; do ping_once "$NS_C1" $SVC4 || true; done
		grep redirected "$BATS_TEST_TMPDIR/traced"
		as_unit down wg6
		nothing_left
		as_unit up wg6 "${WORDS[@]}"
	done
}

@test "tcx: each command" {
	commands tcx
}

@test "clsact: each command" {
	commands clsact
}

# restarted ATTACH: the agent has loaded none of the programs that it changes.
restarted() {
	local mode out
	attach_type "$1"
	AGENT_ENV=("WGVIA_ATTACH=$1")
	for mode in fast stack; do
		out=out
		[ $mode = fast ] || out=
		file "mode $mode"
		wgvia apply wg6 "$FILE"
		agent_again
		second_lan
		poll 10 has_egress second
		by_firewall second $FAR4 $FAR6
		agent_again
		tunnel_gone
		tunnels_again
		poll 10 attached_at wg6 $out
		both_answer
		by_firewall wire $SVC4 $SVC6
		agent_again
		ip -n "$NS_GW" link delete ens3
		lan_made
		poll 10 attached_at ens3 back egress
		poll 10 both_answer
		by_firewall wire $SVC4 $SVC6
		agent_stop
		ip -n "$NS_GW" link delete second
		wgvia down wg6
	done
}

agent_again() {
	agent_stop
	agent_start "$FILE"
}

@test "tcx: an agent that was restarted follows tunnel and LAN devices" {
	restarted tcx
}

@test "clsact: an agent that was restarted follows tunnel and LAN devices" {
	restarted clsact
}

# reloaded ATTACH: by an agent that did not load the programs.
reloaded() {
	local mode
	attach_type "$1"
	AGENT_ENV=("WGVIA_ATTACH=$1")
	file "mode fast"
	wgvia apply wg6 "$FILE"
	agent_again
	for mode in stack fast; do
		file "mode $mode"
		agent_signal HUP
		poll 10 mode_is $mode
		poll 10 attached_at ens3 back egress
		by_firewall wire $SVC4 $SVC6
	done
	attached_at wg6 out
	says_not "cannot"
}

@test "tcx: a reload changes the mode" {
	reloaded tcx
}

@test "clsact: a reload changes the mode" {
	reloaded clsact
}

# upgraded ATTACH NAME [older]: an agent of another build takes the instance over, and the first build takes it back;
# "older": from builds that pin no programs.
upgraded() {
	local own=$WGVIA build programs
	attach_type "$1"
	AGENT_ENV=("WGVIA_ATTACH=$1")
	file "mode fast"
	agent_start "$FILE"
	for build in "$BATS_FILE_TMPDIR/$2/build/wgvia" "$own"; do
		programs=$(programs)
		agent_stop
		[ "${3:-}" != older ] || as_older
		WGVIA=$build
		agent_start "$FILE"
		says_not "cannot"
		is "$(jq -nc "$(programs) - $programs | length")" 3
		by_firewall wire $SVC4 $SVC6
		both_answer
		second_lan
		poll 10 has_egress second
		by_firewall second $FAR4 $FAR6
		ip -n "$NS_GW" link delete second
		is "$(find "$PINS" -name '*%*')" ""
	done
}

@test "tcx: the agent of another build takes the instance over" {
	variant program bpf/wgvia.bpf.c 's,Dual BSD/GPL,Dual MIT/GPL,'
	upgraded tcx program
}

# bats test_tags=long
@test "clsact: the agent of another build takes the instance over" {
	variant program bpf/wgvia.bpf.c 's,Dual BSD/GPL,Dual MIT/GPL,'
	upgraded clsact program
}

@test "tcx: the agent of another build, with other maps, takes the instance over" {
	variant maps bpf/maps.h '/define PREFIXES_MAX/s/20/19/'
	upgraded tcx maps
}

# bats test_tags=long
@test "clsact: the agent of another build, with other maps, takes the instance over" {
	variant maps bpf/maps.h '/define PREFIXES_MAX/s/20/19/'
	upgraded clsact maps
}

@test "tcx: the agent of another build, with other maps, takes over an instance whose programs have no pins" {
	variant maps bpf/maps.h '/define PREFIXES_MAX/s/20/19/'
	upgraded tcx maps older
}

# older ATTACH: programs without a pin cannot be read, and are replaced.
older() {
	local programs pins
	attach_type "$1"
	AGENT_ENV=("WGVIA_ATTACH=$1")
	file "mode fast"
	wgvia apply wg6 "$FILE"
	pins=$(find "$PINS" -name 'wgvia_*' | sort)
	as_older
	programs=$(programs)
	file "mode stack"
	agent_start "$FILE"
	mode_is stack
	by_firewall wire $SVC4 $SVC6
	agent_stop
	file "mode fast"
	agent_start "$FILE"
	says_not "cannot"
	is "$(jq -nc "$(programs) - $programs | length")" 3
	both_answer
	is "$(find "$PINS" -name 'wgvia_*' | sort)" "$pins"
}

@test "tcx: an instance whose programs have no pins is taken over" {
	older tcx
}

@test "clsact: an instance whose programs have no pins is taken over" {
	older clsact
}

# If the old programs cannot be restored, a failed change leaves new ones, which do the same.
@test "tcx: whichever step of taking over such an instance fails, it keeps working" {
	local number fault failures=0 status steps=0 step=${WGVIA_FAULTS:-3}
	attach_type tcx
	for ((number = 1 + RANDOM % step; ; number += step)); do
		wgvia up wg6 "${WORDS[@]}"
		as_older
		file "mode stack" "bypass 198.18.0.0/15"
		rm -f "$BATS_TEST_TMPDIR/fault"
		status=0
		in_ns "$NS_GW" "${AS_UNIT[@]}" env LD_PRELOAD="$FAULT_SO" FAULT=fail FAULT_AT=$number \
			FAULT_FILE="$BATS_TEST_TMPDIR/fault" "$WGVIA" --pin-dir "$PIN_DIR" apply wg6 "$FILE" || status=$?
		by_firewall wire $SVC4
		if [ $status -ne 0 ]; then
			failures=$((failures + 1))
			mode_is fast
			both_answer
			is "$(find "$PINS" -name '*%*')" ""
			as_unit apply wg6 "$FILE"
		fi
		mode_is stack
		by_firewall wire $SVC6
		[ -e "$BATS_TEST_TMPDIR/fault" ] || break
		steps=$((steps + 1))
		wgvia down wg6
	done
	figures "$steps steps, $failures refused"
	[ $failures -gt 1 ]
}

@test "an index in force is recognised by its pin; without one it is unknown, and the agent builds it again" {
	export WGVIA_INDEX=blind
	AGENT_ENV=(WGVIA_INDEX=blind)
	many 300
	wgvia apply wg6 "$FILE" >/dev/null
	is "$(indexes)" ipv4
	is "$(as_unit -j show wg6 | jq -r '.indexes | join(" ")')" ipv4
	as_older
	is "$(indexes)" ipv4
	is "$(as_unit -j show wg6 | jq -r '.indexes | join(" ")')" ""
	as_unit check wg6 | grep "it is not known whether the 301 IPv4 prefixes have an index: an older wgvia created it"
	agent_start
	poll 20 [ -e "$PINS/index4" ]
	is "$(as_unit -j show wg6 | jq -r '.indexes | join(" ")')" ipv4
	agent_stop
	wgvia apply wg6 <(file "mode fast" && cat "$FILE")
	is "$(find "$PINS" -name 'index[46]')" ""
}

@test "an instance in a network namespace without a name is not taken over" {
	wgvia up wg6 "${WORDS[@]}"
	spawn "$NS_SVC" elsewhere unshare --net sleep 1000
	poll 5 is_elsewhere
	nsenter --net="/proc/$(<"$TOPO_DIR/elsewhere.pid")/ns/net" bash -c "ip link set lo up
		ip tuntap add wg8 mode tun && ip link set wg8 up && ip link add ens3 type veth peer name peer &&
		ip link set peer up && ip link set ens3 up && ip address add 192.0.2.2/24 dev ens3 &&
		'$WGVIA' --pin-dir '$PIN_DIR' up wg8 from 10.8.0.0/16 via $FW4"
	ip -n "$NS_GW" tuntap add wg8 mode tun
	run -1 as_unit up wg8 from 10.8.0.0/16 via $FW4
	ip -n "$NS_GW" link delete wg8
	[[ $output == *"belong to another network namespace"* ]]
	nsenter --net="/proc/$(<"$TOPO_DIR/elsewhere.pid")/ns/net" "$WGVIA" --pin-dir "$PIN_DIR" down wg8
}

is_elsewhere() {
	[ "$(readlink "/proc/$(<"$TOPO_DIR/elsewhere.pid")/ns/net")" != "$(in_ns "$NS_SVC" readlink /proc/self/ns/net)" ]
}

@test "tcx: check does not report the program of another instance of wgvia" {
	attach_type tcx
	ip -n "$NS_GW" tuntap add wg7 mode tun
	wgvia up wg7 from 10.7.0.0/16 via $FW4
	wgvia up wg6 "${WORDS[@]}"
	is "$(as_unit -j check wg6)" "$(wgvia -j check wg6)"
	run ! grep "runs before" <(as_unit check wg6)
}
