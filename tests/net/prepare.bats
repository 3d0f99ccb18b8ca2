#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `up` and `apply` for a tunnel that does not exist yet: what is attached then, what every command reports, that the
# tunnel's first packet goes to the firewall, and that the same command completes the instance when the tunnel exists.
# wgquick.bats tests the same in wg-quick's hooks, under load.

# shellcheck disable=SC2154 # `run` sets $stderr
load ../lib/net.bash
load ../lib/load.bash

setup_more() {
	load_up
}

teardown() {
	unspawn load KILL
	ip -n "$NS_LAN" link set fw up
	tunnel_exists || tunnel_made
	load_sweep
	wgvia down wg99
}

tunnel_removed() {
	unspawn cable
	poll 5 is_no_device wg6
}

tunnel_exists() {
	ip -n "$NS_GW" link show wg6 >/dev/null 2>&1
}

# First removes what may not exist yet.
tunnel_made() {
	tunnel_lossless || return
}

NOTE="wg6: interface 'wg6' does not exist yet: only the LAN side is prepared; run the same command again when it exists"
FAST="wg6: mode fast: FORWARD rules, conntrack and NAT of this host do not see this traffic ('mode stack' keeps them)"

directions() {
	wgvia -j show wg6 | jq -c '[.attachments[] | select(.attached) | .direction + " " + .dev] | sort'
}

# prepares KIND MODE
prepares() {
	attach_type "$1"
	tunnel_removed
	run -0 wgvia up wg6 "${WORDS[@]}" mode "$2"
	is "$output" "$NOTE"
	is "$(directions)" '["back ens3","egress ens3"]'
	run -0 wgvia up wg6 "${WORDS[@]}" mode "$2"
	is "$output" "$NOTE"
	wire_reset
	tunnel_made
	ping_once "$NS_C1" "$SVC4"
	ping_once "$NS_C1" "$SVC6"
	is "$(wire to_firewall) $(wire leaked)" "2 0"
	run -0 wgvia up wg6 "${WORDS[@]}" mode "$2"
	load_both_ways 1000
	answers "$NS_C1" "$SVC4" service "$C1_4"
	answers "$NS_C1" "$SVC6" service "$C1_6"
	load_lost_nothing "$(load_stop load)"
	is "$(wire leaked)" 0
}

@test "tcx: mode fast: the first packet goes to the firewall, and the same command completes the instance" {
	prepares tcx fast
	is "$output" "$FAST"
	is "$(directions)" '["back ens3","egress ens3","out wg6"]'
	wgvia down wg6
	nothing_left
}

@test "clsact: mode fast: the first packet goes to the firewall, and the same command completes the instance" {
	prepares clsact fast
	is "$output" "$FAST"
	is "$(directions)" '["back ens3","egress ens3","out wg6"]'
	wgvia down wg6
	nothing_left
}

@test "tcx: mode stack: the first packet goes to the firewall, and the same command completes the instance" {
	prepares tcx stack
	is "$output" ""
	is "$(directions)" '["back ens3","egress ens3"]'
	is "$(wgvia -j show wg6 | jq .ifindex)" "$(ip -n "$NS_GW" -j link show wg6 | jq '.[].ifindex')"
}

@test "clsact: mode stack: the first packet goes to the firewall, and the same command completes the instance" {
	prepares clsact stack
	is "$output" ""
}

@test "down removes what was prepared, and the interface need not exist" {
	local kind
	for kind in tcx clsact; do
		(attach_type $kind) || continue
		attach_type $kind
		tunnel_removed
		wgvia up wg6 "${WORDS[@]}"
		wgvia down wg6
		nothing_left
		wgvia down wg6
		tunnel_made
	done
}

@test "an instance whose tunnel was removed is prepared again by the same command" {
	wgvia up wg6 "${WORDS[@]}"
	tunnel_removed
	run -0 wgvia up wg6 "${WORDS[@]}"
	is "$output" "$NOTE"
	is "$(directions)" '["back ens3","egress ens3"]'
	tunnel_made
	wgvia up wg6 "${WORDS[@]}"
	is "$(directions)" '["back ens3","egress ens3","out wg6"]'
}

@test "a tunnel with Ethernet headers is recognised when it exists" {
	tunnel_removed
	wgvia up wg6 "${WORDS[@]}"
	ip -n "$NS_GW" link add wg6 type veth peer name wgc1 netns "$NS_C1"
	ip -n "$NS_GW" link set wg6 up
	ip -n "$NS_GW" address add "$WG4/16" dev wg6
	ip -n "$NS_C1" link set wgc1 up
	ip -n "$NS_C1" address add "$C1_4/16" dev wgc1
	ip -n "$NS_C1" route add "$SVC4" via "$WG4" dev wgc1
	wire_reset
	ping_once "$NS_C1" "$SVC4"
	wgvia up wg6 "${WORDS[@]}"
	ping_once "$NS_C1" "$SVC4"
	is "$(wire to_firewall) $(wire leaked) $(counter redirected) $(counter retargeted)" "2 0 1 1"
	wgvia down wg6
	ip -n "$NS_GW" link delete wg6
}

@test "apply prepares too, -c shows what it would do, and both report that the interface does not exist" {
	local file=$BATS_TEST_TMPDIR/wg6.conf
	printf '%s\n' "from $VPN4 via $FW4" "from $VPN6 via $FW6" >"$file"
	tunnel_removed
	run -0 wgvia apply -c wg6 "$file"
	is "$(grep -c '^+ from' <<<"$output")" 2
	grep -F "wg6: interface 'wg6' does not exist yet: its type" <<<"$output"
	nothing_left
	run -0 wgvia apply wg6 "$file"
	is "$(grep -c '^+ from' <<<"$output")" 2
	grep -xF "$NOTE" <<<"$output"
	run -0 wgvia apply wg6 "$file"
	is "$output" ""
	tunnel_made
	run -0 wgvia apply wg6 "$file"
	is "$output" "$FAST"
	is "$(directions)" '["back ens3","egress ens3","out wg6"]'
}

@test "apply -c checks a file for an interface that does not exist yet, and reports what it could not check" {
	local file=$BATS_TEST_TMPDIR/wg99.conf unchecked
	unchecked="wg99: interface 'wg99' does not exist yet: its type, addresses and routes were not checked"
	echo "from $VPN4 via $FW4 dev ens3" >"$file"
	run -0 wgvia apply -c wg99 "$file"
	is "$(tail -n 2 <<<"$output")" "+ from $VPN4 via $FW4 dev ens3
$unchecked"
	nothing_left
	# on a freshly installed host, nothing is mounted yet
	# shellcheck disable=SC2016 # the inner shell's variables
	FILE=$file run -0 unshare --mount --pid --fork --mount-proc bash -ec 'umount -l /sys/fs/bpf
		"$WGVIA" -n "$NS_GW" apply -c wg99 "$FILE"
		! grep -q " /sys/fs/bpf bpf " /proc/mounts'
	is "$(tail -n 1 <<<"$output")" "$unchecked"
	# what depends on the LAN is checked
	echo "from $VPN4 via $INET4" >"$file"
	run -1 wgvia apply -c wg99 "$file"
	[[ $output == "wgvia: $file:1: via '$INET4' is not on-link"* ]]
	# it is reported even if nothing would change
	echo "from $VPN4 via $FW4 dev ens3" >"$file"
	wgvia apply wg99 "$file"
	run -0 wgvia apply -c wg99 "$file"
	is "$output" "$unchecked"
	is "$(wgvia -j apply -c wg99 "$file" | jq -c '[.changes, (.notes | length)]')" '[[],1]'
	wgvia down wg99
	nothing_left
}

@test "without a prefix, an interface that does not exist is refused, and the hint says what is missing" {
	run -1 --separate-stderr wgvia up wg99
	is "$output" ""
	is "$stderr" "wgvia: cannot use 'wg99': no such device
hint: to prepare for an interface that does not exist yet, name the prefixes: from PREFIX"
	nothing_left
}

@test "a mistyped name is noticed: up and show report that there is no such interface" {
	run -0 wgvia up wg99 "${WORDS4[@]}"
	[[ $output == "wg99: interface 'wg99' does not exist yet: "* ]]
	run -0 wgvia -j up wg99 "${WORDS4[@]}"
	jq -e '.notes | map(select(contains("does not exist yet"))) | length == 1' <<<"$output"
	run -0 wgvia show wg99
	[[ $output == "wg99: absent mode fast on-fail drop"* ]]
	wgvia down wg99
	nothing_left
}

@test "show, stats, save, route and bypass work on what is prepared, with true output" {
	tunnel_removed
	wgvia up wg6 "${WORDS4[@]}" mode stack
	is "$(wgvia -j show wg6 | jq -c '[.state, .ifindex, .prefixes[].usable]')" '["absent",0,true]'
	run -0 wgvia stats wg6
	wgvia route add wg6 "${WORDS6[@]}"
	wgvia bypass add wg6 198.18.0.0/15
	run -0 wgvia save wg6
	is "$(grep -v '^#' <<<"$output")" "mode stack
on-fail drop
outside pass
mss off
counters off
return via
from $VPN4 via $FW4 dev ens3
from $VPN6 via $FW6 dev ens3
bypass 198.18.0.0/15"
	wgvia save wg6 >"$BATS_TEST_TMPDIR/saved"
	run -0 wgvia apply wg6 "$BATS_TEST_TMPDIR/saved"
	is "$output" ""
	tunnel_made
	# found by its name, without any command since
	is "$(wgvia -j show wg6 | jq -c '[.state, .ifindex]')" '["up",0]'
}

@test "check reports the interface that does not exist, and nothing that is not true" {
	tunnel_removed
	wgvia up wg6 "${WORDS[@]}"
	ping_once "$NS_GW" "$FW4"
	ping_once "$NS_GW" "$FW6"
	run -1 wgvia check wg6
	grep -xF "warning: device: interface 'wg6' does not exist (removed, or not created yet): only the egress programs are attached; run 'wgvia up' when it exists" <<<"$output"
	is "$(grep -c -e ^warning -e ^error <<<"$output")" 1
	tunnel_made
	run -1 wgvia check wg6
	grep "^error: attachment: the out program " <<<"$output"
	run ! grep "does not exist" <<<"$output"
}

@test "explain runs the egress program if there is no tunnel" {
	tunnel_removed
	wgvia up wg6 "${WORDS4[@]}" bypass 203.0.113.0/24
	run -0 wgvia explain wg6 from "$C1_4" to "$SVC4"
	grep -F "interface 'wg6' does not exist" <<<"$output"
	grep -xF "  retargeted: to the firewall $FW4 by dev ens3" <<<"$output"
	run -0 wgvia explain wg6 from "$C1_4" to "$INET4"
	grep "left to the kernel$" <<<"$output"
	run -0 wgvia explain wg6 from 198.51.100.7 to "$SVC4"
	grep "left to the kernel$" <<<"$output"
	# the tunnel exists, without any command since: the kernel forwards to the same program
	tunnel_made
	run -0 wgvia explain wg6 from "$C1_4" to "$SVC4"
	grep -xF "    kernel: forwards it by dev ens3" <<<"$output"
	grep -xF "  retargeted: to the firewall $FW4 by dev ens3" <<<"$output"
}

# The only packet that gets out: the kernel holds it while it resolves the firewall's neighbour, and looks up its route
# again when the answer comes (neigh_update()), with no program attached any more.
@test "mode stack: a packet that waits for the firewall's answer during down goes where the kernel routes it" {
	wgvia up wg6 "${WORDS4[@]}" mode stack
	set_sysctls "$NS_GW" net.ipv4.neigh.ens3.mcast_solicit=30 # the packet waits as long as this test takes
	ping_once "$NS_C1" "$SVC4" # the kernel knows the service
	ip -n "$NS_LAN" link set fw down
	ip -n "$NS_GW" neighbour flush to "$FW4" dev ens3
	wire_reset
	in_ns "$NS_C1" ping -q -n -c 1 -W 0.2 "$SVC4" || true
	is "$(wire to_firewall) $(wire leaked)" "0 0"
	wgvia down wg6
	ip -n "$NS_LAN" link set fw up
	poll 5 wire_leaks
	is "$(wire leaked)" 1
	set_sysctls "$NS_GW" net.ipv4.neigh.ens3.mcast_solicit=3
}

wire_leaks() {
	[ "$(wire leaked)" -gt 0 ]
}
