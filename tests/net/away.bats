#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `wgvia check` while a device of the instance is missing: the tunnel after wg-quick down without a hook, or with an
# agent that waits for it; the LAN device. It reports that, and nothing that is not true. In particular it never
# suggests a command that exempts the gateway's own LAN.

# shellcheck disable=SC2030,SC2031,SC2034,SC2086 # others set and read variables; addresses are words
# shellcheck disable=SC2153 # the topology's variables
# shellcheck disable=SC2154 # bats sets $output

load ../lib/check.bash
load ../lib/agent.bash

teardown() {
	agent_stop KILL
	wgvia down wg6
	wire_end
}

tunnel_away() {
	unspawn tun
	poll 5 is_no_device wg6
}

# no_agent MODE
no_agent() {
	up mode $1
	finds ""
	tunnel_away
	finds device
	severity device warning
	tells device "interface 'wg6' was removed: the egress programs are still attached"
	is "$(remedy device)" "wgvia down wg6"
	run wgvia -j check wg6 --probe
	is "$(jq -r '[.findings[].name] | sort | join(" ")' <<<"$output")" "device probe_skipped"
	tells probe_skipped "cannot be probed: dev wg6 does not exist"
	mend device
	nothing_left
}

@test "mode fast: the tunnel was removed without a hook, and no agent runs" {
	no_agent fast
}

@test "mode stack: the tunnel was removed without a hook, and no agent runs" {
	no_agent stack
}

is_waiting() {
	[ "$(wgvia -j show wg6 | jq -c '[.ifindex, .agent]')" = "[0,true]" ]
}

# with_agent MODE
with_agent() {
	local file=$BATS_TEST_TMPDIR/wg6.conf
	printf '%s\n' "from $VPN4 via $FW4 dev ens3" "from $VPN6 via $FW6 dev ens3" "mode $1" >"$file"
	AGENT_ENV=()
	wire_answers $FW4 $FW6
	agent_start "$file"
	finds ""
	tunnel_away
	poll 10 is_waiting
	finds device
	tells device "interface 'wg6' does not exist (removed, or not created yet): the egress programs are attached, and \
the agent attaches the others when it exists"
	is "$(remedy device)" ""
}

@test "mode fast: the tunnel was removed, and an agent waits for it" {
	with_agent fast
}

@test "mode stack: the tunnel was removed, and an agent waits for it" {
	with_agent stack
}

# The gateway's LAN as in the main table, for each family.
names_no_lan() {
	run ! grep -E 'bypass add wg6 (192\.0\.2\.0/24|2001:db8:2::/64)' <<<"$output"
}

@test "a LAN device that was removed and re-created, and no agent: no command exempts the LAN" {
	up
	finds ""
	ip -n "$NS_GW" link delete ens3
	look
	names_no_lan
	wire_cable ens3 lan
	wire_lan ens3
	ip -n "$NS_GW" route delete 198.19.0.0/16
	look
	is "$(jq -r '[.findings[].name] | unique | join(" ")' <<<"$output")" "attachment value"
	names_no_lan
}

@test "no instance, and no default route that up could use: no command exempts the LAN" {
	ip -n "$NS_GW" route delete default
	ip -n "$NS_GW" -6 route delete ::/0 dev ens3
	finds plan
	names_no_lan
}

@test "another kind of device has the tunnel's name: check reports what up would refuse, and nothing that needs a plan" {
	up
	tunnel_away
	ip -n "$NS_GW" link set lo down
	ip -n "$NS_GW" link set lo name wg6
	look
	ip -n "$NS_GW" link set wg6 name lo
	ip -n "$NS_GW" link set lo up
	tells plan "cannot use 'wg6': it is the loopback device"
	is "$(jq -r '[.findings[].name] | unique | map(select(. == "value" or . == "bypass" or . == "reach")) | join(" ")' \
		<<<"$output")" ""
	names_no_lan
}
