#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The pinned maps as an administrator's interface: what bpftool writes takes effect at the next packet and is visible in
# `wgvia show`, and no value that it can write loses a packet without a counter. The layouts are in wgvia_abi.h.

# shellcheck disable=SC2086,SC2154 # addresses and byte lists are words; `stream` sets $missing

load ../lib/net.bash

setup_more() {
	export PINS=$PIN_DIR/wg6
	IFINDEX=$(ip -j -n "$NS_GW" link show ens3 | jq '.[0].ifindex')
	WG_IFINDEX=$(ip -j -n "$NS_GW" link show wg6 | jq '.[0].ifindex')
	export IFINDEX WG_IFINDEX
}

# A prefix other than the clients', so that everything that works for them is due to bpftool.
setup() {
	wgvia up wg6 from 10.99.0.0/16 via $FW4 dev ens3 from 2001:db8:99::/48 via $FW6 dev ens3
}

# Keys: the length in host order, the address. Values: ifindex, family, next hop in 16 bytes, flags, and 0 for the counter.
key4="10 00 00 00 0a 06 00 00"                                                         # 10.6.0.0/16
key6="32 00 00 00 20 01 0d b8 00 01 00 00 00 00 00 00 00 00 00 00"                     # 2001:db8:1::/50
fw4="02 00 00 00 c0 00 02 01 00 00 00 00 00 00 00 00 00 00 00 00"                      # AF_INET 192.0.2.1
fw6="0a 00 00 00 20 01 0d b8 00 02 00 00 00 00 00 00 00 00 00 01"                      # AF_INET6 2001:db8:2::1
service4="20 00 00 00 c0 00 02 03"                                                     # 192.0.2.3/32
service6="80 00 00 00 20 01 0d b8 00 02 00 00 00 00 00 00 00 00 00 03"                 # 2001:db8:2::3/128
zero16="00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"

u32() { # NUMBER: its bytes, on a little-endian host
	printf '%02x %02x %02x %02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24))
}

prefix4() { # VALUE
	bpftool map update pinned "$PINS/prefixes4" key hex $key4 value hex $1 00 00 00 00
}

prefix6() { # VALUE
	bpftool map update pinned "$PINS/prefixes6" key hex $key6 value hex $1 00 00 00 00
}

shown() { # PREFIX JQ-FILTER
	wgvia -j show wg6 | jq -r --arg p "$1" ".prefixes[] | select(.from == \$p) | $2"
}

@test "an IPv4 prefix: update, show, delete" {
	times_out "$NS_C1" $SVC4
	prefix4 "$(u32 "$IFINDEX") $fw4 00 00 00 00"
	answers "$NS_C1" $SVC4 service $C1_4
	is "$(shown $VPN4 '"\(.via) \(.dev) \(.usable)"')" "$FW4 ens3 true"
	bpftool map delete pinned "$PINS/prefixes4" key hex $key4
	is "$(shown $VPN4 .)" ""
	times_out "$NS_C1" $SVC4
}

@test "an IPv6 prefix: update, show, delete" {
	times_out "$NS_C1" $SVC6
	prefix6 "$(u32 "$IFINDEX") $fw6 00 00 00 00"
	answers "$NS_C1" $SVC6 service $C1_6
	is "$(shown $VPN6 '"\(.via) \(.dev) \(.usable)"')" "$FW6 ens3 true"
	bpftool map delete pinned "$PINS/prefixes6" key hex $key6
	is "$(shown $VPN6 .)" ""
	times_out "$NS_C1" $SVC6
}

@test "an IPv4 prefix via an IPv6 next hop" {
	prefix4 "$(u32 "$IFINDEX") $fw6 00 00 00 00"
	answers "$NS_C1" $SVC4 service $C1_4
	is "$(shown $VPN4 '"\(.via) \(.usable)"')" "$FW6 true"
}

@test "a gateway is changed while packets flow, and none is lost" {
	prefix4 "$(u32 "$IFINDEX") $fw4 00 00 00 00"
	stream 200 "$NS_C1" $SVC4 change_gateway
	is "$missing" 0
	is "$(counter redirected)" 200
}

change_gateway() {
	prefix4 "$(u32 "$IFINDEX") $fw6 00 00 00 00"
	prefix4 "$(u32 "$IFINDEX") $fw4 00 00 00 00"
}

@test "a bypass entry: update, show, delete" {
	wgvia route add wg6 "${WORDS4[@]}"
	wgvia route add wg6 "${WORDS6[@]}"
	pings 1 "$NS_C1" $SVC4 # not TCP, whose end would be counted below
	bpftool map update pinned "$PINS/bypass4" key hex $service4 value 6 0 0 0 1 0 0 0
	bpftool map update pinned "$PINS/bypass6" key hex $service6 value 6 0 0 0 1 0 0 0
	remember_counters
	pings 5 "$NS_C1" $SVC4
	grown bypass 5 420
	pings 5 "$NS_C1" $SVC6
	grown bypass 10 940
	is "$(wgvia -j show wg6 | jq -r '[.bypass[] | select(.admin) | .to] | sort | join(" ")')" \
		"$SVC4/32 $SVC6/128"
	bpftool map delete pinned "$PINS/bypass4" key hex $service4
	bpftool map delete pinned "$PINS/bypass6" key hex $service6
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
}

@test "a bypass entry with an invalid verdict is a bypass" {
	wgvia route add wg6 "${WORDS4[@]}"
	bpftool map update pinned "$PINS/bypass4" key hex $service4 value 77 0 0 0 0 0 0 0
	remember_counters
	pings 5 "$NS_C1" $SVC4
	grown bypass 5 420
	wgvia show wg6
}

# unusable 4|6 VALUE: 5 pings are dropped and counted, `show` reports the error; with on-fail pass they get through,
# counted.
unusable() {
	local service=$SVC4 prefix=$VPN4 bytes=420
	[ "$1" = 4 ] || service=$SVC6 prefix=$VPN6 bytes=520
	echo "prefixes$1: $2"
	"prefix$1" "$2"
	is "$(shown $prefix '"\(.usable) \(.problem | type)"')" "false string"
	wgvia show wg6
	remember_counters
	in_ns "$NS_C1" ping -q -n -c 5 -i 0.005 -W 0.3 $service | grep " 0 received"
	grown out.no_gateway 5 $bytes # remains of earlier connections may arrive
	grown redirected 0 0
}

# The unusable values, each with its error.
@test "unusable IPv4 values are counted as no_gateway, and dropped" {
	unusable 4 "$(u32 0) $fw4 $(u32 0)"                                     # no device
	unusable 4 "$(u32 4000) $fw4 $(u32 0)"                                  # a missing device
	unusable 4 "$(u32 1) $fw4 $(u32 0)"                                     # the loopback device
	unusable 4 "$(u32 "$WG_IFINDEX") $fw4 $(u32 0)"                         # the tunnel
	unusable 4 "$(u32 "$IFINDEX") $(u32 0) c0 00 02 01 ${zero16:12} $(u32 0)"  # no family
	unusable 4 "$(u32 "$IFINDEX") $(u32 99) c0 00 02 01 ${zero16:12} $(u32 0)" # no such family
	unusable 4 "$(u32 "$IFINDEX") $(u32 2) $zero16 $(u32 0)"                # 0.0.0.0
	unusable 4 "$(u32 "$IFINDEX") $(u32 10) $zero16 $(u32 0)"               # ::
	unusable 4 "$(u32 "$IFINDEX") $(u32 2) e0 00 00 01 ${zero16:12} $(u32 0)"  # multicast
	unusable 4 "$(u32 "$IFINDEX") $(u32 2) ff ff ff ff ${zero16:12} $(u32 0)"  # broadcast
	unusable 4 "$(u32 "$IFINDEX") $(u32 2) 7f 00 00 01 ${zero16:12} $(u32 0)"  # loopback
	unusable 4 "$(u32 "$IFINDEX") $fw4 $(u32 1)"                            # marked as down
	unusable 4 "$(u32 "$IFINDEX") $fw4 $(u32 2)"                            # an unknown flag
	unusable 4 "ff ff ff ff ff ff ff ff ${zero16//00/ff} ff ff ff ff"
}

@test "unusable IPv6 values are counted as no_gateway, and dropped" {
	unusable 6 "$(u32 0) $fw6 $(u32 0)"
	unusable 6 "$(u32 4000) $fw6 $(u32 0)"
	unusable 6 "$(u32 "$WG_IFINDEX") $fw6 $(u32 0)"
	unusable 6 "$(u32 "$IFINDEX") $(u32 0) ${fw6:12} $(u32 0)"
	unusable 6 "$(u32 "$IFINDEX") $(u32 99) ${fw6:12} $(u32 0)"
	unusable 6 "$(u32 "$IFINDEX") $fw4 $(u32 0)"                            # an IPv4 next hop
	unusable 6 "$(u32 "$IFINDEX") $(u32 10) $zero16 $(u32 0)"               # ::
	unusable 6 "$(u32 "$IFINDEX") $(u32 10) ff 02 ${zero16:6} $(u32 0)"     # multicast
	unusable 6 "$(u32 "$IFINDEX") $(u32 10) ${zero16:3} 01 $(u32 0)"        # ::1
	unusable 6 "$(u32 "$IFINDEX") $fw6 $(u32 1)"
	unusable 6 "$(u32 "$IFINDEX") $fw6 $(u32 2)"
}

@test "a next hop that is this host's own address, which only user space can see, is reported by show" {
	prefix4 "$(u32 "$IFINDEX") $(u32 2) c0 00 02 02 ${zero16:12} $(u32 0)"
	is "$(shown $VPN4 '"\(.usable) \(.problem | type)"')" "false string"
}

@test "on-fail pass: an unusable value lets packets go the kernel's way, counted" {
	wgvia up wg6 from 10.99.0.0/16 via $FW4 dev ens3 on-fail pass
	prefix4 "$(u32 0) $fw4 $(u32 0)"
	remember_counters
	pings 5 "$NS_C1" $SVC4
	[ "$(counter no_gateway)" -gt "$(jq .counters.no_gateway.packets "$BATS_TEST_TMPDIR/before")" ]
}

@test "a dump has field names" {
	bpftool -j map dump pinned "$PINS/prefixes4" | jq -e --argjson i "$IFINDEX" '.[0].formatted
		| .key.prefixlen == 16 and .key.addr[0] == 10 and .value.ifindex == $i and .value.family == 2
		and .value.flags == 0'
	bpftool -j map dump pinned "$PINS/prefixes6" | jq -e '.[0].formatted
		| .key.prefixlen == 48 and .value.family == 10 and .value.addr[0] == 32'
	bpftool -j map dump pinned "$PINS/bypass4" | jq -e '[.[].formatted | .key.prefixlen, .value.verdict,
		.value.flags | type] | unique == ["number"]'
	bpftool -j map dump pinned "$PINS/bypass6" | jq -e 'length > 0'
	bpftool -j map dump pinned "$PINS/counters" | jq -e '.[0].formatted.values[0].value | has("packets") and has("bytes")'
	bpftool -j map dump pinned "$PINS/meta" | jq -e --argjson abi "$(sed -n 's/^#define WGVIA_ABI //p' \
		"$TREE/include/wgvia_abi.h")" '.[0].formatted.value | .abi == $abi and .ret == 0 and has("tunnel_ifindex")'
}

@test "the next up replaces what bpftool wrote" {
	prefix4 "$(u32 "$IFINDEX") $fw4 $(u32 0)"
	wgvia up wg6 "${WORDS6[@]}"
	is "$(shown $VPN4 .)" ""
	times_out "$NS_C1" $SVC4
}
