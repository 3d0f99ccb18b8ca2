# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What live.bats, faults.bats, leak.bats, hostile.bats and tests/endurance/ share, beside net.bash, which loads first: a
# tunnel that loses nothing in WireGuard's place, numbered packets at a steady rate, changes, counters on the LAN by MAC
# address, refusals that leave all as it was, and wgvia built from changed sources.

LOAD_PORT=7777
# shellcheck disable=SC2153 # net.bash sets it
TOOLS=$TREE/build/tests/lib
# A second address of the firewall, for changes of gateway.
# shellcheck disable=SC2034 # the tests do
FW4B=192.0.2.9 FW6B=2001:db8:2::9
# Words for `up`: by those addresses, and with the same prefixes in halves, one of them with a list of gateways.
# shellcheck disable=SC2034
WORDS_B=(from "$VPN6" via "$FW6B" dev ens3 from "$VPN4" via "$FW4B" dev ens3)
# shellcheck disable=SC2034
WORDS_HALVES=(from 10.6.0.0/17 via "$FW4B" or "$FW4" from 10.6.128.0/17 via "$FW4" from 2001:db8:1::/51 via "$FW6B"
	from 2001:db8:1:2000::/51 via "$FW6")
# Packets that follow each other on different CPUs may overtake each other in the kernel, wgvia or not. scripts/check gives
# each of its workers another CPU.
LOAD_CPU=${LOAD_CPU:-$(taskset -cp $BASHPID | sed 's/.*: //; s/[-,].*//')}

# load_up: after topology_up.
load_up() {
	tunnel_lossless && load_servers_up
}

# load_servers_up: all of it but the tunnel.
load_servers_up() {
	local ns
	ip -n "$NS_FW" -batch - <<-END &&
		address add $FW4B/24 dev lan
		address add $FW6B/64 dev lan nodad
	END
		wire_up || return
	for ns in $NS_SVC $NS_INET; do
		spawn_here "$ns" "echo-$ns" "$TOOLS/load" echo $LOAD_PORT
		poll 5 listening "$ns" udp $LOAD_PORT 1 || return
	done
}

# spawn_here NAMESPACE NAME COMMAND...: `spawn`, on the one CPU.
spawn_here() {
	local ns=$1 name=$2
	shift 2
	spawn "$ns" "$name" taskset -c "$LOAD_CPU" "$@"
}

# wg6 and wgc1 of the topology become the ends of a lossless cable, under the same names. The client sends nothing of its
# own accord there, unlike by default: its router solicitations, up to four seconds apart, come out of the tunnel as well.
tunnel_lossless() {
	unspawn wg6
	unspawn wgc1
	ip -n "$NS_GW" link delete wg6 2>/dev/null # the kernel's WireGuard
	ip -n "$NS_C1" link delete wgc1 2>/dev/null
	set_sysctls "$NS_C1" net.ipv6.conf.default.router_solicitations=0 || return
	spawn_here "$NS_GW" cable "$TOOLS/cable" "/run/netns/$NS_GW" wg6 "/run/netns/$NS_C1" wgc1
	poll 5 grep -q ready "$TOPO_DIR/cable.log" &&
		tunnel_addresses &&
		ip -n "$NS_C1" -batch - <<-END
			address add $C1_4/32 dev wgc1
			address add $C1_6/128 dev wgc1 nodad
			route add default dev wgc1 table 51820
			route add ::/0 dev wgc1
		END
}

# load_sweep: whatever a failed test has left on the gateway; fails where `down` does.
load_sweep() {
	local status=0 dev
	sweep "$NS_GW" wg6 || status=1
	for dev in wg6 ens3; do
		in_ns "$NS_GW" tc qdisc delete dev $dev clsact 2>/dev/null
	done
	rm -rf "$PIN_DIR"
	return $status
}

# ---- load ----

# load_start NAME NAMESPACE RATE [SOURCE DESTINATION]...: packets a second in all.
load_start() {
	local name=$1 ns=$2 rate=$3
	shift 3
	spawn_here "$ns" "$name" "$TOOLS/load" send "$rate" $LOAD_PORT "$@"
}

# load_both_ways RATE: to the service, as "load"
load_both_ways() {
	load_start load "$NS_C1" "$1" "$C1_4" "$SVC4" "$C1_6" "$SVC6"
}

# load_stop NAME: what became of them, as load.c prints it.
load_stop() {
	local pid
	pid=$(<"$TOPO_DIR/$1.pid")
	kill -TERM "$pid"
	poll 40 process_gone "$pid"
	unspawn "$1"
	cat "$TOPO_DIR/$1.log"
}

# load_lost_nothing JSON: nor doubled nor reordered anything; what a load sent at all is in the figures.
load_lost_nothing() {
	jq -e '.sent > 0 and all(.out, .back; .lost == 0 and .reordered == 0 and .duplicated == 0)' <<<"$1" >/dev/null ||
		is "$1" "nothing lost, reordered, duplicated"
}

# figures TEXT...: a comment in the test's output.
figures() {
	echo "# $BATS_TEST_DESCRIPTION: $*" >&3
}

load_figures() { # JSON
	jq -r '"\(.sent) sent, out \(.out.lost) lost \(.out.reordered) reordered, back \(.back.lost) lost " +
		"\(.back.reordered) reordered"' <<<"$1"
}

# ---- changes of a running instance, whose file has `up` for the usual words ----

# others THIRD: a hundred prefixes more, for a change that takes its time.
others() {
	printf "from 172.16.$1.%d/32 via $FW4 dev ens3 " {1..100}
}

# change NUMBER: one of sixteen.
change() {
	# shellcheck disable=SC2046 # words
	case $(($1 % 16)) in
	0) wgvia route replace wg6 from "$VPN6" via $FW6B ;;
	1) wgvia route replace wg6 from "$VPN4" via $FW4B ;;
	2) wgvia bypass add wg6 198.18.0.0/15 ;;
	3) up $(others 1) ;;
	4) wgvia up wg6 "${WORDS_HALVES[@]}" $(others 2) ;;
	5) up mode stack ;;
	6) wgvia route replace wg6 from "$VPN6" via $FW6B ;;
	7) wgvia route replace wg6 from "$VPN4" via $FW4B ;;
	8) second_device && up mode stack bypass 198.18.0.0/15 ;;
	9) up ;;
	10) wgvia bypass add wg6 2001:db8:ffff::/48 ;;
	11) wgvia route add wg6 from 2001:db8:77::/48 via "$FW6" ;;
	12) wgvia route del wg6 from 2001:db8:77::/48 ;;
	13) ip -n "$NS_GW" link delete second && up ;;
	14) up on-fail pass $(others 3) ;;
	15) wgvia up wg6 "${WORDS_B[@]}" ;;
	esac
}

# ---- the wire: what leaves the gateway with a source in the VPN prefix, or comes back from it after the service has
# sent it to the gateway (bounced), counted by the kernel at the LAN's end ----

wire_up() {
	in_ns "$NS_LAN" nft -f - <<-END
		table netdev wire {
			counter leaked { }
			counter to_firewall { }
			counter bounced { }
			chain out {
				type filter hook ingress device gw priority 0; policy accept;
				icmpv6 type { 133, 134, 135, 136, 137 } return
				# wgvia's own probes for the firewall's MAC address have hop limit 2
				icmp type echo-request ip saddr $VPN4 ip daddr $GW4 ip ttl 2 ether daddr $FW_MAC return
				icmpv6 type echo-request ip6 saddr $VPN6 ip6 daddr $GW6 ip6 hoplimit 2 ether daddr $FW_MAC return
				ether saddr $GW_MAC ip saddr $VPN4 ether daddr $FW_MAC counter name to_firewall return
				ether saddr $GW_MAC ip6 saddr $VPN6 ether daddr $FW_MAC counter name to_firewall return
				ether saddr $GW_MAC ip saddr $VPN4 counter name leaked return
				ether saddr $GW_MAC ip6 saddr $VPN6 counter name leaked return
				ether saddr $GW_MAC ip daddr $VPN4 ether daddr $FW_MAC counter name bounced
				ether saddr $GW_MAC ip6 daddr $VPN6 ether daddr $FW_MAC counter name bounced
			}
		}
	END
}

wire_reset() {
	in_ns "$NS_LAN" nft reset counters >/dev/null
}

wire() { # leaked|to_firewall|bounced
	lan_counter wire "$1"
}

# ---- looking at an instance ----

# What an instance is, without the numbers that the kernel gives and what the network does.
view() {
	wgvia -j show wg6 | jq -S 'del(.attachments[] | .link_id, .prog_id) | del(.prefixes[] | .neighbour, .gateways[]?.neighbour) |
		.attachments |= sort_by(.dev, .direction)'
}

pins() {
	find "$PIN_DIR" -mindepth 1 | sort
}

# refused TEXT COMMAND...: it says so in one line, and nothing has changed.
refused() {
	local text=$1
	shift
	state >"$BATS_TEST_TMPDIR/before"
	run -1 --separate-stderr wgvia "$@"
	# shellcheck disable=SC2154 # bats sets it
	grep -v '^hint: ' <<<"$stderr" >"$BATS_TEST_TMPDIR/stderr"
	is "$(wc -l <"$BATS_TEST_TMPDIR/stderr")" 1
	grep "^wgvia: .*$text" "$BATS_TEST_TMPDIR/stderr"
	as_before
}

# as_before: nothing has changed since `state` was written to $BATS_TEST_TMPDIR/before.
as_before() {
	state >"$BATS_TEST_TMPDIR/after"
	cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after" && return
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after" | cut -c -200
	return 1
}

# ---- other programs ----

# A device more is a program more, and another list of devices in all of them: all are loaded anew.
second_device() {
	ip -n "$NS_GW" link add second type veth peer name second netns "$NS_LAN" && ip -n "$NS_GW" link set second up
}

# variant NAME FILE SED...: wgvia built with that one file changed: $BATS_FILE_TMPDIR/NAME/build/wgvia.
variant() {
	[ ! -d "$BATS_FILE_TMPDIR/$1" ] || return 0
	local tree=$BATS_FILE_TMPDIR/$1 file=$2
	shift 2
	mkdir "$tree"
	cp -a "$TREE"/{Makefile,bpf,include,user,build} "$tree"
	sed "$@" "$TREE/$file" >"$tree/$file"
	run ! cmp "$TREE/$file" "$tree/$file"
	make -s -C "$tree" B=build build/wgvia >"$tree/log" 2>&1 3>&- || { cat "$tree/log" && return 1; }
}
