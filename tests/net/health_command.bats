#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `wgvia health`: one exit status for everything that an instance needs to work, with and without an agent.

# shellcheck disable=SC2046,SC2086 # addresses are words
# shellcheck disable=SC2034,SC2153,SC2154 # others set and read variables

load ../lib/net.bash
load ../lib/agent.bash
load ../lib/second.bash
load ../lib/load.bash

setup_more() {
	second_up
}

setup() {
	AGENT_ENV=()
}

teardown() {
	agent_stop KILL
	first_well
	second_well
	ip -n "$NS_LAN" link set gw up
	ip -n "$NS_GW" link set wg6 up
	ip -n "$NS_GW" link delete other 2>/dev/null || true
	ip -n "$NS_GW" neighbour flush dev ens3 2>/dev/null || true
	sweep "$NS_GW" wg6
	nothing_left
}

# healthy, unhealthy REASON...: the status, and exactly these reasons, as patterns of grep.
healthy() {
	run -0 --separate-stderr wgvia health wg6
	is "$output" "wg6: healthy"
}

unhealthy() {
	local reason
	run -1 --separate-stderr wgvia health wg6
	is "${lines[0]}" "wg6: not healthy"
	is "${#lines[@]}" $(($# + 1))
	for reason; do
		grep -xE "    $reason" <<<"$output" || { echo "$output" && return 1; }
	done
	is "$stderr" ""
}

is_unhealthy() {
	! wgvia health wg6
}

has_reasons() {
	[ "$(wgvia -j health wg6 | jq '.reasons | length')" -eq "$1" ]
}

is_via() {
	[ "$(wgvia -j show wg6 | jq -r '.prefixes[0].via')" = "$1" ]
}

has_failed() {
	[[ $(ip -n "$NS_GW" neighbour show "$1") == *FAILED* ]]
}

# metric NAME LABELS...: its value for wg6.
metric() {
	local name="$1{interface=\"wg6\"" label
	for label in "${@:2}"; do name+=",${label/=/=\"}\""; done
	wgvia stats wg6 --prometheus | awk -v name="$name}" '$1 == name { print $2 }'
}

# pin_of DIRECTION DEVICE: the pin of the program there.
pin_of() {
	echo "$PIN_DIR"/wg6/*_"$1"_"$(ip -n "$NS_GW" -j link show "$2" | jq '.[].ifindex')"*
}

# detached DIRECTION DEVICE: its program, whose pin stays.
detached() {
	local pin
	pin=$(pin_of "$1" "$2")
	case $pin in
	*/tcx_*) bpftool link detach pinned "$pin" ;;
	*) in_ns "$NS_GW" tc filter delete dev "$2" "$([ "$1" = egress ] && echo egress || echo ingress)" ;;
	esac
}

# unpinned DIRECTION DEVICE: without its last reference, a link is detached.
unpinned() {
	rm "$(pin_of "$1" "$2")"
}

is_locked() {
	! flock -n "$PIN_DIR" true
}

@test "without an instance, or with wrong words, it reports an error" {
	run -1 --separate-stderr wgvia health wg6
	is "$output" ""
	is "${stderr_lines[0]}" "wgvia: no instance on 'wg6'"
	run -2 wgvia health
	run -2 wgvia health wg6 wg7
}

@test "an instance is healthy in both modes and with both kinds of attachment, and not healthy while the tunnel is down" {
	local kind mode
	for kind in clsact tcx; do
		attach_type $kind
		for mode in fast stack; do
			wgvia up wg6 "${WORDS[@]}" mode $mode
			healthy
			is "$(wgvia -j health wg6 | jq -c '[.healthy, .agent, .reasons]')" '[true,false,[]]'
			ip -n "$NS_GW" link set wg6 down
			unhealthy "the tunnel is down"
			ip -n "$NS_GW" link set wg6 up
			healthy
		done
		wgvia down wg6
	done
}

@test "an instance is not healthy without its tunnel, or when its programs are detached" {
	wgvia up wg8 "${WORDS[@]}" # prepared
	run -1 wgvia health wg8
	is "${lines[1]}" "    the tunnel does not exist"
	is "${#lines[@]}" 2
	wgvia down wg8
	attach_type clsact
	wgvia up wg6 "${WORDS[@]}"
	in_ns "$NS_GW" tc filter delete dev wg6 ingress
	unhealthy "no program is attached to the tunnel"
	wgvia stats wg6 --prometheus >"$BATS_TEST_TMPDIR/metrics"
	grep -x 'wgvia_attached{interface="wg6",dev="wg6",direction="out"} 0' "$BATS_TEST_TMPDIR/metrics"
	grep -x 'wgvia_attached{interface="wg6",dev="ens3",direction="back"} 1' "$BATS_TEST_TMPDIR/metrics"
	wgvia up wg6 "${WORDS[@]}"
	healthy
	in_ns "$NS_GW" tc filter delete dev ens3 egress
	unhealthy "gateway $FW4 dev ens3 for IPv4: wgvia is not attached to this device" \
		"gateway $FW6 dev ens3 for IPv6: wgvia is not attached to this device" \
		"the egress program is not attached to dev ens3"
}

@test "an instance is not healthy while a program is missing at any of its devices, with or without its pin" {
	local mode remove direction dev
	ip -n "$NS_GW" link add other type veth peer name other netns "$NS_LAN"
	ip -n "$NS_GW" link set other up
	attach_type tcx
	while read -r mode remove direction dev; do
		wgvia up wg6 "${WORDS[@]}" mode $mode
		healthy
		is "$(metric wgvia_attached dev=$dev direction=$direction)" 1
		$remove $direction $dev
		unhealthy "the $direction program is not attached to dev $dev"
		is "$(metric wgvia_attached dev=$dev direction=$direction)" 0
		is "$(metric wgvia_up)" 0
	done <<-END
		fast detached back ens3
		fast unpinned back ens3
		fast unpinned egress other
		stack detached egress other
		stack unpinned back other
	END
	wgvia up wg6 "${WORDS[@]}"
	healthy
	ip -n "$NS_GW" link set other down
	healthy
	ip -n "$NS_GW" link delete other # its programs end with it
	healthy
	is "$(wgvia stats wg6 --prometheus | grep '^wgvia_' | cut -d' ' -f1 | sort | uniq -d)" ""
}

@test "an instance is not healthy while a filter is missing" {
	attach_type clsact
	wgvia up wg6 "${WORDS[@]}"
	detached back ens3
	unhealthy "the back program is not attached to dev ens3"
	is "$(metric wgvia_attached dev=ens3 direction=back)" 0
	wgvia up wg6 "${WORDS[@]}"
	healthy
}

@test "without an agent: the kernel's neighbour entry, the device, and its carrier" {
	wgvia up wg6 "${WORDS[@]}"
	first_dead
	ip -n "$NS_GW" neighbour flush dev ens3
	healthy # nobody has sent a request yet
	ping_once "$NS_C1" $SVC4 -W 1 || true
	poll 10 is_unhealthy
	unhealthy "gateway $FW4 dev ens3 for IPv4: it does not answer" # one family without a gateway is enough
	first_well
	ip -n "$NS_GW" neighbour flush dev ens3
	healthy
	ip -n "$NS_LAN" link set gw down
	poll 10 has_reasons 2 # the kernel notices a second later
	unhealthy "gateway .* for IPv4: its device has no carrier" "gateway .* for IPv6: its device has no carrier"
	ip -n "$NS_LAN" link set gw up
	poll 5 wgvia health wg6
}

@test "with an agent: its view counts; one alive gateway of a list is enough" {
	wgvia up wg6 "${LISTS[@]}"
	agent_start interval 0.2 hold 0
	healthy
	first_dead
	poll 10 is_via $FW4B
	healthy
	second_dead
	poll 10 is_unhealthy
	poll 10 has_reasons 2
	unhealthy "gateway .* for IPv4: dead for [0-9]+ s: .*" "gateway .* for IPv6: dead for [0-9]+ s: .*"
	is "$(wgvia -j health wg6 | jq -c '[.healthy, .agent, (.reasons | length)]')" '[false,true,2]'
	wgvia stats wg6 --prometheus >"$BATS_TEST_TMPDIR/metrics"
	grep -x 'wgvia_up{interface="wg6"} 0' "$BATS_TEST_TMPDIR/metrics"
	grep -x 'wgvia_agent_up{interface="wg6"} 1' "$BATS_TEST_TMPDIR/metrics"
	is "$(grep -c '^wgvia_gateway_up{.*,dev="ens3"} 0$' "$BATS_TEST_TMPDIR/metrics")" 4
	is "$(grep -c '^wgvia_gateway_state_seconds{.*,dev="ens3"} [0-9]*$' "$BATS_TEST_TMPDIR/metrics")" 4
	first_well
	poll 10 wgvia health wg6
}

agent_is() {
	[ "$(wgvia -j health wg6 | jq .agent)" = "$1" ]
}

is_renewed() {
	[ "$(stat -c %Y "$PIN_DIR/wg6/gateways")" != "$1" ]
}

@test "the report of an agent that hangs is ignored, so a dead gateway is seen" {
	wgvia up wg6 from "$VPN6" via $FW6B from "$VPN4" via $FW4B
	agent_start interval 10 hold 0
	poll 10 agent_is true
	healthy
	poll 20 is_renewed "$(stat -c %Y "$PIN_DIR/wg6/gateways")" # although nothing happens
	agent_signal STOP
	second_dead
	poll 60 agent_is false
	ip -n "$NS_GW" neighbour flush dev ens3
	ping_once "$NS_C1" $SVC4 -W 1 || true
	poll 10 has_failed $FW4B
	unhealthy "gateway $FW4B dev ens3 for IPv4: it does not answer"
	is "$(metric wgvia_up) $(metric wgvia_agent_up) $(metric wgvia_gateway_up gateway=$FW4B dev=ens3)" "0 0 0"
	is "$(metric wgvia_gateway_state_seconds gateway=$FW4B dev=ens3)" ""
	agent_signal CONT
	poll 20 agent_is true
	poll 40 has_reasons 2
	unhealthy "gateway .* for IPv4: dead for [0-9]+ s: .*" "gateway .* for IPv6: dead for [0-9]+ s: .*"
}

# unserved IPV4 IPV6: the numbers of prefixes without a gateway.
unserved() {
	is "$(metric wgvia_prefixes_without_gateway family=ipv4) $(metric wgvia_prefixes_without_gateway family=ipv6)" "$*"
}

@test "an instance stays healthy when one of several gateways fails, and the prefixes without one are counted" {
	wgvia up wg6 "${WORDS[@]}" from 10.6.3.0/24 via $FW4B from 10.6.4.0/24 via $FW6B
	unserved 0 0
	second_dead
	ip -n "$NS_GW" neighbour flush dev ens3
	in_ns "$NS_GW" ping -c 1 -W 2 $FW4B || true
	poll 10 has_failed $FW4B
	healthy
	unserved 1 0
	agent_start interval 0.2 hold 0
	says "gateway $FW4B dev ens3 is dead"
	says "gateway $FW6B dev ens3 is dead"
	poll 10 unserved 2 0 || unserved 2 0 # by the family of the prefix
	healthy
	is "$(metric wgvia_up)" 1
	second_well
	poll 20 unserved 0 0 || unserved 0 0
}

@test "with many prefixes health reads the first ones until it has found a gateway that is alive" {
	local i begin took=()
	wgvia up wg6 "${WORDS[@]}"
	{
		wgvia save wg6
		awk -v via=$FW4 'BEGIN { for (i = 0; i < 100000; i++)
			printf "from 10.%d.%d.%d/32 via %s dev ens3\n", 16 + i / 65536, i / 256 % 256, i % 256, via }'
	} >"$BATS_TEST_TMPDIR/many"
	wgvia apply wg6 "$BATS_TEST_TMPDIR/many" >/dev/null
	for i in {1..5}; do
		begin=${EPOCHREALTIME/[.,]/}
		wgvia health wg6
		took+=($(((${EPOCHREALTIME/[.,]/} - begin) / 1000)))
	done
	figures "${took[*]} ms with 100,000 prefixes"
	ip -n "$NS_GW" link set wg6 down
	unhealthy "the tunnel is down"
	ip -n "$NS_GW" link set wg6 up
	is "$(strace -f -e trace=bpf "$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" health wg6 2>&1 | grep -c LOOKUP_BATCH)" 2
}

@test "health does not wait for a command that holds the lock" {
	wgvia up wg6 "${WORDS[@]}"
	spawn "$NS_GW" lock flock --no-fork "$PIN_DIR" sleep infinity
	poll 5 is_locked
	run -0 timeout 60 nsenter --net="/run/netns/$NS_GW" "$WGVIA" --pin-dir "$PIN_DIR" health wg6
	unspawn lock
}
