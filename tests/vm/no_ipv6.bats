#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel that was booted without IPv6: every command works for IPv4, and the agent watches its gateway by ARP. The
# firewall is a separate namespace, because the topology of the other files has IPv6 addresses.
#
#   VM_APPEND=ipv6.disable=1 scripts/vm 6.12 -- bats tests/vm/no_ipv6.bats

# shellcheck disable=SC2154 # `run` sets $status, $output
load ../lib/net.bash
load ../lib/agent.bash

setup_file() {
	[ ! -e /proc/net/if_inet6 ] || skip "this kernel has IPv6: scripts/vm with VM_APPEND=ipv6.disable=1"
	topology_names "wgvia$$"
	export PIN_DIR=/sys/fs/bpf/$TOPO_NAME
	mkdir -p "$TOPO_DIR"
	ip netns add "$NS_GW"
	ip netns add "$NS_FW"
	ip -n "$NS_GW" link add ens3 type veth peer name eth0 netns "$NS_FW"
	ip -n "$NS_FW" -batch - <<-END
		link set lo up
		link set eth0 up
		address add $FW4/24 dev eth0
	END
	ip -n "$NS_GW" -batch - <<-END
		link set lo up
		link set ens3 up
		address add $GW4/24 dev ens3
		route add default via $FW4
		tuntap add wg6 mode tun
		link set wg6 up
		address add $WG4/16 dev wg6
	END
}

teardown() {
	agent_stop KILL
	ip -n "$NS_FW" link set eth0 up
	wgvia down wg6
}

teardown_file() {
	[ -n "${TOPO_DIR:-}" ] || return 0
	ip netns delete "$NS_GW"
	ip netns delete "$NS_FW"
	rm -rf "$TOPO_DIR" "$PIN_DIR"
}

# as_up: the instance that `up wg6` creates.
as_up() {
	wgvia up wg6
}

@test "up takes the IPv4 prefix and gateway, once each" {
	run -0 as_up
	is "${lines[0]}" "wg6: from $VPN4 via $FW4 dev ens3 (addresses)"
	is "$(wgvia -j show wg6 | jq -c '[.prefixes[].from]')" "[\"$VPN4\"]"
	is "$(wgvia -j show wg6 | jq -r '.bypass[].to' | sort | uniq -d)" ""
	is "$(wgvia -j show wg6 | jq -r '[.bypass[].to | select(contains(":"))] | join(" ")')" "::/128 ::1/128 fe80::/10 ff00::/8"
}

@test "show, check, stats, explain, save, import, trace" {
	as_up
	wgvia show wg6 | grep -E "from $VPN4 via $FW4 dev ens3"
	wgvia stats wg6
	wgvia stats --prometheus | grep -F 'interface="wg6"'
	wgvia save wg6 | grep -x "from addresses"
	run wgvia check wg6
	run ! grep -Ei "ipv6|2001:|cannot" <<<"$output"
	wgvia explain wg6 from "$C1_4" to "$SVC4" | tee /dev/stderr | grep -F "redirected: to the firewall $FW4 by dev ens3"
	wgvia explain wg6 from "$C1_6" to "$SVC6" | tee /dev/stderr | grep -i "kernel: drops it, address family not supported"
	printf '%s\n' '[Interface]' "Address = $WG4/16" "PostUp = ip rule add from $VPN4 table 100" \
		"PostUp = ip route add default via $FW4 dev ens3 table 100" >"$BATS_TEST_TMPDIR/wg6.conf"
	wgvia import "$BATS_TEST_TMPDIR/wg6.conf" | grep -F "from $VPN4"
	spawn "$NS_GW" trace "$WGVIA" --pin-dir "$PIN_DIR" trace wg6
	poll 10 grep -qx "listening on 'wg6'" "$TOPO_DIR/trace.log"
	unspawn trace
}

@test "an IPv6 gateway is refused, also a link-local one" {
	local via
	for via in "$FW6" "$FW_LL"; do
		run -1 wgvia up wg6 from "$VPN6" via "$via" dev ens3
		is "${lines[0]}" "wgvia: via '$via' cannot be used: this kernel has no IPv6"
	done
	is "$(find "$PIN_DIR" -mindepth 1 2>/dev/null)" ""
}

is_well() {
	[ "$(grep -cE "gateway $FW4 dev ens3 (answers|is healthy)" "$TOPO_DIR/agent.log")" -ge 2 ]
}

@test "the agent asks its gateway by ARP, and notices when it does not answer" {
	echo "from $VPN4" >"$BATS_TEST_TMPDIR/wg6.conf"
	agent_start "$BATS_TEST_TMPDIR/wg6.conf" interval 0.3
	says "gateway $FW4 dev ens3 answers"
	ip -n "$NS_FW" link set eth0 down
	says "gateway $FW4 dev ens3 is dead"
	ip -n "$NS_FW" link set eth0 up
	poll 10 is_well
	says_not "address family"
}
