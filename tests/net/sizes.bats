#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Sizes, hop limits and headers of every kind, in both modes and directions: what is forwarded arrives complete, once
# and with one hop less; the gateway answers the rest. "told TEXT PORT PACKET..." sends into the tunnel (tun), the LAN
# (lan) or from the gateway itself (own), and TEXT is everything that comes out anywhere.

# shellcheck disable=SC2086 # addresses are words
# shellcheck disable=SC2154 # $mode is each test's own

load ../lib/wire.bash

setup_file() {
	wire_usual
	ip -n "$NS_LAN" link set lan mtu 65535
	ip -n "$NS_GW" link set wg6 txqueuelen 10000
}

teardown_file() {
	wire_end
}

teardown() {
	in_ns "$NS_GW" nft flush ruleset
	ip -n "$NS_LAN" link set lan mtu 65535
	wgvia down wg6 || rm -rf "$PIN_DIR"
}

# mtus TUNNEL LAN
mtus() {
	ip -n "$NS_GW" link set wg6 mtu "$1"
	ip -n "$NS_GW" link set ens3 mtu "$2"
}

# in_modes MODES COMMAND...: with wgvia up, and $mode.
in_modes() {
	local mode modes=$1
	shift
	for mode in $modes; do
		echo "mode $mode"
		wgvia up wg6 "${WORDS[@]}" mode $mode
		"$@"
	done
}

in_both_modes() {
	in_modes "fast stack" "$@"
}

# in_measuring_modes COMMAND...: without bpf_check_mtu() in the kernel, mode fast does not check sizes; see below.
in_measuring_modes() {
	if kernel_can check_mtu; then in_both_modes "$@"; else in_modes stack "$@"; fi
}

# too_big COUNT BYTES: mode fast counted them; in mode stack, only the kernel checks.
too_big() {
	kernel_can check_mtu || set -- 0 0
	is "$(counter too_big) $(counter too_big bytes)" "$1 $2"
}

# The words for packets from a client to the service, and back.
OUT4="src='$C1_4',dst='$SVC4'"
OUT6="src='$C1_6',dst='$SVC6'"
BACK4="src='$SVC4',dst='$C1_4'"
BACK6="src='$SVC6',dst='$C1_6'"

# ---- hop limits ----

hop_limits_end_here() {
	told "tun $WG4>$C1_4 time-exceeded #1
tun $WG4>$C1_4 time-exceeded #2
tun $WG6>$C1_6 time-exceeded #3
tun $WG6>$C1_6 time-exceeded #4" tun 'pkt(4, hops=1)' 'pkt(4, hops=0)' 'pkt(6, hops=1)' 'pkt(6, hops=0)'
	told "lan gw>svc $GW4>$SVC4 time-exceeded #1
lan gw>svc $GW4>$SVC4 time-exceeded #2
lan gw>svc $GW6>$SVC6 time-exceeded #3
lan gw>svc $GW6>$SVC6 time-exceeded #4" lan "pkt(4, hops=1, $BACK4)" "pkt(4, hops=0, $BACK4)" \
			"pkt(6, hops=1, $BACK6)" "pkt(6, hops=0, $BACK6)"
}

@test "Time Exceeded comes from the gateway, out and back" {
	mtus 1420 1500
	in_both_modes hop_limits_end_here
	is "$(counter hop_limit)" 8 # in mode fast; in mode stack, the kernel's own counters show it
}

hop_limits_fall() {
	told "lan gw>fw #1 hops 1
lan gw>fw #2 hops 254
lan gw>fw #3 hops 1
lan gw>fw #4 hops 254" tun 'pkt(4, hops=2)' 'pkt(4, hops=255)' 'pkt(6, hops=2)' 'pkt(6, hops=255)'
	told "tun #1 hops 1
tun #2 hops 254
tun #3 hops 1
tun #4 hops 254" lan "pkt(4, hops=2, $BACK4)" "pkt(4, hops=255, $BACK4)" "pkt(6, hops=2, $BACK6)" \
			"pkt(6, hops=255, $BACK6)"
}

@test "hop limits decrease by one, from the first to the last" {
	mtus 1420 1500
	in_both_modes hop_limits_fall
}

# sums TEXT PORT WORDS: each of some 3,300 headers in its place, with a right sum.
sums() {
	wire "$2" "every_sum($3)" >"$BATS_TEST_TMPDIR/sums"
	awk -v text="$1" '
		$0 !~ "^" text "#" NR " hops [0-9]+$" { print "line", NR ":", $0; exit status = 1 }
		$NF != last + 0 { if ($NF != last + 1) { print "line", NR ":", $0; exit status = 1 } last = $NF }
		END { if (!status && (last != 254 || NR < 254 * 12)) { print NR, "lines, last hop limit", last; exit 1 } }
	' "$BATS_TEST_TMPDIR/sums"
}

sums_are_right() {
	sums 'lan gw>fw ' tun ''
	sums 'tun ' lan "$BACK4"
}

@test "IPv4: header checksums are right after every change of the TTL" {
	mtus 1420 1500
	in_both_modes sums_are_right
}

# ---- a narrow LAN, a narrow tunnel ----

lan_is_narrow() {
	told "tun $WG4>$C1_4 frag-needed 1300 #2
tun $WG4>$C1_4 frag-needed 1300 #3
lan gw>fw #1 hops 63" tun 'pkt(4, 1300, df=1)' 'pkt(4, 1301, df=1)' 'pkt(4, 9000, df=1)'
	told "tun $WG6>$C1_6 too-big 1300 #2
tun $WG6>$C1_6 too-big 1300 #3
lan gw>fw #1 hops 63" tun 'pkt(6, 1300)' 'pkt(6, 1301)' 'pkt(6, 9000)'
}

# bats test_tags=feature
@test "a jumbo tunnel onto a 1,300-byte LAN: the client is informed" {
	mtus 9000 1300
	in_measuring_modes lan_is_narrow
	too_big 4 $((2 * (1301 + 9000)))
}

lan_is_narrow_without_df() {
	remember_counters
	told "lan gw>fw #1 hops 63
lan gw>fw #2 in 2 pieces hops 63
lan gw>fw #3 in 8 pieces hops 63" tun 'pkt(4, 1300)' 'pkt(4, 1301)' 'pkt(4, 9000)'
	if [ $mode = fast ]; then
		grown redirected 1 1300
		grown too_big 2 $((1301 + 9000))
		grown retargeted $((2 + 8)) $((1301 + 20 + 9000 + 7 * 20))
	else
		grown retargeted $((1 + 2 + 8)) $((1300 + 1301 + 20 + 9000 + 7 * 20))
	fi
}

@test "a jumbo tunnel onto a 1,300-byte LAN without DF: all fragments go to the firewall" {
	mtus 9000 1300
	in_measuring_modes lan_is_narrow_without_df
}

@test "a jumbo tunnel onto a jumbo LAN: large packets pass" {
	mtus 9000 9000
	in_both_modes told "lan gw>fw #1 hops 63
lan gw>fw #2 hops 63" tun 'pkt(4, 9000, df=1)' 'pkt(6, 9000)'
}

tunnel_is_narrow() {
	told "tun #1 hops 63
lan gw>svc $GW4>$SVC4 frag-needed 1420 #2
lan gw>svc $GW4>$SVC4 frag-needed 1420 #3
lan gw>fw $GW4>$INET4 frag-needed 1420 #4" lan "pkt(4, 1420, df=1, $BACK4)" "pkt(4, 1421, df=1, $BACK4)" \
		"pkt(4, 1500, df=1, $BACK4)" "pkt(4, 1500, df=1, src='$INET4', dst='$C1_4')"
	told "tun #1 hops 63
lan gw>svc $GW6>$SVC6 too-big 1420 #2
lan gw>svc $GW6>$SVC6 too-big 1420 #3
lan gw>fw $GW6>$INET6 too-big 1420 #4" lan "pkt(6, 1420, $BACK6)" "pkt(6, 1421, $BACK6)" \
			"pkt(6, 1500, $BACK6)" "pkt(6, 1500, src='$INET6', dst='$C1_6')"
}

@test "a 1,500-byte LAN onto a 1,420-byte tunnel: the service is informed" {
	mtus 1420 1500
	in_measuring_modes tunnel_is_narrow
}

@test "a 1,500-byte LAN onto a 1,420-byte tunnel without DF: the kernel fragments" {
	mtus 1420 1500
	in_measuring_modes told "tun #1 hops 63
tun #2 in 2 pieces hops 63
tun #3 in 2 pieces hops 63" lan "pkt(4, 1420, $BACK4)" "pkt(4, 1421, $BACK4)" "pkt(4, 1500, $BACK4)"
}

# docs/PLATFORMS.md describes such kernels: in mode fast, such a packet is lost silently at the device that it does not
# fit. A veth device passes four more bytes, for a VLAN tag (is_skb_forwardable()).
# bats test_tags=vm
@test "a kernel before 5.12: mode fast loses what is too big, check says so, mode stack informs the sender" {
	! kernel_can check_mtu || skip "kernel $(uname -r) has bpf_check_mtu()"
	mtus 9000 1300
	ip -n "$NS_LAN" link set lan mtu 1300
	wgvia up wg6 "${WORDS[@]}"
	told "lan gw>fw #1 hops 63
lan gw>fw #3 hops 63" tun 'pkt(4, 1300, df=1)' 'pkt(4, 1305, df=1)' 'pkt(6, 1300)' 'pkt(6, 1305)'
	too_big 0 0
	run -1 wgvia check wg6
	grep '^warning: kernel: this kernel has no bpf_check_mtu() (Linux 5.12): in mode fast' <<<"$output"
	in_modes stack lan_is_narrow
}

# ---- offloads ----

# whole TEXT PORT VERDICT WORDS4 WORDS6: 64 KiB each, cut into segments only after wgvia.
whole() {
	local tcp4=$((47 * 40 + 65460)) tcp6=$((65 * 60 + 64940))
	remember_counters
	told "$1#1 in 47 pieces hops 63
$1#2 in 65 pieces hops 63
$1#3 hops 63
$1#4 in 2 pieces hops 63" "$2" "tcp(4, 65500, mss=1400, df=1, $4)" "tcp(6, 65000, mss=1000, $5)" "pkt(4, 99, $4)" \
		"tcp(4, 1041, mss=1000, $4)"
	grown_in_this_mode "$3" $((47 + 65 + 1 + 2)) $((tcp4 + tcp6 + 99 + 1081))
}

whole_udp() {
	remember_counters
	told "$1#1 in 65 pieces hops 63
$1#2 in 65 pieces hops 63" "$2" "udp(4, 65000, mss=1000, $4)" "udp(6, 65000, mss=1000, $5)"
	grown_in_this_mode "$3" $((65 + 65)) $((65 * 28 + 64972 + 65 * 48 + 64952))
}

grown_in_this_mode() {
	if [ $mode = stack ] && [ "$1" = returned ]; then
		grown "$1" 0 0
	elif [ $mode = stack ]; then
		grown retargeted "$2" "$3"
	else
		grown "$@"
	fi
}

both_ways() {
	"$1" "lan gw>fw " tun redirected '' ''
	"$1" "tun " lan returned "$BACK4" "$BACK6"
}

# A GSO packet of datagrams from a tun device: kernel 6.2.
need_gso_of_udp() {
	[[ $(wire tun 'udp(4, 3000, mss=1000)') != OSError* ]] || skip "kernel $(uname -r) takes no GSO of UDP from a device"
}

@test "GSO packets of 64 KiB pass complete and in order, and count once per segment" {
	mtus 1500 1500
	in_both_modes both_ways whole
	is "$(counter too_big)" 0
}

@test "GSO packets of UDP pass complete and in order, and count once per segment" {
	mtus 1500 1500
	need_gso_of_udp
	in_both_modes both_ways whole_udp
	is "$(counter too_big)" 0
}

# Also single segments, and segments that are too long by at most a link header, where some helpers are too lenient.
gso_does_not_fit_the_lan() {
	told "tun $WG4>$C1_4 frag-needed 1300 #1
tun $WG4>$C1_4 frag-needed 1300 #3
tun $WG6>$C1_6 too-big 1300 #4
tun $WG6>$C1_6 too-big 1300 #6
lan gw>fw #2 in 52 pieces hops 63
lan gw>fw #5 in 53 pieces hops 63" tun 'tcp(4, 65500, mss=1261, df=1)' 'tcp(4, 65500, mss=1260, df=1)' \
		'tcp(4, 1302, mss=1261, df=1)' 'tcp(6, 65500, mss=1241)' 'tcp(6, 65500, mss=1240)' 'tcp(6, 1302, mss=1241)'
}

gso_of_udp_does_not_fit_the_lan() {
	told "tun $WG4>$C1_4 frag-needed 1300 #1
tun $WG4>$C1_4 frag-needed 1300 #2
tun $WG6>$C1_6 too-big 1300 #3" tun 'udp(4, 9000, mss=1273, df=1)' 'udp(4, 1314, mss=1285, df=1)' 'udp(6, 1314, mss=1265)'
}

@test "a GSO packet whose segments do not fit the LAN is not forwarded" {
	mtus 9000 1300
	in_measuring_modes gso_does_not_fit_the_lan
}

@test "a GSO packet of UDP whose datagrams do not fit the LAN is not forwarded" {
	mtus 9000 1300
	need_gso_of_udp
	in_measuring_modes gso_of_udp_does_not_fit_the_lan
}

gso_does_not_fit_the_tunnel() {
	told "tun #2 in 48 pieces hops 63
tun #4 in 49 pieces hops 63
lan gw>svc $GW4>$SVC4 frag-needed 1420 #1
lan gw>svc $GW6>$SVC6 too-big 1420 #3" lan "tcp(4, 65500, mss=1381, df=1, $BACK4)" \
		"tcp(4, 65500, mss=1380, df=1, $BACK4)" "tcp(6, 65500, mss=1361, $BACK6)" "tcp(6, 65500, mss=1360, $BACK6)"
}

@test "a GSO packet whose segments do not fit the tunnel is not forwarded" {
	mtus 1420 1500
	in_measuring_modes gso_does_not_fit_the_tunnel
}

# Ten segments, each cut in two by the kernel; the fragments look alike, but all go to the firewall.
gso_is_fragmented() {
	wire tun 'tcp(4, 14040, mss=1400)' | sort | uniq -c >"$BATS_TEST_TMPDIR/frames"
	is "$(sed 's/^ *//' "$BATS_TEST_TMPDIR/frames")" \
		"10 lan gw>fw $C1_4>$SVC4 hops 63 protocol 6 length 1300
10 lan gw>fw $C1_4>$SVC4 hops 63 protocol 6 length 160"
}

@test "a GSO packet without DF that does not fit the LAN: all fragments go to the firewall" {
	mtus 9000 1300
	in_measuring_modes gso_is_fragmented
}

# ---- headers of every kind ----

# as_they_are COUNT PORT EXPRESSION: that many packets, out or back, byte for byte.
as_they_are() {
	local link="lan gw>fw "
	[ "$2" = tun ] || link="tun "
	told "$(seq -f "$link#%.0f hops 63" "$1")" "$2" "$3"
}

fragments_pass() {
	as_they_are 3 tun 'fragment(pkt(4, 4000), 1400)'
	as_they_are 3 tun 'fragment(pkt(4, 4000), 1400)[::-1]'
	as_they_are 1 tun 'fragment(pkt(4, 4000), 1400)[1]'
	as_they_are 3 lan "fragment(pkt(4, 4000, $BACK4), 1400)"
	as_they_are 1 lan "fragment(pkt(4, 4000, $BACK4), 1400)[2]"
	as_they_are 3 tun "$(fragments6 '')"
	as_they_are 3 tun "$(fragments6 '')[::-1]"
	as_they_are 1 tun "$(fragments6 '')[1]"
	as_they_are 3 lan "$(fragments6 "$BACK6")"
	as_they_are 1 lan "$(fragments6 "$BACK6")[2]"
}

fragments6() { # WORDS
	echo "(lambda p: fragment6(p / IPv6ExtHdrFragment(id=7) / p[UDP], 1400))(pkt(6, 4000, $1))" |
		sed 's|p / IPv6|IPv6(src=p.src, dst=p.dst, hlim=64) / IPv6|'
}

@test "fragments pass unchanged, the first and later ones, in any order" {
	mtus 1420 1500
	in_both_modes fragments_pass
}

@test "a fragment that is too big for the LAN is fragmented again, and all of it goes to the firewall" {
	mtus 9000 1300
	in_measuring_modes told "lan gw>fw #1 in 2 pieces hops 63
lan gw>fw #2 in 2 pieces hops 63
lan gw>fw #3 hops 63" tun 'fragment(pkt(4, 4000), 1480)'
}

extension_headers_pass() { # WORDS PORT
	as_they_are 8 "$2" "[IPv6($1, hlim=64) / chain / UDP(sport=1, dport=2) / octets(1200) for chain in (
		IPv6ExtHdrHopByHop(options=PadN(optdata=bytes(4))),
		IPv6ExtHdrDestOpt(options=PadN(optdata=octets(100))),
		IPv6ExtHdrRouting(type=4, segleft=0, addresses=['2001:db8:9::1']),
		IPv6ExtHdrRouting(type=2, segleft=1, addresses=['2001:db8:9::1']),
		IPv6ExtHdrFragment(id=1, offset=0, m=0),
		IPv6ExtHdrFragment(id=1, offset=160, m=1),
		IPv6ExtHdrHopByHop(options=PadN(optdata=bytes(4))) / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting(type=4, segleft=0),
		IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrFragment(id=1, m=1) / IPv6ExtHdrDestOpt(),
	)]"
}

extension_headers_pass_both_ways() {
	extension_headers_pass "$OUT6" tun
	extension_headers_pass "$BACK6" lan
}

@test "IPv6 extension headers pass as they are" {
	mtus 1420 1500
	in_both_modes extension_headers_pass_both_ways
}

# ip4_options PORT WORDS COUNT OPTIONS
ip4_options() {
	as_they_are "$3" "$1" "[IP($2, ttl=64, options=options) / UDP(sport=1, dport=2) / octets(1200)
		for options in ($4)]"
}

options_pass() {
	local every="[IPOption_NOP()] * 4, [IPOption_NOP()] * 40, [IPOption(b'\x94\x04\x00\x00')],
		[IPOption(b'\x5e\x06abcd'), IPOption_NOP()]"
	ip4_options tun "$OUT4" 4 "$every"
	ip4_options lan "$BACK4" 4 "$every"
	[ "$mode" = stack ] || # the kernel would write its address there
		ip4_options tun "$OUT4" 1 "[IPOption_RR(pointer=4, routers=['0.0.0.0'] * 9)],"
}

@test "IPv4 options pass as they are" {
	mtus 1420 1500
	in_both_modes options_pass
}

options_and_limits() {
	local ip="IP(src='$C1_4', dst='$SVC4', flags='DF', options=[IPOption_NOP()] * 40"
	told "tun $WG4>$C1_4 time-exceeded #1
tun $WG4>$C1_4 frag-needed 1300 #2
lan gw>fw #3 hops 63" tun "$ip, ttl=1) / UDP() / octets(100)" "$ip, ttl=64) / UDP() / octets(1233)" \
		"$ip, ttl=64) / UDP() / octets(1232)"
}

@test "IPv4 options: Time Exceeded and Fragmentation Needed work as well" {
	mtus 9000 1300
	in_measuring_modes options_and_limits
}

# ---- the gateway's own ----

own_traffic() {
	remember_counters
	told "lan gw>fw #1
lan gw>fw #2
lan gw>svc #3
lan gw>svc #4" own "pkt(4, src='$WG4')" "pkt(6, src='$WG6')" "pkt(4, src='$GW4')" "pkt(6, src='$GW6')"
	grown retargeted 2 200
	remember_counters
	told "lan gw>fw #1 in 3 pieces
lan gw>fw #2 in 3 pieces
lan gw>svc #3 in 3 pieces
lan gw>svc #4 in 3 pieces" own "pkt(4, 3000, src='$WG4')" "pkt(6, 3000, src='$WG6')" "pkt(4, 3000, src='$GW4')" \
		"pkt(6, 3000, src='$GW6')"
	grown retargeted 6 $((3000 + 2 * 20 + 3000 + 2 * 40 + 3 * 8))
}

@test "the gateway's own datagrams from the VPN prefix go to the firewall, in one piece or in many" {
	mtus 1420 1500
	in_both_modes own_traffic
}

# Packets that connection tracking has reassembled leave in fragments again. This is the last test here, because an old
# kernel, such as 5.10, keeps reassembling when no rule needs it any more.
defragmented() {
	[ "$mode" = stack ] || return 0
	in_ns "$NS_GW" nft -f - <<-END
		table inet gateway {
			chain forward {
				type filter hook forward priority filter; policy accept;
				ct state new counter
			}
		}
	END
	as_they_are 3 tun 'fragment(pkt(4, 4000), 1400)'
	told "lan gw>fw $C1_6>$SVC6 hops 63 protocol 44 length 1400
lan gw>fw $C1_6>$SVC6 hops 63 protocol 44 length 1400
lan gw>fw $C1_6>$SVC6 hops 63 protocol 44 length 1304" tun "$(fragments6 '')" # with another identification
}

@test "mode stack: fragments that the gateway's connection tracking has seen go to the firewall" {
	mtus 1420 1500
	in_both_modes defragmented
}
