# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A second firewall beside the topology's one, which to the gateway has its own addresses and MAC address; both can stop
# and resume answering. net.bash must be loaded first.

# shellcheck disable=SC2034,SC2153 # the tests do; the topology's variables

FW2_MAC=02:00:00:00:02:09 FW4B=192.0.2.9 FW6B=2001:db8:2::9
LISTS=(from "$VPN4" via "$FW4" or "$FW4B" from "$VPN6" via "$FW6" or "$FW6B")

second_up() {
	NS_FW2=$TOPO_NAME-fw2
	export NS_FW2
	ip netns add "$NS_FW2"
	set_sysctls "$NS_FW2" net.ipv6.conf.{all,default}.accept_dad=0
	cable "$NS_FW2" lan $FW2_MAC "$NS_LAN" fw2 02:00:00:00:02:a9
	ip -n "$NS_LAN" link set fw2 master lan
	second_well
}

teardown_file() {
	ip netns delete "$TOPO_NAME-fw2" 2>/dev/null
	topology_down
	rm -rf "$PIN_DIR"
}

# Gateways that do not answer, and that do again; the link of neither changes.
first_dead() {
	in_ns "$NS_FW" nft 'table netdev dead { chain in { type filter hook ingress device lan priority -1; policy drop; }; }'
}

first_well() {
	in_ns "$NS_FW" nft delete table netdev dead 2>/dev/null || true
}

second_dead() {
	ip -n "$NS_FW2" link set lan down
}

second_well() {
	ip -n "$NS_FW2" link set lan up
	ip -n "$NS_FW2" address replace $FW4B/24 dev lan
	ip -n "$NS_FW2" address replace $FW6B/64 dev lan nodad
}
