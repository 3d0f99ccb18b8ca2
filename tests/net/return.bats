#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The return path goes via the firewall whatever a LAN host does: ICMP redirects, its own routes, another default
# gateway, clients inside the LAN's prefix. Packets that are sent directly to the gateway are bounced to the firewall
# (`return via`), accepted (`any`) or dropped (`drop`), and counted accordingly.

# shellcheck disable=SC2086,SC2153 # addresses are words; the topology's variables
load ../lib/net.bash

ROUTER4=192.0.2.9 ROUTER_MAC=02:00:00:00:02:a0
SECOND4=192.0.2.4 # the service's
NEAR4=192.0.2.10 NEAR6=2001:db8:2::a # clients' addresses inside the LAN's prefix

setup_more() {
	ip -n "$NS_SVC" address add $SECOND4/24 dev eth0
}

teardown() {
	in_ns "$NS_SVC" ip route flush cache
	in_ns "$NS_SVC" ip -6 route flush cache
	in_ns "$NS_SVC" ip route replace default via $FW4
	in_ns "$NS_SVC" ip -6 route replace ::/0 via $FW6
	in_ns "$NS_SVC" ip route delete $VPN4 2>/dev/null
	in_ns "$NS_SVC" ip -6 route delete $VPN6 2>/dev/null
	in_ns "$NS_FW" ip -6 route replace $VPN6 via $GW6
	in_ns "$NS_FW" nft delete table inet odd 2>/dev/null
	in_ns "$NS_FW" nft delete table netdev odd 2>/dev/null
	set_sysctls "$NS_LAN" net.ipv4.ip_forward=0
	ip -n "$NS_LAN" address delete $ROUTER4/24 dev lan 2>/dev/null
	for address in $NEAR4/32 $NEAR6/128; do
		ip -n "$NS_C1" address delete $address dev wgc1 2>/dev/null
		ip -n "$NS_GW" route delete $address dev wg6 2>/dev/null
		ip -n "$NS_GW" neighbour delete proxy ${address%/*} dev ens3 2>/dev/null
	done
	sweep "$NS_GW" wg6
}

# The service has a route to the clients via the gateway: DHCP option 121, or the result of a redirect.
service_goes_direct() {
	in_ns "$NS_SVC" ip route replace $VPN4 via $GW4
	in_ns "$NS_SVC" ip -6 route replace $VPN6 via $GW6
}

# heeds_redirect CLIENT SERVICE: the service now reaches the client through the gateway, because of a redirect.
heeds_redirect() {
	poll 20 is_redirected "$@" || { in_ns "$NS_SVC" ip route get "$1" && return 1; }
}

# Linux sends one IPv6 redirect per second and host, and each forwarded request to the service uses up its allowance before
# the answer can trigger a redirect. A ping every three seconds leaves enough (ip6_forward(), inet_peer_xrlim_allow()).
is_redirected() {
	heeds_gateway "$1" && return
	in_ns "$NS_C1" ping -q -c 1 -w 3 -i 3 "$2" >/dev/null
	heeds_gateway "$1" && return
	sleep 3 && return 1
}

heeds_gateway() {
	in_ns "$NS_SVC" ip route get "$1" | grep -E "via ($GW4|fe80::[0-9a-f:]+) .*|redirected" | grep -qE "$GW4|$gateway_ll"
}

gateway_ll=
link_local() { # NAMESPACE DEVICE
	ip -n "$1" -6 -j address show dev "$2" scope link | jq -r '.[0].addr_info[] | select(.scope == "link") | .local' | head -n 1
}

# bounced_more: since remember_counters.
bounced_more() {
	[ "$(counter bounced)" -gt "$(jq .counters.bounced.packets "$BATS_TEST_TMPDIR/before")" ]
}

# path CLIENT SERVICE: hops of the service's answer to one ping, as "from>to hops", in the order in which they were seen
# at the gateway's LAN device.
path() {
	local file=$BATS_TEST_TMPDIR/path.pcap
	rm -f "$file"
	start_capture "$NS_GW" ens3 "$file" "(icmp[0] = 0 or (icmp6 and ip6[40] = 129)) and src $2"
	ping_once "$NS_C1" "$2" >&2
	poll 5 captured "$file" 3
	stop_capture "$file"
	frames "$file" -r '[.[] | "\(.from)>\(.to) \(.hops)"] | join("  ")' |
		sed "s/$FW_MAC/firewall/g; s/$GW_MAC/gateway/g; s/$SVC_MAC/service/g; s/$ROUTER_MAC/router/g"
}

# With a separate address of the service for each mode: after redirects without effect, the firewall is silent for 20 s
# towards that host.
redirected_ipv4() {
	local address=$SVC4
	[ $1 = fast ] || address=$SECOND4
	wgvia up wg6 "${WORDS[@]}" mode $1
	remember_counters
	download "$NS_C1" $address
	heeds_redirect $C1_4 $address
	download "$NS_C1" $address
	answers "$NS_C1" $address service $C1_4
	bounced_more
}

redirected_ipv6() {
	gateway_ll=$(link_local "$NS_GW" ens3)
	in_ns "$NS_FW" ip -6 route replace $VPN6 via "$gateway_ll" dev lan
	in_ns "$NS_SVC" ip -6 route replace ::/0 via "$(link_local "$NS_FW" lan)" dev eth0
	wgvia up wg6 "${WORDS4[@]}" from $VPN6 via "$(link_local "$NS_FW" lan)" dev ens3 mode $1
	remember_counters
	download "$NS_C1" $SVC6
	heeds_redirect $C1_6 $SVC6
	download "$NS_C1" $SVC6
	answers "$NS_C1" $SVC6 service $C1_6
	bounced_more
}

bounced_once() {
	service_goes_direct
	wgvia up wg6 "${WORDS[@]}" mode $1
	is "$(path $C1_4 $SVC4)" "service>gateway 64  gateway>firewall 63  firewall>gateway 62"
	is "$(path $C1_6 $SVC6)" "service>gateway 64  gateway>firewall 63  firewall>gateway 62"
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C2" $SVC6 service $C2_6
	# the other direction, begun by the service
	answers "$NS_SVC" $C1_4 client $SVC4
	answers "$NS_SVC" $C1_6 client $SVC6
}

@test "mode fast: downloads survive an ICMP redirect, IPv4" {
	redirected_ipv4 fast
}

@test "mode fast: downloads survive an ICMP redirect, IPv6, link-local next hops" {
	redirected_ipv6 fast
}

@test "mode fast: what the service sends directly goes to the firewall once and comes back" {
	bounced_once fast
}

@test "mode stack: downloads survive an ICMP redirect, IPv4" {
	redirected_ipv4 stack
}

@test "mode stack: downloads survive an ICMP redirect, IPv6, link-local next hops" {
	redirected_ipv6 stack
}

@test "mode stack: what the service sends directly goes to the firewall once and comes back" {
	bounced_once stack
}

@test "another default gateway of the service, which sends to the gateway directly" {
	ip -n "$NS_LAN" address add $ROUTER4/24 dev lan
	ip -n "$NS_LAN" route replace $VPN4 via $GW4
	set_sysctls "$NS_LAN" net.ipv4.ip_forward=1
	in_ns "$NS_SVC" ip route replace default via $ROUTER4
	wgvia up wg6 "${WORDS4[@]}"
	is "$(path $C1_4 $SVC4)" "router>gateway 63  gateway>firewall 62  firewall>gateway 61"
	answers "$NS_C1" $SVC4 service $C1_4
}

@test "clients inside the LAN's own prefix: proxy ARP and proxy neighbour discovery" {
	ip -n "$NS_C1" address add $NEAR4/32 dev wgc1
	ip -n "$NS_C1" address add $NEAR6/128 dev wgc1 nodad
	ip -n "$NS_GW" route add $NEAR4/32 dev wg6
	ip -n "$NS_GW" route add $NEAR6/128 dev wg6
	wg_at "$NS_GW" wg6 set wg6 peer "$(wg_at "$NS_C1" wgc1 show wgc1 public-key)" \
		allowed-ips $C1_4/32,$C1_6/128,$NEAR4/32,$NEAR6/128
	ip -n "$NS_GW" neighbour add proxy $NEAR4 dev ens3
	ip -n "$NS_GW" neighbour add proxy $NEAR6 dev ens3
	set_sysctls "$NS_GW" net.ipv6.conf.{all,ens3}.proxy_ndp=1 # all: for unicast solicitations, see ip6_forward()
	wgvia up wg6 from $NEAR4/32 via $FW4 from $NEAR6/128 via $FW6
	is "$(in_ns "$NS_C1" curl -s -m 30 --interface $NEAR4 http://$SVC4/)" "service saw $NEAR4"
	is "$(in_ns "$NS_C1" curl -s -m 30 --interface $NEAR6 "http://[$SVC6]/")" "service saw $NEAR6"
	answers "$NS_SVC" $NEAR4 client $SVC4
	answers "$NS_SVC" $NEAR6 client $SVC6
	# the service asks again for the client, and gets an answer
	in_ns "$NS_SVC" ip neighbour change $NEAR6 dev eth0 nud probe
	poll 5 reachable $NEAR6
}

reachable() { # ADDRESS
	in_ns "$NS_SVC" ip neighbour show "$1" dev eth0 | grep -q REACHABLE
}

@test "this host's own address inside the prefix: asked directly, it is reached via the firewall" {
	service_goes_direct
	wgvia up wg6 "${WORDS[@]}"
	start_capture "$NS_GW" ens3 "$BATS_TEST_TMPDIR/own.pcap" "icmp[0] = 8 and dst $WG4"
	ping_once "$NS_SVC" $WG4
	poll 5 captured "$BATS_TEST_TMPDIR/own.pcap" 3
	stop_capture "$BATS_TEST_TMPDIR/own.pcap"
	is "$(frames "$BATS_TEST_TMPDIR/own.pcap" -r '[.[].to] | join(" ")')" "$GW_MAC $FW_MAC $GW_MAC"
	ping_once "$NS_SVC" $WG6
	is "$(udp_ask "$NS_SVC" $WG4 53 hello)" "$WG4 saw $SVC4: hello"
}

@test "return any: direct packets are accepted, and counted separately" {
	service_goes_direct
	wgvia up wg6 "${WORDS[@]}" return any
	remember_counters
	pings 5 "$NS_C1" $SVC4
	pings 5 "$NS_C1" $SVC6
	is "$(($(counter direct) - $(jq .counters.direct.packets "$BATS_TEST_TMPDIR/before")))" 10
	grown bounced 0 0
	times_out "$NS_C1" $SVC4 # the firewall sees one direction
	in_ns "$NS_SVC" ip route delete $VPN4
	answers "$NS_C1" $SVC4 service $C1_4
}

@test "return drop: only packets from the firewall enter, and others are counted" {
	service_goes_direct
	wgvia up wg6 "${WORDS[@]}" return drop
	remember_counters
	run ! ping_once "$NS_C1" $SVC4 -W 1
	run ! ping_once "$NS_C1" $SVC6 -W 1
	run ! ping_once "$NS_SVC" $WG4 -W 1
	grown refused 3 $((84 + 104 + 84))
	grown returned 0 0
	in_ns "$NS_SVC" ip route delete $VPN4
	in_ns "$NS_SVC" ip -6 route delete $VPN6
	forget_redirects # from an earlier test: answers that follow them are dropped
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
}

@test "return drop, and the service's MAC address is named: it may answer directly" {
	service_goes_direct
	wgvia up wg6 "${WORDS[@]}" return drop also $SVC_MAC
	ping_once "$NS_C1" $SVC4
	wgvia up wg6 "${WORDS[@]}" return drop also $SVC4
	ping_once "$NS_C1" $SVC4
	ping_once "$NS_C1" $SVC6 # its frames come from the same MAC address
	wgvia up wg6 "${WORDS[@]}" return drop also $FW4
	run ! ping_once "$NS_C1" $SVC4 -W 1
}

@test "what is exempt outward is exempt on the return path" {
	service_goes_direct
	wgvia up wg6 "${WORDS[@]}" bypass $SVC4/32
	remember_counters
	is "$(in_ns "$NS_C1" curl -s -m 30 --local-port 45678 http://$SVC4/)" "service saw $C1_4"
	grown bounced 0 0
	is "$(fw_sees 45678)" 0
}

fw_sees() { # PORT: connections from there
	in_ns "$NS_FW" grep -c "tcp .*sport=$1 " /proc/net/nf_conntrack || true
}

# A firewall that sends from a MAC address other than that in its ARP answers, and sets hop limits: nothing
# distinguishes its frames from those of a host that repeats itself.
@test "a frame does not circle, whatever the firewall does" {
	in_ns "$NS_FW" nft -f - <<-END
		table netdev odd {
			chain out { type filter hook egress device lan priority 0; ip daddr $VPN4 ether saddr set 02:00:00:00:02:77; }
		}
		table inet odd {
			chain out { type filter hook postrouting priority 0; ip ttl set 64; }
		}
	END
	wgvia up wg6 "${WORDS4[@]}"
	start_capture "$NS_GW" ens3 "$BATS_TEST_TMPDIR/loop.pcap" "icmp[0] = 0 and dst $C1_4"
	ping_once "$NS_C1" $INET4 || true
	ping_once "$NS_C1" $SVC4 || true
	stop_capture "$BATS_TEST_TMPDIR/loop.pcap"
	[ "$(frames "$BATS_TEST_TMPDIR/loop.pcap" length)" -le 40 ]
	wgvia up wg6 "${WORDS4[@]}" return via also 02:00:00:00:02:77
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $INET4 internet $C1_4
}

@test "return and also: the words, saved, applied, shown" {
	local file=$BATS_TEST_TMPDIR/saved
	wgvia up wg6 "${WORDS4[@]}" return drop also $SVC4 dev ens3 also $SVC_MAC also 02:00:00:00:02:77
	wgvia save wg6 >"$file"
	grep -x "return drop also $SVC4 dev ens3 also $SVC_MAC also 02:00:00:00:02:77" "$file"
	is "$(wgvia apply wg6 "$file")" ""
	is "$(wgvia -j show wg6 | jq -r .return)" "drop also $SVC4 dev ens3 also $SVC_MAC also 02:00:00:00:02:77"
	wgvia down wg6
	wgvia apply wg6 "$file"
	is "$(wgvia save wg6)" "$(<"$file")"
	sed -i 's/^return.*/return via/' "$file"
	is "$(wgvia apply wg6 "$file")" "- return drop also $SVC4 dev ens3 also $SVC_MAC also 02:00:00:00:02:77
+ return via"
	is "$(bpftool -j map dump pinned "$PIN_DIR/wg6/senders" | jq length)" 0
	wgvia show wg6 | grep -x "wg6: .* return via"
}

@test "return and also: words that are refused, with nothing changed" {
	local before words
	wgvia up wg6 "${WORDS4[@]}"
	before=$(state)
	while read -r words; do
		run -2 wgvia up wg6 "${WORDS4[@]}" $words
		is "$(wc -l <<<"$output")" 1
	done <<-END
		return
		return maybe
		return via return any
		return any also $SVC4
		return via also
		return via also x
		return via also 02:00:00:00:02
		return via also 01:00:5e:00:00:01
		return via also 02:00:00:00:02:7
	END
	run -1 wgvia up wg6 "${WORDS4[@]}" return via also 203.0.113.77
	is "$(state)" "$before"
}
