#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `wgvia check` for a device of the kernel's WireGuard that receives in threads. sysfs shows the network namespace in
# which it was mounted.

# shellcheck disable=SC2154 # `run` sets $output
# shellcheck disable=SC2016 # the inner shell's variables
load ../lib/net.bash

setup_file() {
	topology_names "wgvia$$"
	ip netns add "$NS_GW"
}

teardown_file() {
	ip netns delete "$NS_GW"
}

teardown() {
	ip -n "$NS_GW" link delete wg6 2>/dev/null || true
	ip link delete wg6 2>/dev/null || true
}

# wireguard COMMAND...: a wg6 with a peer, which threads need; COMMAND enters its network namespace.
wireguard() {
	"$@" ip link add wg6 type wireguard || skip "no WireGuard in kernel $(uname -r)"
	"$@" wg set wg6 private-key <(wg genkey) peer "$(wg genkey | wg pubkey)" allowed-ips 10.6.0.2/32
	"$@" ip link set wg6 up
	"$@" ip address add 10.6.0.1/24 dev wg6
}

# in_sysfs COMMAND: in the namespace, with its own sysfs.
in_sysfs() {
	in_ns "$NS_GW" unshare --mount bash -ec 'mount -t sysfs sysfs /sys; eval "$0"' "$1"
}

# found VALUE: writes it to `threaded`; prints the finding, and that after its remedy.
found() {
	in_sysfs "echo $1 >/sys/class/net/wg6/threaded"
	finding
	in_sysfs "$(finding | tail -n 1)"
	echo "then: $(finding)"
}

finding() {
	{ "$WGVIA" -n "$NS_GW" -j check wg6 || true; } | jq -r '.findings[] | select(.name == "threaded_napi") | .severity, .evidence, .remedy'
}

# bats test_tags=vm
@test "threaded NAPI: a finding on Linux 5.15 to 6.12, whose remedy works; none elsewhere" {
	wireguard in_ns "$NS_GW"
	[[ $(uname -r) != 5.10.* ]] || skip "no threaded NAPI in kernel $(uname -r)"
	is "$(found 0)" "then: "
	case $(uname -r) in
	5.1[5-9].* | 6.[0-9].* | 6.1[0-2].*)
		run -0 found 1
		is "${lines[0]}" info
		[[ ${lines[1]} == "dev wg6 receives in threads (threaded is 1):"*"CVE-2026-52945"* ]]
		is "${lines[2]}" "echo 0 >/sys/class/net/wg6/threaded"
		is "${lines[3]}" "then: "
		;;
	*) is "$(found 1)" "then: " ;;
	esac
}

# bats test_tags=vm
@test "threaded NAPI of a device with that name in another network namespace does not count" {
	wireguard in_ns "$NS_GW"
	wireguard env
	[[ $(uname -r) != 5.10.* ]] || skip "no threaded NAPI in kernel $(uname -r)"
	echo 1 >/sys/class/net/wg6/threaded
	is "$(finding)" ""
}
