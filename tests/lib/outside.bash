# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A client of the topology that may also send from addresses in no prefix, because its AllowedIPs are wider than the
# prefixes. The kernel counts what it sends from there at the far end of every LAN cable, by source and by port, so that
# NAT does not hide it. net.bash and load.bash must be loaded first.

# shellcheck disable=SC2034,SC2153 # the tests do; the topology's variables

OUT4=10.9.0.7 OUT6=2001:db8:9::7 OUT_LL=fe80::9:7 WG_LL=fe80::9:1
OUT_PORT=7778
GW2_MAC=02:00:00:00:05:02 GW2_4=192.0.5.2 GW2_6=2001:db8:5::2
SVC2_MAC=02:00:00:00:05:03 SVC2_4=192.0.5.3 SVC2_6=2001:db8:5::3
# Destinations that it must not reach: the LAN, a second LAN, what is behind the firewall. Pairs of addresses for
# load_start.
OUT_FLOWS=("$OUT4" "$SVC4" "$OUT6" "$SVC6" "$OUT4" "$SVC2_4" "$OUT6" "$SVC2_6" "$OUT4" "$INET4" "$OUT6" "$INET6")

# outsider_up: with the topology's tunnels, and both ends of their devices.
outsider_up() {
	second_lan && outsider_wire &&
		wg_at "$NS_GW" wg6 set wg6 peer "$(wg_at "$NS_C1" wgc1 show wgc1 public-key)" persistent-keepalive 1 \
			allowed-ips "$C1_4/32,$C1_6/128,10.9.0.0/16,2001:db8:9::/48,$OUT_LL/128" &&
		outside_routes && link_local_address &&
		ip -n "$NS_C1" -batch - <<-END
			address add $OUT4/32 dev wgc1
			address add $OUT6/128 dev wgc1 nodad
			address add $OUT_LL/64 dev wgc1 nodad
		END
}

# outside_routes: destinations without a route through the tunnel's own addresses.
outside_routes() {
	ip -n "$NS_GW" -batch - <<-END
		route add 10.9.0.0/16 dev wg6
		route add 2001:db8:9::/48 dev wg6
	END
}

link_local_address() {
	ip -n "$NS_GW" address add $WG_LL/64 dev wg6 nodad
}

# second_lan: ens4 of the gateway; nobody answers there, and all neighbour entries are permanent.
second_lan() {
	cable "$NS_GW" ens4 $GW2_MAC "$NS_LAN" lan2 02:00:00:00:05:a2 &&
		ip -n "$NS_GW" -batch - <<-END
			address add $GW2_4/24 dev ens4
			address add $GW2_6/64 dev ens4 nodad
			neighbour add $SVC2_4 lladdr $SVC2_MAC dev ens4
			neighbour add $SVC2_6 lladdr $SVC2_MAC dev ens4
		END
}

outsider_wire() {
	in_ns "$NS_LAN" nft -f - <<-END
		table netdev outside {
			counter past { }
			chain out {
				type filter hook ingress devices = { gw, lan2 } priority 0; policy accept;
				ip saddr 10.9.0.0/16 counter name past return
				ip6 saddr 2001:db8:9::/48 counter name past return
				udp dport $OUT_PORT counter name past
			}
		}
	END
}

# past: packets of the outsider that left the gateway by a LAN device.
past() {
	lan_counter outside past
}

past_nothing() {
	is "$(past) packets in no prefix past outside drop" "0 packets in no prefix past outside drop"
}

gets_past() { # COUNT
	[ "$(past)" -ge "$1" ]
}

past_reset() {
	in_ns "$NS_LAN" nft reset counters >/dev/null
}

# outsider_load NAME RATE [SOURCE DESTINATION]...: by default to all destinations.
outsider_load() {
	local name=$1 rate=$2
	shift 2
	LOAD_PORT=$OUT_PORT load_start "$name" "$NS_C1" "$rate" "${@:-${OUT_FLOWS[@]}}"
}

# lost_none JSON: like load_lost_nothing, but allows reordering, because WireGuard uses several processors.
lost_none() {
	jq -e '.sent > 0 and all(.out, .back; .lost == 0 and .duplicated == 0)' <<<"$1" >/dev/null || is "$1" "nothing lost"
}

# refused_reach COUNT: `outside drop` dropped that many packets since `up` created the instance.
refused_reach() {
	[ "$(counter egress.refused)" -ge "$1" ]
}

# tunnel_remade: deletes wg6 and creates it again with its keys and peers, while clients keep sending.
tunnel_remade() {
	local conf
	conf=$(wg_at "$NS_GW" wg6 showconf wg6) || return
	unspawn wg6
	ip -n "$NS_GW" link delete wg6 2>/dev/null || true # wireguard-go's vanished already
	poll 5 is_no_device wg6 &&
		wireguard_add "$NS_GW" wg6 &&
		wg_at "$NS_GW" wg6 setconf wg6 /dev/stdin <<<"$conf" &&
		tunnel_addresses && outside_routes && link_local_address
}

# remakes COMMAND...: creates the tunnel again, $REMAKES times [3], under load. Packets from it are refused until
# COMMAND completes the instance.
remakes() {
	local i
	past_reset
	outsider_load outsider "$RATE"
	for ((i = 0; i < ${REMAKES:-3}; i++)); do
		outsider_is_refused
		tunnel_remade
		outsider_is_refused
		"$@"
		poll 20 ping_once "$NS_C1" "$SVC4"
		poll 10 ping_once "$NS_C1" "$SVC6"
		outsider_is_refused
	done
	load_stop outsider
	past_nothing
}

# outsider_is_refused: more packets than now, soon.
outsider_is_refused() {
	poll 20 refused_reach $(($(counter egress.refused) + 20))
}
