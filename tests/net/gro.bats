#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Packets merged by the LAN device's GRO in the two ways that are off by default. wgvia forwards them as the kernel
# does: each arrives once and complete. With rx-gro-list the kernel only decrements the hop limit of a list's first
# packet.

# shellcheck disable=SC2086 # addresses are words

load ../lib/wire.bash

setup_file() {
	wire_usual
	# merged is what arrives within 0.3 s
	ip netns exec "$NS_GW" sh -c 'ethtool -K ens3 gro on && echo 300000000 >/sys/class/net/ens3/gro_flush_timeout'
	kernel_log_begin gro.bats
}

teardown_file() {
	wire_end
}

teardown() {
	wgvia down wg6 || rm -rf "$PIN_DIR"
}

# merged FEATURE: ens3 merges in this way only.
merged() {
	in_ns "$NS_GW" ethtool -K ens3 rx-gro-list off rx-udp-gro-forwarding off
	in_ns "$NS_GW" ethtool -K ens3 "$1" on || skip "kernel $(uname -r) has no $1"
}

# numbered FAMILY PACKETS: a list of packets, IPv4 ones with sequential identifications, as GRO expects and GSO creates.
numbered() {
	echo "[p for i, p in enumerate($2) if $1 == 6 or not setattr(p, 'id', 7 + i)]"
}

# datagrams FAMILY: three and a shorter one, which are merged.
datagrams() {
	numbered $1 "[pkt($1, size, df=True, src=SERVICE[$1], dst=CLIENT[$1]) for size in (1000, 1000, 1000, 600)]"
}

# segments FAMILY: of one TCP connection, which are merged.
segments() {
	numbered $1 "[header($1, 64, SERVICE[$1], CLIENT[$1], True) /
		TCP(sport=4000, dport=5000, flags='A', seq=1 + 900 * i, ack=1) / Raw(octets(900)) for i in range(4)]"
}

# pass_on TEXT HOPS EXPRESSION: four packets, the first with hop limit 63, the others with HOPS. They are merged if they
# arrive within a tick of the kernel's clock (napi_gro_flush()), which is not always possible on a busy machine.
pass_on() {
	local text="$1#1 hops 63
$1#2 hops $2
$1#3 hops $2
$1#4 hops $2"
	for _ in {1..20}; do
		[ "$(wire lan "$3")" != "$text" ] || return 0
	done
	told "$text" lan "$3"
}

# is_traced EXPRESSION: a merge of four is traced as such.
is_traced() {
	wire lan "$1"
	grep -q '"len":3456,"packets":4,"verdict":"returned"' "$TOPO_DIR/trace.log"
}

all_kinds() {
	local family
	for family in 4 6; do
		pass_on "tun " "$1" "$(datagrams $family)"
		pass_on "tun " "$1" "$(segments $family)"
	done
}

# in_all_modes COMMAND...: without wgvia, and with it in both modes.
in_all_modes() {
	local mode
	"$@"
	for mode in fast stack; do
		echo "mode $mode"
		wgvia up wg6 "${WORDS[@]}" mode $mode
		"$@"
	done
	is "$(counter too_big)" 0
	is "$(kernel_warnings gro.bats) warnings" "0 warnings"
}

# What a merge of four counts as.
counts_as() {
	wgvia down wg6
	wgvia up wg6 "${WORDS[@]}"
	wire lan "$(datagrams 6)"
	is "$(counter returned) $(counter returned bytes)" "4 3600"
	spawn "$NS_GW" trace "$WGVIA" --pin-dir "$PIN_DIR" -j trace wg6
	poll 5 grep -q "^listening on 'wg6'$" "$TOPO_DIR/trace.log"
	poll 20 is_traced "$(datagrams 6)"
	unspawn trace
}

@test "rx-udp-gro-forwarding: every hop limit decreases by one" {
	merged rx-udp-gro-forwarding
	in_all_modes all_kinds 63
	counts_as
}

@test "rx-gro-list: only the first hop limit of a list decreases by one, as in the kernel's own forwarding" {
	merged rx-gro-list
	in_all_modes all_kinds 64
	counts_as
}

# From the service itself, bypassing the firewall: to the firewall.
@test "rx-gro-list: packets from another host are sent to the firewall" {
	merged rx-gro-list
	wgvia up wg6 "${WORDS[@]}"
	wire_neighbours ens3 02:00:00:00:02:99 $FW4 $FW6 # packets from FW_MAC count as a stranger's
	pass_on "lan gw>02:00:00:00:02:99 " 64 "$(datagrams 6)"
	wire_neighbours ens3 "$FW_MAC" $FW4 $FW6
	[ "$(counter bounced)" -ge 4 ]
	is $(($(counter bounced) % 4)) 0
}
