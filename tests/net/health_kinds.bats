#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# "health forward|ping|tcp": a gateway that answers ARP and ND but does not forward is dead to the agent, in use or on
# standby, IPv4 and IPv6, and packets go via the other one. "health neighbour" does not notice the same faults.

# shellcheck disable=SC2046,SC2086 # addresses and bytes are words
# shellcheck disable=SC2030,SC2031,SC2034,SC2153,SC2154 # others set and read variables

load ../lib/net.bash
load ../lib/agent.bash
load ../lib/second.bash
load ../lib/fault.bash

# The gateways of the lists. The preferred one is the second firewall, so that its faults do not end the tunnel, which
# reaches the gateway through the topology's own firewall. Via that one the service always answers, so it is not strict
# here: it does not see what goes out via the other one.
ONE4=192.0.2.9 ONE6=2001:db8:2::9 TWO4=192.0.2.1 TWO6=2001:db8:2::1

setup_more() {
	second_up
	one_forwards 1
	one_routes
	in_ns "$NS_FW" nft delete table inet firewall
}

one_routes() {
	ip -n "$NS_FW2" route replace $VPN4 via $GW4
	ip -n "$NS_FW2" -6 route replace $VPN6 via $GW6 dev lan
}

two_routes() {
	ip -n "$NS_FW" route replace $VPN4 via $GW4
	ip -n "$NS_FW" -6 route replace $VPN6 via $GW_LL dev lan
}

one_forwards() { # 0|1
	set_sysctls "$NS_FW2" net.ipv4.ip_forward="$1" net.ipv6.conf.all.forwarding="$1"
}

two_forwards() { # 0|1
	set_sysctls "$NS_FW" net.ipv4.ip_forward="$1" net.ipv6.conf.all.forwarding="$1"
}

# Drops packets from the prefixes, but not packets to them.
two_blocks() {
	in_ns "$NS_FW" nft "table inet fault { chain forward { type filter hook forward priority -1
		ip saddr $VPN4 drop
		ip6 saddr $VPN6 drop; }; }"
}

two_works() {
	in_ns "$NS_FW" nft delete table inet fault 2>/dev/null || true
}

setup() {
	AGENT_ENV=()
	FILE=$BATS_TEST_TMPDIR/wg6.conf
}

teardown() {
	agent_stop KILL
	unspawn forger KILL
	in_ns "$NS_LAN" nft delete table netdev asked 2>/dev/null || true
	fault_over
	two_works
	two_forwards 1
	two_routes
	ip -n "$NS_GW" address replace $WG4/16 dev wg6
	sweep "$NS_GW" wg6
	nothing_left
}

# Faults of the preferred firewall; none affects its ARP and ND.

no_forwarding() {
	one_forwards 0
}

no_return() { # packets to the prefixes end here
	ip -n "$NS_FW2" route replace blackhole $VPN4
	ip -n "$NS_FW2" -6 route delete $VPN6
	ip -n "$NS_FW2" -6 route add blackhole $VPN6
}

no_icmp() {
	in_ns "$NS_FW2" nft 'table inet fault { chain forward { type filter hook forward priority -1
		meta l4proto { icmp, ipv6-icmp } drop; }; }'
}

half_lost() {
	in_ns "$NS_FW2" nft 'table inet fault { chain forward { type filter hook forward priority -1
		numgen random mod 2 0 drop; }; }'
}

# It answers for its addresses, and does nothing else.
hung() {
	in_ns "$NS_FW2" nft 'table netdev fault { chain in { type filter hook ingress device lan priority -1; policy drop
		ether type arp accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; }; }'
}

fault_over() {
	in_ns "$NS_FW2" nft delete table inet fault 2>/dev/null || true
	in_ns "$NS_FW2" nft delete table netdev fault 2>/dev/null || true
	one_forwards 1
	ip -n "$NS_FW2" -6 route delete blackhole $VPN6 2>/dev/null || true
	one_routes
}

# up_with KIND4 KIND6 [WORD...]: both gateways of both families are alive to an agent with these words.
up_with() {
	wgvia up wg6 from $VPN4 via $ONE4 or $TWO4 health $1 from $VPN6 via $ONE6 or $TWO6 health $2
	shift 2
	[ $# -gt 0 ] || set -- hold 0
	agent_start interval 0.2 "$@"
	both_alive
	in_force $VPN4 $ONE4
	in_force $VPN6 $ONE6
}

both_alive() {
	local gateway
	for gateway in $ONE4 $TWO4; do
		poll 20 is_health $VPN4 $gateway alive || { cat "$TOPO_DIR/agent.log" && return 1; }
	done
	for gateway in $ONE6 $TWO6; do
		poll 20 is_health $VPN6 $gateway alive || { cat "$TOPO_DIR/agent.log" && return 1; }
	done
}

# health PREFIX GATEWAY [EXPRESSION]: what show reports about a gateway on the list of a prefix.
health() {
	wgvia -j show wg6 | jq -r --arg p "$1" --arg g "$2" '.prefixes[] | select(.from == $p) |
		.gateways[] | select(.via == $g) | '"${3:-.health.state // \"none\"}"
}

is_health() { # PREFIX GATEWAY STATE
	[ "$(health "$1" "$2")" = "$3" ]
}

# dead_of PREFIX GATEWAY REASON: waits for that.
dead_of() {
	poll 20 is_dead_of "$@" && return
	is "$(health "$1" "$2" '"\(.health.state) \(.health.reason)"')" "dead $3" || { cat "$TOPO_DIR/agent.log" && return 1; }
}

is_dead_of() {
	[ "$(health "$1" "$2" '"\(.health.state) \(.health.reason)"')" = "dead $3" ]
}

traffic_flows() {
	pings 3 "$NS_C1" $SVC4
	pings 3 "$NS_C1" $SVC6
}

# fails_over REASON4 REASON6 FAULT: the fault moves both prefixes to the second gateway, and its end moves them back.
fails_over() {
	traffic_flows
	"$3"
	dead_of $VPN4 $ONE4 "$1"
	dead_of $VPN6 $ONE6 "$2"
	in_force $VPN4 $TWO4
	in_force $VPN6 $TWO6
	traffic_flows
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	says "gateway $ONE4 dev ens3 is dead: $1"
	fault_over
	both_alive
	in_force $VPN4 $ONE4
	in_force $VPN6 $ONE6
	traffic_flows
}

NO_FORWARD="it does not forward echo requests from the prefix"
NO_RETURN="no return path: it does not forward echo replies to the prefix"

@test "forward: forwarding is off" {
	up_with forward forward
	fails_over "$NO_FORWARD" "$NO_FORWARD" no_forwarding
}

@test "forward: no route back" {
	up_with forward forward
	fails_over "$NO_RETURN" "$NO_RETURN" no_return
}

@test "forward: ICMP is dropped" {
	up_with forward forward
	fails_over "$NO_FORWARD" "$NO_FORWARD" no_icmp
}

@test "forward: it answers ARP and ND and nothing else" {
	up_with forward forward
	fails_over "$NO_FORWARD" "$NO_FORWARD" hung
}

@test "forward: the reason stays while this host and the instance change" {
	up_with forward forward
	no_forwarding
	dead_of $VPN4 $ONE4 "$NO_FORWARD"
	wgvia route add wg6 from 10.9.0.0/16 via $TWO4
	for _ in {1..20}; do
		is_dead_of $VPN4 $ONE4 "$NO_FORWARD"
	done
}

@test "forward: the probe goes to the MAC address of a permanent entry, whoever answers ARP" {
	ip -n "$NS_GW" neigh replace $ONE4 lladdr 02:00:00:00:09:99 dev ens3 nud permanent
	wgvia up wg6 from $VPN4 via $ONE4 or $TWO4 health forward
	agent_start interval 0.2 hold 0
	dead_of $VPN4 $ONE4 "$NO_FORWARD"
	ip -n "$NS_GW" neigh delete $ONE4 dev ens3
	poll 20 is_health $VPN4 $ONE4 alive
}

@test "forward: the reason is that of the last try" {
	up_with forward forward
	no_forwarding
	dead_of $VPN4 $ONE4 "$NO_FORWARD"
	one_forwards 1
	no_return
	# it may be alive in between
	dead_of $VPN4 $ONE4 "$NO_RETURN"
	in_ns "$NS_FW2" nft 'table netdev fault { chain in { type filter hook ingress device lan priority -1; policy drop; }; }'
	poll 20 is_silent $VPN4 $ONE4
}

is_silent() { # PREFIX GATEWAY
	[[ $(health "$1" "$2" .health.reason) =~ ^(it does not answer neighbour requests|the kernel.s neighbour entry has failed)$ ]]
}

# asked COUNT: neighbour requests for the first gateway.
asked() {
	[ "$(lan_counter asked four)" -ge "$1" ] && [ "$(lan_counter asked six)" -ge "$1" ]
}

count_requests() {
	in_ns "$NS_LAN" nft -f - <<-END
		table netdev asked {
			counter four { }
			counter six { }
			chain out {
				type filter hook ingress device gw priority 0
				arp operation request arp daddr ip $ONE4 counter name four
				ip6 daddr ff02::1:ff00:9 icmpv6 type nd-neighbor-solicit counter name six
			}
		}
	END
}

# not_noticed FAULT: after ten more requests the first gateway is alive and in use, and nothing arrives.
not_noticed() {
	"$1"
	count_requests
	poll 20 asked 10
	in_ns "$NS_LAN" nft delete table netdev asked
	is "$(health $VPN4 $ONE4) $(health $VPN6 $ONE6) $(via $VPN4) $(via $VPN6)" "alive alive $ONE4 $ONE6"
	run ! ping_once "$NS_C1" $SVC4 -W 1
	run ! ping_once "$NS_C1" $SVC6 -W 1
	fault_over
}

@test "neighbour, the default: the same faults are not noticed, and nothing arrives" {
	up_with neighbour neighbour
	is "$(wgvia save wg6 | grep -c health)" 0
	not_noticed no_forwarding
	not_noticed hung
}

@test "forward: gateways on standby are probed as well" {
	up_with forward forward
	two_forwards 0
	dead_of $VPN4 $TWO4 "$NO_FORWARD"
	dead_of $VPN6 $TWO6 "$NO_FORWARD"
	is "$(via $VPN4) $(via $VPN6)" "$ONE4 $ONE6"
	is "$(wgvia -j check wg6 | jq -r --arg g "gateway $TWO4 " '.findings[] | select(.name == "gateway" and (.evidence |
		contains($g))) | "\(.severity) \(.remedy) \(.evidence)"' | sed 's/for [0-9]* s/for N s/')" "warning wgvia check wg6 \
--probe the agent sees gateway $TWO4 dev ens3: dead for N s: $NO_FORWARD; it is on standby, and would not help"
	two_forwards 1
	both_alive
	ip -n "$NS_FW" route delete $VPN4 via $GW4
	ip -n "$NS_FW" -6 route delete $VPN6
	dead_of $VPN4 $TWO4 "$NO_RETURN"
	dead_of $VPN6 $TWO6 "$NO_RETURN"
}

# moves PREFIX: how often it was moved.
moves() {
	grep -cE "$1.*: via .* now" "$TOPO_DIR/agent.log"
}

@test "forward: half of the packets are lost: the gateway is left once, and not preferred while that lasts" {
	up_with forward forward hold 5
	half_lost
	in_force $VPN4 $TWO4
	in_force $VPN6 $TWO6
	traffic_flows
	count_requests
	# about fifty tries, a quarter of which succeed
	poll 60 asked 50
	in_ns "$NS_LAN" nft delete table netdev asked
	is "$(via $VPN4) $(via $VPN6)" "$TWO4 $TWO6"
	is "$(moves $VPN4) $(moves $VPN6)" "1 1"
	traffic_flows
	fault_over
	both_alive
	in_force $VPN4 $ONE4
	in_force $VPN6 $ONE6
}

@test "ping: an address that is not reached through the gateway, in use and on standby" {
	up_with "ping $SVC4" "ping $SVC6"
	fails_over "$SVC4 does not answer echo requests through it" "$SVC6 does not answer echo requests through it" \
		no_forwarding
	two_blocks
	dead_of $VPN4 $TWO4 "$SVC4 does not answer echo requests through it"
	dead_of $VPN6 $TWO6 "$SVC6 does not answer echo requests through it"
	is "$(via $VPN4) $(via $VPN6)" "$ONE4 $ONE6"
}

@test "tcp: a service that does not answer, or refuses, in use and on standby" {
	up_with "tcp $SVC4:80" "tcp [$SVC6]:80"
	fails_over "$SVC4:80 does not answer connection attempts through it" \
		"[$SVC6]:80 does not answer connection attempts through it" no_forwarding
	two_blocks
	dead_of $VPN4 $TWO4 "$SVC4:80 does not answer connection attempts through it"
	is "$(via $VPN4) $(via $VPN6)" "$ONE4 $ONE6"
	two_works
	both_alive
	wgvia route replace wg6 from $VPN4 via $ONE4 or $TWO4 health tcp $SVC4:81
	wgvia route replace wg6 from $VPN6 via $ONE6 or $TWO6 health tcp [$SVC6]:81
	dead_of $VPN4 $ONE4 "$SVC4:81 refuses connections through it"
	dead_of $VPN6 $TWO6 "[$SVC6]:81 refuses connections through it"
	poll 10 is_marked_down $VPN4 # the one that was found dead last
}

is_marked_down() { # PREFIX
	[[ $(via "$1") == *" down" ]]
}

@test "one gateway: dead, it is marked down, and on-fail decides" {
	wgvia up wg6 from $VPN4 via $ONE4 health forward
	agent_start interval 0.2 hold 0
	poll 10 is_health $VPN4 $ONE4 alive
	wgvia show wg6 | grep -E "^    from $VPN4 via $ONE4 dev ens3 .*\(alive for [0-9]+ s\) current health forward$"
	no_forwarding
	dead_of $VPN4 $ONE4 "$NO_FORWARD"
	in_force $VPN4 "$ONE4 down"
	run -1 wgvia health wg6
	grep -F ": $NO_FORWARD" <<<"$output"
	wgvia stats wg6 --prometheus | grep "^wgvia_gateway_up{.*gateway=\"$ONE4\".*} 0$"
	fault_over
	in_force $VPN4 $ONE4
	run -0 wgvia health wg6
}

@test "a tunnel without an address in the prefix: the probes come from the prefix's first address" {
	ip -n "$NS_GW" address delete $WG4/16 dev wg6
	wgvia up wg6 from $VPN4 via $ONE4 or $TWO4 health forward
	in_ns "$NS_LAN" nft "table netdev asked { counter asked { }; chain out { type filter hook ingress device gw priority 0
		ip saddr 10.6.0.0 ip daddr $GW4 ip ttl 2 icmp type echo-request counter name asked; }; }"
	agent_start interval 0.2 hold 0
	poll 10 is_health $VPN4 $ONE4 alive
	no_forwarding
	dead_of $VPN4 $ONE4 "$NO_FORWARD"
	[ "$(lan_counter asked asked)" -gt 0 ]
	in_ns "$NS_LAN" nft delete table netdev asked
}

no_half_open() {
	[ -z "$(in_ns "$NS_SVC" ss -Htn state syn-recv)" ]
}

@test "tcp: each SYN-ACK is answered by RST, so that no connection remains half open" {
	# the kernel does not have the source address, so it does not answer
	ip -n "$NS_GW" address delete $WG4/16 dev wg6
	wgvia up wg6 from $VPN4 via $ONE4 or $TWO4 health tcp $SVC4:80
	in_ns "$NS_LAN" nft "table netdev asked { counter syn { }; counter rst { }; chain out {
		type filter hook ingress device gw priority 0; ip saddr 10.6.0.0 ip daddr $SVC4 tcp dport 80 jump which; }
		chain which { tcp flags & (syn | rst) == syn counter name syn
			tcp flags & (syn | rst) == rst counter name rst; }; }"
	agent_start interval 0.2 hold 0
	poll 10 is_health $VPN4 $ONE4 alive
	poll 10 is_health $VPN4 $TWO4 alive
	poll 10 all_reset 10
	agent_stop
	poll 10 no_half_open
	in_ns "$NS_LAN" nft delete table netdev asked
}

all_reset() { # COUNT: at least that many
	[ "$(lan_counter asked rst)" -ge "$1" ]
}

# forge HOW: the host with the first gateway's MAC address answers each probe, with its token ("right") or another
# ("wrong").
forge() {
	spawn "$NS_FW2" forger /usr/bin/python3 -uc '
import socket, struct, sys
wrong = sys.argv[1] == "wrong"
def checksum(data, total=0):
    for i in range(0, len(data), 2):
        total += data[i] << 8 | data[i + 1]
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack("!H", ~total & 0xffff)
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("lan", 3))
print("ready")
while True:
    f, address = s.recvfrom(2000)
    f = bytearray(f)
    if address[2] == socket.PACKET_OUTGOING or f[12:14] != b"\x08\x00":
        continue
    f[0:6], f[6:12] = f[6:12], f[0:6]
    ip, rest = f[14:34], f[34:]
    if ip[9] == 1 and rest[0] == 8:
        rest[15] ^= wrong
        rest[2:4] = bytes(2)
        rest[2:4] = checksum(rest[:32])
        s.send(f[:14] + ip + rest)
        ip[12:16], ip[16:20] = ip[16:20], ip[12:16]
        rest[0:1] = bytes(1)
        rest[2:4] = bytes(2)
        rest[2:4] = checksum(rest[:32])
        s.send(f[:14] + ip + rest)
    elif ip[9] == 6 and rest[13] == 2:
        ip[12:16], ip[16:20] = ip[16:20], ip[12:16]
        seq = struct.unpack("!I", rest[4:8])[0] + 1 + wrong & 0xffffffff
        rest = rest[2:4] + rest[0:2] + bytes(4) + struct.pack("!I", seq) + bytes((0x50, 0x12, 4, 0, 0, 0, 0, 0))
        rest[16:18] = checksum(ip[12:20] + rest, 26)
        s.send(f[:14] + ip + rest)
' "$1"
	poll 10 grep -q ready "$TOPO_DIR/forger.log"
}

# forged KIND: answers of the wrong kind do not make the hung gateway alive, answers of the right kind do.
forged() {
	hung
	wgvia route replace wg6 from $VPN4 via $ONE4 or $TWO4 health $1
	poll 20 is_health $VPN4 $ONE4 dead
	forge wrong
	count_requests
	poll 20 four_asked 10
	in_ns "$NS_LAN" nft delete table netdev asked
	is "$(health $VPN4 $ONE4)" dead
	unspawn forger KILL
	forge right
	poll 20 is_health $VPN4 $ONE4 alive
	unspawn forger KILL
	fault_over
}

four_asked() {
	[ "$(lan_counter asked four)" -ge "$1" ]
}

@test "only an answer with the token of the probe counts" {
	wgvia up wg6 from $VPN4 via $ONE4 or $TWO4 health forward
	agent_start interval 0.2 hold 0
	forged forward
	forged "ping $SVC4"
	forged "tcp $SVC4:80"
}

@test "no address to probe with: the agent reports it, and watches the neighbour" {
	wgvia up wg6 from 0.0.0.0/0 via $ONE4 or $TWO4 health forward
	ip -n "$NS_GW" address delete $WG4/16 dev wg6
	agent_start interval 0.2 hold 0
	says "gateway $ONE4 dev ens3: 'health forward' needs an address of its family in a prefix"
	poll 10 is_health 0.0.0.0/0 $ONE4 alive
	run wgvia -j check wg6
	is "$(jq -r '[.findings[] | select(.name == "health") | .evidence | split(" of its")[0]] | sort | join("; ")' <<<"$output")" \
		"gateway $TWO4 dev ens3: 'health forward' needs an address; gateway $ONE4 dev ens3: 'health forward' needs an address"
	# and it follows when there is one
	no_forwarding
	ip -n "$NS_GW" address add $WG4/16 dev wg6
	dead_of 0.0.0.0/0 $ONE4 "$NO_FORWARD"
	run wgvia -j check wg6
	is "$(jq '[.findings[] | select(.name == "health")] | length' <<<"$output")" 0
}

@test "a socket for the probes that cannot be opened: neighbours' answers are enough, and each probe tries again" {
	local missing=$BATS_TEST_TMPDIR/missing
	wgvia up wg6 from $VPN4 via $ONE4 or $TWO4
	AGENT_ENV=("LD_PRELOAD=$FAULT_SO" FAULT=deaf "FAULT_FILE=$missing")
	agent_start interval 0.2 hold 0
	poll 10 is_health $VPN4 $ONE4 alive
	touch "$missing"
	wgvia up wg6 from $VPN4 via $ONE4 or $TWO4 health forward
	says "cannot open the sockets for probes: No buffer space available"
	no_forwarding
	in_ns "$NS_FW" nft 'table netdev deaf { chain in { type filter hook ingress device lan priority -1; policy drop; }; }'
	poll 20 is_health $VPN4 $TWO4 dead
	in_ns "$NS_FW" nft delete table netdev deaf
	poll 20 is_health $VPN4 $TWO4 alive
	is "$(health $VPN4 $ONE4) $(via $VPN4)" "alive $ONE4"
	is "$(grep -c "cannot open the sockets" "$TOPO_DIR/agent.log")" 1
	rm "$missing"
	dead_of $VPN4 $ONE4 "$NO_FORWARD"
	is_health $VPN4 $TWO4 alive
}

@test "another kind of health for a list: the gateway in force stays until that has a result" {
	up_with forward forward
	no_forwarding
	in_force $VPN4 $TWO4
	wgvia route replace wg6 from $VPN4 via $ONE4 or $TWO4 health ping $SVC4
	is "$(via $VPN4)" $TWO4
	dead_of $VPN4 $ONE4 "$SVC4 does not answer echo requests through it"
	is "$(via $VPN4) $(moves $VPN4)" "$TWO4 1"
	wgvia route replace wg6 from $VPN4 via $ONE4 or $TWO4
	in_force $VPN4 $ONE4 # which answers ARP
}

# ---- the words ----

@test "health in a file and back: save, apply, show, route, explain, JSON" {
	local line="from $VPN4 via $ONE4 dev ens3 or $TWO4 dev ens3 health ping $SVC4"
	wgvia up wg6 $line from $VPN6 via $ONE6 or $TWO6 health tcp [$SVC6]:80
	wgvia save wg6 >"$FILE"
	grep -x "$line" "$FILE"
	grep -xF "from $VPN6 via $ONE6 dev ens3 or $TWO6 dev ens3 health tcp [$SVC6]:80" "$FILE"
	run -0 wgvia apply wg6 "$FILE"
	run ! grep '^[-+]' <<<"$output"
	wgvia show wg6 | grep -E "^    from $VPN4 via .* health ping $SVC4$"
	is "$(wgvia -j show wg6 | jq -c '[.prefixes[].health_kind]')" "[\"ping $SVC4\",\"tcp [$SVC6]:80\"]"
	wgvia explain wg6 from $C1_4 to $SVC4 | grep -F "or $TWO4 dev ens3 health ping $SVC4"
	# another kind is a change, and nothing else is
	is "$(wgvia -j route replace wg6 from $VPN4 via $ONE4 or $TWO4 health forward | jq -c '[.changes[].statement]')" \
		"[\"$line\",\"${line%ping*}forward\"]"
	is "$(wgvia -j apply wg6 "$FILE" | jq -c '[.changes[] | [.action, .health_kind]]')" \
		"[[\"del\",\"forward\"],[\"add\",\"ping $SVC4\"]]"
	run -1 wgvia route del wg6 from $VPN4 via $ONE4 or $TWO4 health forward
	grep -F "the instance has: ${line#from * }" <<<"$output"
	wgvia route del wg6 ${line}
	wgvia route del wg6 from $VPN6 via $ONE6 or $TWO6
	is "$(bpftool -j map dump pinned "$PIN_DIR/wg6/failover" | jq length)" 0
	wgvia route add wg6 from $VPN4 via $ONE4 health forward
	is "$(wgvia save wg6 | grep "^from $VPN4")" "from $VPN4 via $ONE4 dev ens3 health forward"
	wgvia route replace wg6 from $VPN4 via $ONE4 health neighbour
	is "$(wgvia save wg6 | grep "^from $VPN4")" "from $VPN4 via $ONE4 dev ens3"
	# the interface's own prefixes
	wgvia up wg6 via $ONE4 or $TWO4 health forward
	is "$(wgvia save wg6 | grep '^from')" "from addresses via $ONE4 dev ens3 or $TWO4 dev ens3 health forward"
}

@test "one gateway has one health: two lists with different kinds are refused, and nothing changes" {
	local refusal="wgvia: gateway '$TWO4 dev ens3' is on two lists, with 'health forward' and 'health neighbour': a gateway has one kind of health"
	run -1 wgvia up wg6 from $VPN4 via $ONE4 or $TWO4 health forward from 10.7.0.0/16 via $TWO4 or $SVC4
	is "$(tr '\n' ' ' <<<"$output" | sed "s/'health neighbour' and 'health forward'/'health forward' and 'health neighbour'/")" "$refusal "
	nothing_left
	wgvia up wg6 from $VPN4 via $ONE4 or $TWO4 health forward
	state >"$BATS_TEST_TMPDIR/before"
	run -1 wgvia route add wg6 from 10.7.0.0/16 via $TWO4 or $SVC4 health ping $INET4
	grep -F "gateway '$TWO4 dev ens3' is on two lists" <<<"$output"
	state | diff "$BATS_TEST_TMPDIR/before" -
	wgvia route add wg6 from 10.7.0.0/16 via $TWO4 or $SVC4 health forward
	wgvia route add wg6 from 10.8.0.0/16 via $TWO4 # not on a list: it is as healthy as on the list
	run -1 wgvia route add wg6 from addresses via $ONE4 or $TWO4 health ping $INET4
	grep -F "gateway '$TWO4 dev ens3' is on two lists" <<<"$output"
	# the replaced list does not count
	wgvia route del wg6 from 10.7.0.0/16
	wgvia route replace wg6 from $VPN4 via $ONE4 or $TWO4 health ping $SVC4
	run -1 wgvia up wg6 from $VPN4 via $ONE4 health ping $GW4
	grep -F "wgvia: 'health ping $GW4' is an address of this host" <<<"$output"
	run -2 wgvia up wg6 from $VPN4 via $ONE4 health ping $SVC6
	run -2 wgvia up wg6 from $VPN4 health forward
}

@test "a list with a health that only bpftool can write is invalid, and up repairs" {
	local key value
	wgvia up wg6 from $VPN4 via $ONE4 or $TWO4 health forward
	read -r key value < <(bpftool -j map dump pinned "$PIN_DIR/wg6/failover" |
		jq -r '.[0] | "\(.key | map(ltrimstr("0x")) | join(","))\t\(.value | .[196] = "0x63" | map(ltrimstr("0x")) | join(","))"')
	bpftool map update pinned "$PIN_DIR/wg6/failover" key hex ${key//,/ } value hex ${value//,/ }
	is "$(wgvia save wg6 | grep "^from $VPN4")" "from $VPN4 via $ONE4 dev ens3"
	wgvia up wg6 from $VPN4 via $ONE4 or $TWO4 health forward
	is "$(wgvia save wg6 | grep "^from $VPN4")" "from $VPN4 via $ONE4 dev ens3 or $TWO4 dev ens3 health forward"
}
