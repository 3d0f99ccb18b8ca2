#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Preference lists, and the agent that watches them: what it follows (tunnel, LAN device, addresses, default route,
# gateways), what it does not touch, its messages, and that traffic does not depend on it when it is killed.

# shellcheck disable=SC2086,SC2154,SC2153,SC2034 # addresses are words; others set and read variables

load ../lib/net.bash
load ../lib/agent.bash
load ../lib/second.bash

setup_more() {
	second_up
	wire_up
}

setup() {
	AGENT_ENV=()
	mkdir -p "$BATS_TEST_TMPDIR"
	FILE=$BATS_TEST_TMPDIR/wg6.conf
}

teardown() {
	agent_stop KILL
	unspawn flood1
	unspawn flood2
	first_well
	second_well
	ip -n "$NS_GW" route replace default via $FW4
	ip -n "$NS_GW" link show ens3 >/dev/null 2>&1 || lan_made
	ip -n "$NS_GW" link delete wg7 2>/dev/null || true
	sweep "$NS_GW" wg6
	"$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" down wg7
	nothing_left
}

# Frames from the VPN prefixes that leave the gateway, by recipient.
wire_up() {
	in_ns "$NS_LAN" nft -f - <<-END
		table netdev wire {
			counter first { }
			counter second { }
			counter elsewhere { }
			chain out {
				type filter hook ingress device gw priority 0; policy accept;
				ip ttl 2 ip daddr $GW4 return # of the agent's probes, see sender.bats
				ip6 hoplimit 2 ip6 daddr $GW6 return
				ip saddr { $VPN4, 10.7.0.0/16 } jump whom
				ip6 saddr $VPN6 icmpv6 type { 133, 134, 135, 136, 137 } return
				ip6 saddr $VPN6 jump whom
			}
			chain whom {
				ether daddr $FW_MAC counter name first return
				ether daddr $FW2_MAC counter name second return
				counter name elsewhere
			}
		}
	END
}

# goes COUNTER NAMESPACE ADDRESS: what the client sends now leaves the gateway for that firewall only.
goes() {
	local counter
	in_ns "$NS_LAN" nft reset counters >/dev/null
	in_ns "$2" ping -q -n -c 3 -i 0.005 -W 0.2 "$3" >/dev/null || true
	poll 2 counted "$1" 3 || is "$(wire "$1") frames to $1" "3 frames to $1"
	for counter in first second elsewhere; do
		[ $counter = "$1" ] || is "$(wire $counter) frames to $counter" "0 frames to $counter"
	done
}

counted() { # COUNTER COUNT
	[ "$(wire "$1")" -ge "$2" ]
}

wire() {
	lan_counter wire "$1"
}

file() { # LINE...
	printf '%s\n' "$@" >"$FILE"
}

# ---- lists without an agent ----

@test "a list: the first gateway is used, and show, check and up report that nobody watches" {
	run -0 wgvia up wg6 "${LISTS[@]}"
	grep "no agent is running: the first gateway is used and not watched" <<<"$output"
	run -0 wgvia show wg6
	grep "^    no agent is running: the first gateway is used and not watched$" <<<"$output"
	grep "^    from $VPN4 via $FW4 dev ens3 .*current or $FW4B dev ens3 " <<<"$output"
	run -1 wgvia check wg6
	grep "^warning: agent: no agent is running: the first gateway is used and not watched$" <<<"$output"
	grep "^    wgvia run wg6$" <<<"$output"
	goes first "$NS_C1" $SVC4
	goes first "$NS_C1" $SVC6
	wgvia -j show wg6 | jq -e --arg p $VPN4 '.agent == false and (.agent_problem | type) == "string" and
		(.prefixes[] | select(.from == $p) | .gateways | map({via, dev, current})) ==
		[{via: "'$FW4'", dev: "ens3", current: true}, {via: "'$FW4B'", dev: "ens3", current: false}]'
}

@test "a list in a file and back: save, apply, route" {
	wgvia up wg6 "${LISTS[@]}"
	wgvia save wg6 >"$FILE"
	grep -x "from $VPN4 via $FW4 dev ens3 or $FW4B dev ens3" "$FILE"
	run -0 wgvia apply wg6 "$FILE"
	run ! grep '^[-+]' <<<"$output"
	sed -i "s/via $FW4 dev ens3 or $FW4B/via $FW4B dev ens3 or $FW4/" "$FILE"
	run -0 wgvia apply wg6 "$FILE"
	is "$(grep -c '^[-+]' <<<"$output")" 2
	is "$(via $VPN4)" $FW4B
	run -1 wgvia route del wg6 from $VPN4 via $FW4B
	grep "the instance has: via $FW4B dev ens3 or $FW4 dev ens3" <<<"$output"
	run -1 wgvia route del wg6 from $VPN4 via $FW4 or $FW4B
	wgvia route del wg6 from $VPN4 via $FW4B or $FW4 dev ens3
	is "$(via $VPN4)" ""
	wgvia route add wg6 from $VPN4 via $FW4 or $FW4B
	wgvia route replace wg6 from $VPN4 via $FW4B
	is "$(wgvia -j show wg6 | jq '[.prefixes[] | select(.gateways)] | length')" 1
	is "$(bpftool -j map dump pinned "$PIN_DIR/wg6/failover" | jq length)" 1
	wgvia route del wg6 from $VPN6
	is "$(bpftool -j map dump pinned "$PIN_DIR/wg6/failover" | jq length)" 0
}

@test "invalid lists are refused, and nothing changes" {
	wgvia up wg6 "${WORDS[@]}"
	state >"$BATS_TEST_TMPDIR/before"
	run -2 wgvia up wg6 from $VPN4 via $FW4 or $FW4
	run -1 wgvia up wg6 from $VPN4 via $FW4 or $FW4 dev ens3 # duplicates once the devices are known
	grep "'$FW4' is given twice for '$VPN4'" <<<"$output"
	run -1 wgvia up wg6 from $VPN4 via $FW4 or $GW4
	run -1 wgvia up wg6 from $VPN4 via $FW4 or 203.0.113.2
	run -1 wgvia up wg6 from $VPN4 via $FW4 or $FW4B dev ens9
	state | diff "$BATS_TEST_TMPDIR/before" -
}

# ---- one agent ----

@test "only one agent per instance: a second one is refused" {
	wgvia up wg6 "${WORDS[@]}"
	agent_start
	run -1 timeout 60 "$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" run wg6
	is "$output" "wgvia: an agent for 'wg6' is running already"
	is "$(wgvia -j show wg6 | jq .agent)" true
	agent_stop
	is "$(wgvia -j show wg6 | jq .agent)" false
	is "$(find "$PIN_DIR" -name '*agent*')" ""
	answers "$NS_C1" $SVC4 service $C1_4
}

@test "bad words and a bad file are refused at the start" {
	run -2 wgvia run
	run -2 wgvia run wg6 interval 0
	run -2 wgvia run wg6 -
	run -1 wgvia run wg6 "$BATS_TEST_TMPDIR/none"
	grep "no such file" <<<"$output"
	file "from $VPN4 via"
	run -2 wgvia run wg6 "$FILE"
	is "$output" "wgvia: $FILE:1: 'via' needs a value"
	nothing_left
}

# ---- failover ----

@test "failover: the next gateway if one is dead, and back after the hold time" {
	local begin
	wgvia up wg6 "${LISTS[@]}"
	agent_start interval 0.2 hold 1
	says "gateway $FW4B dev ens3 is healthy"
	goes first "$NS_C1" $SVC4
	# the kernel knows the one on standby
	wgvia show wg6 | grep "or $FW4B dev ens3 lladdr $FW2_MAC REACHABLE"
	wgvia show wg6 | grep "or $FW6B dev ens3 lladdr $FW2_MAC REACHABLE"
	first_dead
	in_force $VPN4 $FW4B
	in_force $VPN6 $FW6B
	says "gateway $FW4 dev ens3 is dead: it does not answer neighbour requests"
	says "$VPN4: via $FW4B dev ens3 now"
	goes second "$NS_C1" $SVC4
	goes second "$NS_C1" $SVC6
	begin=${EPOCHREALTIME/[.,]/}
	first_well
	in_force $VPN4 $FW4
	in_force $VPN6 $FW6
	[ $((${EPOCHREALTIME/[.,]/} - begin)) -ge 1000000 ] # not earlier
	says "gateway $FW4 dev ens3 is reachable again; it is preferred again in 1 s"
	goes first "$NS_C1" $SVC4
	goes first "$NS_C1" $SVC6
}

# flood NAMESPACE DEVICE NAME: sends unsolicited ARP replies and neighbour advertisements continuously, in the
# background.
flood() {
	spawn "$1" "$3" nice -n 10 python3 -c '
import socket, struct, sys
mac = b"\x02\x00\x00\x00\x09\x09"
arp = b"\xff" * 6 + mac + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x800, 6, 4, 2) + (mac + bytes([192, 0, 2, 99])) * 2
target = socket.inet_pton(socket.AF_INET6, "2001:db8:2::99")
na = struct.pack("!BBHI", 136, 0, 0, 0x20000000) + target + b"\x02\x01" + mac
words = target + socket.inet_pton(socket.AF_INET6, "ff02::1") + struct.pack("!II", len(na), 58) + na
total = sum(struct.unpack("!%dH" % (len(words) // 2), words))
while total >> 16:
    total = (total & 0xffff) + (total >> 16)
na = na[:2] + struct.pack("!H", ~total & 0xffff) + na[4:]
nd = (b"\x33\x33\x00\x00\x00\x01" + mac + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(na), 58, 255) + target +
      socket.inet_pton(socket.AF_INET6, "ff02::1") + na)
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((sys.argv[1], 0))
while True:
    for frame in (arp, nd):
        try:
            out.send(frame)
        except OSError:
            pass
' "$2"
}

# strace slows the agent down, so that frames arrive faster than it reads them.
@test "a flood of unsolicited answers does not keep an agent from its work" {
	wgvia up wg6 "${LISTS[@]}"
	agent_listen
	spawn "$NS_GW" agent env "NOTIFY_SOCKET=$TOPO_DIR/notify" strace -D -f -o /dev/null -e trace=recvfrom,recvmsg \
		"$WGVIA" --pin-dir "$PIN_DIR" run wg6 interval 0.2 hold 1
	agent_says_ready
	says "gateway $FW4B dev ens3 is healthy"
	flood "$NS_SVC" eth0 flood1
	flood "$NS_SVC" eth0 flood2
	poll 20 flooded
	ip -n "$NS_GW" address add 203.0.113.78/32 dev ens3
	poll 20 exempt 203.0.113.78/32
	ip -n "$NS_GW" address delete 203.0.113.78/32 dev ens3
	poll 20 not_exempt 203.0.113.78/32
}

flooded() {
	[ "$(ip -n "$NS_GW" -s -j link show ens3 | jq '.[].stats64.rx.packets')" -gt 30000 ]
}

exempt() {
	wgvia show wg6 | grep -qF "bypass $1 local"
}

not_exempt() {
	! exempt "$1"
}

# second_device: with a gateway of each family.
SECOND4=203.0.113.129 SECOND6=2001:db8:22::1
second_device() {
	ip -n "$NS_GW" link add second type veth peer name second netns "$NS_LAN"
	ip -n "$NS_GW" link set second up
	ip -n "$NS_LAN" link set second up
	ip -n "$NS_GW" address add 203.0.113.130/25 dev second
	ip -n "$NS_GW" address add 2001:db8:22::2/64 dev second nodad
	ip -n "$NS_LAN" address add $SECOND4/25 dev second
	ip -n "$NS_LAN" address add $SECOND6/64 dev second nodad
}

@test "a gateway whose device has no carrier is dead at once" {
	wgvia up wg6 "${LISTS[@]}"
	agent_start interval 60
	says "gateway $FW4B dev ens3 answers"
	says "gateway $FW4 dev ens3 answers"
	second_device
	wgvia route replace wg6 from $VPN4 via $SECOND4 dev second or $FW4
	says "gateway $SECOND4 dev second answers"
	ip -n "$NS_LAN" link set second down
	in_force $VPN4 $FW4
	says "gateway $SECOND4 dev second is dead: its device has no carrier"
	ip -n "$NS_GW" link delete second
}

# Without an agent the programs do not notice: the kernel does not report what a redirect loses.
@test "what is lost at a device without a carrier counts as no_gateway with an agent, as redirected without" {
	second_device
	wgvia up wg6 from $VPN4 via $SECOND4 from $VPN6 via $SECOND6
	poll 10 ping_once "$NS_GW" $SECOND4
	poll 10 ping_once "$NS_GW" $SECOND6
	ip -n "$NS_LAN" link set second down
	remember_counters
	in_ns "$NS_C1" ping -q -n -c 3 -i 0.005 -W 0.2 $SVC4 | grep " 0 received"
	in_ns "$NS_C1" ping -q -n -c 3 -i 0.005 -W 0.2 $SVC6 | grep " 0 received"
	grown redirected 6 564
	agent_start interval 60
	in_force $VPN4 "$SECOND4 down"
	in_force $VPN6 "$SECOND6 down"
	remember_counters
	in_ns "$NS_C1" ping -q -n -c 3 -i 0.005 -W 0.2 $SVC4 | grep " 0 received"
	in_ns "$NS_C1" ping -q -n -c 3 -i 0.005 -W 0.2 $SVC6 | grep " 0 received"
	grown no_gateway 6 564
	ip -n "$NS_GW" link delete second
}

@test "a gateway whose device has an MTU too small for IPv6 is dead at once, only for IPv6" {
	second_device
	wgvia up wg6 from $VPN4 via $SECOND4 from $VPN6 via $SECOND6
	agent_start interval 60
	says "gateway $SECOND4 dev second answers"
	says "gateway $SECOND6 dev second answers"
	ip -n "$NS_GW" link set second mtu 1279
	in_force $VPN6 "$SECOND6 down"
	says "gateway $SECOND6 dev second is dead: its device has an MTU below IPv6's minimum of 1280"
	in_force $VPN4 $SECOND4
	ip -n "$NS_GW" link delete second
}

@test "no gateway is left: on-fail drop drops and counts, on-fail pass passes; one that recovers is used at once" {
	wgvia up wg6 "${LISTS[@]}"
	agent_start interval 0.2 hold 3600
	says "gateway $FW4B dev ens3 answers"
	first_dead
	in_force $VPN4 $FW4B
	second_dead
	in_force $VPN4 "$FW4B down"
	says "$VPN4: no gateway is alive, on-fail applies"
	remember_counters
	in_ns "$NS_LAN" nft reset counters >/dev/null
	in_ns "$NS_C1" ping -q -n -c 3 -i 0.005 -W 0.2 $SVC4 | grep " 0 received"
	grown no_gateway 3 252
	is "$(wire first) $(wire second) $(wire elsewhere)" "0 0 0"
	wgvia up wg6 "${LISTS[@]}" on-fail pass
	is "$(via $VPN4)" "$FW4B down"
	goes elsewhere "$NS_C1" $SVC4
	second_well
	in_force $VPN4 $FW4B
	goes second "$NS_C1" $SVC4
}

@test "another program's folder in a pin's place does not keep an agent from switching gateways" {
	wgvia up wg6 "${LISTS[@]}"
	agent_start interval 0.2
	says "gateway $FW4B dev ens3 answers"
	mkdir -p "$PIN_DIR/wg6/clsact_out_99_1/theirs"
	first_dead
	in_force $VPN4 $FW4B
	rm -r "$PIN_DIR/wg6/clsact_out_99_1"
}

@test "a single dead gateway is marked, and on-fail decides" {
	wgvia up wg6 from $VPN4 via $FW4B on-fail pass
	agent_start interval 0.2
	second_dead
	in_force $VPN4 "$FW4B down"
	goes elsewhere "$NS_C1" $SVC4
	second_well
	in_force $VPN4 $FW4B
	goes second "$NS_C1" $SVC4
}

@test "commands keep an agent's choice of gateway" {
	wgvia up wg6 "${LISTS[@]}"
	agent_start interval 0.2 hold 3600
	says "gateway $FW4B dev ens3 answers"
	first_dead
	in_force $VPN4 $FW4B
	wgvia bypass add wg6 198.18.0.0/15
	is "$(via $VPN4)" $FW4B
	wgvia up wg6 "${LISTS[@]}" mode stack
	is "$(via $VPN4)" $FW4B
	wgvia route replace wg6 from $VPN4 via $FW4 or $FW4B
	is "$(via $VPN4)" $FW4B
	# another list starts over, and the agent chooses
	wgvia route replace wg6 from $VPN4 via $FW4 or $FW4B or 192.0.2.10
	in_force $VPN4 $FW4B
	agent_stop
	is "$(via $VPN4)" $FW4B
	run -0 wgvia show wg6
	grep "no agent is running: the gateways stay as the last agent left them" <<<"$output"
	wgvia up wg6 "${LISTS[@]}"
	is "$(via $VPN4)" $FW4
}

@test "an agent that stops removes its marks" {
	wgvia up wg6 from $VPN4 via $FW4B
	agent_start interval 0.2
	second_dead
	in_force $VPN4 "$FW4B down"
	says "$VPN4: no gateway is alive, on-fail applies"
	agent_stop
	is "$(via $VPN4)" "$FW4B"
	is "$(tail -n 2 "$TOPO_DIR/agent.log")" "wgvia: wg6: $VPN4: via $FW4B dev ens3 now
wgvia: wg6: stopped: dead gateways are used again, and on-fail no longer applies"
}

# ---- following the host ----

@test "the agent follows addresses of this host" {
	wgvia up wg6 "${WORDS[@]}" bypass 198.18.0.0/15
	agent_start
	ip -n "$NS_GW" address add 192.0.2.77/24 dev ens3
	ip -n "$NS_GW" address add 2001:db8:2::77/64 dev ens3 nodad
	poll 5 is_left_alone 192.0.2.77/32 local
	poll 5 is_left_alone 2001:db8:2::77/128 local
	says "+ 192.0.2.77/32 (local): exempt"
	is "$(left_alone 198.18.0.0/15)" bypass
	ping_once "$NS_C1" 192.0.2.77
	ip -n "$NS_GW" address delete 192.0.2.77/24 dev ens3
	ip -n "$NS_GW" address delete 2001:db8:2::77/64 dev ens3
	poll 5 is_left_alone 192.0.2.77/32 none
	poll 5 is_left_alone 2001:db8:2::77/128 none
}

@test "the agent follows routes into the tunnel" {
	wgvia up wg6 "${WORDS[@]}"
	agent_start
	ip -n "$NS_GW" route add 10.55.0.0/16 dev wg6
	poll 5 is_left_alone 10.55.0.0/16 tunnel
	ip -n "$NS_GW" route delete 10.55.0.0/16 dev wg6
	poll 5 is_left_alone 10.55.0.0/16 none
}

# default_moves GATEWAY: to that one, and the agent has seen it.
default_moves() {
	ip -n "$NS_GW" route replace default via "$1"
	ip -n "$NS_GW" address add 192.0.2.77/24 dev ens3
	poll 5 is_left_alone 192.0.2.77/32 local
	ip -n "$NS_GW" address delete 192.0.2.77/24 dev ens3
	poll 5 is_left_alone 192.0.2.77/32 none
}

@test "the agent follows the default route if the file omits the gateway" {
	file "from $VPN4" "from $VPN6 via $FW6"
	agent_start "$FILE"
	in_force $VPN4 $FW4
	ip -n "$NS_GW" route replace default via $FW4B
	in_force $VPN4 $FW4B
	says "+ from $VPN4 via $FW4B dev ens3"
	goes second "$NS_C1" $SVC4
	# a manual change stays
	wgvia route replace wg6 from $VPN4 via $FW4B or $FW4
	default_moves $FW4
	is "$(via $VPN4)" $FW4B
}

@test "a gateway that was named since stays when the default route moves, even if it was that of the default route" {
	file "from $VPN4" "from 10.7.0.0/16"
	agent_start "$FILE"
	in_force $VPN4 $FW4
	wgvia route replace wg6 from $VPN4 via $FW4 dev ens3
	default_moves $FW4B
	is "$(via $VPN4)" $FW4
	in_force 10.7.0.0/16 $FW4B
	# no gateway was named again
	wgvia route replace wg6 from $VPN4
	default_moves $FW4
	in_force $VPN4 $FW4
	wgvia up wg6 from $VPN4 via $FW4 from 10.7.0.0/16
	default_moves $FW4B
	is "$(via $VPN4)" $FW4
	in_force 10.7.0.0/16 $FW4B
	# another file; after it, the agent's own
	wgvia save wg6 | wgvia apply wg6 -
	default_moves $FW4
	is "$(via $VPN4) $(via 10.7.0.0/16)" "$FW4 $FW4B"
	agent_signal HUP
	in_force 10.7.0.0/16 $FW4
	default_moves $FW4B
	in_force $VPN4 $FW4B
	# written by another program, which notifies nobody
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key hex 10 00 00 00 0a 06 00 00 value hex \
		"$(printf '%02x' "$(ip -j -n "$NS_GW" link show ens3 | jq '.[0].ifindex')")" 00 00 00 02 00 00 00 \
		c0 00 02 09 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
	default_moves $FW4
	is "$(via $VPN4)" $FW4B
	in_force 10.7.0.0/16 $FW4
}

@test "apply of the agent's file: the agent follows what the file means since then" {
	file "from $VPN4"
	agent_start "$FILE"
	in_force $VPN4 $FW4
	file "from $VPN4 via $FW4 dev ens3" "from 10.7.0.0/16"
	# a change that is not applied is not put into force by another command, either
	wgvia bypass add wg6 198.18.0.0/15
	default_moves $FW4B
	is "$(via 10.7.0.0/16)" ""
	default_moves $FW4
	wgvia apply wg6 "$FILE"
	default_moves $FW4B
	is "$(via $VPN4)" $FW4
	in_force 10.7.0.0/16 $FW4B
	is "$(wgvia apply -c wg6 "$FILE")" ""
	# a drop-in
	mkdir "$FILE.d"
	echo "from 10.8.0.0/16" >"$FILE.d/10-branch.conf"
	wgvia apply wg6 "$FILE"
	default_moves $FW4
	in_force 10.8.0.0/16 $FW4
	is "$(wgvia apply -c wg6 "$FILE")" ""
	# also if the gateway is that of the default route already
	file "from $VPN4" "from 10.7.0.0/16"
	wgvia apply wg6 "$FILE"
	default_moves $FW4B
	in_force $VPN4 $FW4B
}

@test "a file that is wrong when a command notifies the agent: it is reported, and the one before applies" {
	file "from $VPN4"
	agent_start "$FILE"
	in_force $VPN4 $FW4
	file "form $VPN4"
	wgvia bypass add wg6 198.18.0.0/15
	says "$FILE:1: unexpected word 'form'"
	wgvia bypass add wg6 203.0.113.0/24
	default_moves $FW4B
	in_force $VPN4 $FW4B
	is "$(grep -c "unexpected word 'form'" "$TOPO_DIR/agent.log")" 1
	poll 5 grep -q "^STATUS=.*unexpected word 'form'" "$TOPO_DIR/notified.log"
	file "from $VPN4"
	wgvia bypass del wg6 203.0.113.0/24
	poll 5 last_status_is "STATUS=the tunnel exists, 1 prefixes, 1 gateways, 0 of them dead"
}

last_status_is() {
	[ "$(grep ^STATUS= "$TOPO_DIR/notified.log" | tail -n 1)" = "$1" ]
}

# tunnel_again ATTACH: wg6 is removed and re-created under its name, as wg-quick does.
tunnel_again() {
	attach_type "$1"
	AGENT_ENV=("WGVIA_ATTACH=$1")
	wgvia up wg6 "${WORDS[@]}"
	agent_start
	tunnel_gone
	says "the tunnel was removed: waiting for it"
	is "$(wgvia -j show wg6 | jq -c '[.attachments[] | select(.attached) | .direction]')" '["back","egress"]'
	tunnels_again
	says "the tunnel exists"
	poll 10 attached_three
	poll 10 ping_once "$NS_C1" $WG4
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	is "$(pins | grep -c "/$1_")" 3
	no_old_qdiscs "$1"
}

# no_old_qdiscs ATTACH: there are no markers of our clsacts for devices that no longer exist.
no_old_qdiscs() {
	[ "$1" = clsact ] || return 0
	is "$(pins | sed -n 's,.*/qdisc_\([0-9]*\)_.*,\1,p' | sort)" \
		"$(for dev in wg6 ens3; do in_ns "$NS_GW" cat "/proc/net/dev_snmp6/$dev"; done | awk '/^ifIndex/ { print $2 }' | sort)"
}

pins() {
	find "$PIN_DIR" -mindepth 1 | sort
}

attached_three() {
	[ "$(wgvia -j show wg6 | jq -c '[.attachments[] | select(.attached) | .direction] | sort')" = '["back","egress","out"]' ]
}

@test "tcx: programs are attached to a re-created tunnel" {
	tunnel_again tcx
}

@test "clsact: programs are attached to a re-created tunnel" {
	tunnel_again clsact
}

# lan_again ATTACH: ens3 is removed and re-created under its name, with other numbers.
lan_again() {
	attach_type "$1"
	AGENT_ENV=("WGVIA_ATTACH=$1")
	wgvia up wg6 "${LISTS[@]}"
	agent_start interval 0.2
	says "gateway $FW4 dev ens3 answers"
	ip -n "$NS_GW" link delete ens3
	says "gateway $FW4 dev ens3 is dead: its device" # is down, or no longer exists
	lan_made
	poll 10 attached_three
	in_force $VPN4 $FW4
	in_force $VPN6 $FW6
	poll 10 ping_once "$NS_C1" $WG4
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	no_old_qdiscs "$1"
}

@test "tcx: programs are attached to a re-created LAN device" {
	lan_again tcx
}

@test "an agent that was not running when the LAN device was re-created finds the gateways" {
	wgvia up wg6 "${LISTS[@]}"
	ip -n "$NS_GW" link delete ens3
	lan_made
	agent_start interval 0.2
	poll 10 attached_three
	poll 10 ping_once "$NS_C1" $WG4
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	goes first "$NS_C1" $SVC4
}

@test "clsact: programs are attached to a re-created LAN device" {
	lan_again clsact
}

# A tun device that sends from the moment it is up: its packets' sources are in 10.7.0.0/16.
tunnel_that_sends() {
	in_ns "$NS_GW" /usr/bin/python3 - "$1" "$2" <<-'END'
		import fcntl, os, socket, struct, subprocess, sys
		from scapy.all import IP, UDP, raw
		packet = raw(IP(src="10.7.0.9", dst=sys.argv[1]) / UDP(sport=9, dport=9) / (b"x" * 32))
		tun = os.open("/dev/net/tun", os.O_RDWR)
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH", b"wg7", 0x1001))  # TUNSETIFF, IFF_TUN | IFF_NO_PI
		fcntl.ioctl(s, 0x8914, struct.pack("16sH", b"wg7", 0x41))  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
		sent = 0
		for i in range(int(sys.argv[2])):
		    sent += os.write(tun, packet) == len(packet)
		print(sent)
		sys.stdout.flush()
		sys.stdin.read()
	END
}

# tunnel_later MODE
tunnel_later() {
	local sent
	file "from 10.7.0.0/16 via $FW4 or $FW4B" "mode $1"
	AGENT_TUNNEL=wg7 agent_start "$FILE"
	says "'$FILE' is in force"
	poll 5 grep 'STATUS=waiting for the tunnel' "$TOPO_DIR/notified.log"
	in_ns "$NS_LAN" nft reset counters >/dev/null
	sent=$(tunnel_that_sends $SVC4 2000)
	poll 5 counted first "$sent" || true
	echo "# mode $1: $sent sent before anybody could wait, $(wire first) to the firewall, $(wire elsewhere) past it" >&3
	is "$sent" 2000
	is "$(wire elsewhere)" 0
	is "$(wire first)" 2000
}

@test "mode fast: a tunnel that is created later has its first packet sent to the firewall" {
	tunnel_later fast
}

@test "programs are attached to a tunnel before it is up or has an address" {
	AGENT_TUNNEL=wg7
	file "from 10.7.0.0/16 via $FW4"
	agent_start "$FILE"
	says "'$FILE' is in force"
	in_ns "$NS_GW" ip tuntap add wg7 mode tun
	says "the tunnel exists"
	is "$(wgvia -j show wg7 | jq -c '[.attachments[] | select(.attached) | .direction] | unique')" '["back","egress","out"]'
	is "$(wgvia -j show wg7 | jq -r .state)" down
}

@test "up for a tunnel that does not exist yet works beside an agent, which attaches to it when it exists" {
	AGENT_TUNNEL=wg7
	agent_start
	says "no instance: waiting for 'wgvia up wg7'"
	run -0 wgvia up wg7 from 10.7.0.0/16 via $FW4
	[[ $output == *"wg7: interface 'wg7' does not exist yet: "* ]]
	in_ns "$NS_GW" ip tuntap add wg7 mode tun
	says "the tunnel exists"
	is "$(wgvia -j show wg7 | jq -c '[.attachments[] | select(.attached) | .direction] | unique')" '["back","egress","out"]'
	# the second of wg-quick's hooks has nothing to do
	wgvia up wg7 from 10.7.0.0/16 via $FW4
	ip -n "$NS_GW" link delete wg7
	says "the tunnel was removed"
	wgvia down wg7
	says "the instance was removed"
}

@test "mode stack: a tunnel that is created later has its first packet sent to the firewall" {
	tunnel_later stack
}

# At most what wireguard-go's socket holds while it does not run: it listens to addresses as well, and exits after an
# overrun, at the next packet.
@test "a burst that overruns the socket: the list is right at the end" {
	local i
	AGENT_ENV=(WGVIA_RCVBUF=4096)
	wgvia up wg6 "${WORDS[@]}"
	agent_start
	agent_signal STOP # it reads nothing meanwhile
	for i in {1..8}; do
		printf "address add 172.20.$i.%d/32 dev lo\n" {1..16}
	done | ip -n "$NS_GW" -batch -
	printf "address delete 172.20.8.%d/32 dev lo\n" {1..16} | ip -n "$NS_GW" -batch -
	agent_signal CONT
	says "kernel messages were lost"
	poll 20 has_addresses 112 || is "$(addresses)" 112
	is "$(left_alone 172.20.7.16/32)" local
	is "$(left_alone 172.20.8.1/32)" none
	for i in {1..7}; do
		printf "address delete 172.20.$i.%d/32 dev lo\n" {1..16}
	done | ip -n "$NS_GW" -batch -
	poll 20 has_addresses 0 || is "$(addresses)" 0
}

# Events that fit into the socket are irrelevant; the relevant ones come after them, and are lost: a LAN device with
# another number, another default route, a route into the tunnel.
@test "changes whose events an overrun lost are found" {
	local before
	AGENT_ENV=(WGVIA_RCVBUF=4096)
	file "from $VPN4" "from $VPN6 via $FW6"
	agent_start "$FILE"
	in_force $VPN4 $FW4
	before=$(ip -n "$NS_GW" -j link show ens3 | jq '.[].ifindex')
	agent_signal STOP
	printf "route add 172.20.%d.0/24 via $FW4\n" {1..200} | ip -n "$NS_GW" -batch -
	ip -n "$NS_GW" link delete ens3
	lan_made
	ip -n "$NS_GW" route add 198.51.100.0/24 via $FW4 # where the clients are
	ip -n "$NS_GW" route replace default via $FW4B
	ip -n "$NS_GW" route add 172.21.0.0/16 dev wg6
	is "$(wgvia -j show wg6 | jq --argjson i "$before" '[.attachments[] | select(.ifindex == $i and .attached)] | length')" 0
	agent_signal CONT
	says "kernel messages were lost"
	in_force $VPN4 $FW4B 20
	in_force $VPN6 $FW6
	poll 10 is_left_alone 172.21.0.0/16 tunnel
	poll 10 attached_three
	poll 10 ping_once "$NS_C1" $WG4
	goes second "$NS_C1" $SVC4
	goes first "$NS_C1" $SVC6
	ip -n "$NS_GW" route delete 172.21.0.0/16
	ip -n "$NS_GW" route delete 198.51.100.0/24
	ip -n "$NS_GW" route replace default via $FW4
}

addresses() {
	wgvia -j show wg6 | jq '[.bypass[] | select(.to | startswith("172.20."))] | length'
}

has_addresses() {
	[ "$(addresses)" -eq "$1" ]
}

# ---- killed, stopped, notified ----

@test "killed at any moment: nothing is lost, and a new agent takes over" {
	wgvia up wg6 "${LISTS[@]}"
	agent_start interval 0.2 hold 3600
	says "gateway $FW4B dev ens3 answers"
	second_dead
	says "gateway $FW4B dev ens3 is dead"
	stream 400 "$NS_C1" $SVC4 kill_and_start
	is "$missing" 0
	second_well
	# the last one may not have found it dead
	poll 10 grep -Eq "gateway $FW4B dev ens3 (answers|is reachable again)" "$TOPO_DIR/agent.log"
	first_dead
	in_force $VPN4 $FW4B
	agent_signal KILL
	poll 5 process_gone "$(<"$TOPO_DIR/agent.pid")"
	is "$(via $VPN4)" $FW4B
	goes second "$NS_C1" $SVC4
	# the new one knows nothing from the old one, and moves nothing
	agent_start interval 0.2 hold 1
	is "$(via $VPN4)" $FW4B
	says "gateway $FW4 dev ens3 is dead"
	is "$(via $VPN4)" $FW4B
	first_well
	in_force $VPN4 $FW4
}

kill_and_start() {
	agent_stop KILL
	agent_start interval 0.2 hold 3600
}

@test "what was removed stays removed; a manual up is watched again" {
	file "from $VPN4 via $FW4 or $FW4B"
	agent_start "$FILE" interval 0.2
	in_force $VPN4 $FW4
	wgvia down wg6
	says "the instance was removed: waiting for 'wgvia up wg6' or SIGHUP"
	ip -n "$NS_GW" address add 192.0.2.77/24 dev ens3
	ip -n "$NS_GW" address delete 192.0.2.77/24 dev ens3
	is "$(find "$PIN_DIR" -mindepth 1 -not -name '*agent')" ""
	wgvia up wg6 from $VPN6 via $FW6B
	second_dead
	in_force $VPN6 "$FW6B down"
	agent_signal HUP
	says "+ from $VPN4 via $FW4 dev ens3 or $FW4B dev ens3"
	in_force $VPN4 $FW4
	is "$(via $VPN6)" ""
}

@test "without a file and without an instance it waits for one" {
	agent_start
	says "no instance: waiting for 'wgvia up wg6'"
	wgvia up wg6 from $VPN4 via $FW4 or $FW4B
	says "gateway $FW4B dev ens3 answers"
}

@test "SIGHUP makes it read the file again; a bad file changes nothing" {
	file "from $VPN4 via $FW4" "bypass 198.18.0.0/15"
	agent_start "$FILE"
	in_force $VPN4 $FW4
	file "from $VPN4 via $FW4B" "on-fail pass"
	agent_signal HUP
	in_force $VPN4 $FW4B
	is "$(left_alone 198.18.0.0/15)" none
	is "$(wgvia -j show wg6 | jq -r .on_fail)" pass
	says "- bypass 198.18.0.0/15"
	file "from $VPN4 via $FW4" "form"
	agent_signal HUP
	says "$FILE:2: unexpected word 'form'"
	says "the configuration stays as it was"
	poll 5 ready_times 3
	is "$(grep -c RELOADING=1 "$TOPO_DIR/notified.log")" 2
	is "$(via $VPN4)" $FW4B
	# a file that cannot be put into force now is put into force as soon as possible
	file "from $VPN4 via 203.0.113.129 dev second"
	agent_signal HUP
	says "cannot use 'second': no such device"
	is "$(via $VPN4)" $FW4B
	ip -n "$NS_GW" link add second type veth peer name second netns "$NS_LAN"
	ip -n "$NS_GW" address add 203.0.113.130/25 dev second
	ip -n "$NS_GW" link set second up
	poll 10 grep -q "from $VPN4 via 203.0.113.129 dev second" "$TOPO_DIR/agent.log"
	ip -n "$NS_GW" link delete second
}

@test "an agent is ready when its file is in force, not earlier, also without a tunnel" {
	AGENT_TUNNEL=wg7
	file "from 10.7.0.0/16 via 203.0.113.129 dev second"
	agent_begin "$FILE"
	says "cannot use 'second': no such device"
	agent_signal HUP
	poll 5 grep -q "STATUS=$FILE:1: cannot use 'second': no such device" "$TOPO_DIR/notified.log"
	run ! grep -e READY=1 -e RELOADING=1 "$TOPO_DIR/notified.log"
	ip -n "$NS_GW" link add second type veth peer name second netns "$NS_LAN"
	ip -n "$NS_GW" address add 203.0.113.130/25 dev second
	ip -n "$NS_GW" link set second up
	agent_says_ready
	is "$(wgvia -j show wg7 | jq -c '[.state, (.attachments[] | .dev)] | unique')" '["absent","ens3","second","wg6"]'
	ip -n "$NS_GW" link delete second
}

ready_times() {
	[ "$(grep -c READY=1 "$TOPO_DIR/notified.log")" -eq "$1" ]
}

@test "systemd is notified: ready, status, alive, stopping" {
	AGENT_ENV=(WATCHDOG_USEC=200000)
	wgvia up wg6 "${LISTS[@]}"
	agent_start interval 0.2
	poll 5 grep -x "STATUS=the tunnel exists, 2 prefixes, 4 gateways, 0 of them dead" "$TOPO_DIR/notified.log"
	second_dead
	poll 5 grep -x "STATUS=the tunnel exists, 2 prefixes, 4 gateways, 2 of them dead" "$TOPO_DIR/notified.log"
	poll 5 alive_times 5
	agent_signal TERM
	poll 5 grep -x STOPPING=1 "$TOPO_DIR/notified.log"
}

alive_times() {
	[ "$(grep -c WATCHDOG=1 "$TOPO_DIR/notified.log")" -ge "$1" ]
}

@test "an agent that hangs does not report that it is alive" {
	local count
	AGENT_ENV=(WATCHDOG_USEC=200000)
	agent_start
	poll 5 alive_times 2
	# another process holds the lock that a change needs: the loop blocks
	exec 7<"$PIN_DIR"
	flock 7
	agent_signal HUP
	poll 5 grep -q RELOADING=1 "$TOPO_DIR/notified.log"
	count=$(grep -c WATCHDOG=1 "$TOPO_DIR/notified.log")
	run ! poll 1 alive_times $((count + 1))
	exec 7<&-
	poll 5 alive_times $((count + 1))
}

@test "in the journal each line has its priority" {
	local log=$TOPO_DIR/agent.log
	wgvia up wg6 "${LISTS[@]}"
	: >"$log"
	# shellcheck disable=SC2016 # the inner shell's
	AGENT_ENV=(bash -c 'JOURNAL_STREAM=$(stat -Lc %d:%i /dev/stderr) exec "$@"' bash)
	agent_start interval 0.2
	says "<6>wg6: gateway $FW4B dev ens3 answers"
	second_dead
	says "<4>wg6: gateway $FW4B dev ens3 is dead"
	says_not "wgvia: "
}
