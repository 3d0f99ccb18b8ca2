#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# A firewall that sends from another MAC address than it answers neighbour requests with: `up`, `apply`, `route`, `check
# --probe` and the agent find out, and nobody else is believed. Redirects, and hosts of the LAN that answer directly:
# `check` names them, and what it names against redirects helps.

# shellcheck disable=SC2086,SC2153,SC2154 # addresses are words; the topology's variables, bats's

export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-120}
load ../lib/net.bash
load ../lib/agent.bash

OTHER_MAC=02:00:00:00:02:f1 THIRD_MAC=02:00:00:00:02:f2
LINK_LOCAL=fe80::ff:fe00:201 # the firewall's

setup() {
	AGENT_ENV=()
	CAPTURE=$BATS_TEST_TMPDIR/lan.pcap
}

teardown() {
	agent_stop KILL
	unspawn forge KILL
	unspawn capture-lan.pcap INT
	honest
	sweep "$NS_GW" wg6
}

# sends_from MAC: IP packets; requests for neighbours and answers to them, whose payload tells the MAC, do not matter.
sends_from() {
	in_ns "$NS_FW" nft -f - <<-END
		table netdev sender
		delete table netdev sender
		table netdev sender {
			chain out {
				type filter hook egress device lan priority 0; policy accept;
				icmpv6 type { 133, 134, 135, 136, 137 } return
				meta protocol { ip, ip6 } ether saddr set $1
			}
		}
	END
}

honest() {
	in_ns "$NS_FW" nft delete table netdev sender 2>/dev/null || true
}

# probed: the map's entries that a probe has found, "GATEWAY MAC", sorted.
probed() {
	bpftool -j map dump pinned "$PIN_DIR/wg6/senders" | jq -r '.[].formatted |
		select(.value == 1) | .key | (.gateway.addr | map(tostring) | join(".")) + " " +
		(.mac | map(tostring) | join(":"))' | sort
}

@test "up says it, and writes it down" {
	sends_from $OTHER_MAC
	run -0 wgvia up wg6 "${WORDS[@]}"
	echo
	bpftool map dump pinned "$PIN_DIR/wg6/senders"
	probed
	false
}
