#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The meaning of words that omit the gateway: the next hop of the default route that the kernel uses. And gateways
# outside every prefix of this host (onlink).

# shellcheck disable=SC2046,SC2086 # addresses are words
# shellcheck disable=SC2153 # the topology's variables

load ../lib/wire.bash
load ../lib/agent.bash

setup() {
	wire_usual
	wire_answers $FW4 192.0.2.9 $FW6 fe80::1 fe80::2
}

teardown() {
	agent_stop
	wire_end
}

# kernel_via FAMILY: the next hop that the kernel uses.
kernel_via() {
	ip -n "$NS_GW" -j "-$1" route get "$([ "$1" = 4 ] && echo $INET4 || echo $INET6)" | jq -r '.[].gateway'
}

# follows PREFIX FAMILY: waits until the running instance has the kernel's gateway.
follows() {
	poll 10 has_kernels "$@" || { is "$(via "$1")" "$(kernel_via "$2")" && return 1; }
}

has_kernels() {
	[ "$(via "$1")" = "$(kernel_via "$2")" ]
}

# ---- onlink ----

hosters_addresses() {
	ip -n "$NS_GW" -batch - <<-END
		address delete $GW4/24 dev ens3
		address delete $GW6/64 dev ens3
		address add $GW4/32 dev ens3
		address add $GW6/128 dev ens3 nodad
		route add default via $FW4 dev ens3 onlink
		route replace ::/0 via $FW6 dev ens3 onlink
		route add 198.19.0.0/16 via $SVC4 dev ens3 onlink
	END
	# the kernel removed them with the last address
	wire_neighbours ens3 $FW_MAC $FW4 $FW6
	wire_neighbours ens3 $SVC_MAC $SVC4 $SVC6
}

@test "an onlink gateway with an address of /32 and /128: found, shown, saved, applied, and traffic goes there" {
	local file=$TOPO_DIR/saved
	hosters_addresses
	for mode in fast stack; do
		wgvia up wg6 from $VPN4 from $VPN6 mode $mode
		wgvia save wg6 >"$file"
		grep "via $FW4 dev ens3" "$file"
		grep "via $FW6 dev ens3" "$file"
		is "$(wgvia apply wg6 "$file")" ""
		wgvia down wg6
		wgvia apply wg6 "$file"
		wgvia up wg6 "${WORDS[@]}" mode $mode
		told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun 'pkt(4)' 'pkt(6)'
		told "tun #1 hops 63
tun #2 hops 63" lan "pkt(4, src='$SVC4', dst='$C1_4')" "pkt(6, src='$SVC6', dst='$C1_6')"
	done
}

@test "an agent puts a file with an onlink gateway into force" {
	hosters_addresses
	printf 'from %s via %s dev ens3\nfrom %s via %s dev ens3\n' $VPN4 $FW4 $VPN6 $FW6 >"$TOPO_DIR/wg6.conf"
	agent_start "$TOPO_DIR/wg6.conf"
	in_force $VPN4 $FW4
	in_force $VPN6 $FW6
}

@test "an address that no route names as its next hop is refused: it is reached via another gateway" {
	hosters_addresses
	run wgvia up wg6 from $VPN4 via 192.0.2.9 dev ens3
	is "$status $output" "1 wgvia: via '192.0.2.9' is not on-link on 'ens3': it is reached via $FW4 dev ens3"
	nothing_left
}

# ---- the default route ----

@test "a router that advertises a higher preference is used and followed, as by the kernel" {
	ip -n "$NS_GW" -6 route delete default
	set_sysctls "$NS_GW" net.ipv6.conf.ens3.accept_ra=2 net.ipv6.conf.ens3.accept_ra_rtr_pref=1
	wire_neighbours ens3 $FW_MAC fe80::1 fe80::2
	# answers say that it is a router: otherwise the kernel does not use it (RFC 4861, 7.2.5)
	set_sysctls "$NS_LAN" net.ipv6.conf.lan.forwarding=1
	advertise fe80::1 3
	advertise fe80::2 1
	poll 5 kernel_uses fe80::2
	wgvia up wg6 from $VPN6
	is "$(via $VPN6)" fe80::2
	wgvia down wg6
	echo "from $VPN6" >"$TOPO_DIR/wg6.conf"
	agent_start "$TOPO_DIR/wg6.conf"
	in_force $VPN6 fe80::2
	advertise fe80::2 3
	advertise fe80::1 1
	poll 5 kernel_uses fe80::1
	in_force $VPN6 fe80::1
}

# advertise ADDRESS PREFERENCE: 1 high, 0 medium, 3 low (RFC 4191)
advertise() {
	wire lan "Ether(src='$FW_MAC', dst='33:33:00:00:00:01') / IPv6(src='$1', dst='ff02::1', hlim=255) /
		ICMPv6ND_RA(prf=$2, routerlifetime=1800)" >/dev/null
}

kernel_uses() {
	[ "$(kernel_via 6)" = "$1" ]
}

@test "nexthop objects, which routes only refer to by number" {
	set_sysctls "$NS_GW" net.ipv4.nexthop_compat_mode=0
	ip -n "$NS_GW" -batch - <<-END
		nexthop add id 4 via $FW4 dev ens3
		nexthop add id 6 via $FW6 dev ens3
		nexthop add id 7 dev wg6
		nexthop add id 77 group 7
		route replace default nhid 4
		route delete ::/0
		route add ::/0 nhid 6
		route add 10.7.0.0/16 nhid 77
	END
	wgvia up wg6 from $VPN4 from $VPN6
	is "$(via $VPN4) $(via $VPN6)" "$FW4 $FW6"
	# what is reached through the tunnel by such a route stays there
	exempt 10.7.0.0/16 tunnel
	wire tun "pkt(4, dst='10.7.0.9')" | grep -x "tun #1 hops 63" # apart from the kernel's ICMP redirect
	# the table is used when the kernel's own choice is the tunnel
	ip -n "$NS_GW" route add 0.0.0.0/0 metric 0 dev wg6 table 77
	ip -n "$NS_GW" rule add pref 7 lookup 77
	wgvia up wg6 from $VPN4
	is "$(via $VPN4)" $FW4
}

# exempt PREFIX VERDICT: that entry is on the list.
exempt() {
	wgvia show wg6 | grep "bypass $1 $2"
}

@test "an agent follows a nexthop object" {
	set_sysctls "$NS_GW" net.ipv4.nexthop_compat_mode=0
	ip -n "$NS_GW" nexthop add id 4 via $FW4 dev ens3
	ip -n "$NS_GW" route replace default nhid 4
	echo "from $VPN4" >"$TOPO_DIR/wg6.conf"
	agent_start "$TOPO_DIR/wg6.conf"
	in_force $VPN4 $FW4
	ip -n "$NS_GW" nexthop replace id 4 via 192.0.2.9 dev ens3
	in_force $VPN4 192.0.2.9
	ip -n "$NS_GW" nexthop add id 7 dev wg6
	ip -n "$NS_GW" route add 10.7.0.0/16 nhid 7
	poll 10 exempt 10.7.0.0/16 tunnel
}

@test "rules for this host's own packets say nothing about the prefixes, rules for the tunnel do" {
	wire_neighbours ens3 $FW_MAC 192.0.2.9 2001:db8:2::9
	ip -n "$NS_GW" -batch - <<-END
		route add default via 192.0.2.9 dev ens3 table 100
		route add ::/0 via 2001:db8:2::9 dev ens3 table 100
		rule add pref 50 iif lo lookup 100
	END
	ip -n "$NS_GW" -6 rule add pref 50 iif lo lookup 100
	is "$(kernel_via 4) $(kernel_via 6)" "192.0.2.9 2001:db8:2::9"
	wgvia up wg6 from $VPN4 from $VPN6
	is "$(via $VPN4) $(via $VPN6)" "$FW4 $FW6"
	ip -n "$NS_GW" rule add pref 40 iif wg6 lookup 100
	ip -n "$NS_GW" -6 rule add pref 40 iif wg6 lookup 100
	wgvia up wg6 from $VPN4 from $VPN6
	is "$(via $VPN4) $(via $VPN6)" "192.0.2.9 2001:db8:2::9"
}

@test "metrics, and a dead default route" {
	wire_neighbours ens3 $FW_MAC 192.0.2.9
	ip -n "$NS_GW" route add default via 192.0.2.9 dev ens3 metric 100
	wgvia up wg6 from $VPN4
	is "$(via $VPN4)" $FW4
	ip -n "$NS_GW" route delete default via $FW4
	wgvia up wg6 from $VPN4
	is "$(via $VPN4)" 192.0.2.9
	# one by a device without a carrier, while the kernel must ignore such routes
	set_sysctls "$NS_GW" net.ipv4.conf.{all,default}.ignore_routes_with_linkdown=1
	ip -n "$NS_GW" link add idle type veth peer name idle netns "$NS_LAN"
	ip -n "$NS_GW" link set idle up
	ip -n "$NS_GW" address add 198.51.100.2/24 dev idle
	ip -n "$NS_GW" route add default via 198.51.100.1 dev idle metric 5
	wgvia up wg6 from $VPN4
	is "$(via $VPN4) $(kernel_via 4)" "192.0.2.9 192.0.2.9"
}
