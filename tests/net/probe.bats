#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `wgvia check --probe`: with a firewall that is set up correctly it finds nothing. Then the firewall is misconfigured
# in the usual ways, and it reports which of neighbour, forwarding and return path is missing. If it names a command for
# the firewall, the test runs it there, and everything works.

# shellcheck disable=SC2001,SC2086 # lines to be edited; addresses are words
# shellcheck disable=SC2153,SC2154 # the topology's variables, bats's

load ../lib/net.bash

# Redirects are off in tests that are not about them, because Linux limits their rate per host.
setup_more() {
	set_sysctls "$NS_FW" net.ipv4.conf.{all,lan}.send_redirects=0
	routes $VPN4 $VPN6
}

setup() {
	CAPTURE=$BATS_TEST_TMPDIR/lan.pcap
}

teardown() {
	unspawn capture-lan.pcap INT
	unspawn capture-svc.pcap INT
	firewall_again
	gateway_again
	sweep "$NS_GW" wg6
}

firewall_again() {
	ip -n "$NS_LAN" link set fw up
	fw nft delete table inet filter 2>/dev/null
	fw nft delete table arp silent 2>/dev/null
	fw nft delete table ip6 silent 2>/dev/null
	set_sysctls "$NS_FW" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.conf.{all,lan}.{rp_filter,send_redirects}=0
	ip -n "$NS_FW" -batch - <<-END
		route replace default via $INET4
		route replace ::/0 via $INET6
	END
	routes $VPN4 $VPN6
}

# routes PREFIX...: sets the firewall's routes to those of the VPN.
routes() {
	local prefix via
	for prefix; do
		case $prefix in *:*) via=$GW6 ;; *) via=$GW4 ;; esac
		ip -n "$NS_FW" route flush root $prefix 2>/dev/null || true
		ip -n "$NS_FW" route flush root $prefix type blackhole 2>/dev/null || true
		ip -n "$NS_FW" route replace $prefix via $via
	done
}

gateway_again() {
	ip -n "$NS_LAN" link set gw up
	ip -n "$NS_GW" neighbour flush dev ens3 nud all
	ip -n "$NS_GW" address delete 10.6.128.1/32 dev wg6 2>/dev/null
	ip -n "$NS_GW" route delete 10.7.0.0/16 dev wg6 2>/dev/null
	ip -n "$NS_GW" route delete 10.8.0.0/16 dev wg6 2>/dev/null
	ip -n "$NS_GW" -batch - <<-END
		address replace $GW6/64 dev ens3 nodad
		route replace ::/0 via $FW6
	END
	in_ns "$NS_GW" nft delete table inet test 2>/dev/null
	in_ns "$NS_GW" nft delete table netdev test 2>/dev/null
	ip -n "$NS_GW" address delete 2001:db8:77::7/128 dev ens3 2>/dev/null
	set_sysctls "$NS_GW" net.ipv4.neigh.ens3.{retrans_time_ms=1000,ucast_solicit=3} \
		net.ipv6.neigh.ens3.{retrans_time_ms=1000,ucast_solicit=3}
	poll 5 ping_once "$NS_GW" $FW6
}

fw() {
	in_ns "$NS_FW" "$@"
}

up() {
	wgvia up wg6 "${WORDS[@]}" "$@" >/dev/null
}

# look: sets $found to its findings about the firewall, one per line, "name: evidence", sorted, and $output to
# everything. sender.bats covers redirects.
look() {
	run wgvia -j check wg6 --probe
	found=$(jq -r '.findings[] | select(.name | startswith("probe") and . != "probe_redirects") | "\(.name): \(.evidence)"' <<<"$output" | sort)
}

# finds NAME4 NAME6: for the IPv4 gateway and the IPv6 one, with the matching exit status; - for none.
finds() {
	local four six fault=0
	[[ "$1 $2" != *probe_* ]] || fault=1
	look
	four=$(sed -n '/: gateway [^:]* /s/:.*//p' <<<"$found" | paste -sd,)
	six=$(sed '/: gateway [^:]* /d; s/:.*//' <<<"$found" | paste -sd,)
	is "${four:--} ${six:--}, status $status" "$1 $2, status $fault" ||
		{ echo "$found" && return 1; }
}

all_is_well() {
	finds probe probe
}

# tells NAME TEXT: it is in the evidence of each finding with that name.
tells() {
	local line
	while IFS= read -r line; do
		grep -qF -- "$2" <<<"$line" || { echo "$found" && return 1; }
	done < <(grep "^$1:" <<<"$found" || echo "no $1")
}

# mend NAME: runs the remedy of the last look on the firewall.
mend() {
	local command
	while IFS= read -r command; do
		echo "mend: $command"
		case $command in
		"on the firewall"*": "*) fw bash -ec "${command#*: }" ;;
		*) return 1 ;;
		esac
	done < <(jq -r --arg name "$1" '.findings[] | select(.name == $name).remedy' <<<"$output")
}

# rules RULE...: an additional chain on the firewall, before the other.
rules() {
	fw nft -f - <<-END
		table inet filter {
			chain forward {
				type filter hook forward priority -10; policy accept;
				$(printf '%s\n' "$@")
			}
		}
	END
}

# silent4, silent6: the firewall does not answer neighbour requests.
silent4() {
	fw nft 'table arp silent { chain input { type filter hook input priority 0; arp operation request drop; }; }'
}

silent6() {
	fw nft 'table ip6 silent { chain input { type filter hook input priority 0; icmpv6 type nd-neighbor-solicit drop; }; }'
}

# quick: neighbours fail quickly.
quick() {
	set_sysctls "$NS_GW" net.ipv4.neigh.ens3.{retrans_time_ms=20,ucast_solicit=1} \
		net.ipv6.neigh.ens3.{retrans_time_ms=20,ucast_solicit=1}
}

# ---- a firewall that is set up correctly ----

@test "all is well: before the first up, in both modes, and it lists what it has proven" {
	local state
	for state in before fast stack; do
		[ $state = before ] || up mode $state
		all_is_well
		tells probe "answers neighbour requests, forwards between hosts of its link, and has a return path"
	done
	tells probe "ping from"
	run -0 wgvia check wg6 --probe
	grep "^info: probe: gateway $FW4 dev ens3 .* '$VPN4': it forwarded a ping from $WG4 to $GW4 and its answer" <<<"$output"
	grep "^info: probe: gateway $FW6 dev ens3 .* '$VPN6': it forwarded a ping from $WG6 to $GW6 and its answer" <<<"$output"
	run -0 wgvia check --probe wg6
	grep "^info: probe:" <<<"$output"
}

@test "a neighbour that is unknown, one with a new MAC, and one that is permanent" {
	up
	ip -n "$NS_GW" neighbour flush dev ens3
	all_is_well
	quick
	for address in $FW4 $FW6; do
		ip -n "$NS_GW" neighbour replace $address lladdr $SVC_MAC dev ens3 nud reachable
	done
	all_is_well
	# the firewall does not answer, but its MAC is known
	for address in $FW4 $FW6; do
		ip -n "$NS_GW" neighbour replace $address lladdr $FW_MAC dev ens3 nud permanent
	done
	silent4
	silent6
	all_is_well
	is "$(ip -n "$NS_GW" -j neighbour show dev ens3 nud permanent | jq length)" 2
}

@test "a firewall that translates addresses on the LAN, sends redirects, and checks return paths" {
	set_sysctls "$NS_FW" net.ipv4.conf.{all,lan}.{rp_filter,send_redirects}=1
	all_is_well
	fw nft -f - <<-END
		table inet filter {
			chain postrouting {
				type nat hook postrouting priority srcnat;
				iifname lan oifname lan masquerade
			}
			chain forward { # an answer to the untranslated address does not count
				type filter hook forward priority -10;
				ct state invalid drop
			}
		}
	END
	# for such a request, which is from another host's address, the kernel sends an answer of its own
	in_ns "$NS_GW" nft "table inet test { chain input { type filter hook input priority -10
		icmp type echo-request drop; icmpv6 type echo-request drop; }; }"
	up
	all_is_well
}

@test "this host's own rules against ping do not matter" {
	in_ns "$NS_GW" nft -f - <<-END
		table inet test {
			chain input {
				type filter hook input priority -10;
				icmp type { echo-request, echo-reply } drop
				icmpv6 type { echo-request, echo-reply } drop
			}
		}
		table netdev test {
			chain ingress {
				type filter hook ingress device ens3 priority -10;
				icmp type { echo-request, echo-reply } drop
				icmpv6 type { echo-request, echo-reply } drop
			}
		}
	END
	for mode in fast stack; do
		up mode $mode
		look # in mode fast check reports the rules themselves
		is "$(sed 's/:.*//' <<<"$found" | paste -sd,)" "probe,probe"
	done
}

@test "a link-local next hop, and IPv4 via an IPv6 next hop" {
	for mode in fast stack; do
		wgvia up wg6 from $VPN4 via $FW6 dev ens3 from $VPN6 via $FW_LL dev ens3 mode $mode
		look
		is "$status" 0
		is "$(sed 's/ answers.*has a return path/ .../' <<<"$found")" \
			"probe: gateway $FW6 dev ens3 ... to '$VPN4': it forwarded a ping from $WG4 to $GW4 and its answer
probe: gateway fe80::ff:fe00:201 dev ens3 ... to '$VPN6': it forwarded a ping from $WG6 to $GW6 and its answer"
	done
}

# ---- what is sent, and what is not ----

watch() {
	start_capture "$NS_LAN" gw "$CAPTURE" "icmp or (icmp6 and (ip6[40] < 133))"
}

# seen: what this host has sent since; a ping to the service ends it.
seen() {
	in_ns "$NS_GW" ping -q -n -c 1 -W 10 -s 999 $SVC4 >/dev/null
	poll 5 last_is_there
	stop_capture "$CAPTURE"
	# shellcheck disable=SC2016 # jq's variable
	frames "$CAPTURE" -r --arg mac $GW_MAC \
		'.[] | select(.from == $mac and (.payload | length) != 2014) |
			"\(.to) \(.src) > \(.dst) hops \(.hops) ok \(.header_ok)"'
}

last_is_there() {
	# shellcheck disable=SC2016 # jq's variable
	frames "$CAPTURE" -e --arg a $SVC4 'map(select(.src == $a and (.payload | length) == 2014)) | length == 1'
}

@test "it sends a ping and an answer to the firewall, each once; without --probe it sends nothing" {
	local text="$FW_MAC $WG4 > $GW4 hops 2 ok true
$FW_MAC $GW4 > $WG4 hops 4 ok true
$FW_MAC $WG6 > $GW6 hops 2 ok true
$FW_MAC $GW6 > $WG6 hops 4 ok true"
	for state in before fast stack; do
		[ $state = before ] || up mode $state
		watch
		all_is_well
		is "$(seen | sort)" "$(sort <<<"$text")"
		watch
		run wgvia check wg6
		is "$(seen)" ""
	done
}

@test "only the firewall sees the probes" {
	start_capture "$NS_SVC" eth0 "$BATS_TEST_TMPDIR/svc.pcap" "host $WG4 or host $WG6"
	up
	all_is_well
	rules "iifname lan oifname lan drop"
	finds probe_forward probe_forward
	in_ns "$NS_C1" ping -q -n -c 1 -W 2 $SVC4 || true # dropped at the firewall, too
	fw nft delete table inet filter
	ping_once "$NS_GW" $SVC4 -I $WG4
	poll 5 svc_sees_the_last
	stop_capture "$BATS_TEST_TMPDIR/svc.pcap"
	is "$(frames "$BATS_TEST_TMPDIR/svc.pcap" -r '.[] | .src' | sort -u)" "$(printf '%s\n' $WG4 $SVC4 | sort)"
	is "$(frames "$BATS_TEST_TMPDIR/svc.pcap" length)" 2
}

svc_sees_the_last() {
	[ "$(frames "$BATS_TEST_TMPDIR/svc.pcap" length)" -ge 2 ]
}

@test "nothing is counted, nothing is changed, nothing stays" {
	local before
	for mode in fast stack; do
		up mode $mode
		before=$(wgvia -j stats wg6 | jq -c .directions)$(state)
		ip -n "$NS_GW" neighbour flush dev ens3
		all_is_well
		is "$(wgvia -j stats wg6 | jq -c .directions)$(state)" "$before"
		is "$(ip -n "$NS_GW" neighbour show dev ens3 nud permanent)" ""
		is "$(in_ns "$NS_GW" ss -H -f packet)" ""
		# neighbour entries are ordinary: they age, and a flush removes them
		ip -n "$NS_GW" -j neighbour show dev ens3 | jq -e --arg four $FW4 --arg six $FW6 \
			'map(select(.dst == $four or .dst == $six) | .state == ["REACHABLE"]) == [true, true]'
		is "$(ip -n "$NS_GW" neighbour show dev ens3 | grep -Ec 'extern_learn|managed')" 0
	done
}

# ---- no return path ----

@test "no return path: no route, the default route leads elsewhere" {
	local state
	for state in before fast stack; do
		[ $state = before ] || up mode $state
		ip -n "$NS_FW" route delete $VPN4
		finds probe_return probe
		tells probe_return "no return path to '$VPN4'"
		tells probe_return "it forwarded a ping from $WG4, but sent the answer from $GW4 to $INET4"
		mend probe_return
		all_is_well
		ip -n "$NS_FW" route delete $VPN6
		finds probe probe_return
		tells probe_return "it forwarded a ping from $WG6, but sent the answer from $GW6 to $INET6"
		mend probe_return
		all_is_well
	done
}

# told_no_route GATEWAY: reported by that one in this look; the other family's may be silent in the same one.
told_no_route() {
	look
	grep -F "probe_return: " <<<"$found" | grep -F "gateway $1 " | grep -F "answered 'no route'"
}

# bats test_tags=long
@test "no return path: no route at all" {
	ip -n "$NS_FW" -batch - <<-END
		route delete $VPN4
		route delete $VPN6
		route delete default
		route delete ::/0
	END
	up
	finds probe_return probe_return
	# Linux limits these messages per host, and 'up' has probed as well
	poll 60 told_no_route $FW4
	poll 60 told_no_route $FW6
	mend probe_return
	all_is_well
}

@test "no return path: to a prefix as wide as everything, the remedy is a route to this host only" {
	# the LAN is exempt, because check warns about this host's LAN address in a prefix
	wgvia up wg6 from 0.0.0.0/0 via $FW4 dev ens3 from ::/0 via $FW6 dev ens3 bypass 192.0.2.0/24 bypass 2001:db8:2::/64
	all_is_well
	ip -n "$NS_FW" route delete $VPN4
	ip -n "$NS_FW" route delete $VPN6
	finds probe_return probe_return
	is "$(jq -r '.findings[] | select(.name == "probe_return").remedy' <<<"$output")" \
		"on the firewall: ip route replace $WG4/32 via $GW4
on the firewall: ip route replace $WG6/128 via $GW6"
	mend probe_return
	all_is_well
	ip -n "$NS_FW" route delete $WG4/32
	ip -n "$NS_FW" route delete $WG6/128
}

@test "no return path: without an error message" {
	ip -n "$NS_FW" route replace blackhole $VPN4
	ip -n "$NS_FW" route delete $VPN6
	ip -n "$NS_FW" route replace blackhole $VPN6
	up
	finds probe_return probe_return
	# IPv4's input route lookup also drops packets from a blackholed source
	grep "^probe_return: gateway $FW6 .* but not the answer from $GW6" <<<"$found"
	ip -n "$NS_FW" route delete blackhole $VPN6
	mend probe_return
	all_is_well
}

@test "no return path: a strict return path filter drops the request as well" {
	set_sysctls "$NS_FW" net.ipv4.conf.{all,lan}.rp_filter=1
	ip -n "$NS_FW" route delete $VPN4
	up
	finds probe_return probe
	tells probe_return "'time exceeded'; a reverse path filter"
	rules "oifname wan drop" # a provider that sends no message
	finds probe_return probe
	tells probe_return "but one from $GW4 to itself was"
	mend probe_return
	all_is_well
}

@test "no return path: answers are rejected" {
	up
	rules "icmp type echo-reply reject"
	finds probe_return probe
	tells probe_return "it forwarded a ping from $WG4, but to the answer from $GW4, $FW4 answered 'prohibited'"
	mend probe_return
	all_is_well
	fw nft delete table inet filter
	rules "icmpv6 type echo-reply reject"
	finds probe probe_return
	tells probe_return "it forwarded a ping from $WG6, but to the answer from $GW6, $FW6 answered 'prohibited'"
	mend probe_return
	all_is_well
}

# ---- no forwarding ----

@test "no forwarding: off" {
	set_sysctls "$NS_FW" net.ipv4.ip_forward=0
	finds probe_forward probe
	tells probe_forward "does not forward"
	mend probe_forward
	up
	all_is_well
	set_sysctls "$NS_FW" net.ipv6.conf.all.forwarding=0
	finds probe probe_forward
	mend probe_forward
	all_is_well
}

@test "no forwarding: not between hosts of one interface, silently and with an answer" {
	rules "iifname lan oifname lan drop"
	up mode stack
	finds probe_forward probe_forward
	tells probe_forward "does not forward between hosts of its link"
	tells probe_forward "answers 'time exceeded' to hop limit 1"
	mend probe_forward
	fw nft add rule inet filter forward ip saddr $GW4 accept # our own answers look like a service's
	fw nft insert rule inet filter forward ct state established accept
	all_is_well
	fw nft delete table inet filter
	rules "iifname lan oifname lan reject with icmpx admin-prohibited"
	finds probe_forward probe_forward
	tells probe_forward "answered 'prohibited'"
	mend probe_forward
	fw nft insert rule inet filter forward ct state established accept
	all_is_well
}

@test "no forwarding: not from the prefix" {
	rules "ip saddr $VPN4 drop" "ip6 saddr $VPN6 drop"
	up
	finds probe_forward probe_forward
	tells probe_forward "does not forward packets from the prefix"
	mend probe_forward
	all_is_well
}

# ---- no neighbour ----

@test "no neighbour: the cable to the firewall is unplugged" {
	local state
	quick
	for state in before fast stack; do
		[ $state = before ] || up mode $state
		all_is_well # its neighbours are known
		ip -n "$NS_LAN" link set fw down
		finds probe_neighbour probe_neighbour
		tells probe_neighbour "does not answer neighbour requests on dev ens3"
		ip -n "$NS_GW" neighbour flush dev ens3 # now they are unknown as well
		finds probe_neighbour probe_neighbour
		ip -n "$NS_LAN" link set fw up
		poll 5 all_is_well
	done
}

@test "no neighbour: with the kernel's own timeouts, in a few seconds" {
	silent4
	up
	SECONDS=0
	finds probe_neighbour probe
	((SECONDS < 60))
}

# ---- several, and what cannot be probed ----

@test "each gateway is reported separately" {
	ip -n "$NS_GW" address add 10.6.128.1/32 dev wg6
	wgvia up wg6 "${WORDS[@]}" from 10.6.128.0/17 via $SVC4 dev ens3
	finds probe,probe_forward probe
	tells probe_forward "gateway $SVC4 dev ens3"
	tells probe_forward "from 10.6.128.1"
}

@test "a prefix without an address of this host, a LAN without one of the family" {
	ip -n "$NS_GW" route add 10.7.0.0/16 dev wg6
	ip -n "$NS_GW" route add 10.8.0.0/16 dev wg6
	wgvia up wg6 "${WORDS[@]}" from 10.7.0.0/16 via $FW4 dev ens3 from 10.8.0.0/16 via $FW4 dev ens3
	look
	is "$status" 0
	tells probe_skipped "return path to '10.7.0.0/16' and 1 more cannot be probed: dev wg6 has no address there"
	wgvia up wg6 "${WORDS4[@]}" from $VPN6 via fe80::ff:fe00:201 dev ens3
	ip -n "$NS_GW" address delete $GW6/64 dev ens3
	look
	tells probe_skipped "gateway fe80::ff:fe00:201 dev ens3 cannot be probed from $WG6: this host has no IPv6 address"
	is "$(cut -d: -f1 <<<"$found" | paste -sd' ')" "probe probe_skipped"
}

@test "of several addresses on the LAN the one that the firewall reaches" {
	ip -n "$NS_GW" address add 2001:db8:77::7/128 dev ens3 nodad # nobody has a route to it
	is "$(ip -n "$NS_GW" -6 -j address show dev ens3 scope global | jq -r '.[].addr_info[0].local')" 2001:db8:77::7
	all_is_well
}

@test "a device without a carrier" {
	up
	ip -n "$NS_LAN" link set gw down
	poll 5 no_carrier
	look
	tells probe_skipped "the device has no carrier"
	is "$(cut -d: -f1 <<<"$found" | sort -u)" probe_skipped
}

no_carrier() {
	ip -n "$NS_GW" link show ens3 | grep -q NO-CARRIER
}

@test "bad usage" {
	run -2 wgvia check --probe
	run -2 wgvia check wg6 --prob
	run -2 wgvia check wg6 --probe more
	run -1 wgvia check wg7 --probe
}
