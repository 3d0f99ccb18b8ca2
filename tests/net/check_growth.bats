#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `wgvia check` on large hosts: twice as many rules, routes, addresses or devices cost about twice the work. It counts
# instructions of wgvia itself, under valgrind, so that the machine's load does not matter.

# shellcheck disable=SC2086 # addresses are words

load ../lib/check.bash

# work: the instructions of one check.
work() {
	gw valgrind --tool=callgrind --callgrind-out-file=/dev/null "$WGVIA" --pin-dir "$PIN_DIR" check wg6 2>&1 |
		sed -n 's/.*Collected : *//p'
}

# grows_evenly FUNCTION [NUMBER]: the function creates a host with that many of something. Doubling NUMBER adds at most
# 2.5 times the work that NUMBER of them add.
grows_evenly() {
	local number=${2:-400} base one two
	command -v valgrind >/dev/null || skip "valgrind is not installed"
	[ "$WGVIA" = "$TREE/build/wgvia" ] || skip "counts the instructions of $TREE/build/wgvia alone"
	up
	base=$(work)
	$1 $number
	one=$(($(work) - base))
	$1 $((2 * number))
	two=$(($(work) - base))
	echo "$1: $base instructions, $one more with $number, $two more with $((2 * number))"
	((one > 0 && 2 * two <= 5 * one))
}

# numbered NUMBER LINE: prints LINE for each number from 0 on, with the number for N, and its two bytes with a dot for
# B.
numbered() {
	awk -v number="$1" -v format="$2" 'BEGIN {
		for (i = 0; i < number; i++) {
			line = format
			gsub(/N/, i, line)
			gsub(/B/, int(i / 256) "." i % 256, line)
			print line
		}
	}'
}

nft_rules() {
	{
		echo "flush ruleset; table ip big { chain f { type filter hook forward priority 0;"
		numbered $1 "ip saddr 10.B.0/24 tcp dport 22 drop"
		echo "}; }"
	} | gw nft -f -
}

nft_chains() {
	{
		echo "flush ruleset; table ip big {"
		numbered $1 "chain cN { tcp dport 22 drop; }"
		echo "chain f { type filter hook forward priority 0;"
		numbered $1 "jump cN"
		echo "}; }"
	} | gw nft -f -
}

iptables_rules() {
	{
		echo "*filter"
		numbered $1 ":cN -"
		numbered $1 "-A FORWARD -j cN"
		numbered $1 "-A cN -s 10.B.0/24 -p tcp --dport 22 -j DROP"
		echo COMMIT
	} | gw iptables-legacy-restore
}

routes() {
	numbered $1 "route replace 172.B.0/24 via $SVC4" | ip -n "$NS_GW" -batch -
}

routes_elsewhere() {
	ip -n "$NS_GW" link add other type bridge 2>/dev/null || true
	ip -n "$NS_GW" link set other up
	numbered $1 "route replace 172.B.0/24 dev other" | ip -n "$NS_GW" -batch -
}

rules_and_routes() {
	nft_rules $1
	routes_elsewhere $1
}

devices_and_routes() {
	l3_devices $1
	numbered $1 "route replace 172.B.0/24 dev tN" | ip -n "$NS_GW" -batch -
}

routes_into_the_tunnel() {
	numbered $1 "route replace 172.B.0/24 dev wg6" | ip -n "$NS_GW" -batch -
}

addresses() {
	numbered $1 "addr replace 172.B.1/24 dev ens3" | ip -n "$NS_GW" -batch -
}

# Devices without link header, to all of which an instance is attached.
l3_devices() {
	numbered $1 "tuntap add tN mode tun" | ip -n "$NS_GW" -force -batch - 2>/dev/null || true
	numbered $1 "link set tN up" | ip -n "$NS_GW" -batch -
	up
}

rules_from() {
	ip -n "$NS_GW" rule flush
	{
		echo "rule add table main pref 32766"
		numbered $1 "rule add from 10.B.0/24 table 10N pref 10N"
	} | ip -n "$NS_GW" -force -batch - 2>/dev/null
}

rules_to() {
	ip -n "$NS_GW" rule flush
	{
		echo "rule add table main pref 32766"
		numbered $1 "rule add to 172.B.0/24 table 10N pref 10N"
		numbered $1 "route replace 172.B.0/25 via $SVC4 table 10N"
	} | ip -n "$NS_GW" -force -batch - 2>/dev/null || true
}

@test "growth: rules of nft" {
	grows_evenly nft_rules
}

@test "growth: chains of nft" {
	grows_evenly nft_chains
}

# bats test_tags=long
@test "growth: rules and chains of iptables-legacy" {
	gw iptables-legacy -S >/dev/null 2>&1 || skip "no iptables-legacy"
	grows_evenly iptables_rules
}

@test "growth: routes by the firewall's device" {
	grows_evenly routes
}

# bats test_tags=long
@test "growth: routes by another device" {
	grows_evenly routes_elsewhere
}

@test "growth: routes into the tunnel" {
	grows_evenly routes_into_the_tunnel
}

@test "growth: rules of nft and routes together" {
	grows_evenly rules_and_routes
}

# bats test_tags=long
@test "growth: devices and routes by them together" {
	grows_evenly devices_and_routes 100
}

# bats test_tags=long
@test "growth: addresses" {
	grows_evenly addresses
}

# bats test_tags=long
@test "growth: devices without link header" {
	grows_evenly l3_devices 100
}

# bats test_tags=long
@test "growth: policy rules about sources" {
	grows_evenly rules_from
}

@test "growth: policy rules about destinations, each with a table" {
	grows_evenly rules_to
}
