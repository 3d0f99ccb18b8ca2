#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# docs/TROUBLESHOOTING.md: each symptom is reproduced on real traffic. The test runs the command that the document
# names, as written, which reports the cause; the remedy works.

# shellcheck disable=SC2086,SC2153,SC2154,SC2317 # addresses are words; `run` sets $status and $output

load ../lib/net.bash

teardown() {
	unspawn trace KILL
	in_ns "$NS_SVC" nft delete table inet test 2>/dev/null
	in_ns "$NS_GW" nft delete table inet test 2>/dev/null
	[ -e "/run/netns/$NS_GW" ] && in_ns "$NS_GW" ip address delete 10.53.0.53/32 dev lo 2>/dev/null
	in_ns "$NS_GW" ip link set wg6 mtu 1420
	in_ns "$NS_FW" ip route replace $VPN4 via $GW4
	sweep "$NS_GW" wg6
}

# The document's command for a symptom, which begins its row, with this topology's addresses.
command_for() {
	local words
	words=$(sed -n "s/^| $1[^|]*| \`wgvia \([^\`]*\)\`.*/\1/p" "$TREE/docs/TROUBLESHOOTING.md")
	words=${words//CLIENT/$C1_4}
	words=${words//SERVICE/$SVC4}
	words=${words//PEER/$C2_4}
	[ -n "$words" ] || echo "docs/TROUBLESHOOTING.md has no row for: $1" >&2
	echo "$words"
}

# asks SYMPTOM: sets $output and $status.
asks() {
	# shellcheck disable=SC2046 # words
	run wgvia $(command_for "$1")
	echo "$output"
}

says() {
	grep -Eq -- "$1" <<<"$output"
}

@test "TCP dies but ping works" {
	# nobody has started wgvia
	ping_once "$NS_C1" $SVC4
	times_out "$NS_C1" $SVC4
	asks "TCP dies"
	says "no instance on 'wg6'"
	# the client is in no prefix
	wgvia up wg6 from 10.6.128.0/17 via $FW4
	ping_once "$NS_C1" $SVC4
	times_out "$NS_C1" $SVC4
	asks "TCP dies"
	says "source $C1_4: in no prefix"
	wgvia up wg6 "${WORDS[@]}"
	answers "$NS_C1" $SVC4 service $C1_4
	asks "TCP dies"
	says "redirected: to the firewall $FW4 by dev ens3"
}

@test "nothing works" {
	wgvia up wg6 "${WORDS[@]}"
	in_ns "$NS_FW" ip route delete $VPN4
	times_out "$NS_C1" $SVC4
	run ! ping_once "$NS_C1" $SVC4 -W 1
	asks "nothing works"
	is "$status" 1
	says "^error: probe_return: "
}

@test "works for some destinations only" {
	wgvia up wg6 "${WORDS[@]}" bypass $SVC4/32
	times_out "$NS_C1" $SVC4
	answers "$NS_C1" $INET4 internet $C1_4
	asks "works for some destinations only"
	says "destination $SVC4: on the bypass list with $SVC4/32, bypass$"
	wgvia bypass del wg6 $SVC4/32
	answers "$NS_C1" $SVC4 service $C1_4
}

@test "the gateway's DNS is unreachable from the VPN" {
	wgvia up wg6 "${WORDS[@]}"
	in_ns "$NS_GW" ip address add 10.53.0.53/32 dev lo
	run ! ping_once "$NS_C1" 10.53.0.53 -W 1
	asks "the gateway's DNS"
	is "$status" 1
	says "^warning: bypass: .*10\.53\.0\.53"
	wgvia up wg6 "${WORDS[@]}"
	ping_once "$NS_C1" 10.53.0.53
	asks "the gateway's DNS"
	is "$status" 0
}

@test "peers do not reach each other" {
	wgvia up wg6 "${WORDS[@]}"
	ping_once "$NS_C1" $C2_4
	in_ns "$NS_GW" sysctl -qw net.ipv4.conf.wg6.forwarding=0
	run ! ping_once "$NS_C1" $C2_4 -W 1
	asks "peers do not reach"
	in_ns "$NS_GW" sysctl -qw net.ipv4.conf.wg6.forwarding=1
	says "destination $C2_4: on the bypass list with $VPN4, tunnel$"
	says "tunnel: left to the kernel, which drops it$"
	ping_once "$NS_C1" $C2_4
	asks "peers do not reach"
	says "kernel: forwards it by dev wg6$"
}

@test "large downloads hang" {
	# a tunnel narrower than the client assumes, a service that gets no messages about it, and a clamp that mode
	# fast bypasses
	in_ns "$NS_GW" ip link set wg6 mtu 1280
	in_ns "$NS_SVC" nft -f - <<-END
		table inet test {
			chain input {
				type filter hook input priority filter; policy accept;
				icmp type destination-unreachable drop
			}
		}
	END
	in_ns "$NS_GW" nft -f - <<-END
		table inet test {
			chain forward {
				type filter hook forward priority mangle; policy accept;
				tcp flags syn tcp option maxseg size set rt mtu
			}
		}
	END
	wgvia up wg6 "${WORDS[@]}"
	answers "$NS_C1" $SVC4 service $C1_4
	megabyte 4 && return 1
	asks "large downloads hang"
	is "$status" 1
	says "^warning: mss_clamp: .*'inet test forward'"
	says "^  *wgvia up wg6 from .* mss auto$"
	wgvia up wg6 "${WORDS[@]}" mss auto
	megabyte 30
	wgvia up wg6 "${WORDS[@]}" mode stack
	megabyte 30
}

# megabyte SECONDS: from the service, in time.
megabyte() {
	iperf_server "$NS_SVC"
	in_ns "$NS_C1" timeout $1 iperf3 -c $SVC4 -p 5203 -R -n 1M >"$BATS_TEST_TMPDIR/iperf" 2>&1
}

@test "it stopped after a reboot" {
	wgvia up wg6 "${WORDS[@]}"
	rm -r "$PIN_DIR/wg6" # what does not survive a reboot; the kernel needs a moment
	poll 5 nothing_left
	times_out "$NS_C1" $SVC4
	asks "it stopped after a reboot"
	is "$status" 1
	says "no instance on 'wg6'"
}

@test "it is slower after wg-quick down and up" {
	wgvia up wg6 "${WORDS[@]}"
	tunnel_gone
	ip -n "$NS_GW" tuntap add dev wg6 mode tun
	ip -n "$NS_GW" address add $WG4/16 dev wg6
	ip -n "$NS_GW" link set wg6 up
	asks "it is slower after .wg-quick down"
	is "$status" 1
	says "^error: attachment: .*wg6"
	wgvia up wg6 "${WORDS4[@]}"
	run wgvia check wg6
	run ! says attachment
	wgvia down wg6
	ip -n "$NS_GW" link delete wg6
	tunnels_again
}

@test "it stopped after systemd-networkd restarted" {
	# networkd removes the second table's rule; it does not touch programs and pins
	in_ns "$NS_GW" ip rule add from $VPN4 table 6
	in_ns "$NS_GW" ip route add default via $FW4 table 6
	wgvia up wg6 "${WORDS[@]}"
	asks "it stopped after systemd-networkd"
	is "$status" 1
	says "^warning: rule: .*$VPN4"
	in_ns "$NS_GW" ip rule delete from $VPN4 table 6
	in_ns "$NS_GW" ip route flush table 6
	answers "$NS_C1" $SVC4 service $C1_4
}

@test "FORWARD rules do not work" {
	wgvia up wg6 "${WORDS[@]}"
	in_ns "$NS_GW" nft -f - <<-END
		table inet test {
			chain forward {
				type filter hook forward priority filter; policy accept;
				ip daddr $SVC4 drop
			}
		}
	END
	answers "$NS_C1" $SVC4 service $C1_4
	asks "FORWARD rules"
	is "$status" 1
	says "^warning: forward_rules: "
	wgvia up wg6 "${WORDS[@]}" mode stack
	times_out "$NS_C1" $SVC4
}

@test "commands fail after an upgrade" {
	wgvia up wg6 "${WORDS[@]}"
	set_abi 1
	asks "commands fail after an upgrade"
	is "$status" 1
	says "ABI version 1, this program has"
	says "^hint: .*wgvia up wg6"
	answers "$NS_C1" $SVC4 service $C1_4
	wgvia up wg6 "${WORDS[@]}"
	asks "commands fail after an upgrade"
	is "$status" 0
	answers "$NS_C1" $SVC4 service $C1_4
}

@test "some clients lost access after outside drop" {
	wgvia up wg6 from $C2_4 via $FW4 outside drop
	times_out "$NS_C1" $SVC4
	asks "some clients lost access after .outside drop"
	says "outside: reached through 'wg6' and in no prefix: '$VPN4'"
	eval "$(sed -n 's/^ *\(wgvia route add wg6 from .*\)/\1/p' <<<"$output" | head -n 1)"
	answers "$NS_C1" $SVC4 service $C1_4
}

@test "tcpdump on the gateway does not show it" {
	local count
	wgvia up wg6 "${WORDS[@]}"
	# packets dropped without a usable gateway never reach the device where tcpdump listens
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key 16 0 0 0 10 6 0 0 \
		value hex 0f 27 00 00 02 00 00 00 c0 00 02 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
	start_capture "$NS_GW" ens3 "$BATS_TEST_TMPDIR/ens3.pcap" "host $SVC4"
	# shellcheck disable=SC2016,SC2046 # the inner shell's; words
	spawn "$NS_GW" trace bash -c 'exec "$@" 2>"$0"' "$BATS_TEST_TMPDIR/stderr" \
		"$WGVIA" --pin-dir "$PIN_DIR" $(command_for "\`tcpdump\` on the gateway")
	poll 5 grep -q '^listening' "$BATS_TEST_TMPDIR/stderr"
	run ! ping_once "$NS_C1" $SVC4 -W 1
	poll 5 grep -q " $C1_4 > $SVC4 icmp .* no_gateway via $FW4 dev if9999$" "$TOPO_DIR/trace.log"
	stop_capture "$BATS_TEST_TMPDIR/ens3.pcap"
	count=$(frames "$BATS_TEST_TMPDIR/ens3.pcap" length)
	is "$count" 0
}
