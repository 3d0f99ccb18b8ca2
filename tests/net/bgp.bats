#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The firewall learns the way to the VPN prefixes by BGP from the gateway: BIRD on both, with the files that docs/BGP.md
# shows. Its process and its socket are the topology's; how fast a route is withdrawn is printed, and judges nothing.

# shellcheck disable=SC2086,SC2153,SC2154 # addresses are words; the topology's variables; bats sets output

load ../lib/net.bash
load ../lib/agent.bash
load ../lib/bird.bash

# shellcheck disable=SC2034 # agent.bash
AGENT_ENV=()

setup_more() {
	bird_examples
	bird_file gateway >"$TOPO_DIR/gateway.conf"
	bird_file gateway allowed-ips >"$TOPO_DIR/allowed-ips.conf"
	bird_file firewall >"$TOPO_DIR/firewall.conf"
	ip -n "$NS_FW" route delete $VPN4
	ip -n "$NS_FW" -6 route delete $VPN6
}

setup() {
	need_bird
}

teardown() {
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 30 "$TOPO_DIR"/bird-*.log
	agent_stop KILL
	unspawn bird-gateway
	unspawn bird-firewall
	sweep "$NS_GW" wg6
}

gateway_start() { # [CONFIGURATION]
	bird_start "$NS_GW" gateway "${1:-$TOPO_DIR/gateway.conf}"
}

firewall_start() { # [CONFIGURATION]
	bird_start "$NS_FW" firewall "${1:-$TOPO_DIR/firewall.conf}"
}

# both_start [GATEWAY'S CONFIGURATION]
both_start() {
	firewall_start
	gateway_start "$@"
	poll 30 has_bird_routes "$NS_FW" || { birdc firewall show protocols all && return 1; }
}

routes() { # 4|6: of the firewall
	bird_routes "$NS_FW" $1
}

has_no_route() { # 4|6
	[ -z "$(routes $1)" ]
}

# In both modes: IPv4 and IPv6, whose next hop is one of the gateway's addresses.
@test "without the route replies do not return, with it downloads work" {
	local mode
	wgvia up wg6 from $VPN4 via $FW4 from $VPN6 via $FW6
	times_out "$NS_C1" $SVC4
	times_out "$NS_C1" $SVC6
	ip -n "$NS_GW" route show table all >"$BATS_TEST_TMPDIR/before"
	both_start
	ip -n "$NS_GW" route show table all >"$BATS_TEST_TMPDIR/after"
	cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	is "$(routes 4 | xargs)" "$VPN4 via $GW4 dev lan metric 32"
	is "$(routes 6 | sed "s/via $GW_LL /via $GW6 /" | xargs)" "$VPN6 via $GW6 dev lan metric 32 pref medium"
	for mode in fast stack; do
		wgvia up wg6 from $VPN4 via $FW4 from $VPN6 via $FW6 mode $mode
		answers "$NS_C1" $SVC4 service $C1_4
		answers "$NS_C1" $SVC6 service $C1_6
		download "$NS_C1" $SVC4
		download "$NS_C1" $SVC6
	done
}

@test "check --probe reports that the route is missing, and that it is there" {
	wgvia up wg6 from $VPN4 via $FW4 from $VPN6 via $FW6
	run -1 wgvia check --probe wg6
	grep "^error: probe_return: gateway $FW4 .* no return path to '$VPN4'" <<<"$output"
	grep "^error: probe_return: gateway $FW6 .* no return path to '$VPN6'" <<<"$output"
	both_start
	run -0 wgvia check --probe wg6
	grep "probe: gateway $FW4 .* has a return path to '$VPN4'" <<<"$output"
	grep "probe: gateway $FW6 .* has a return path to '$VPN6'" <<<"$output"
}

@test "health forward: the firewall is alive while it has the route" {
	wgvia up wg6 from $VPN4 via $FW4 health forward
	agent_start hold 0
	says "gateway $FW4 dev ens3 is dead"
	both_start
	says "gateway $FW4 dev ens3 is healthy"
	unspawn bird-firewall
	poll 10 has_no_route 4
	in_force $VPN4 "$FW4 down"
}

# withdrawn TEXT COMMAND...: the command, and the time until the firewall has no route
withdrawn() {
	local text=$1 began
	shift
	began=${EPOCHREALTIME/[.,]/}
	"$@"
	poll 20 has_no_route 4
	poll 20 has_no_route 6
	echo "# $BATS_TEST_DESCRIPTION: $text: after $(((${EPOCHREALTIME/[.,]/} - began) / 1000)) ms" >&3
}

@test "the route is withdrawn when the tunnel is down, when BIRD is killed and when the cable is pulled" {
	both_start
	withdrawn "the tunnel is down" ip -n "$NS_GW" link set wg6 down
	ip -n "$NS_GW" link set wg6 up
	ip -n "$NS_GW" address add $WG6/50 dev wg6 nodad # it was removed with that
	poll 10 has_bird_routes "$NS_FW"
	withdrawn "BIRD is killed" kill -KILL "$(<"$TOPO_DIR/bird-gateway.pid")"
	gateway_start
	poll 30 has_bird_routes "$NS_FW"
	withdrawn "the cable is pulled" ip -n "$NS_LAN" link set gw down
	ip -n "$NS_LAN" link set gw up
	poll 30 has_bird_routes "$NS_FW"
}

# By its own filter, whatever the gateway says.
@test "the firewall accepts no other route from the gateway" {
	{
		sed 's/export where.*/export all;/' "$TOPO_DIR/gateway.conf"
		echo 'protocol static { ipv4; route 0.0.0.0/0 via "ens3"; route 198.51.100.0/24 via "ens3"; }'
		echo 'protocol static { ipv6; route ::/0 via "ens3"; }'
	} >"$TOPO_DIR/everything.conf"
	both_start "$TOPO_DIR/everything.conf"
	poll 10 has_refused 4 2
	poll 10 has_refused 6 1
	is "$(routes 4 | wc -l) $(routes 6 | wc -l)" "1 1"
}

has_refused() { # 4|6 COUNT
	[ "$(birdc firewall show protocols all gateway$1 | awk '$1 " " $2 == "Import updates:" { print $5 }')" -eq $2 ]
}

# What a firewall gets that would take everything; an address and a route of the gateway that are not the tunnel's.
@test "the gateway announces the tunnel's routes only, AllowedIPs' too" {
	sed 's/import where.*/import all;/' "$TOPO_DIR/firewall.conf" >"$TOPO_DIR/credulous.conf"
	{
		cat "$TOPO_DIR/gateway.conf" "$TOPO_DIR/allowed-ips.conf"
		echo 'protocol direct { interface "ens3"; ipv4; ipv6; }'
	} >"$TOPO_DIR/more.conf"
	ip -n "$NS_GW" -batch - <<-END
		route add 10.7.0.0/24 dev wg6
		route add 2001:db8:77::/64 dev wg6
		route add 10.8.0.0/24 via $FW4
		route add 2001:db8:88::/64 via $FW6
	END
	firewall_start "$TOPO_DIR/credulous.conf"
	gateway_start "$TOPO_DIR/more.conf"
	poll 30 has_routes 4 "$VPN4 10.7.0.0/24"
	poll 30 has_routes 6 "$VPN6 2001:db8:77::/64"
	is "$(birdc gateway show protocols all firewall4 | awk '$1 == "Routes:" { print $4 }')" 2
	is "$(birdc gateway show protocols all firewall6 | awk '$1 == "Routes:" { print $4 }')" 2
	ip -n "$NS_GW" -batch - <<-END
		route delete 10.7.0.0/24
		route delete 2001:db8:77::/64
		route delete 10.8.0.0/24
		route delete 2001:db8:88::/64
	END
}

has_routes() { # 4|6 PREFIXES
	[ "$(routes $1 | cut -d' ' -f1 | sort | xargs)" = "$(xargs -n 1 <<<"$2" | sort | xargs)" ]
}
