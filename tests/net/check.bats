#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `wgvia check`: a clean gateway, where it finds nothing; then one thing after another is put wrong, and it finds exactly
# that. Where a finding names a command, the command is run, and the finding goes away. What needs another kernel (the
# finding "kernel") is not here.

# shellcheck disable=SC2086 # addresses are words
# shellcheck disable=SC2153 # the topology's variables
# shellcheck disable=SC2030,SC2031 # each test has its own PATH

load ../lib/check.bash

# ---- the clean gateway, and the two forms of output ----

@test "a clean gateway: nothing, before the first up, after it, and after down" {
	run -0 wgvia check wg6
	is "$output" "wg6: nothing found"
	run -0 wgvia -j check wg6
	is "$output" '{"interface":"wg6","running":false,"findings":[]}'
	for mode in fast stack; do
		for kind in tcx clsact; do
			[ $kind = clsact ] || "$TCX" probe || continue
			WGVIA_ATTACH=$kind up mode $mode
			run -0 wgvia check wg6
			is "$output" "wg6: nothing found"
			run -0 wgvia -j check wg6
			is "$output" '{"interface":"wg6","running":true,"findings":[]}'
		done
	done
	wgvia down wg6
	finds ""
}

@test "it changes nothing" {
	local before
	before=$(state)
	look
	is "$(state)" "$before"
	up
	before=$(state)
	look
	is "$(state)" "$before"
}

@test "text and JSON say the same, errors first" {
	up
	ip -n "$NS_GW" link set wg6 mtu 1501
	ip -n "$NS_GW" link add docker0 type bridge
	ip -n "$NS_GW" address add 172.17.0.1/16 dev docker0
	ip -n "$NS_GW" link set docker0 up
	finds "attachment bypass mtu reach"
	is "$(jq -r '[.findings[].severity] | join(" ")' <<<"$output")" "error warning warning info"
	is "$(jq -c 'keys' <<<"$output")" '["findings","interface","running"]'
	is "$(jq -c '[.findings[] | keys] | unique' <<<"$output")" '[["accepted","evidence","name","remedy","severity"]]'
	local json=$output
	run -1 wgvia check wg6
	is "$output" "$(jq -r '.findings[] | "\(.severity): \(.name): \(.evidence)", (.remedy | select(. != "") | "    \(.)")' \
		<<<"$json")"
}

@test "bad usage" {
	run -2 wgvia check
	run -2 wgvia check wg6 more
	run -2 wgvia check a-name-that-is-too-long
}

# ---- what makes all the rest pointless: plan, bpffs, pins ----

@test "plan: no such interface, no address, no gateway" {
	finds plan wg7
	severity plan error
	tells plan "no such device"
	provoked plan ip -n "$NS_GW" address flush dev wg6
	tells plan "has no address"
	wire_address wg6 $WG4/16 $WG6/50
	provoked plan eval "ip -n '$NS_GW' route delete default && ip -n '$NS_GW' route delete ::/0"
	tells plan "no gateway"
}

@test "bpffs: pins in a folder that is none, and a process that does not see it" {
	mkdir "$BATS_TEST_TMPDIR/pins"
	PIN_DIR=$BATS_TEST_TMPDIR/pins finds bpffs
	severity bpffs error
	up
	run -1 ip netns exec "$NS_GW" "$WGVIA" --pin-dir "$PIN_DIR" -j check wg6
	tells bpffs "no bpffs is mounted"
	severity bpffs warning
}

@test "mss: a number that is more than an MTU has room for" {
	local auto='mss auto'
	kernel_can check_mtu || auto='mss 1360'
	ip -n "$NS_GW" link set wg6 mtu 1420
	up mss 1360
	finds ""
	up mss 1361
	finds mss
	severity mss warning
	tells mss "'mss 1361' is more than dev wg6 with mtu 1420 has room for, which is 1360 in IPv6"
	mend mss
	finds ""
	is "$(wgvia save wg6 | grep ^mss)" "$auto"
	wgvia up wg6 from $VPN4 via $FW4 mss 1380 >/dev/null
	look
	is "$(remedy mss)" ""
	wgvia up wg6 from $VPN4 via $FW4 mss 1381 >/dev/null
	look
	tells mss "which is 1380 in IPv4"
	# the LAN's MTU is the smaller one
	ip -n "$NS_GW" link set wg6 mtu 1500
	ip -n "$NS_GW" link set ens3 mtu 1400
	wgvia up wg6 from $VPN4 via $FW4 mss 1361 >/dev/null
	look
	tells mss "dev ens3 with mtu 1400"
	ip -n "$NS_GW" link set ens3 mtu 1500
}

@test "pins: damaged ones, and those of another namespace" {
	up
	provoked pins rm "$PIN_DIR/wg6/bypass4"
	severity pins error
	tells pins "damaged"
	up
	finds ""
	ip netns add "$NS_C1"
	ip -n "$NS_C1" link add wg6 type bridge
	NS_GW=$NS_C1 finds pins
	tells pins "another network namespace"
	finds ""
}

# ---- devices ----

@test "device: down, without a carrier" {
	for mode in fast stack; do
		up mode $mode
		ip -n "$NS_LAN" link set lan down
		poll 5 no_carrier
		finds device
		severity device error
		tells device "no carrier"
		ip -n "$NS_LAN" link set lan up
		poll 5 finds ""
	done
	# An address is kept over that, so that the list stays right.
	gw sysctl -qw net.ipv6.conf.all.keep_addr_on_down=1 net.ipv6.conf.ens3.keep_addr_on_down=1
	ip -n "$NS_GW" link set ens3 down
	look
	tells device "ens3 is down"
	mend device
	lan_again ens3
	poll 5 finds ""
	ip -n "$NS_GW" link set wg6 down
	look
	tells device "wg6 is down"
	mend device
	look
	run ! tells device "wg6"
}

# lan_again DEVICE: what went while it was down.
lan_again() {
	wire_neighbours $1 $FW_MAC $FW4 $FW6
	ip -n "$NS_GW" route replace default via $FW4 dev $1
	ip -n "$NS_GW" route replace ::/0 via $FW6 dev $1
}

no_carrier() {
	ip -n "$NS_GW" link show ens3 | grep -q NO-CARRIER
}

@test "mtu: the tunnel's is larger than the LAN's" {
	for state in before fast stack; do
		[ $state = before ] || up mode $state
		provoked mtu ip -n "$NS_GW" link set wg6 mtu 1501
		severity mtu warning
		mend mtu
		finds ""
	done
}

@test "mtu: too small for IPv6" {
	wgvia up wg6 "${WORDS6[@]}"
	ip -n "$NS_GW" link set wg6 mtu 1280
	ip -n "$NS_GW" link set ens3 mtu 1279
	look
	severity mtu error
	tells mtu "IPv6 needs 1280"
	ip -n "$NS_GW" link set wg6 mtu 1200
	finds "bypass mtu mtu outside" # the addresses have gone with it
	mend mtu
	look
	mend mtu
	wire_address wg6 $WG6/50
	wire_address ens3 $GW6/64
	wire_neighbours ens3 $FW_MAC $FW6
	finds outside # IPv4
}

@test "mtu: too small to be looked at" {
	wgvia up wg6 "${WORDS4[@]}"
	ip -n "$NS_GW" -6 address flush dev ens3
	ip -n "$NS_GW" -6 address flush dev wg6
	wgvia up wg6 "${WORDS4[@]}"
	ip -n "$NS_GW" link set wg6 mtu 576
	provoked "mtu mtu" ip -n "$NS_GW" link set ens3 mtu 575
	severity mtu error
	tells mtu "575"
	mend mtu
	finds ""
}

# ---- sysctls ----

@test "forwarding: off for all, off for a device" {
	for mode in fast stack; do
		up mode $mode
		provoked forwarding gw sysctl -qw net.ipv4.ip_forward=0
		severity forwarding "$([ $mode = fast ] && echo warning || echo error)"
		tells forwarding net.ipv4.ip_forward
		mend forwarding
		for dev in wg6 ens3; do
			provoked forwarding gw sysctl -qw net.ipv4.conf.$dev.forwarding=0
			tells forwarding $dev
			mend forwarding
		done
		finds ""
		gw sysctl -qw net.ipv6.conf.all.forwarding=0
		finds "bypass forwarding" # a host that is no router has no subnet-router anycast addresses
		tells forwarding net.ipv6.conf.all.forwarding
		mend forwarding
		finds ""
		gw sysctl -qw net.ipv6.conf.ens3.forwarding=0 # it still forwards
		finds bypass
		gw sysctl -qw net.ipv6.conf.ens3.forwarding=1
	done
	# of a family that has no prefix, nothing
	wgvia up wg6 "${WORDS6[@]}"
	gw sysctl -qw net.ipv4.ip_forward=0
	finds ""
	wgvia up wg6 "${WORDS4[@]}"
	gw sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=0
	finds ""
}

@test "forwarding and rp_filter: a device with a dot in its name" {
	gw sysctl -qw net.ipv6.conf.all.keep_addr_on_down=1 net.ipv6.conf.ens3.keep_addr_on_down=1
	ip -n "$NS_GW" link set ens3 down
	ip -n "$NS_GW" link set ens3 name ens3.7
	ip -n "$NS_GW" link set ens3.7 up
	lan_again ens3.7
	ip -n "$NS_GW" route add 198.51.100.0/24 dev lo
	poll 5 finds ""
	gw sysctl -qw net/ipv4/conf/ens3.7/forwarding=0 net/ipv4/conf/ens3.7/rp_filter=1
	finds "forwarding rp_filter"
	mend forwarding
	mend rp_filter
	finds ""
}

@test "rp_filter: strict, where another device has routes" {
	gw sysctl -qw net.ipv4.conf.all.rp_filter=1
	for state in before fast stack; do
		[ $state = before ] || up mode $state
		finds "" # one LAN alone: nothing comes from where it is not expected
	done
	ip -n "$NS_GW" route add 198.51.100.0/24 dev lo
	for mode in fast stack; do
		up mode $mode
		finds rp_filter
		severity rp_filter warning
		mend rp_filter
		provoked rp_filter gw sysctl -qw net.ipv4.conf.ens3.rp_filter=0
		gw sysctl -qw net.ipv4.conf.ens3.rp_filter=2 # loose wins
		finds ""
		gw sysctl -qw net.ipv4.conf.ens3.rp_filter=1
	done
	wgvia up wg6 "${WORDS6[@]}"
	finds outside
}

# ---- the firewall ----

neighbour_failed() {
	ip -n "$NS_GW" neighbour show $1 dev ens3 | grep -q FAILED
}

ask_in_vain() {
	ip -n "$NS_GW" neighbour delete $1 dev ens3
	run gw ping -c 1 -W 1 $1
	poll 5 neighbour_failed $1
}

@test "neighbour: the firewall does not answer" {
	gw sysctl -qw net.ipv4.neigh.ens3.{retrans_time_ms=20,ucast_solicit=1} net.ipv6.neigh.ens3.retrans_time_ms=20
	for state in before fast stack; do
		[ $state = before ] || up mode $state
		provoked neighbour ask_in_vain $FW4
		severity neighbour error
		tells neighbour "FAILED"
		# it comes back
		ip -n "$NS_LAN" address add $FW4/24 dev lan
		mend neighbour
		finds ""
		ip -n "$NS_LAN" address delete $FW4/24 dev lan
		wire_neighbours ens3 $FW_MAC $FW4
	done
	provoked neighbour ask_in_vain $FW6
	tells neighbour $FW6
}

@test "neighbour: one that is being asked for is given a moment" {
	gw sysctl -qw net.ipv4.neigh.ens3.retrans_time_ms=20000
	ip -n "$NS_GW" neighbour delete $FW4 dev ens3
	run gw ping -c 1 -W 0.1 $FW4
	ip -n "$NS_GW" neighbour show $FW4 dev ens3 | grep INCOMPLETE
	finds neighbour
	tells neighbour INCOMPLETE
}

# ---- what is attached ----

many_bridges() {
	seq 256 | sed 's/.*/link add br& type bridge\nlink set br& up/' | ip -n "$NS_GW" -batch -
}

@test "left_out: more devices than an instance can be attached to" {
	provoked left_out many_bridges
	severity left_out warning
	tells left_out br256
	up
	finds left_out
	ip -n "$NS_GW" link set br256 down
	finds ""
}

@test "attachment: a link that was detached" {
	attach_type tcx
	for mode in fast stack; do
		up mode $mode bypass 192.0.2.128/25 on-fail pass
		for place in out/wg6 back/ens3 egress/ens3; do
			[ $mode = fast ] || [ $place = egress/ens3 ] || continue
			provoked attachment detach $place
			severity attachment error
			tells attachment "the ${place%/*} program is not attached to dev ${place#*/}"
			mend attachment
			finds ""
		done
		is "$(wgvia -j show wg6 | jq -r '"\(.mode) \(.on_fail)"')" "$mode pass"
		wgvia show wg6 | grep -F 192.0.2.128/25
	done
}

detach() { # DIRECTION/DEVICE
	local pin
	pin=$(gw bash -c "echo '$PIN_DIR'/wg6/tcx_${1%/*}_\$(ip -o link show ${1#*/} | cut -d: -f1)")
	bpftool link detach pinned "$pin"
}

@test "attachment: a filter that was deleted, and one of somebody else in its place" {
	attach_type clsact
	for mode in fast stack; do
		up mode $mode
		for place in ingress/wg6 ingress/ens3 egress/ens3; do
			[ $mode = fast ] || [ $place = egress/ens3 ] || continue
			provoked attachment gw tc filter delete dev ${place#*/} ${place%/*}
			tells attachment "is not attached to dev ${place#*/}"
			mend attachment
			finds ""
		done
	done
	provoked attachment gw tc qdisc delete dev ens3 clsact
	mend attachment
	finds ""
}

@test "attachment: a device that came after up" {
	for mode in fast stack; do
		up mode $mode
		provoked attachment eval "ip -n '$NS_GW' link add br0 type bridge && ip -n '$NS_GW' link set br0 up"
		tells attachment "br0"
		mend attachment
		finds ""
		ip -n "$NS_GW" link delete br0
		finds ""
	done
	# down, or another one's port: nothing can leave there by itself
	ip -n "$NS_GW" link add br0 type bridge
	finds ""
	ip -n "$NS_GW" link set br0 up
	mend_after_look attachment
	ip -n "$NS_GW" link add port0 type veth peer name far0
	ip -n "$NS_GW" link set port0 master br0 up
	finds ""
}

mend_after_look() {
	look
	mend "$1"
	finds ""
}

@test "attachment: with too many words for a remedy, it says so" {
	local words=("${WORDS[@]}") n
	for n in {1..20}; do
		words+=(from "10.6.$n.0/24" via "$FW4" dev ens3)
	done
	wgvia up wg6 "${words[@]}"
	provoked attachment eval "ip -n '$NS_GW' link add br0 type bridge && ip -n '$NS_GW' link set br0 up"
	is "$(remedy attachment)" "wgvia up wg6, with the words that it was started with"
}

# programs_before OURS THEIRS
programs_before() {
	attach_type "$1"
	for mode in fast stack; do
		up mode $mode
		for place in wg6/ingress ens3/ingress ens3/egress; do
			[ $mode = fast ] || [ $place = ens3/egress ] || continue
			provoked program_before foreign_add "$2" ${place%/*} ${place#*/} 5
			severity program_before warning
			tells program_before "'foreign'"
			tells program_before "at dev ${place%/*}"
			rm -rf "$FOREIGN"
			[ "$2" = tcx ] || gw tc filter delete dev ${place%/*} ${place#*/} prio 5
			poll 5 finds ""
		done
	done
}

@test "program_before: theirs tcx, ours tcx" {
	programs_before tcx tcx
}

@test "program_before: theirs tcx, ours clsact" {
	"$TCX" probe || skip "kernel $(uname -r) has no tcx"
	programs_before clsact tcx
}

@test "program_before: theirs clsact, ours clsact" {
	programs_before clsact clsact
}

@test "program_before: a filter that is no BPF; not one behind ours, at the other hook, or below tcx" {
	attach_type clsact
	up mode stack
	provoked program_before gw tc filter add dev ens3 egress prio 7 protocol ip u32 match u32 0 0 classid 1:1
	tells program_before "'u32'"
	gw tc filter delete dev ens3 egress prio 7
	foreign_add clsact wg6 ingress 5
	finds ""
	foreign_add clsact ens3 egress 40000
	finds ""
	gw tc filter delete dev ens3 egress prio 40000
	gw tc filter delete dev wg6 ingress prio 5
	rm -rf "$FOREIGN"
	"$TCX" probe || return 0
	attach_type tcx
	up
	foreign_add clsact ens3 egress 5
	finds ""
}

@test "program_before: another instance's programs are none" {
	ip -n "$NS_GW" link add vpn0 type veth peer name far0
	ip -n "$NS_GW" link set far0 netns "$NS_LAN" up
	ip -n "$NS_GW" link set vpn0 up
	ip -n "$NS_GW" address add 10.7.0.1/16 dev vpn0
	wgvia up vpn0 from 10.7.0.0/16 via $FW4 dev ens3
	wgvia up wg6 "${WORDS[@]}" bypass 10.7.0.0/16
	finds ""
	finds reach vpn0 # wg6's prefix
	severity reach info
}

# ---- what is in the maps ----

# scribble IFINDEX FAMILY ADDRESS FLAGS: into the value of 10.6.0.0/16; the last three in hexadecimal.
scribble() {
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key hex 10 00 00 00 0a 06 00 00 \
		value hex "$(printf %02x $(($1 & 255)))" "$(printf %02x $(($1 >> 8)))" 00 00 "$2" 00 00 00 \
		$3 00 00 00 00 00 00 00 00 00 00 00 00 "$4" 00 00 00
}

@test "value: those that the packet path cannot use" {
	local dev
	dev=$(ip -n "$NS_GW" -o link show ens3 | cut -d: -f1)
	for mode in fast stack; do
		up mode $mode
		while read -r ifindex family address flags why; do
			provoked value scribble $ifindex $family "${address//:/ }" $flags
			severity value error
			tells value "$why"
			eval "$(remedy value | sed "s/ADDRESS/$FW4/; s/DEV/ens3/")"
			finds ""
		done <<-END
			0    02 c0:00:02:01 00 no device
			9999 02 c0:00:02:01 00 device no longer exists
			$dev 07 c0:00:02:01 00 unknown address family
			$dev 02 e0:00:00:01 00 multicast
			$dev 02 7f:00:00:01 00 not a gateway address
			$dev 02 c0:00:02:02 00 own
			$dev 02 c0:00:02:01 01 marked down
			$dev 02 c0:00:02:01 80 unknown flags
			1    02 c0:00:02:01 00 is not attached
		END
	done
}

@test "value: an IPv6 prefix with an IPv4 next hop, and a mode that is none" {
	local dev meta
	dev=$(ip -n "$NS_GW" -o link show ens3 | cut -d: -f1)
	up
	provoked value bpftool map update pinned "$PIN_DIR/wg6/prefixes6" \
		key hex 32 00 00 00 20 01 0d b8 00 01 00 00 00 00 00 00 00 00 00 00 \
		value hex "$(printf %02x $dev)" 00 00 00 02 00 00 00 c0 00 02 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
	tells value "IPv6 prefix with an IPv4 next hop"
	up
	meta=$(bpftool -j map lookup pinned "$PIN_DIR/wg6/meta" key 0 0 0 0 | jq -r '.value | .[8] = "0x07" | join(" ")')
	provoked value bpftool map update pinned "$PIN_DIR/wg6/meta" key 0 0 0 0 value $meta
	tells value "names no mode"
	mend value
	finds ""
}

@test "sources: prefixes that follow addresses, and nobody has followed them" {
	for outside in pass drop; do
		wgvia up wg6 from addresses via $FW4 from addresses via $FW6 outside $outside
		finds ""
		provoked "bypass sources" ip -n "$NS_GW" address add 10.16.0.1/16 dev wg6
		severity sources warning
		tells sources "'from addresses' stands for '10.16.0.0/16' now, which is not in force"
		mend sources
		finds ""
		provoked "bypass sources" ip -n "$NS_GW" address delete 10.16.0.1/16 dev wg6
		severity sources info
		tells sources "'10.16.0.0/16' is in force, and 'from addresses' no longer stands for it"
		mend sources
		finds ""
	done
}

@test "bypass: behind the host's addresses and routes" {
	for mode in fast stack; do
		up mode $mode
		for address in 192.0.2.77/24 2001:db8:2::77/64; do
			provoked bypass ip -n "$NS_GW" address add $address dev ens3
			severity bypass warning
			tells bypass "'${address%/*}/"
			tells bypass "it lacks"
			mend bypass
			provoked bypass ip -n "$NS_GW" address delete $address dev ens3
			tells bypass "which this host no longer does"
			mend bypass
			finds ""
		done
		provoked bypass ip -n "$NS_GW" route add 10.6.0.9/32 dev ens3
		tells bypass "'10.6.0.9/32' (redirected)"
		mend bypass
		provoked bypass ip -n "$NS_GW" route delete 10.6.0.9/32 dev ens3
		mend bypass
		finds ""
	done
	wgvia bypass add wg6 203.0.113.0/24 # the administrator's own
	finds ""
}

# ---- routing ----

@test "rule: the second-table recipe, left over" {
	for state in before fast stack; do
		[ $state = before ] || up mode $state
		for rule in "-4 rule add from $VPN4 table 6666" "-6 rule add from $VPN6 table 6666" \
			"-4 rule add from 10.6.1.0/24 table 6666 priority 77" "-4 rule add from 10.0.0.0/8 table 6666"; do
			provoked rule ip -n "$NS_GW" $rule
			severity rule warning
			tells rule "table 6666"
			mend rule
			finds ""
		done
	done
	# somebody else's, and one that changes nothing
	ip -n "$NS_GW" rule add from 10.7.0.0/16 table 6666
	ip -n "$NS_GW" rule add from $VPN4 table main
	finds ""
}

@test "rule: systemd-networkd will delete it" {
	ip -n "$NS_GW" rule add from $VPN4 table 6666
	finds rule
	run ! tells rule systemd-networkd
	# shellcheck disable=SC2016 # the inner shell's variables
	run gw unshare --mount sh -c 'mount -t tmpfs wgvia /run && mkdir -p /run/systemd/netif &&
		touch /run/systemd/netif/state && exec "$0" --pin-dir "$1" -j check wg6' "$WGVIA" "$PIN_DIR"
	tells rule systemd-networkd
}

@test "wg-quick's own rules and chains are no finding" {
	ip -n "$NS_GW" rule add not fwmark 51820 table 51820
	ip -n "$NS_GW" rule add table main suppress_prefixlength 0
	ip -n "$NS_GW" -6 rule add not fwmark 51820 table 51820
	gw nft -f - <<-END
		table ip wg-quick-wg6 {
			chain preraw {
				type filter hook prerouting priority raw; policy accept;
				iifname != "wg6" ip daddr $WG4 fib saddr type != local drop
			}
			chain premangle {
				type filter hook prerouting priority mangle; policy accept;
				meta l4proto udp meta mark set ct mark
			}
			chain postmangle {
				type filter hook postrouting priority mangle; policy accept;
				meta l4proto udp meta mark 0x0000ca6c ct mark set meta mark
			}
		}
	END
	for state in before fast stack; do
		[ $state = before ] || up mode $state
		finds ""
	done
}

@test "reach: a container network" {
	network docker0 172.17.0.1/16 2001:db8:17::1/64
	finds reach # and nothing to be told before the first up but that
	severity reach info
	for mode in fast stack; do
		up mode $mode
		finds reach
		tells reach "docker0"
		mend reach
		look
		mend reach
		finds ""
	done
	# a wider one of the administrator's
	up bypass 172.16.0.0/12 bypass 2001:db8:10::/44
	finds ""
	wgvia up wg6 "${WORDS6[@]}"
	finds "outside reach"
	tells reach 2001:db8:17::/64
	run ! tells reach 172.17
}

@test "reach: many routes are one finding" {
	network docker0 172.17.0.1/16
	seq 200 | sed 's,.*,route add 172.20.&.0/24 dev docker0,' | ip -n "$NS_GW" -batch -
	up
	finds reach
	tells reach "'172.17.0.0/16' and 200 more"
}

@test "reach: a network inside a route into the tunnel" {
	up from 10.128.0.0/9 via $FW4 from 172.16.0.0/12 via $FW4
	ip -n "$NS_GW" route add 172.16.0.0/12 dev wg6
	ip -n "$NS_GW" route add 10.128.0.0/9 dev wg6
	network docker0 172.17.0.1/16
	wgvia up wg6 "${WORDS[@]}" from 10.128.0.0/9 via $FW4 from 172.16.0.0/12 via $FW4
	finds "own_address reach"
	tells reach "'172.17.0.0/16'"
	tells own_address "the address '172.17.0.1' of dev docker0 is in the prefix '172.16.0.0/12'"
	is "$(remedy own_address)" "$(remedy reach)"
	mend own_address
	finds ""
}

@test "outside: what is routed into the tunnel, or an address of it, and in no prefix" {
	local mode
	for mode in fast stack; do
		up mode $mode
		ip -n "$NS_GW" route add 172.20.5.0/24 dev wg6
		finds "bypass outside"
		severity outside error
		tells outside "'172.20.5.0/24'"
		mend outside
		finds ""
		ip -n "$NS_GW" address add 172.20.6.1/32 dev wg6
		finds "bypass outside"
		tells outside "'172.20.6.1/32'"
		mend outside
		finds ""
		ip -n "$NS_GW" address delete 172.20.6.1/32 dev wg6
		ip -n "$NS_GW" route delete 172.20.5.0/24 dev wg6
	done
	# of the other family
	wgvia up wg6 "${WORDS4[@]}"
	finds outside
	tells outside "'$VPN6'"
	mend outside
	finds ""
	# one with a LAN in it is not named as a whole: this host's own address there would be in the prefix
	ip -n "$NS_GW" route add 192.0.0.0/8 dev wg6
	up
	finds outside
	tells outside "'192.0.0.0/8'"
	is "$(jq -r '.findings[] | select(.name == "outside") | .remedy' <<<"$output")" \
		"wgvia route add wg6 from PREFIX, for each network of '192.0.0.0/8' in the tunnel"
}

@test "outside: before the first up, and of two prefixes that cover one route" {
	ip -n "$NS_GW" route add 172.20.4.0/23 dev wg6
	finds outside
	wgvia up wg6 "${WORDS[@]}" from 172.20.4.0/24 via $FW4 from 172.20.5.0/24 via $FW4
	finds ""
}

@test "no_route: a prefix that the kernel does not send into the tunnel" {
	local mode
	for mode in fast stack; do
		wgvia up wg6 "${WORDS[@]}" from 172.20.5.0/24 via $FW4 mode $mode
		finds no_route
		severity no_route warning
		tells no_route "'172.20.5.0/24'"
		mend no_route
		finds bypass
		mend bypass
		finds ""
		ip -n "$NS_GW" route delete 172.20.5.0/24 dev wg6
	done
}
