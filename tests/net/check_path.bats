#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `wgvia check`: what else the kernel does with packets on their way, apart from netfilter. What mode fast bypasses, and
# what makes packets bypass the firewall in mode stack.

# shellcheck disable=SC2086 # addresses are words
# shellcheck disable=SC2153 # the topology's variables
# shellcheck disable=SC2034,SC2154 # words from check.bash

load ../lib/check.bash

ESP=(tmpl src "$GW4" dst 192.0.2.77 proto esp mode tunnel)

policy() { # SRC DST DIRECTION [WORD...]
	ip -n "$NS_GW" xfrm policy add src "$1" dst "$2" dir "${@:3}"
}

@test "ipsec: mode fast bypasses policies for what clients send and get, and mode stack is the remedy" {
	up
	provoked ipsec policy $VPN4 203.0.113.0/24 out "${ESP[@]}"
	severity ipsec error
	tells ipsec "from '$VPN4' to '203.0.113.0/24'"
	tells ipsec "leave unencrypted"
	ip -n "$NS_GW" xfrm policy flush
	provoked ipsec policy 0.0.0.0/0 10.6.7.0/24 fwd action block
	tells ipsec "would drop pass"
	mend ipsec
	finds "" # nothing is encrypted, and what is dropped stays on this host
	up
	finds ipsec
	policy 2001:db8::/32 ::/0 out action block
	finds ipsec
	tells ipsec "and 1 more"
}

@test "ipsec: in mode stack what a policy encrypts bypasses the firewall" {
	up mode stack
	provoked ipsec policy 10.6.0.0/20 203.0.113.0/24 out "${ESP[@]}"
	severity ipsec warning
	tells ipsec "as ESP of this host's own"
	is "$(remedy ipsec)" "" # the administrator must decide what to do
}

@test "up reports what check finds: IPsec policies, in both modes, and routes that encapsulate" {
	policy 10.6.0.0/20 203.0.113.0/24 out "${ESP[@]}"
	policy $VPN4 198.51.100.0/24 fwd action block
	wgvia up wg6 "${WORDS[@]}" >"$TOPO_DIR/up"
	grep -F "wg6: IPsec policy from '10.6.0.0/20' to '203.0.113.0/24': mode fast bypasses it" "$TOPO_DIR/up"
	grep -F "wg6: IPsec policy from '$VPN4' to '198.51.100.0/24': mode fast bypasses it" "$TOPO_DIR/up"
	wgvia up wg6 "${WORDS[@]}" mode stack >"$TOPO_DIR/up"
	grep -F "wg6: IPsec policy from '10.6.0.0/20' to '203.0.113.0/24': packets that it encrypts bypass" "$TOPO_DIR/up"
	ip -n "$NS_GW" -6 route add 2001:db8:77::/48 encap seg6 mode encap segs 2001:db8:2::99 via $SVC6 dev ens3 ||
		skip "no seg6 in kernel $(uname -r)"
	wgvia up wg6 "${WORDS[@]}" mode stack | grep -F "the route to '2001:db8:77::/48' encapsulates packets"
}

@test "ipsec: policies for other addresses, and for packets to this host itself, do not matter" {
	for mode in fast stack; do
		up mode $mode
		policy 192.0.2.0/24 203.0.113.0/24 out "${ESP[@]}"
		policy $VPN4 0.0.0.0/0 in tmpl proto esp mode transport
		# route-based IPsec: with an xfrm interface, with a mark
		policy 0.0.0.0/0 0.0.0.0/0 out if_id 42 "${ESP[@]}"
		policy 0.0.0.0/0 203.0.113.0/24 out mark 7 mask 0xff "${ESP[@]}"
		finds ""
		ip -n "$NS_GW" xfrm policy flush
	done
}

@test "bypassed_rule: a rule that stops packets from a prefix, or out of the tunnel" {
	up
	provoked bypassed_rule ip -n "$NS_GW" rule add from 10.6.3.0/24 prohibit pref 77
	severity bypassed_rule error
	tells bypassed_rule "ip rule 77 from '10.6.3.0/24' to '0.0.0.0/0' prohibit"
	ip -n "$NS_GW" rule delete pref 77
	provoked bypassed_rule ip -n "$NS_GW" -6 rule add iif wg6 to 2001:db8:9::/48 blackhole pref 78
	tells bypassed_rule "ip -6 rule 78"
	mend bypassed_rule
	finds "" # the kernel applies it
	ip -n "$NS_GW" -6 rule delete pref 78
	up
	ip -n "$NS_GW" rule add from 10.99.0.0/16 prohibit
	ip -n "$NS_GW" rule add iif ens3 prohibit pref 40000
	finds ""
}

@test "bypassed_route: a route that stops packets" {
	up
	provoked bypassed_route ip -n "$NS_GW" route add blackhole 198.51.100.0/24
	severity bypassed_route warning
	tells bypassed_route "'198.51.100.0/24'"
	mend bypassed_route
	finds ""
	up bypass 198.51.0.0/16 # the kernel's routes apply to exempt destinations
	finds ""
}

@test "encapsulation: a route that encapsulates makes packets bypass the firewall in mode stack" {
	ip -n "$NS_GW" -6 route add 2001:db8:77::/48 encap seg6 mode encap segs 2001:db8:2::99 dev ens3 ||
		skip "no seg6 in kernel $(uname -r)"
	ip -n "$NS_GW" -6 route delete 2001:db8:77::/48
	up mode stack
	provoked encapsulation ip -n "$NS_GW" -6 route add 2001:db8:77::/48 encap seg6 mode encap segs 2001:db8:2::99 \
		via $SVC6 dev ens3
	severity encapsulation warning
	tells encapsulation "'2001:db8:77::/48'"
	mend encapsulation
	finds ""
}

@test "encapsulation: what a device does due to a route's metadata comes after the egress program" {
	up mode stack
	ip -n "$NS_GW" link add vx type vxlan external dstport 4789
	ip -n "$NS_GW" address add 172.31.0.1/24 dev vx
	ip -n "$NS_GW" link set vx up
	look
	ip -n "$NS_GW" route add 198.51.100.0/24 encap ip id 7 dst $SVC4 dev vx
	finds "$(jq -r '[.findings[].name] | sort | join(" ")' <<<"$output")"
}

@test "program_behind: filters and programs after wgvia's do not see what mode fast redirects" {
	local place
	for place in wg6 ens3; do
		up
		gw tc qdisc add dev $place clsact
		provoked program_behind gw tc filter add dev $place ingress protocol ip u32 match u32 0 0 classid 1:1
		severity program_behind warning
		tells program_behind "'u32' at the ingress of dev $place"
		mend program_behind
		finds ""
		gw tc qdisc delete dev $place clsact
		# the qdisc with the same name as the hook
		up
		gw tc qdisc add dev $place handle ffff: ingress
		gw tc filter add dev $place parent ffff: protocol ip u32 match u32 0 0 classid 1:1
		finds program_behind
		gw tc qdisc delete dev $place ingress
		finds ""
	done
}

@test "program_behind: clsact, by priority" {
	attach_type clsact
	up
	provoked program_behind foreign_add clsact wg6 ingress 60000
	tells program_behind "'foreign' at the ingress of dev wg6"
}

@test "xdp: a program that runs before wgvia" {
	bpf_build pass
	up
	provoked xdp gw ip link set dev ens3 xdpgeneric obj "$BATS_FILE_TMPDIR/pass.o" sec xdp
	severity xdp info
	tells xdp "at dev ens3"
}
