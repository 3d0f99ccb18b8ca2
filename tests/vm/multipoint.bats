#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Multipoint GRE: `wgvia check` reports that its packets bypass the firewall in mode stack, and no other tunnel.

# shellcheck disable=SC2086 # addresses are words
# shellcheck disable=SC2153 # the topology's variables

load ../lib/check.bash

# bats test_tags=vm,long
@test "encapsulation: multipoint GRE tunnels, of both families, and mode fast is the remedy" {
	ip -n "$NS_GW" link add gre1 type gre local $GW4 key 1 || skip "no GRE in kernel $(uname -r)"
	ip -n "$NS_GW" link add gre2 type gre local $GW4 remote 192.0.2.77 key 2
	ip -n "$NS_GW" link add gre3 type gre external
	ip -n "$NS_GW" link add gre6 type ip6gre local $GW6 key 3
	up mode stack
	finds ""
	for device in gre1 gre6; do
		ip -n "$NS_GW" link set $device up
		poll 5 look
		tells encapsulation "dev $device is a multipoint tunnel"
		ip -n "$NS_GW" link set $device down
	done
	ip -n "$NS_GW" link set gre2 up
	ip -n "$NS_GW" link set gre3 up
	look
	is "$(jq '[.findings[] | select(.name == "encapsulation")] | length' <<<"$output")" 0
	ip -n "$NS_GW" link set gre1 up
	look
	mend encapsulation
	look
	is "$(jq '[.findings[] | select(.name == "encapsulation")] | length' <<<"$output")" 0
}
