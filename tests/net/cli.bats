#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The command line on a real system: what it refuses, with which line and status, and that a refusal changes nothing;
# its messages, and that they are true. tests/unit covers the words alone.

# shellcheck disable=SC2016,SC2086,SC2153,SC2154 # addresses are words; `run` sets $status, $output, $stderr_lines

load ../lib/net.bash

# Additional devices that a test may create.
teardown() {
	local dev
	for dev in wg7 wg.8; do
		"$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" down $dev || rm -rf "${PIN_DIR:?}/"wg[7%]*
		ip -n "$NS_GW" link delete $dev 2>/dev/null || true
	done
	ip -n "$NS_SVC" link delete wg6 2>/dev/null || true
	sweep "$NS_GW" wg6
}

# tunnel_add NAMESPACE DEVICE ADDRESS/LENGTH: a device that looks like a tunnel, without a peer.
tunnel_add() {
	ip -n "$1" tuntap add "$2" mode tun
	ip -n "$1" address add "$3" dev "$2"
	ip -n "$1" link set "$2" up
}

# complains STATUS: `run` printed one line, and at most a hint; nothing on stdout.
complains() {
	is "$status" "$1"
	is "$output" ""
	[[ "${stderr_lines[0]}" == "wgvia: "* ]] || is "${stderr_lines[0]}" "wgvia: ..."
	if [ ${#stderr_lines[@]} -gt 1 ]; then
		is "${#stderr_lines[@]}" 2
		[[ "${stderr_lines[1]}" == "hint: "* ]] || is "${stderr_lines[1]}" "hint: ..."
	fi
}

# refused STATUS WORD ARGUMENT...: that complaint contains WORD, and the system is unchanged.
refused() {
	local expected=$1 word=$2 before
	shift 2
	before=$(state)
	echo "wgvia $*"
	run --separate-stderr wgvia "$@"
	complains "$expected"
	[[ "${stderr_lines[0]}" == *"$word"* ]] || is "${stderr_lines[0]}" "...$word..."
	is "$(state)" "$before"
}

# refusals: all that need no instance; they are the same beside a running one.
refusals() {
	# the command line itself
	refused 2 frobnicate frobnicate wg6
	refused 2 --frobnicate --frobnicate
	refused 2 IFACE up
	refused 2 sideways up wg6 sideways
	refused 2 from up wg6 from
	refused 2 via up wg6 from $VPN4 via
	refused 2 sideways up wg6 mode sideways
	refused 2 maybe up wg6 on-fail maybe
	refused 2 twice up wg6 "${WORDS4[@]}" "${WORDS4[@]}"
	refused 2 '' stats wg6 wg7
	refused 2 '' down
	refused 2 '' route
	refused 2 '' route frobnicate wg6 from $VPN4

	# names
	refused 2 wg6789012345678x up wg6789012345678x "${WORDS4[@]}"
	refused 2 a/b up a/b "${WORDS4[@]}"
	refused 2 ens3456789012345 up wg6 from $VPN4 via $FW4 dev ens3456789012345
	refused 1 "cannot use 'wg99': no such device" up wg99
	refused 1 ens99 up wg6 from $VPN4 via $FW4 dev ens99

	# prefixes
	refused 2 10.6.0.0/16 up wg6 from 10.6.0.1/16 via $FW4 dev ens3
	refused 2 2001:db8:1::/50 up wg6 from 2001:db8:1::1/50 via $FW6 dev ens3
	refused 2 10.6.0.0/33 up wg6 from 10.6.0.0/33 via $FW4 dev ens3
	refused 2 2001:db8::/129 up wg6 from 2001:db8::/129 via $FW6 dev ens3
	refused 2 10.6.0.0/ up wg6 from 10.6.0.0/ via $FW4 dev ens3
	refused 2 10.6.0.0/-1 up wg6 from 10.6.0.0/-1 via $FW4 dev ens3
	refused 2 10.6.0/16 up wg6 from 10.6.0/16 via $FW4 dev ens3
	refused 2 nonsense up wg6 from nonsense via $FW4 dev ens3
	refused 2 multicast up wg6 from 224.0.0.0/4 via $FW4 dev ens3
	refused 2 multicast up wg6 from ff00::/8 via $FW6 dev ens3
	refused 2 link-local up wg6 from fe80::/64 via $FW6 dev ens3
	refused 2 10.0.0.0/8 up wg6 "${WORDS4[@]}" bypass 10.0.0.1/8

	# gateways
	refused 2 IPv4 up wg6 from $VPN6 via $FW4 dev ens3
	refused 2 multicast up wg6 from $VPN4 via 224.0.0.1 dev ens3
	refused 2 multicast up wg6 from $VPN6 via ff02::1 dev ens3
	refused 2 fe80::1 up wg6 from $VPN6 via fe80::1
	refused 2 wg6 up wg6 from $VPN6 via $FW6 dev wg6
	refused 1 $GW4 up wg6 from $VPN4 via $GW4 dev ens3
	refused 1 $GW6 up wg6 from $VPN6 via $GW6 dev ens3
	refused 1 $WG4 up wg6 from $VPN4 via $WG4
	refused 1 $INET4 up wg6 from $VPN4 via $INET4 dev ens3
	refused 1 $INET6 up wg6 from $VPN6 via $INET6 dev ens3
	refused 1 $C1_4 up wg6 from $VPN4 via $C1_4

	# all or nothing: one bad word among good ones
	refused 1 $INET6 up wg6 "${WORDS4[@]}" from $VPN6 via $INET6 dev ens3

	# places
	refused 1 nowhere -n nowhere show wg6
}

@test "refused with a clear line, and nothing is changed" {
	refusals
	nothing_left
}

@test "refused beside a running instance, which stays as it is" {
	wgvia up wg6 "${WORDS[@]}" bypass 198.18.0.0/15
	refusals
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
}

@test "refused without an instance: show, stats, route and bypass of it" {
	refused 1 wg6 show wg6
	refused 1 wg6 stats wg6
	refused 1 wg6 route add wg6 "${WORDS4[@]}"
	refused 1 wg6 route replace wg6 "${WORDS4[@]}"
	refused 1 wg6 route del wg6 from $VPN4
	refused 1 wg6 bypass add wg6 198.18.0.0/15
	refused 1 wg6 bypass del wg6 198.18.0.0/15
}

@test "refused without root" {
	cp "$WGVIA" "$BATS_TEST_TMPDIR/wgvia" # in a place where anybody may run it
	chmod -R a+rX "$BATS_RUN_TMPDIR"
	run --separate-stderr in_ns "$NS_GW" setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$BATS_TEST_TMPDIR/wgvia" up wg6 "${WORDS4[@]}"
	complains 1
	[[ "${stderr_lines[*]}" == *root* ]] || is "${stderr_lines[*]}" "...root..."
}

@test "refused: pins that belong to another network namespace's interface" {
	local before
	wgvia up wg6 "${WORDS[@]}"
	tunnel_add "$NS_SVC" wg6 10.7.0.1/16
	before=$(state)
	local words
	for words in "up wg6 from 10.7.0.0/16 via $FW4 dev eth0" "route add wg6 from 10.7.0.0/16 via $FW4 dev eth0" \
		"bypass add wg6 198.18.0.0/15" "down wg6"; do
		echo "wgvia $words"
		run --separate-stderr "$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_SVC" $words
		complains 1
		[[ "${stderr_lines[*]}" == *namespace* ]] || is "${stderr_lines[*]}" "...namespace..."
		is "$(state)" "$before"
	done
}

@test "two namespaces, each with a wg6, with separate pins" {
	local other="$WGVIA --pin-dir $PIN_DIR/other -n $NS_SVC"
	wgvia up wg6 "${WORDS[@]}"
	tunnel_add "$NS_SVC" wg6 10.7.0.1/16
	$other up wg6 from 10.7.0.0/16 via $FW4 dev eth0
	answers "$NS_C1" $SVC4 service $C1_4
	is "$($other -j show wg6 | jq -r '.prefixes[].from')" 10.7.0.0/16
	$other down wg6
	answers "$NS_C1" $SVC4 service $C1_4
	rm -rf "$PIN_DIR/other"
}

@test "a pin that is removed while show and stats read does not matter" {
	attach_type tcx
	wgvia up wg6 "${WORDS[@]}"
	ln -s gone "$PIN_DIR/wg6/tcx_egress_9999" # listed, but missing when it is opened
	is "$(wgvia -j show wg6 | jq '.attachments | length')" 3
	wgvia stats wg6
	wgvia down wg6
	nothing_left
}

@test "refused: pins of another ABI version" {
	wgvia up wg6 "${WORDS[@]}"
	set_abi 99
	refused 1 99 show wg6
	refused 1 99 route add wg6 from 10.7.0.0/16 via $FW4 dev ens3
	refused 1 99 bypass add wg6 198.18.0.0/15
	refused 1 99 up wg6 "${WORDS[@]}"
	answers "$NS_C1" $SVC4 service $C1_4
	set_abi 2
}

@test "a missing bpffs is mounted" {
	# as on a separate host: in mount and process id namespaces that begin here
	# shellcheck disable=SC2016 # the inner shell's variables
	unshare --mount --pid --fork --mount-proc bash -ec 'umount -l /sys/fs/bpf
		run() { "$WGVIA" -n "$NS_GW" "$@"; }
		run up wg6 from "$VPN4" via "$FW4" dev ens3
		mountpoint -q /sys/fs/bpf
		test -e /sys/fs/bpf/wgvia/wg6/prefixes4
		run down wg6
		test ! -e /sys/fs/bpf/wgvia/wg6'
	nothing_left
}

@test "refused: a bpffs that would vanish with the mounts of 'ip netns exec'" {
	run --separate-stderr ip netns exec "$NS_GW" "$WGVIA" --pin-dir "$PIN_DIR" up wg6 "${WORDS[@]}"
	complains 1
	[[ "${stderr_lines[1]}" == *"ip netns exec"* ]]
	nothing_left
}

# ---- up, with fewer words ----

prefixes() {
	wgvia -j show wg6 | jq -r '[.prefixes[] | "\(.from) via \(.via) dev \(.dev)"] | sort | join(", ")'
}

both="$VPN4 via $FW4 dev ens3, $VPN6 via $FW6 dev ens3"

@test "up alone takes the interface's prefixes and the default routes, and reports them" {
	run --separate-stderr wgvia up wg6
	is "$status" 0
	[[ "$output" == *"$VPN4"*"$FW4"* ]] || is "$output" "...$VPN4...$FW4..."
	[[ "$output" == *"$VPN6"*"$FW6"* ]] || is "$output" "...$VPN6...$FW6..."
	is "$(prefixes)" "$both"
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
}

@test "up without via and dev takes the default route's" {
	wgvia up wg6 from $VPN6 from $VPN4
	is "$(prefixes)" "$both"
}

@test "up without dev takes the device that leads there" {
	wgvia up wg6 from $VPN6 via $FW6 from $VPN4 via $FW4
	is "$(prefixes)" "$both"
}

@test "up without via takes the gateway that the device has" {
	wgvia up wg6 from $VPN6 dev ens3 from $VPN4 dev ens3
	is "$(prefixes)" "$both"
}

@test "up alone, with a default route in one family" {
	ip -n "$NS_GW" -6 route delete default
	run --separate-stderr wgvia up wg6
	ip -n "$NS_GW" -6 route add default via $FW6
	is "$status" 0
	is "$(prefixes)" "$VPN4 via $FW4 dev ens3"
	[[ "$output${stderr_lines[*]}" == *IPv6* ]] || is "$output${stderr_lines[*]}" "...IPv6..."
}

@test "refused: up alone without any default route" {
	ip -n "$NS_GW" -6 route delete default
	ip -n "$NS_GW" route delete default
	refused 1 default up wg6
	ip -n "$NS_GW" route add default via $FW4
	ip -n "$NS_GW" -6 route add default via $FW6
}

@test "an IPv4 prefix may go via an IPv6 gateway" {
	wgvia up wg6 from $VPN4 via $FW6 dev ens3
	is "$(prefixes)" "$VPN4 via $FW6 dev ens3"
	answers "$NS_C1" $SVC4 service $C1_4
}

# ---- repetitions ----

@test "up again with the same words changes nothing" {
	local before
	wgvia up wg6 "${WORDS[@]}" bypass 198.18.0.0/15
	before=$(state)
	wgvia up wg6 "${WORDS[@]}" bypass 198.18.0.0/15
	is "$(state)" "$before"
}

@test "up again with the same words keeps the counters" {
	wgvia up wg6 "${WORDS[@]}"
	pings 7 "$NS_C1" $SVC4
	wgvia up wg6 "${WORDS[@]}"
	is "$(counter redirected)" 7
}

@test "up again with other words changes to them" {
	wgvia up wg6 "${WORDS6[@]}" bypass 198.18.0.0/15 on-fail pass
	wgvia up wg6 "${WORDS4[@]}" bypass 198.51.100.0/24 on-fail drop
	is "$(prefixes)" "$VPN4 via $FW4 dev ens3"
	is "$(wgvia -j show wg6 | jq -r .on_fail)" drop
	is "$(wgvia -j show wg6 | jq -r '.bypass[] | select(.admin) | .to')" 198.51.100.0/24
	answers "$NS_C1" $SVC4 service $C1_4
	times_out "$NS_C1" $SVC6
}

@test "up again prints what it removes and adds, as apply does, and nothing if nothing changes" {
	is "$(wgvia up wg6 "${WORDS4[@]}" | grep -c '^[+-]')" 0
	is "$(wgvia up wg6 "${WORDS6[@]}" bypass 198.18.0.0/15 on-fail pass | grep '^[+-]')" "- on-fail drop
+ on-fail pass
- from $VPN4 via $FW4 dev ens3
+ from $VPN6 via $FW6 dev ens3
+ bypass 198.18.0.0/15"
	is "$(wgvia up wg6 "${WORDS6[@]}" bypass 198.18.0.0/15 on-fail pass)" ""
	is "$(wgvia up wg6 "${WORDS6[@]}" from $VPN4 via $FW4 or $SVC4 on-fail pass | grep '^[+-]')" \
		"+ from $VPN4 via $FW4 dev ens3 or $SVC4 dev ens3
- bypass 198.18.0.0/15"
	is "$(wgvia up wg6 "${WORDS6[@]}" from $VPN4 via $FW4 or $SVC4 on-fail pass | grep -c '^[+-]')" 0
}

@test "JSON of up: each change is an object, for a first up as well" {
	local from4="\"from\":\"$VPN4\",\"source\":\"named\",\"via\":\"$FW4\",\"dev\":\"ens3\"" ifindex
	ifindex=$(ip -n "$NS_GW" -j link show ens3 | jq '.[].ifindex')
	is "$(wgvia -j up wg6 "${WORDS4[@]}" | jq -c '.interface, .changes[]')" "\"wg6\"
{\"action\":\"add\",\"statement\":\"mode fast\",\"mode\":\"fast\"}
{\"action\":\"add\",\"statement\":\"on-fail drop\",\"on_fail\":\"drop\"}
{\"action\":\"add\",\"statement\":\"outside pass\",\"outside\":\"pass\"}
{\"action\":\"add\",\"statement\":\"mss off\",\"mss\":\"off\"}
{\"action\":\"add\",\"statement\":\"counters off\",\"counters\":\"off\"}
{\"action\":\"add\",\"statement\":\"return via\",\"return\":\"via\"}
{\"action\":\"add\",\"statement\":\"from $VPN4 via $FW4 dev ens3\",$from4,\"ifindex\":$ifindex}"
	is "$(wgvia -j up wg6 from $VPN4 via $FW4 or $SVC4 bypass 198.18.0.0/15 |
		jq -c '.changes[] | del(.statement, .ifindex, .gateways[]?.ifindex)')" "{\"action\":\"del\",$from4}
{\"action\":\"add\",$from4,\"gateways\":[{\"via\":\"$FW4\",\"dev\":\"ens3\"},{\"via\":\"$SVC4\",\"dev\":\"ens3\"}]}
{\"action\":\"add\",\"to\":\"198.18.0.0/15\",\"verdict\":\"bypass\"}"
}

@test "up without words, again: prefixes and gateway are the host's again, and what is removed is printed" {
	wgvia up wg6 from 10.7.0.0/16 via $SVC4 bypass 198.18.0.0/15 mode stack
	is "$(wgvia up wg6 | grep '^[+-]')" "- mode stack
+ mode fast
+ from addresses
+ from $VPN4 via $FW4 dev ens3 (addresses)
- from 10.7.0.0/16 via $SVC4 dev ens3
+ from $VPN6 via $FW6 dev ens3 (addresses)
- bypass 198.18.0.0/15"
	is "$(prefixes)" "$both"
	is "$(wgvia up wg6 | sort)" "wg6: from $VPN4 via $FW4 dev ens3 (addresses)
wg6: from $VPN6 via $FW6 dev ens3 (addresses)"
}

@test "up again, from fast to stack and back" {
	wgvia up wg6 "${WORDS[@]}"
	wgvia up wg6 "${WORDS[@]}" mode stack
	is "$(wgvia -j show wg6 | jq -r .mode)" stack
	answers "$NS_C1" $SVC6 service $C1_6
	is "$(wgvia -j show wg6 | jq -r '[.attachments[].direction] | unique | join(" ")')" "back egress"
	wgvia up wg6 "${WORDS[@]}" mode fast
	is "$(wgvia -j show wg6 | jq -r .mode)" fast
	answers "$NS_C1" $SVC6 service $C1_6
}

@test "up again, from tcx to clsact and back, leaves one of each program" {
	local before
	attach_type tcx
	wgvia up wg6 "${WORDS[@]}"
	before=$(attached | wc -l)
	attach_type clsact
	wgvia up wg6 "${WORDS[@]}"
	answers "$NS_C1" $SVC6 service $C1_6
	attach_type tcx
	wgvia up wg6 "${WORDS[@]}"
	answers "$NS_C1" $SVC6 service $C1_6
	is "$(attached | wc -l)" "$before"
}

@test "down twice, and down of something that never existed" {
	wgvia up wg6 "${WORDS[@]}"
	wgvia down wg6
	wgvia down wg6
	wgvia down wg7
	nothing_left
}

@test "down does not touch pins of other programs" {
	mkdir -p "$PIN_DIR/globals"
	bpftool map create "$PIN_DIR/globals/mine" type hash key 4 value 4 entries 1 name mine
	run --separate-stderr wgvia down globals
	is "$status" 0
	[[ "${stderr_lines[0]}" == *"wgvia did not create" ]] || is "${stderr_lines[0]}" "...wgvia did not create"
	[ -e "$PIN_DIR/globals/mine" ]
	rm -r "$PIN_DIR/globals"
	# the leftovers of a killed command belong to wgvia
	wgvia up wg6 "${WORDS[@]}"
	rm "$PIN_DIR"/wg6/{meta,counters,trace,events}
	wgvia down wg6
	nothing_left
}

@test "down when the interface no longer exists" {
	tunnel_add "$NS_GW" wg7 10.7.0.1/24
	wgvia up wg7 from 10.7.0.0/24 via $FW4 dev ens3
	ip -n "$NS_GW" link delete wg7
	wgvia down wg7
	nothing_left
}

@test "up when the interface was removed and re-created" {
	tunnel_add "$NS_GW" wg7 10.7.0.1/24
	wgvia up wg7 from 10.7.0.0/24 via $FW4 dev ens3
	ip -n "$NS_GW" link delete wg7
	tunnel_add "$NS_GW" wg7 10.7.0.1/24
	wgvia up wg7 from 10.7.0.0/24 via $FW4 dev ens3
	is "$(wgvia -j show wg7 | jq .ifindex)" "$(ip -j -n "$NS_GW" link show wg7 | jq '.[0].ifindex')"
	is "$(wgvia -j show wg7 | jq -r '[.attachments[] | "\(.dev) \(.direction)"] | sort | join(", ")')" \
		"ens3 back, ens3 egress, wg6 back, wg6 egress, wg7 out"
	is "$(attached | grep -c ' tcx ')" 4 # wg7 does not count
	wgvia down wg7
	nothing_left
}

@test "two tunnels on one LAN device: one is removed, the other stays" {
	tunnel_add "$NS_GW" wg7 10.7.0.1/24
	wgvia up wg7 from 10.7.0.0/24 via $FW4 dev ens3
	wgvia up wg6 "${WORDS[@]}"
	is "$(wgvia -j show | jq -r '[.[].interface] | sort | join(" ")')" "wg6 wg7"
	is "$(wgvia -j stats | jq -r '[.[].interface] | sort | join(" ")')" "wg6 wg7"
	wgvia down wg7
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	wgvia down wg6
	nothing_left
}

@test "an interface name with a dot" {
	tunnel_add "$NS_GW" wg.8 10.8.0.1/24
	wgvia up wg.8 from 10.8.0.0/24 via $FW4 dev ens3
	[ -e "$PIN_DIR/wg%2e8/prefixes4" ]
	is "$(wgvia -j show | jq -r '.[].interface')" wg.8
	is "$(wgvia -j stats wg.8 | jq -r .interface)" wg.8
	wgvia down wg.8
	nothing_left
}

# ---- route and bypass ----

@test "route add, replace and del change the running instance" {
	wgvia up wg6 "${WORDS4[@]}"
	times_out "$NS_C1" $SVC6
	wgvia route add wg6 "${WORDS6[@]}"
	answers "$NS_C1" $SVC6 service $C1_6
	is "$(prefixes)" "$both"
	refused 1 "$VPN6" route add wg6 "${WORDS6[@]}"
	wgvia route replace wg6 from $VPN6 via $SVC6 dev ens3
	is "$(prefixes)" "$VPN4 via $FW4 dev ens3, $VPN6 via $SVC6 dev ens3"
	wgvia route replace wg6 "${WORDS6[@]}"
	answers "$NS_C1" $SVC6 service $C1_6
	wgvia route del wg6 from $VPN6
	is "$(prefixes)" "$VPN4 via $FW4 dev ens3"
	times_out "$NS_C1" $SVC6
	answers "$NS_C1" $SVC4 service $C1_4
	refused 1 "$VPN6" route del wg6 from $VPN6
	refused 2 10.7.0.0/16 route add wg6 from 10.7.0.1/16 via $FW4 dev ens3
	refused 1 $GW4 route add wg6 from 10.7.0.0/16 via $GW4 dev ens3
}

@test "a longer prefix wins over a shorter one" {
	wgvia up wg6 from 10.0.0.0/8 via $SVC4 dev ens3 "${WORDS4[@]}"
	answers "$NS_C1" $SVC4 service $C1_4
}

# bypass_of PREFIX: its verdict in `show`.
bypass_of() {
	wgvia -j show wg6 | jq -r --arg p "$1" '.bypass[] | select(.to == $p) | .verdict'
}

@test "bypass add and del change the running instance" {
	wgvia up wg6 "${WORDS[@]}"
	wgvia bypass add wg6 $SVC4/32
	is "$(bypass_of $SVC4/32)" bypass
	times_out "$NS_C1" $SVC4
	[ "$(counter bypass)" -gt 0 ]
	answers "$NS_C1" $SVC6 service $C1_6
	refused 1 "$SVC4" bypass add wg6 $SVC4/32
	wgvia bypass del wg6 $SVC4/32
	answers "$NS_C1" $SVC4 service $C1_4
	refused 1 "$SVC4" bypass del wg6 $SVC4/32
	refused 2 10.0.0.0/8 bypass add wg6 10.0.0.1/8
}

@test "bypass on top of an entry of the host, and removed again" {
	wgvia up wg6 "${WORDS[@]}"
	wgvia bypass add wg6 $GW4/32
	is "$(bypass_of $GW4/32)" local
	is "$(wgvia -j show wg6 | jq -r '.bypass[] | select(.admin) | .to')" $GW4/32
	wgvia bypass del wg6 $GW4/32
	is "$(bypass_of $GW4/32)" local
	is "$(udp_ask "$NS_C1" $GW4 53 hello)" "$GW4 saw $C1_4: hello"
}

@test "bypass del cannot remove this host's own entries" {
	wgvia up wg6 "${WORDS[@]}"
	refused 1 $GW4 bypass del wg6 $GW4/32
}

@test "the bypass list contains this host's addresses, the scopes and the prefixes" {
	local address
	wgvia up wg6 "${WORDS[@]}"
	for address in $GW4/32 192.0.2.255/32 $WG4/32 10.6.255.255/32 $GW6/128 $WG6/128 2001:db8:2::/128; do
		is "$address $(bypass_of $address)" "$address local"
	done
	for address in 0.0.0.0/32 224.0.0.0/4 ff00::/8 fe80::/10; do
		is "$address $(bypass_of $address)" "$address scope"
	done
	is "$(bypass_of 169.254.0.0/16)" "" # the kernel forwards that
	for address in $VPN4 $VPN6; do
		is "$address $(bypass_of $address)" "$address tunnel"
	done
	# the tunnel's own link-local route does not make the kernel forward link-local packets into it
	is "$(wgvia -j show wg6 | jq -r '.bypass[] | select(.verdict == "tunnel") | .to' | sort | xargs)" \
		"$VPN4 $VPN6"
}

# ---- show and stats ----

@test "show lists what is attached, the prefixes, and the neighbours" {
	local text
	attach_type tcx
	wgvia up wg6 "${WORDS[@]}"
	pings 1 "$NS_C1" $SVC4
	pings 1 "$NS_C1" $SVC6
	wgvia -j show wg6 | jq -e --arg mac $FW_MAC '
		.interface == "wg6" and .mode == "fast" and .on_fail == "drop"
		and ([.attachments[] | "\(.dev) \(.direction) \(.type)"] | sort)
			== ["ens3 back tcx", "ens3 egress tcx", "wg6 out tcx"]
		and ([.prefixes[] | .neighbour.lladdr == $mac and .usable] | all)'
	text=$(wgvia show wg6)
	for word in wg6 ens3 $VPN4 $VPN6 $FW4 $FW6 $FW_MAC tcx; do
		[[ "$text" == *"$word"* ]] || is "$text" "...$word..."
	done
	is "$(wgvia -j show | jq -r '.[].interface')" wg6
}

@test "show reports a gateway that does not answer" {
	wgvia up wg6 from $VPN4 via 192.0.2.99 dev ens3
	run pings 1 "$NS_C1" $SVC4
	poll 5 neighbour_is FAILED
	[[ "$(wgvia show wg6)" == *[Ff][Aa][Ii][Ll][Ee][Dd]* ]]
}

neighbour_is() {
	wgvia -j show wg6 | jq -e --arg s "$1" '.prefixes[0].neighbour.state | ascii_upcase == $s'
}

@test "show reports a device that is down" {
	ip -n "$NS_GW" link add ens4 type veth peer name ens4peer
	ip -n "$NS_GW" address add 198.18.0.1/24 dev ens4
	ip -n "$NS_GW" link set ens4 up
	ip -n "$NS_GW" link set ens4peer up
	wgvia up wg6 from $VPN4 via 198.18.0.2 dev ens4
	ip -n "$NS_GW" link set ens4 down
	run wgvia show wg6
	ip -n "$NS_GW" link delete ens4
	is "$status" 0
	[[ "$output" == *down* ]] || is "$output" "...down..."
}

@test "stats: non-zero verdicts as text, every verdict with -v and in JSON" {
	local verdict
	wgvia up wg6 "${WORDS[@]}"
	pings 3 "$NS_C1" $SVC4
	run wgvia stats wg6
	[[ "$output" == *redirected*3*252* ]] || is "$output" "...redirected...3...252..."
	[[ "$output" == *returned* ]]
	[[ "$output" != *malformed* ]]
	run wgvia -v stats wg6
	for verdict in $(verdicts); do
		[[ "$output" == *"$verdict"* ]] || is "$output" "...$verdict..."
	done
	is "$(wgvia -j stats wg6 | jq -r '.counters | keys_unsorted | join(" ")')" "$(verdicts | xargs)"
	is "$(wgvia -j stats wg6 | jq '[.counters[] | .packets, .bytes | type] | unique | join(" ")' -r)" number
}

# The words of the ABI.
verdicts() {
	sed -n 's/^\tX([A-Z_]*, "\([a-z_]*\)").*/\1/p' "$TREE/include/wgvia_abi.h"
}

@test "show and stats without an instance are empty, without an error" {
	is "$(wgvia -j show)" "[]"
	is "$(wgvia -j stats)" "[]"
	run wgvia show
	is "$status" 0
}

@test "a message is one line, whatever an argument contains" {
	refused 2 'wg6?x' up $'wg6\nx'
	refused 2 '10.0.0.0?[31m/8' up wg6 from $'10.0.0.0\n[31m/8' via $FW4
	refused 2 'a?b' $'a\tb'
}

@test "a closed standard output is an error, and nothing that is opened takes its place" {
	run --separate-stderr in_ns "$NS_GW" bash -c '"$0" "$@" >&-' "$WGVIA" --pin-dir "$PIN_DIR" up wg6 "${WORDS[@]}"
	complains 1
	# the output of `up` is in no map and no socket: the instance is complete
	is "$(wgvia -j show wg6 | jq '.prefixes | length')" 2
	run --separate-stderr bash -c '"$0" --version >&-' "$WGVIA"
	complains 1
	run in_ns "$NS_GW" bash -c '"$0" "$@" <&- >&- 2>&-' "$WGVIA" --pin-dir "$PIN_DIR" show wg6
	is "$status" 1
	pings 3 "$NS_C1" $SVC4
}

@test "a named pipe as a file is read, and one without a writer is not waited for forever" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	run --separate-stderr wgvia apply wg6 "$BATS_TEST_TMPDIR/pipe"
	complains 1
	[[ "${stderr_lines[0]}" == *"no data available"* ]]
	echo "from $VPN4 via $FW4" >"$BATS_TEST_TMPDIR/pipe" &
	wgvia apply wg6 "$BATS_TEST_TMPDIR/pipe"
	wgvia apply wg6 <(sleep 0.3; echo "from $VPN4 via $FW4")
}

@test "an instance that cannot be read does not hide others, and is reported" {
	wgvia up wg6 "${WORDS[@]}"
	tunnel_add "$NS_GW" wg7 10.7.0.1/24
	wgvia up wg7 from 10.7.0.0/24 via $FW4
	rm "$PIN_DIR/wg6/meta"
	run --separate-stderr wgvia show
	is "$status" 1
	[[ "$output" == wg7:* ]] || is "$output" "wg7: ..."
	[[ "${stderr_lines[0]}" == "wgvia: "*"'wg6'"* ]] || is "${stderr_lines[0]}" "wgvia: ... 'wg6' ..."
	run --separate-stderr wgvia -j stats
	is "$status $(jq -r .[].interface <<<"$output")" "1 wg7"
	run --separate-stderr wgvia stats --prometheus
	is "$status" 1
	grep -q 'interface="wg7"' <<<"$output"
	run --separate-stderr wgvia show wg6
	complains 1
	rm -r "$PIN_DIR/wg6"
}

@test "the name of an interface may contain any bytes, and JSON stays UTF-8" {
	local name=$'wg\xff\xc3\xa9'
	tunnel_add "$NS_GW" "$name" 10.7.0.1/24
	wgvia up "$name" from 10.7.0.0/24 via $FW4
	is "$(wgvia -j show "$name" | python3 -c '
import json, sys
print(json.loads(sys.stdin.buffer.read().decode("utf-8"))["interface"])')" $'wg\xef\xbf\xbd\xc3\xa9'
	wgvia down "$name"
	ip -n "$NS_GW" link delete "$name"
}

@test "help and version go to stdout and succeed" {
	run --separate-stderr "$WGVIA" --help
	is "$status" 0
	[[ "$output" == *"up IFACE"* ]]
	is "${#stderr_lines[@]}" 0
	run --separate-stderr "$WGVIA" -V
	is "$status" 0
	[[ "$output" == wgvia* ]]
}
