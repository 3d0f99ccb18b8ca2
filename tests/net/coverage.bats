#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What `wgvia check` finds about WireGuard's AllowedIPs, with real peers: ranges outside every prefix. With wireguard-go
# or, if available, with the kernel's WireGuard.

# shellcheck disable=SC2154 # `run` sets $output
# shellcheck disable=SC2030,SC2031 # each test has its own peers

load ../lib/wireguard.bash
load ../lib/agent.bash

setup() {
	wgvia up wg6 "${WORDS[@]}" >/dev/null
	wg_at "$NS_GW" wg6 showconf wg6 >"$BATS_TEST_TMPDIR/peers"
	sed -i '1,/^\[Peer\]/{/^\[Peer\]/!d}' "$BATS_TEST_TMPDIR/peers"
}

teardown() {
	wg_replace "$BATS_TEST_TMPDIR/peers"
	sweep "$NS_GW" wg6
}

@test "peers whose ranges are all in prefixes: no finding; none for a peer without ranges either" {
	wg_set peer "$(new_key)"
	look
	is "$(finding uncovered_peer .)$(finding any_source .)$(finding wireguard .)" ""
}

@test "a peer with ranges in no prefix: its key, its ranges, and the command that covers them" {
	local key
	key=$(new_key)
	wg_set peer "$key" allowed-ips 10.6.9.0/24,10.7.0.0/25,10.7.0.128/25,2001:db8:7::/64
	look
	is "$status" 1
	is "$(finding uncovered_peer .severity)" warning
	is "$(finding uncovered_peer .evidence)" "no prefix covers '10.7.0.0/25' and 2 more, from which peer '$key' may send: \
traffic from there bypasses the firewall; 'from allowed-ips' follows the peers"
	is "$(listed)" "$(allowed '10[.]7|:7:')"
	is "$(finding uncovered_peer .peer_count)" 1
	# aggregated, via the gateways of a prefix of the same family
	is "$(finding uncovered_peer .remedy)" "wgvia route add wg6 from 10.7.0.0/24 via $FW4 dev ens3 && \
wgvia route add wg6 from 2001:db8:7::/64 via $FW6 dev ens3"
	is "$(finding uncovered_peer '.peers[0].remedy')" "$(finding uncovered_peer .remedy)"
	eval "$(finding uncovered_peer .remedy)"
	look
	is "$(finding uncovered_peer .)" ""
}

@test "a range that is partly in prefixes: the uncovered parts" {
	local key
	key=$(new_key)
	wg_set peer "$key" allowed-ips 10.4.0.0/14
	look
	is "$(finding uncovered_peer .evidence)" "no prefix covers '10.4.0.0/15' (part of its AllowedIPs '10.4.0.0/14') and 1 \
more, from which peer '$key' may send: traffic from there bypasses the firewall; 'from \
allowed-ips' follows the peers"
	is "$(finding uncovered_peer '.peers[0].ranges[0] | [.allowed_ip, .uncovered[]] | join(" ")')" \
		"10.4.0.0/14 10.4.0.0/15 10.7.0.0/16"
	eval "$(finding uncovered_peer .remedy)"
	look
	is "$(finding uncovered_peer .)" ""
}

@test "outside drop: packets are dropped, and the finding is information" {
	wg_set peer "$(new_key)" allowed-ips 10.7.0.0/24
	wgvia up wg6 "${WORDS[@]}" outside drop >/dev/null
	look
	is "$(finding uncovered_peer .severity)" info
	finding uncovered_peer .evidence | grep -qF "is dropped if it would leave this host ('outside drop')"
}

@test "an exit node: AllowedIPs of every address are reported, and no prefix for them" {
	local key range
	key=$(new_key)
	for range in 0.0.0.0/0 ::/0 128.0.0.0/1; do
		wg_set peer "$key" allowed-ips $range
		look
		is "$(finding any_source .severity)" warning
		is "$(finding any_source .evidence)" "peer '$key' may send from '$range', as an exit node or another site does: traffic \
from sources in no prefix bypasses the firewall"
		is "$(finding any_source .remedy)" "wgvia route add wg6 from PREFIX, for each network at the peer's site"
		is "$(finding uncovered_peer .)" ""
	done
	wgvia route add wg6 from 0.0.0.0/0 via "$FW4" dev ens3 >/dev/null
	look
	is "$(finding any_source .)" ""
}

@test "what the kernel does not forward is not reported: link-local ranges, a family that is not forwarded" {
	wg_set peer "$(new_key)" allowed-ips fe80::7/128,10.7.0.0/24
	set_sysctls "$NS_GW" net.ipv4.conf.wg6.forwarding=0
	look
	is "$(finding uncovered_peer .)" ""
	set_sysctls "$NS_GW" net.ipv4.conf.wg6.forwarding=1
	look
	is "$(listed | cut -d' ' -f2)" 10.7.0.0/24
}

@test "from allowed-ips is named where it helps: not where a peer may send from everywhere, nor where it is in force" {
	local key
	key=$(new_key)
	wg_set peer "$key" allowed-ips 10.7.0.0/24
	look
	finding uncovered_peer .evidence | grep -qF "; 'from allowed-ips' follows the peers"
	wg_set peer "$key" allowed-ips 10.7.0.0/24,0.0.0.0/1,128.0.0.0/1
	look
	finding uncovered_peer .evidence | grep -qF "no prefix covers '10.7.0.0/24'"
	run ! grep -F "'from allowed-ips'" <<<"$(finding uncovered_peer .evidence)"
	wg_set peer "$key" allowed-ips 10.7.0.0/24,::/0
	look
	finding uncovered_peer .evidence | grep -qF "; 'from allowed-ips' follows the peers"
	# it is in force, and nobody has followed the new range yet
	wg_set peer "$key" allowed-ips 10.7.0.0/24
	wgvia up wg6 from allowed-ips via "$FW4" dev ens3 from allowed-ips via "$FW6" dev ens3 >/dev/null
	wg_set peer "$key" allowed-ips 10.7.0.0/24,10.8.0.0/24
	look
	finding sources .evidence | grep -qF "now means '10.8.0.0/24', which is not in force"
	is "$(finding uncovered_peer .)" ""
}

@test "a range that is more than link-local or multicast is reported, and from allowed-ips covers it" {
	wg_set peer "$(new_key)" allowed-ips fe80::/9,224.0.0.0/3
	look
	is "$(listed | cut -d' ' -f2 | sort | tr '\n' ' ')" "224.0.0.0/3 fe80::/9 "
	wgvia up wg6 "${WORDS[@]}" from allowed-ips >/dev/null
	look
	is "$(finding uncovered_peer .)" ""
}

@test "an accepted finding does not count" {
	wg_set peer "$(new_key)" allowed-ips 10.7.0.0/24
	printf '%s\n' "from $VPN4 via $FW4 dev ens3" "from $VPN6 via $FW6 dev ens3" \
		'accept uncovered_peer reason another site' >"$BATS_TEST_TMPDIR/wg6.conf"
	wgvia apply wg6 - <"$BATS_TEST_TMPDIR/wg6.conf" >/dev/null
	look
	is "$(finding uncovered_peer '[.accepted, .reason] | join(" ")')" "true another site"
}

@test "the unit's capabilities, and a socket on a read-only file system, are enough to read peers" {
	local key
	key=$(new_key)
	wg_set peer "$key" allowed-ips 10.7.0.0/24
	# shellcheck disable=SC2016 # the inner shell's
	run at_wireguard "$NS_GW" wg6 unshare --mount sh -c '! mountpoint -q /run/wireguard || mount -o remount,bind,ro /run/wireguard
		exec "$@"' sh "${AS_UNIT[@]}" "$WGVIA" --pin-dir "$PIN_DIR" -j check wg6
	is "$(listed)" "$key 10.7.0.0/24"
}

@test "before the first up: the finding exists, with words for up" {
	wg_set peer "$(new_key)" allowed-ips 10.7.0.0/24
	wgvia down wg6 >/dev/null
	look
	is "$(finding uncovered_peer .remedy)" "wgvia up wg6, with 'from 10.7.0.0/24' beside the other prefixes"
}

# many_peers PEERS RANGES: alternately IPv4 and IPv6, none adjacent to another, in an order other than theirs.
many_peers() {
	/usr/bin/python3 - "$@" <<-'END'
		import sys, base64, hashlib
		peers, ranges = map(int, sys.argv[1:])
		for p in range(peers):
		    key = base64.b64encode(hashlib.sha256(b"%d" % p).digest()).decode()
		    own = [f"10.{100 + i // 128}.{i % 128 * 2}.{p}/32" if i % 2 else f"2001:db8:f{p:x}:{2 * i:x}::/64"
		           for i in reversed(range(ranges))]
		    print("[Peer]", f"PublicKey = {key}", f"AllowedIPs = {', '.join(own)}", sep="\n")
	END
}

# keys_in_order: of the peers from many_peers, sorted by their bytes, independent of WireGuard's order.
keys_in_order() {
	sed -n 's/^PublicKey = //p' "$BATS_TEST_TMPDIR/many" | while read -r key; do
		echo "$(base64 -d <<<"$key" | od -An -tx1 | tr -d ' \n') $key"
	done | LC_ALL=C sort | cut -d' ' -f2
}

@test "many peers, whose ranges take several messages of netlink: each belongs to its peer" {
	many_peers 40 90 >"$BATS_TEST_TMPDIR/many"
	wg_replace "$BATS_TEST_TMPDIR/many"
	look
	finding uncovered_peer .evidence | grep -qF "and 3599 more, from which peer '$(keys_in_order | head -n 1)' and 39 more may send"
	is "$(finding uncovered_peer '.peers[].public_key')" "$(keys_in_order)"
	is "$(finding uncovered_peer .peer_count)" 40
	is "$(listed | wc -l)" 3600
	is "$(listed | md5sum)" "$(allowed | md5sum)"
}

@test "one peer with more ranges than a message holds; the list in JSON is limited, the count is not" {
	many_peers 1 1500 >"$BATS_TEST_TMPDIR/many"
	many_peers 130 1 | sed '1,3d' >>"$BATS_TEST_TMPDIR/many" # 100 are listed, sorted by key, including the first
	wg_replace "$BATS_TEST_TMPDIR/many"
	look
	finding uncovered_peer .evidence | grep -qF "and 1628 more, from which peer '"
	is "$(finding uncovered_peer '[.peer_count, (.peers | length), ([.peers[].ranges | length] | max)] | join(" ")')" \
		"130 100 100"
	"$TREE/tests/lib/schema.py" "$TREE/docs/wgvia.schema.json" check <<<"$output"
}
