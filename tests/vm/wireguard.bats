#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Reading the peers of the kernel's WireGuard: what it needs, and while they change. tests/net/coverage.bats covers the
# findings, and runs with the kernel's as well.

# shellcheck disable=SC2154 # `run` sets $output
# shellcheck disable=SC2034 # others read variables

load ../lib/wireguard.bash
load ../lib/agent.bash

setup_file() {
	topology_names "wgvia$$"
	mkdir -p "$TOPO_DIR"
	export PIN_DIR=/sys/fs/bpf/$TOPO_NAME
	ip netns add "$NS_GW"
	set_sysctls "$NS_GW" net.ipv4.ip_forward=1
}

setup() {
	ip -n "$NS_GW" link add wg6 type wireguard || skip "no WireGuard in kernel $(uname -r)"
	ip -n "$NS_GW" link add ens3 type dummy
	ip -n "$NS_GW" address add "$GW4/24" dev ens3
	ip -n "$NS_GW" address add "$WG4/16" dev wg6
	ip -n "$NS_GW" link set ens3 up
	ip -n "$NS_GW" link set wg6 up
	ip -n "$NS_GW" route add default via "$FW4"
}

teardown() {
	unspawn changes
	ip -n "$NS_GW" link delete wg6 2>/dev/null || true
	ip -n "$NS_GW" link delete ens3 2>/dev/null || true
}

# bats test_tags=vm
@test "without CAP_NET_ADMIN the kernel's peers cannot be read: the finding names what is missing" {
	wg_set peer "$(new_key)" allowed-ips 10.7.0.0/24
	AS_UNIT=(setpriv --bounding-set "-all,$(tr ',' '\n' <<<"$UNIT_CAPS" | grep -vx +net_admin | paste -sd,)" --inh-caps -all)
	run as_unit -j check wg6
	is "$(finding wireguard .severity)" warning
	is "$(finding wireguard .evidence)" "cannot read the peers of 'wg6': operation not permitted: it is not known whether \
the prefixes cover its peers' AllowedIPs"
	finding wireguard .remedy | grep -q "^CAP_NET_ADMIN is missing: "
	is "$(finding uncovered_peer .)" ""
}

# bats test_tags=vm
@test "the unit's capabilities are enough for the kernel's peers; a peer without ranges causes no finding" {
	local key
	key=$(new_key)
	wg_set peer "$(new_key)" peer "$key" allowed-ips 10.7.0.0/24,2001:db8:7::/48
	run as_unit -j check wg6
	is "$(listed)" "$key 10.7.0.0/24"
}

# bats test_tags=vm,long
@test "peers that change while they are read: each answer is complete" {
	local key other file=$BATS_TEST_TMPDIR/peers
	key=$(new_key) other=$(new_key)
	# hundreds of ranges, and one that moves from peer to peer
	wg_set peer "$key" allowed-ips "$(printf '%s,' 10.{100..105}.{0..199}.0/30 | sed 's/,$//')"
	# shellcheck disable=SC2016 # the inner shell's variables
	spawn "$NS_GW" changes bash -c 'while :; do
		wg set wg6 peer "$0" allowed-ips 10.99.0.0/24
		wg set wg6 peer "$1" allowed-ips 10.99.0.0/24
	done' "$other" "$(new_key)"
	for _ in {1..20}; do
		look
		if [ -z "$(finding wireguard .)" ]; then
			is "$(finding uncovered_peer .peer_count)" 2
			finding uncovered_peer .evidence | grep -qF "and 1200 more, from which"
			echo whole >>"$file"
		else
			finding wireguard .evidence | grep -qF "they keep changing"
		fi
	done
	[ -s "$file" ] # at least one
}
