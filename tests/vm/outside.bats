#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `outside drop` with the kernel's WireGuard: a client whose AllowedIPs are wider than the prefixes. Nothing that it
# sends from there reaches a LAN, each packet is counted, and everything that must be reachable is reachable.

# shellcheck disable=SC2034,SC2086,SC2153,SC2154 # others read variables; addresses are words; the topology's variables

load ../lib/net.bash
load ../lib/load.bash
load ../lib/agent.bash
load ../lib/outside.bash

RATE=100 REMAKES=1 # an emulated machine encrypts slowly

# The topology without servers: the kernels answer pings.
setup_file() {
	topology_names "wgvia$$"
	export PIN_DIR=/sys/fs/bpf/$TOPO_NAME
	mkdir -p "$TOPO_DIR"
	namespaces_up && outside_up && lan_up && firewall_up && gateway_up && tunnels_up
	poll 10 ping_once "$NS_C1" "$WG4"
	poll 10 ping_once "$NS_C2" "$WG6"
	outsider_up
	load_servers_up
}

setup() {
	in_ns "$NS_GW" test ! -e "$TOPO_DIR/wg6.pid" || skip "no WireGuard in kernel $(uname -r)"
}

teardown() {
	local name
	for name in outsider load; do
		unspawn $name KILL
	done
	agent_stop KILL
	load_sweep
}

# reaches NAMESPACE SOURCE>ADDRESS...: each is pinged once, in parallel.
reaches() {
	local ns=$1
	shift
	# shellcheck disable=SC2016 # the inner shell's variables
	in_ns "$ns" bash -c 'for pair; do
		{ ping -q -n -c 1 -W 5 -I "${pair%>*}" "${pair#*>}" >/dev/null || echo "$pair: no answer"; } &
	done; wait' reaches "$@" >"$BATS_TEST_TMPDIR/pings"
	is "$(<"$BATS_TEST_TMPDIR/pings")" ""
}

# Both families: a client in a prefix reaches a service on the LAN, the firewall, the Internet; one in none reaches this
# host and other clients; link-local addresses, and all nodes of the tunnel, which neighbour discovery needs.
reaches_what_it_should() {
	reaches "$NS_C1" $C1_4\>{$SVC4,$FW4,$INET4,$GW4,$WG4,$C2_4} $C1_6\>{$SVC6,$FW6,$INET6,$GW6,$WG6,$C2_6} \
		$OUT4\>{$GW4,$GW2_4,$WG4,$C2_4} $OUT6\>{$GW6,$GW2_6,$WG6,$C2_6} $OUT_LL%wgc1\>{$WG_LL,ff02::1}%wgc1
	reaches "$NS_C2" $C2_4\>$OUT4 $C2_6\>$OUT6
	reaches "$NS_GW" $WG4\>{$OUT4,$SVC4} $WG6\>$OUT6 $GW6\>{$OUT6,$SVC6}
}

# proxied: a LAN host that asks for the client gets an answer from this host on its behalf. The client's own answers do
# not get there.
proxied() {
	ip -n "$NS_SVC" neighbour flush to $OUT6 dev eth0
	run ! ping_once "$NS_SVC" $OUT6 -W 1
	ip -n "$NS_SVC" neighbour show $OUT6 dev eth0 | grep -q "lladdr $GW_MAC"
}

# bats test_tags=vm
@test "nothing reaches a LAN, each packet is counted, and what must be reachable is reachable" {
	local mode sent
	set_sysctls "$NS_GW" net.ipv6.conf.ens3.proxy_ndp=1
	ip -n "$NS_GW" neighbour add proxy $OUT6 dev ens3
	ip -n "$NS_SVC" route add $OUT6 dev eth0
	outsider_load outsider "$RATE"
	poll 10 gets_past 10 # without wgvia
	unspawn outsider KILL
	wgvia up wg6 "${WORDS[@]}" outside drop
	past_reset
	load_both_ways "$RATE"
	outsider_load outsider "$RATE"
	for mode in fast stack; do
		echo "mode $mode"
		wgvia up wg6 "${WORDS[@]}" mode $mode outside drop
		outsider_is_refused
	done
	sent=$(load_stop outsider)
	is "refused $(counter egress.refused)" "refused $(jq '.sent + .asked' <<<"$sent")"
	is "$(jq .out.received <<<"$sent") received" "0 received"
	for mode in stack fast; do
		echo "mode $mode"
		wgvia up wg6 "${WORDS[@]}" mode $mode outside drop
		reaches_what_it_should
	done
	is "refused $(counter egress.refused)" "refused $(jq '.sent + .asked' <<<"$sent")"
	proxied
	lost_none "$(load_stop load)"
	past_nothing
}

# bats test_tags=vm
@test "while the tunnel is deleted and re-created: nobody attaches anything, with an agent" {
	wgvia up wg6 "${WORDS[@]}" outside drop
	remakes wgvia up wg6 "${WORDS[@]}" mode stack outside drop
	agent_start
	remakes true
}
