#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The README's bpftool commands, taken out of it and run as they stand there: with the default pin folder, on a gateway
# whose ens3 has ifindex 2. What such commands do to packets is bpftool.bats's.

load ../lib/net.bash

setup_file() {
	export GW=wgvia$$-readme
	ip netns add "$GW"
	ip -n "$GW" link add ens3 index 2 type veth peer name other index 3
	ip -n "$GW" link set ens3 up
	ip -n "$GW" link set other up
	ip -n "$GW" address add 192.0.2.2/24 dev ens3
	ip -n "$GW" address add 2001:db8:2::2/64 dev ens3 nodad
	nsenter --net="/run/netns/$GW" ip tuntap add wg6 mode tun
	ip -n "$GW" link set wg6 up
	"$WGVIA" -n "$GW" up wg6 from 10.99.0.0/16 via 192.0.2.1 from 2001:db8:99::/48 via 2001:db8:2::1
}

teardown_file() {
	"$WGVIA" -n "$GW" down wg6
	ip netns delete "$GW"
}

teardown() { :; }

# The section's commands, one a line.
commands() {
	sed -n '/^## The maps, by bpftool/,/^## /p' "$TREE/README.md" | sed -n '/^```sh$/,/^```$/p' |
		sed -e '/^```/d' -e '/^#/d' | sed -e ':a' -e '/\\$/N; s/\\\n//; ta'
}

shown() {
	"$WGVIA" -n "$GW" -j show wg6 | jq -e "$1"
}

@test "the README's bpftool commands do what it says" {
	local command count=0
	while IFS= read -r command; do
		echo "$command"
		case $command in bpftool\ map\ *) ;; *) return 1 ;; esac
		nsenter --net="/run/netns/$GW" sh -c "$command"
		count=$((count + 1))
		case $count in
		1) shown '.prefixes[] | select(.prefix == "10.6.0.0/16") | .via == "192.0.2.1" and .dev == "ens3" and .usable' ;;
		2) shown '.prefixes[] | select(.prefix == "2001:db8:1::/50") | .via == "2001:db8:2::1" and .usable' ;;
		3) shown '.bypass[] | select(.prefix == "192.0.2.9/32") | .verdict == "bypass" and .admin' ;;
		4) shown '[.bypass[] | select(.prefix == "192.0.2.9/32")] == []' ;;
		5) shown '[.prefixes[] | select(.prefix == "10.6.0.0/16")] == []' ;;
		esac
	done < <(commands)
	[ "$count" -eq 6 ]
}

@test "the README's command line is the one that --help prints" {
	local command
	"$WGVIA" --help >"$BATS_TEST_TMPDIR/help"
	for command in up apply save down run route bypass show explain check trace stats import; do
		grep -Eq "^  $command " "$BATS_TEST_TMPDIR/help"
		grep -Eq "^wgvia $command " "$TREE/README.md"
	done
}
