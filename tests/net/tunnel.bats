#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What is reached through the tunnel and so is exempt: what the kernel would send there, but not what is merely inside a
# prefix or a route that is wider than the LAN. Both modes; with a real tunnel, a stateful firewall, and a check of
# every frame that the gateway sends.

# shellcheck disable=SC2086,SC2154 # addresses are words; others set variables

load ../lib/net.bash
load ../lib/agent.bash

setup() {
	export AGENT_ENV=()
	mkdir -p "$BATS_TEST_TMPDIR"
	CAPTURE=$BATS_TEST_TMPDIR/direct
}

teardown() {
	local family
	agent_stop KILL
	unspawn holder KILL
	unspawn waiter KILL
	stop_capture "$CAPTURE"
	sweep "$NS_GW" wg6
	for family in -4 -6; do
		ip -n "$NS_GW" $family route show table all | grep -E ' table (51820|7)( |$)' >/dev/null &&
			{ ip -n "$NS_GW" $family route flush table 51820; ip -n "$NS_GW" $family route flush table 7; }
		while ip -n "$NS_GW" $family rule delete priority 100 2>/dev/null; do :; done
		while ip -n "$NS_GW" $family rule delete priority 101 2>/dev/null; do :; done
	done
	undo
	nothing_left
}

# Additions of a test to the gateway; reverted at its end, in reverse order.
do_it() { # NAMESPACE OBJECT WORDS...: `ip OBJECT add WORDS`
	ip -n "$1" "$2" add "${@:3}"
	echo "$1 $2 delete ${*:3}" >>"$BATS_TEST_TMPDIR/undo"
}

undo() {
	[ ! -e "$BATS_TEST_TMPDIR/undo" ] || tac "$BATS_TEST_TMPDIR/undo" | while read -r line; do
		ip -n $line 2>/dev/null || true
	done
	rm -f "$BATS_TEST_TMPDIR/undo"
}

# Frames of clients that the gateway sends to a host other than the firewall.
watch_direct() {
	start_capture "$NS_LAN" lan "$CAPTURE" \
		"ether src $GW_MAC and not ether dst $FW_MAC and (src net $VPN4 or src net $VPN6) and not ether multicast"
}

# direct COUNT: that many since watch_direct.
direct() {
	poll 5 captured "$CAPTURE" "$1"
	stop_capture "$CAPTURE"
	is "$(frames "$CAPTURE" length) directly" "$1 directly" || { frames "$CAPTURE" -c '.[] | [.to, .src, .dst]' && return 1; }
}

# verdict_of PREFIX: on the bypass list.
verdict_of() {
	wgvia -j show wg6 | jq -r --arg p "$1" '.bypass[] | select(.to == $p) | .verdict'
}

# clients_are_safe: a LAN host is reached only via the firewall, and other peers in the tunnel.
clients_are_safe() {
	watch_direct
	pings 10 "$NS_C1" $SVC4
	pings 10 "$NS_C1" $SVC6
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	direct 0
	answers "$NS_C2" $C1_4 client $C2_4
	answers "$NS_C2" $C1_6 client $C2_6
}

in_both_modes() {
	local mode
	for mode in fast stack; do
		echo "mode $mode"
		wgvia up wg6 "$@" mode $mode
		clients_are_safe
	done
}

# ---- wider than the LAN ----

@test "a route into the tunnel that contains the LAN" {
	do_it "$NS_GW" route 192.0.0.0/8 dev wg6
	do_it "$NS_GW" route 2001:db8::/32 dev wg6
	in_both_modes "${WORDS[@]}"
	is "$(verdict_of 192.0.0.0/8) $(verdict_of 192.0.2.0/24)" "tunnel redirected"
	is "$(verdict_of 2001:db8::/32) $(verdict_of 2001:db8:2::/64)" "tunnel redirected"
	wgvia explain wg6 from $C1_4 to $SVC4 | grep "not exempt, 192.0.2.0/24 is not reached through the tunnel"
}

@test "halves of all addresses as routes into the tunnel" {
	local half
	do_it "$NS_GW" route 198.51.100.0/24 via $FW4 # the tunnel's own packets
	for half in 0.0.0.0/1 128.0.0.0/1 ::/1 8000::/1; do
		do_it "$NS_GW" route $half dev wg6
	done
	in_both_modes "${WORDS[@]}"
	run -0 wgvia up wg6 "${WORDS[@]}"
	[[ $output == *"0.0.0.0/1 is routed into 'wg6'"* ]]
}

@test "wg-quick's AllowedIPs of everything: a default route in a separate table" {
	local family
	wg_at "$NS_GW" wg6 set wg6 fwmark 51820
	for family in -4 -6; do
		ip -n "$NS_GW" $family route add default dev wg6 table 51820
		ip -n "$NS_GW" $family rule add not fwmark 51820 table 51820 priority 101
		ip -n "$NS_GW" $family rule add table main suppress_prefixlength 0 priority 100
	done
	in_both_modes "${WORDS[@]}"
	is "$(verdict_of 0.0.0.0/0) $(verdict_of 192.0.2.0/24)" "tunnel redirected"
	is "$(verdict_of ::/0) $(verdict_of 2001:db8:2::/64)" "tunnel redirected"
	wg_at "$NS_GW" wg6 set wg6 fwmark 0
}

@test "a prefix, and an address of the tunnel's, that contain the LAN" {
	do_it "$NS_GW" address 192.0.0.1/8 dev wg6
	do_it "$NS_GW" address 2001:db8::1/32 dev wg6 nodad
	in_both_modes "${WORDS4[@]}" from 192.0.0.0/8 via $FW4 dev ens3 from 2001:db8::/32 via $FW6 dev ens3
}

@test "a prefix without a route into the tunnel does not count as the tunnel" {
	wgvia up wg6 "${WORDS[@]}" from 10.99.0.0/16 via $FW4 dev ens3
	is "$(verdict_of 10.99.0.0/16)" ""
	do_it "$NS_GW" route 10.99.0.0/16 dev wg6
	wgvia up wg6 "${WORDS[@]}" from 10.99.0.0/16 via $FW4 dev ens3
	is "$(verdict_of 10.99.0.0/16)" tunnel
}

@test "the administrator's bypass covers the LAN inside a route into the tunnel" {
	local mode
	do_it "$NS_GW" route 192.0.0.0/8 dev wg6
	for mode in fast stack; do
		wgvia up wg6 "${WORDS4[@]}" bypass 192.0.0.0/6 mode $mode
		is "$(verdict_of 192.0.2.0/24)" bypass
		watch_direct
		in_ns "$NS_C1" ping -q -n -c 10 -i 0.01 -W 1 $SVC4 || true
		direct 10
		[ "$(wgvia save wg6 | grep -c '^bypass')" -eq 1 ]
		wgvia save wg6 | grep -x 'bypass 192.0.0.0/6'
	done
}

# ---- which table ----

@test "a rule's table decides, and what cannot be evaluated is reported" {
	do_it "$NS_GW" route 10.99.0.0/16 dev wg6 table 7
	wgvia up wg6 "${WORDS[@]}"
	is "$(verdict_of 10.99.0.0/16)" "" # no rule refers to that table
	ip -n "$NS_GW" rule add from $VPN4 table 7 priority 100
	run -0 wgvia up wg6 "${WORDS[@]}"
	[[ $output != *"not evaluated"* ]]
	is "$(verdict_of 10.99.0.0/16)" tunnel
	ip -n "$NS_GW" rule delete priority 100
	ip -n "$NS_GW" rule add from 10.6.3.0/24 table 7 priority 100
	ip -n "$NS_GW" rule add ipproto tcp table 7 priority 101
	run -0 wgvia up wg6 "${WORDS[@]}"
	[[ $output == *"ip rule 100 is not evaluated"* && $output == *"ip rule 101 is not evaluated"* ]]
	is "$(verdict_of 10.99.0.0/16)" ""
}

# ---- the agent ----

is_verdict() {
	[ "$(verdict_of "$1")" = "$2" ]
}

@test "an agent follows routes and rules" {
	wgvia up wg6 "${WORDS[@]}"
	agent_start
	do_it "$NS_GW" route 192.0.0.0/8 dev wg6
	do_it "$NS_GW" route 2001:db8::/32 dev wg6
	poll 10 is_verdict 192.0.2.0/24 redirected
	poll 10 is_verdict 2001:db8:2::/64 redirected
	clients_are_safe
	# another LAN appears and disappears inside the range
	ip -n "$NS_GW" route add 192.0.99.0/24 via $SVC4 dev ens3
	poll 10 is_verdict 192.0.99.0/24 redirected
	ip -n "$NS_GW" route delete 192.0.99.0/24
	poll 10 is_verdict 192.0.99.0/24 ""
	do_it "$NS_GW" route 10.99.0.0/16 dev wg6 table 7
	ip -n "$NS_GW" rule add table 7 priority 100
	poll 10 is_verdict 10.99.0.0/16 tunnel
	ip -n "$NS_GW" rule delete priority 100
	poll 10 is_verdict 10.99.0.0/16 ""
	ip -n "$NS_GW" route delete 192.0.0.0/8 dev wg6
	poll 10 is_verdict 192.0.2.0/24 ""
}

# ---- what the kernel forwards is not a scope ----

# forwarded ADDRESS/LEN: a service there, which the kernel reaches without wgvia, and only the firewall with it.
forwarded() {
	local address=${1%/*} mode
	do_it "$NS_SVC" address "$1" dev eth0
	do_it "$NS_GW" route "$1" dev ens3 2>/dev/null || do_it "$NS_GW" route "$address" dev ens3
	do_it "$NS_FW" route "$address" dev lan
	watch_direct
	in_ns "$NS_C1" ping -q -n -c 10 -i 0.01 -W 1 "$address" || true
	direct 10
	for mode in fast stack; do
		wgvia up wg6 "${WORDS[@]}" mode $mode
		watch_direct
		pings 10 "$NS_C1" "$address"
		answers "$NS_C1" "$address" service $C1_4
		direct 0
	done
}

@test "169.254.0.0/16, which the kernel forwards, is reached via the firewall" {
	forwarded 169.254.7.7/32
}

@test "0.0.0.0/8, which the kernel forwards, is reached via the firewall" {
	forwarded 0.1.2.3/32
}

@test "the scopes are what the kernel does not forward" {
	local address
	# it differs from the firewall's MAC: anything that leaves would be seen
	start_capture "$NS_LAN" lan "$CAPTURE" "src net $VPN4 or src net $VPN6"
	for address in 224.0.0.251 127.0.0.1 0.0.0.0 255.255.255.255; do
		in_ns "$NS_C1" /usr/bin/python3 "$TREE/tests/lib/tunnel_send.py" wgc1 $C1_4 $address
	done
	for address in ff0e::1 fe80::3 ::1; do
		in_ns "$NS_C1" /usr/bin/python3 "$TREE/tests/lib/tunnel_send.py" wgc1 $C1_6 $address
	done
	pings 1 "$NS_C2" $GW4
	stop_capture "$CAPTURE"
	is "$(frames "$CAPTURE" length)" 0
	# the kernel does forward this one
	ip -n "$NS_GW" route replace ::/0 via $SVC6 dev ens3
	wgvia up wg6 "${WORDS[@]}"
	watch_direct
	in_ns "$NS_C1" /usr/bin/python3 "$TREE/tests/lib/tunnel_send.py" wgc1 $C1_6 ::
	pings 1 "$NS_C1" $SVC6
	direct 0
	is "$(counter retargeted)" 1
	ip -n "$NS_GW" route replace ::/0 via $FW6 dev ens3
}

# ---- outdated entries, without an agent ----

@test "an address of this host that moved to a LAN host is reached via the firewall" {
	local mode
	for mode in fast stack; do
		ip -n "$NS_GW" address add 192.0.2.77/32 dev ens3
		wgvia up wg6 "${WORDS[@]}" mode $mode
		is "$(verdict_of 192.0.2.77/32)" local
		ip -n "$NS_GW" address delete 192.0.2.77/32 dev ens3
		do_it "$NS_SVC" address 192.0.2.77/32 dev eth0
		watch_direct
		pings 10 "$NS_C1" 192.0.2.77
		direct 0
		undo
	done
}

@test "a destination whose route into the tunnel was removed is reached via the firewall" {
	local mode
	for mode in fast stack; do
		ip -n "$NS_GW" route add $SVC4 dev wg6
		ip -n "$NS_GW" route add $SVC6 dev wg6
		wgvia up wg6 "${WORDS[@]}" mode $mode
		is "$(verdict_of $SVC4/32)" tunnel
		ip -n "$NS_GW" route delete $SVC4 dev wg6
		ip -n "$NS_GW" route delete $SVC6 dev wg6
		clients_are_safe
		[ "$(counter retargeted)" -ge 20 ] # mode fast: on the kernel's path, which its own rules see
	done
}

# ---- the lock ----

@test "up reads the host after it has taken the lock" {
	local waiter
	wgvia up wg6 "${WORDS[@]}" # the folder exists
	spawn "$NS_GW" holder /usr/bin/python3 -c "import fcntl, os, signal
fcntl.flock(os.open('$PIN_DIR', os.O_RDONLY), fcntl.LOCK_EX)
signal.pause()"
	poll 10 grep -q "FLOCK .* $(<"$TOPO_DIR/holder.pid") " /proc/locks
	spawn "$NS_GW" waiter "$WGVIA" --pin-dir "$PIN_DIR" up wg6 "${WORDS[@]}" mode stack
	waiter=$(<"$TOPO_DIR/waiter.pid")
	poll 10 grep -q "^[0-9]*: -> FLOCK .* $waiter " /proc/locks
	do_it "$NS_GW" route 192.0.0.0/8 dev wg6
	unspawn holder
	poll 10 process_gone "$waiter"
	unspawn waiter
	is "$(wgvia -j show wg6 | jq -r .mode) $(verdict_of 192.0.0.0/8) $(verdict_of 192.0.2.0/24)" "stack tunnel redirected"
}
