#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Claims of docs/SECURITY.md that no other test file covers: who may access what, and what wgvia does not protect.

# shellcheck disable=SC2086,SC2153,SC2154 # addresses are words; `run` sets $status and $output

load ../lib/net.bash

teardown() {
	in_ns "$NS_GW" nft delete table inet test 2>/dev/null
	set_sysctls "$NS_GW" net.netfilter.nf_conntrack_tcp_loose=1
	in_ns "$NS_SVC" ip route delete $VPN4 2>/dev/null
	in_ns "$NS_GW" ip neighbour delete 192.0.2.9 dev ens3 2>/dev/null
	ip -n "$NS_FW" address delete 192.0.2.9/24 dev lan 2>/dev/null
	ip -n "$NS_LAN" address flush dev lan scope global
	sweep "$NS_GW" wg6
}

# drops HOOK RULE: on the gateway.
drops() {
	in_ns "$NS_GW" nft -f - <<-END
		table inet test {
			chain test {
				type filter hook $1 priority filter; policy accept;
				$2 drop
			}
		}
	END
}

@test "only root can access pins and their folders" {
	wgvia up wg6 "${WORDS[@]}"
	is "$(find "$PIN_DIR" ! -user 0)" ""
	is "$(find "$PIN_DIR" -type d ! -perm 0700)" ""
	is "$(find "$PIN_DIR" -type f ! -perm 0600)" ""
	run ! setpriv --reuid 65534 --clear-groups bpftool map dump pinned "$PIN_DIR/wg6/prefixes4"
	run ! setpriv --reuid 65534 --clear-groups "$WGVIA" --pin-dir "$PIN_DIR" show wg6
}

@test "rules for packets to this host itself see them in mode fast, too" {
	wgvia up wg6 "${WORDS[@]}"
	ping_once "$NS_C1" $WG4
	ping_once "$NS_C1" $GW4
	drops input "ip saddr $C1_4"
	run ! ping_once "$NS_C1" $WG4 -W 1
	run ! ping_once "$NS_C1" $GW4 -W 1
	ping_once "$NS_C1" $SVC4
}

@test "FORWARD rules see what stays in the tunnel in mode fast, too" {
	wgvia up wg6 "${WORDS[@]}"
	ping_once "$NS_C1" $C2_4
	drops forward "ip daddr $C2_4"
	run ! ping_once "$NS_C1" $C2_4 -W 1
}

@test "FORWARD rules see what a LAN host sends into the tunnel by the gateway only in mode stack" {
	in_ns "$NS_SVC" ip route add $VPN4 via $GW4
	drops forward "ip saddr $SVC4"
	wgvia up wg6 "${WORDS[@]}"
	ping_once "$NS_SVC" $C1_4
	wgvia up wg6 "${WORDS[@]}" mode stack
	run ! ping_once "$NS_SVC" $C1_4 -W 1
}

# Destination of the frames of the client's ping to the service.
destination() {
	start_capture "$NS_GW" ens3 "$BATS_TEST_TMPDIR/$1.pcap" "icmp and src $C1_4"
	ping_once "$NS_C1" $SVC4 >&2 || true
	poll 5 captured "$BATS_TEST_TMPDIR/$1.pcap" 1
	stop_capture "$BATS_TEST_TMPDIR/$1.pcap"
	frames "$BATS_TEST_TMPDIR/$1.pcap" -r '.[0].to'
}

@test "a host that answers for the firewall's address gets the packets, unless its neighbour entry is permanent" {
	local impostor=02:00:00:00:02:a0 via=192.0.2.9
	ip -n "$NS_FW" address add $via/24 dev lan
	wgvia up wg6 from $VPN4 via $via
	is "$(destination before)" $FW_MAC
	ip -n "$NS_FW" address delete $via/24 dev lan
	ip -n "$NS_LAN" address add $via/24 dev lan
	in_ns "$NS_GW" ip neighbour flush to $via dev ens3
	is "$(destination impostor)" $impostor
	in_ns "$NS_GW" ip neighbour replace $via lladdr $FW_MAC dev ens3 nud permanent
	is "$(destination permanent)" $FW_MAC
}

@test "until up has run, and after down, packets bypass the firewall" {
	ping_once "$NS_C1" $SVC4
	is "$(destination before)" $SVC_MAC
	wgvia up wg6 "${WORDS[@]}"
	is "$(destination during)" $FW_MAC
	wgvia down wg6
	is "$(destination after)" $SVC_MAC
}

# proxied MODE WORD: a client in no prefix requests HTTP; prints how many TCP packets from its address reach the
# service.
proxied() {
	local file=$BATS_TEST_TMPDIR/proxied.pcap
	wgvia up wg6 from $C2_4/32 via $FW4 mode "$1" outside "$2" >&2
	rm -f "$file"
	start_capture "$NS_SVC" eth0 "$file" "tcp and src $C1_4"
	HTTP_TIMEOUT=1 http_get "$NS_C1" "$(url $SVC4)" >&2 || true
	ping_once "$NS_C2" $SVC4 >&2
	stop_capture "$file"
	frames "$file" length
}

@test "outside drop: what synproxy sends for a client is dropped as well" {
	local mode
	in_ns "$NS_GW" nft 'table inet test {
		chain pre { type filter hook prerouting priority raw; tcp flags syn notrack; };
		chain test { type filter hook forward priority -10;
			tcp dport 80 ct state invalid,untracked synproxy mss 1360 wscale 7 timestamp sack-perm; }; }' ||
		skip "no synproxy in kernel $(uname -r)"
	set_sysctls "$NS_GW" net.netfilter.nf_conntrack_tcp_loose=0 # synproxy needs it: nft(8), SYNPROXY STATEMENT
	for mode in fast stack; do
		[ "$(proxied $mode pass)" -gt 0 ]
		is "$(proxied $mode drop)" 0
		[ "$(counter egress.refused)" -gt 0 ]
	done
}
