#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What the kernel drops after a redirect: each redirected packet has arrived, or is counted under the kernel's reason,
# exactly; and nothing else is counted. The firewall is on a separate LAN, whose other end is a bare wire.

# shellcheck disable=SC2046,SC2086,SC2153 # addresses and octets are words; the topology's variables

load ../lib/wire.bash
load ../lib/agent.bash

export AGENT_ENV=()
LOST4=198.51.100.1 LOST6=2001:db8:9::1 # the firewall

# kernel_reports_drops: a program on kfree_skb gets the reason (BTF, Linux 5.17).
kernel_reports_drops() {
	bpftool prog load "$TREE/build/bpf/lost.bpf.o" "/sys/fs/bpf/wgvia-probe-$$" >"$BATS_TEST_TMPDIR/probe" 2>&1 || return
	rm "/sys/fs/bpf/wgvia-probe-$$"
}

setup() {
	mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
	kernel_reports_drops || skip "kernel $(uname -r) does not report why it drops packets"
	wire_begin $$
	wire_tunnel wg6 tun
	wire_cable ens3 lan
	wire_cable ens4 lan2 02:00:00:00:03:02 02:00:00:00:03:01
	wire_start
	wire_address wg6 $WG4/16 $WG6/50
	wire_lan ens3
	wire_address ens4 198.51.100.2/24 2001:db8:9::2/64
	arrivals_begin
}

teardown() {
	[ -n "${PIN_DIR:-}" ] || return 0 # skipped
	agent_stop KILL 2>/dev/null || true
	wire_end
}

# What arrives at the other end of ens4, with a source in a prefix.
arrivals_begin() {
	in_ns "$NS_LAN" nft -f - <<-END
		table netdev lost {
			counter arrived { }
			chain in {
				type filter hook ingress device lan2 priority 0; policy accept;
				ip saddr $VPN4 counter name arrived
				ip6 saddr $VPN6 counter name arrived
			}
		}
	END
}

arrived() {
	lan_counter lost arrived
}

# begin [WORD...]: an instance via the firewall on ens4, whose losses are counted. The agent has ended: otherwise it
# would mark a gateway that does not answer, and its packets would be no_gateway.
begin() {
	wgvia up wg6 from $VPN4 via $LOST4 dev ens4 from $VPN6 via $LOST6 dev ens4 "$@"
	agent_start interval 60
	poll 10 [ -e "$PIN_DIR/wg6/count_lost" ] || { cat "$TOPO_DIR/agent.log" && return 1; }
	agent_stop
	is "$(lost)" 0
}

firewall_known() {
	wire_neighbours ens4 02:00:00:00:03:01 $LOST4 $LOST6
}

# lost [REASON [packets|bytes]]: for all reasons, if none is given.
lost() {
	wgvia -j stats "${LOST_OF:-wg6}" | jq --arg reason "${1:-}" --arg unit "${2:-packets}" \
		'[.lost | to_entries[] | select($reason == "" or .key == $reason) | .value[$unit]] | add // 0'
}

lost_are() {
	[ "$(lost)" -eq "$1" ]
}

# sent [packets|bytes]: what the programs redirected.
sent() {
	wgvia -j stats "${LOST_OF:-wg6}" | jq --arg unit "${1:-packets}" \
		'.counters | [.redirected, .retargeted, .returned, .bounced | .[$unit]] | add'
}

adds_up() {
	[ "$(sent)" -eq $(($(arrived) + $(lost))) ]
}

# add_up PACKETS: that many were sent, and each has arrived or is counted, waiting for that.
add_up() {
	is "$(sent)" "$1"
	poll 20 adds_up || is "$(arrived) arrived, $(lost) lost" "$1 in all"
}

# inject COUNT [SIZE]: sends that many out of the tunnel, half of them IPv4.
inject() {
	wire tun "[pkt(4, ${2:-100}) for _ in range($1 // 2)]" "[pkt(6, ${2:-100}) for _ in range($1 // 2)]" >"$BATS_TEST_TMPDIR/out"
}

silent_gateway() { # MODE
	begin mode $1
	inject 40
	add_up 40
	wgvia -j stats wg6 | jq -c .lost
	# the kernel has no special reason for IPv6
	is "$(arrived) $(($(lost neigh_failed) + $(lost neighbour))) $(lost "" bytes)" "0 40 4000"
	[ "$(lost neigh_failed)" -ge 20 ]
	# segments are packets on the wire
	wire tun "tcp(4, 5040, 1000)" "tcp(6, 5060, 1000)"
	add_up 50
	wire tun "udp(4, 3028, 1000)" >"$BATS_TEST_TMPDIR/out"
	grep -q "Invalid argument" "$BATS_TEST_TMPDIR/out" || add_up 53 # a tun device accepts them from Linux 6.2 on
	is "$(lost "" bytes)" "$(sent bytes)"
}

@test "mode fast: a gateway that does not answer" {
	silent_gateway fast
}

@test "mode stack: a gateway that does not answer" {
	silent_gateway stack
}

# they_wait [TRIES]: as long as the test takes, not the three tries of a second after which the kernel gives up.
they_wait() {
	set_sysctls "$NS_GW" net.ipv{4,6}.neigh.ens4.mcast_solicit="${1:-60}"
}

@test "more packets than a neighbour's queue takes, and they wait until the gateway answers" {
	begin
	they_wait
	inject 600 1000
	[ "$(lost neigh_queuefull)" -gt 100 ]
	firewall_known
	add_up 600
	[ "$(arrived)" -gt 50 ]
	is "$(lost)" "$(lost neigh_queuefull)"
}

@test "the device goes down while packets wait, and is down" {
	begin
	they_wait
	inject 20
	is "$(lost)" 0
	ip -n "$NS_GW" link set ens4 down
	add_up 20
	they_wait 3
	inject 20
	add_up 40
	is "$(lost)" 40
}

@test "a device without a carrier" {
	begin
	firewall_known
	ip -n "$NS_LAN" link set lan2 down
	inject 20
	add_up 20
	is "$(lost)" 20
}

@test "the device is removed: packets without a device count as no_gateway" {
	begin
	inject 20
	ip -n "$NS_GW" link delete ens4
	poll 5 lost_are 20
	inject 20
	is "$(lost) $(counter no_gateway)" "20 20"
}

# full_queue MODE
full_queue() {
	begin mode $1
	firewall_known
	in_ns "$NS_GW" tc qdisc add dev ens4 root tbf rate 80kbit burst 1600 limit 8000
	inject 100 1000
	is "$(sent)" 100
	[ "$(lost)" -ge 80 ]
	[ "$(lost qdisc_drop)" -gt 0 ] || [ "$(lost qdisc_overlimit)" -gt 0 ] || [ "$(lost not_specified)" -gt 0 ]
	# its content is dropped with it
	in_ns "$NS_GW" tc qdisc delete dev ens4 root
	add_up 100
	[ "$(arrived)" -gt 0 ]
}

@test "mode fast: a queue that is full" {
	full_queue fast
}

@test "mode stack: a queue that is full" {
	full_queue stack
}

@test "another program's drop at the egress of the gateway's device" {
	begin
	firewall_known
	clang -O2 -target bpf -x c -c -o "$BATS_TEST_TMPDIR/drop.o" - <<-END
		__attribute__((section("classifier"), used)) int drop(void *skb) { return 2; } /* TC_ACT_SHOT */
	END
	bpftool prog load "$BATS_TEST_TMPDIR/drop.o" "$PIN_DIR-drop" type classifier
	in_ns "$NS_GW" tc qdisc show dev ens4 | grep -q clsact || in_ns "$NS_GW" tc qdisc add dev ens4 clsact
	in_ns "$NS_GW" tc filter add dev ens4 egress bpf da object-pinned "$PIN_DIR-drop"
	rm "$PIN_DIR-drop"
	inject 20
	add_up 20
	is "$(lost)" 20
}

# mark_down: marks the gateway's entry for IPv4, as the agent would.
mark_down() {
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key hex 10 00 00 00 0a 06 00 00 value hex \
		$(printf '%02x' "$(ip -j -n "$NS_GW" link show ens4 | jq '.[0].ifindex')") 00 00 00 02 00 00 00 \
		c6 33 64 01 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00
}

@test "what the programs drop has a verdict, and is not counted again" {
	begin mode stack
	they_wait
	wire tun "[pkt(4) for _ in range(10)]"
	is "$(counter retargeted)" 10
	mark_down
	firewall_known # those that wait pass again
	poll 5 no_gateway_are 10
	is "$(arrived) $(lost)" "0 0"
	wire tun "[pkt(4) for _ in range(10)]"
	is "$(counter no_gateway) $(lost)" "20 0"
}

no_gateway_are() {
	[ "$(counter no_gateway)" -eq "$1" ]
}

@test "the return path: the tunnel is down, and a packet from a stranger waits for a firewall that does not answer" {
	begin
	firewall_known
	ip -n "$NS_GW" link set wg6 down
	wire lan2 "[pkt(4, src='$SVC4', dst='$C1_4') for _ in range(3)]" "[pkt(6, src='$SVC6', dst='$C1_6') for _ in range(3)]"
	is "$(counter returned) $(lost)" "6 6"
	ip -n "$NS_GW" link set wg6 up
	ip -n "$NS_GW" neighbour flush dev ens4 nud permanent
	wire lan "[Ether(src='$SVC_MAC', dst='$GW_MAC') / pkt(4, src='$SVC4', dst='$C1_4') for _ in range(5)]"
	is "$(counter bounced)" 5
	poll 20 lost_are 11
}

@test "what does not belong to wgvia is not counted" {
	begin
	# this host's own packets, to the same gateway
	wire own "[pkt(4, src='198.51.100.2', dst='$LOST4') for _ in range(5)]" \
		"[pkt(6, src='2001:db8:9::2', dst='$LOST6') for _ in range(5)]"
	# clients' packets that are answered here, and packets from the LAN with a client's address
	wire tun "[pkt(4, hops=1) for _ in range(5)]"
	in_ns "$NS_GW" nft -f - <<-END
		table inet deny {
			chain in { type filter hook prerouting priority 0; iifname "ens3" drop; }
		}
	END
	wire lan "[pkt(4, src='$C1_4', dst='$SVC4') for _ in range(5)]" "[pkt(6, src='$C1_6', dst='$SVC6') for _ in range(5)]"
	ip -n "$NS_GW" link set ens4 down # everything that waits is dropped
	is "$(lost)" 0
}

@test "a packet that has arrived is not counted when it is dropped later, not even on this host" {
	begin
	firewall_known
	# the other end sends it back, unchanged, by the other LAN, where it belongs to nobody
	in_ns "$NS_LAN" nft -f - <<-END
		table netdev back {
			chain in {
				type filter hook ingress device lan2 priority 1; policy accept;
				ip saddr $VPN4 fwd to lan
				ip6 saddr $VPN6 fwd to lan
			}
		}
	END
	inject 20
	add_up 20
	is "$(arrived) $(lost)" "20 0"
	# those were dropped as another host's; and now at the earliest place
	in_ns "$NS_GW" nft -f - <<-END
		table netdev deny {
			chain in { type filter hook ingress device ens3 priority 0; ip saddr $VPN4 drop; ip6 saddr $VPN6 drop; }
		}
	END
	inject 20
	add_up 40
	is "$(arrived) $(lost)" "40 0"
}

@test "a packet that has arrived is not counted when another network namespace of this host drops it" {
	begin
	firewall_known
	ip -n "$NS_LAN" link add sink type veth peer name drain
	in_ns "$NS_LAN" nft -f - <<-END
		table netdev onward {
			chain in {
				type filter hook ingress device lan2 priority 1; policy accept;
				ip saddr $VPN4 fwd to sink
				ip6 saddr $VPN6 fwd to sink
			}
		}
	END
	inject 20
	add_up 20
	is "$(arrived) $(lost)" "20 0"
}

@test "a sniffer that is too slow loses copies, and no packet is counted" {
	begin
	firewall_known
	spawn "$NS_GW" sniffer /usr/bin/python3 -c "import signal, socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.bind(('ens4', 3))
print('ready', flush=True)
signal.pause()"
	poll 10 grep -q ready "$TOPO_DIR/sniffer.log"
	inject 100 1000
	add_up 100
	is "$(arrived) $(lost)" "100 0"
}

@test "two instances: each counts its own" {
	ip -n "$NS_GW" tuntap add dev wg7 mode tun
	ip -n "$NS_GW" address add 10.7.0.1/16 dev wg7
	ip -n "$NS_GW" link set wg7 up
	begin
	wgvia up wg7 from 10.7.0.0/16 via $LOST4 dev ens4
	AGENT_TUNNEL=wg7 agent_start interval 60
	agent_stop
	wire own "[pkt(4, src='10.7.0.1') for _ in range(7)]"
	inject 20
	add_up 20
	is "$(lost)" 20
	LOST_OF=wg7 poll 10 adds_up
	is "$(LOST_OF=wg7 lost)" 7
	# from a prefix of the one to a prefix of the other, lost on the way to the firewall, and on the way from there
	wire tun "[pkt(4, src='10.6.0.5', dst='10.7.0.5') for _ in range(20)]"
	add_up 40
	is "$(lost) $(LOST_OF=wg7 lost)" "40 7"
	firewall_known
	ip -n "$NS_GW" link set wg7 down
	wire lan2 "[pkt(4, src='10.6.0.5', dst='10.7.0.5') for _ in range(3)]"
	LOST_OF=wg7 poll 10 lost_are 10
	is "$(lost) $(wgvia -j stats wg7 | jq .counters.returned.packets)" "40 3"
}

# counting: programs that count for the instance of the map $prefixes.
counting() {
	bpftool -j prog show | jq --argjson map "$prefixes" '[.[] | select(.name == "count_lost" and
		(.map_ids | index($map)))] | length'
}

none_counts() {
	[ "$(counting)" -eq 0 ]
}

fits_schema() {
	wgvia -j stats wg6 | /usr/bin/python3 "$TREE/tests/lib/schema.py" "$TREE/docs/wgvia.schema.json" stats
}

@test "it counts from the first agent on, with or without a running one, until the instance is removed" {
	local prefixes pins=$PIN_DIR/wg6
	wgvia up wg6 from $VPN4 via $LOST4 dev ens4 from $VPN6 via $LOST6 dev ens4
	prefixes=$(bpftool -j map show pinned "$pins/prefixes4" | jq .id)
	is "$(wgvia -j stats wg6 | jq -c '[.lost, .lost_problem]')" '[null,"no agent has counted them"]'
	wgvia stats wg6 | grep -Fx "    lost after the redirect: unknown, no agent has counted them"
	is "$(wgvia stats wg6 --prometheus | grep -c wgvia_lost)" 0
	fits_schema
	agent_start interval 60
	is "$(counting)" 1
	wgvia stats wg6 | grep -Fx "    lost after the redirect: nothing"
	agent_stop KILL
	is "$(counting)" 1
	agent_start interval 60
	is "$(counting)" 1
	agent_stop # its marks are removed with it
	wire tun "[pkt(4) for _ in range(20)]"
	add_up 20
	is "$(lost)" 20
	wgvia stats wg6 | grep -E '^        neigh_failed +20 packets +2000 bytes$'
	fits_schema
	wgvia stats wg6 --prometheus >"$BATS_TEST_TMPDIR/metrics"
	/usr/bin/python3 "$TREE/tests/lib/promcheck.py" <"$BATS_TEST_TMPDIR/metrics"
	grep -Fx 'wgvia_lost_packets_total{interface="wg6",reason="neigh_failed"} 20' "$BATS_TEST_TMPDIR/metrics"
	grep -Fx 'wgvia_lost_bytes_total{interface="wg6",reason="neigh_failed"} 2000' "$BATS_TEST_TMPDIR/metrics"
	grep -Fx 'wgvia_lost_packets_total{interface="wg6",reason="qdisc_drop"} 0' "$BATS_TEST_TMPDIR/metrics"
	# the metrics unit only has CAP_BPF
	is "$(in_ns "$NS_GW" setpriv --bounding-set=-all,+bpf --inh-caps=-all --no-new-privs "$WGVIA" --pin-dir "$PIN_DIR" \
		stats wg6 --prometheus | grep wgvia_lost)" "$(grep wgvia_lost "$BATS_TEST_TMPDIR/metrics")"
	# another agent finds it; and attaches it again if somebody removed it
	agent_start interval 60
	is "$(lost) $(counting)" "20 1"
	rm "$pins/count_lost"
	wgvia stats wg6 | grep -Fx "    lost after the redirect: unknown, the agent cannot count them, its log has the cause"
	wgvia bypass add wg6 203.0.113.0/24 # this notifies the agent
	poll 10 [ -e "$pins/count_lost" ]
	is "$(lost)" 20
	agent_stop
	# prefixes and gateways change, and so does the program
	wgvia up wg6 from $VPN4 via $LOST4 dev ens4 from $VPN6 via $LOST6 dev ens4 mode stack
	inject 20
	add_up 40
	# a replacement of the instance starts from zero, like its counters
	rm "$pins/meta"
	wgvia up wg6 from $VPN4 via $LOST4 dev ens4
	is "$(wgvia -j stats wg6 | jq -c .lost)" null
	poll 10 none_counts
	prefixes=$(bpftool -j map show pinned "$pins/prefixes4" | jq .id)
	agent_start interval 60
	is "$(lost) $(counting)" "0 1"
	wgvia down wg6
	agent_stop
	poll 10 none_counts
	is "$(find "$PIN_DIR" -mindepth 1 2>/dev/null)" ""
}

@test "something else under the name of a pin is replaced" {
	local pins=$PIN_DIR/wg6 name
	for name in lost count_lost count_lost_program; do
		wgvia up wg6 from $VPN4 via $LOST4 dev ens4
		bpftool map create "$pins/$name" type array key 4 value 4 entries 1 name other
		agent_start interval 60
		is "$(lost)" 0
		agent_stop
		wgvia down wg6
		[ ! -e "$pins" ]
	done
}
