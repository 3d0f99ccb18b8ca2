#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Network namespaces: the values of -n, and instances whose network namespace no longer exists, as left by a container.

# shellcheck disable=SC2030,SC2031,SC2086,SC2153,SC2154 # addresses are words; the topology's variables, bats's

load ../lib/net.bash

teardown() {
	end container
	end other
	rm -f "/run/netns/$NUMBER"
	sweep "$NS_GW" wg6
	wgvia down wg8
	nothing_left
}

# A sleep time that no other process uses.
IDLE=1000.0$$

# A number that is not a process: the largest PID is one less than the limit.
NUMBER=$(</proc/sys/kernel/pid_max)

# by WORD COMMAND...: wgvia in that network namespace.
by() {
	"$WGVIA" --pin-dir "$PIN_DIR" -n "$@"
}

pid() { # NAME
	cat "$TOPO_DIR/$1.pid"
}

# end NAME: like unspawn, for a process in no namespace of the topology; its command line shows that it is ours.
end() {
	local pid
	pid=$(pid $1 2>/dev/null) || return 0
	if tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qx "sleep $IDLE "; then
		kill $pid
		poll 5 process_gone $pid
	fi 2>/dev/null
	rm -f "$TOPO_DIR/$1.pid"
}

# ---- -n ----

@test "-n takes a name, a path, and the PID of a process" {
	local word
	wgvia up wg6 "${WORDS[@]}"
	spawn "$NS_GW" container sleep $IDLE
	poll 5 is_in "$NS_GW" container
	for word in "$NS_GW" "/run/netns/$NS_GW" "/proc/$(pid container)/ns/net" "$(pid container)"; do
		is "$(by $word -j show wg6 | jq -r .interface)" wg6
	done
	cd /run/netns # a path may be relative, but not without a slash
	is "$(by "./$NS_GW" -j show wg6 | jq -r .interface)" wg6
}

is_in() { # NAMESPACE NAME
	[ "$(readlink "/proc/$(pid "$2")/ns/net")" = "$(in_ns "$1" readlink /proc/self/ns/net)" ]
}

@test "-n: a network namespace with a numeric name takes precedence over the process" {
	wgvia up wg6 "${WORDS[@]}"
	spawn "$NS_SVC" container sleep $IDLE
	poll 5 is_in "$NS_SVC" container
	NUMBER=$(pid container)
	ln -s "$NS_GW" "/run/netns/$NUMBER"
	is "$(by $NUMBER -j show wg6 | jq -r .interface)" wg6
	rm "/run/netns/$NUMBER"
	run -1 by $NUMBER show wg6 # the process is elsewhere
	[[ $output == *"another network namespace's interface: $NS_GW"* ]]
}

@test "-n: what is not a network namespace is refused with a message that says what it is" {
	refused 2 "'' is not a network namespace: a name, a path, or a PID" ''
	refused 2 "'..' is not a network namespace: a name, a path, or a PID" ..
	refused 1 "cannot enter the network namespace 'nowhere': no such file or directory" nowhere
	refused 1 "cannot enter the network namespace '/nowhere': no such file or directory" /nowhere
	refused 1 "cannot enter the network namespace of process '$NUMBER': no such file or directory" $NUMBER
	refused 1 "cannot enter the network namespace '/etc/passwd': it is not a network namespace" /etc/passwd
	refused 1 "cannot enter the network namespace '/proc/self/ns/mnt': it is not a network namespace" /proc/self/ns/mnt
	run -1 by "$(printf '/%05000d' 0)" show # too long for a line of its own
}

# refused STATUS LINE WORD
refused() {
	run -$1 by "$3" show
	is "${lines[0]}" "wgvia: $2"
}

# ---- a network namespace that is removed while it has an instance ----

# container [NAME]: a process with a private network namespace that contains a tunnel and a LAN.
container() {
	local name=${1:-container}
	spawn "$NS_GW" $name unshare --net sleep $IDLE
	poll 5 is_apart $name
	inside $name bash -ec "ip link set lo up
		ip tuntap add wg8 mode tun && ip link set wg8 up && ip address add 10.8.0.1/16 dev wg8
		ip link add ens3 type veth peer name peer && ip link set peer up && ip link set ens3 up
		ip address add 192.0.2.2/24 dev ens3"
}

is_apart() { # NAME
	! is_in "$NS_GW" $1 && [ "$(readlink "/proc/$(pid $1)/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

inside() { # NAME COMMAND...
	local name=$1
	shift
	nsenter --net="/proc/$(pid $name)/ns/net" "$@"
}

inode() { # NAME
	readlink "/proc/$(pid $1)/ns/net"
}

# orphan: an instance wg8 of a container that has ended; the next container has its inode number, because the kernel
# reuses it unless another namespace was created in between.
orphan() {
	local before
	for _ in {1..5}; do
		container
		by "$(pid container)" up wg8 from 10.8.0.0/16 via $FW4
		before=$(inode container)
		end container
		! poll 3 succeeds "$before" || break
		rm -r "$PIN_DIR/wg8"
	done
	# the kernel frees the removed namespace's devices late
	poll 10 is_orphan
}

# succeeds INODE: a new container with it.
succeeds() {
	container other
	[ "$(inode other)" = "$1" ] || { end other && false; }
}

is_orphan() {
	[ "$(wgvia -j show wg8 | jq .orphan)" = true ]
}

# All commands recognise an orphan, and it can be removed.
is_known_and_goes() {
	local words
	wgvia show | grep "its network namespace no longer exists: 'wgvia down wg8' removes what is left of it"
	is "$(wgvia -j show | jq -c 'map(select(.interface == "wg8") | [.orphan, .prefixes[0].from])')" \
		'[[true,"10.8.0.0/16"]]'
	# no device of this namespace is taken for one of the removed namespace
	is "$(wgvia -j show wg8 | jq -r '[.. | .dev? // empty] | unique | map(select(test("^if[0-9]+$") | not)) | length')" 0
	for words in "route add wg8 from 10.9.0.0/16 via $FW4" "save wg8" "bypass add wg8 10.9.0.0/16" "stats wg8" \
		"explain wg8 from 10.8.0.9 to $SVC4"; do
		run -1 wgvia $words
		is "${lines[0]}" "wgvia: the network namespace of 'wg8' no longer exists"
		is "${lines[1]}" "hint: 'wgvia down wg8' removes what is left of it"
	done
	run -0 wgvia stats # and the other instances have theirs
	run -1 wgvia -j check wg8
	is "$(jq -r '.findings[] | "\(.name): \(.evidence): \(.remedy)"' <<<"$output")" \
		"pins: the network namespace of 'wg8' no longer exists: wgvia down wg8"
	run -0 wgvia down wg8
	[ ! -e "$PIN_DIR/wg8" ]
}

orphans() {
	attach_type $1
	wgvia up wg6 "${WORDS[@]}"
	orphan
	is_known_and_goes
	answers "$NS_C1" $SVC4 service $C1_4 # nothing of this namespace was detached
}

@test "tcx: an instance of a namespace that no longer exists is shown as that, and can be removed" {
	orphans tcx
}

@test "clsact: an instance of a namespace that no longer exists is shown as that, and can be removed" {
	orphans clsact
}

@test "an orphan of an older wgvia, without a cookie: the same" {
	local value
	attach_type tcx
	orphan
	value=$(bpftool -j map dump pinned "$PIN_DIR/wg8/meta" |
		jq -r '.[0].value | .[52:56] = ["0x00", "0x00", "0x00", "0x00"] | map(ltrimstr("0x")) | join(" ")')
	bpftool map update pinned "$PIN_DIR/wg8/meta" key 0 0 0 0 value hex $value
	is_known_and_goes
}

@test "an instance of an existing namespace belongs to that one only, with its LAN device or without" {
	attach_type tcx
	container
	by "$(pid container)" up wg8 from 10.8.0.0/16 via $FW4
	run -1 wgvia down wg8
	[[ ${lines[1]} == "hint: use 'wgvia -n $(pid container)'"* ]]
	inside container ip link delete ens3
	run -1 wgvia down wg8
	inside container ip link delete wg8
	run -1 wgvia down wg8 # the cookie shows it
	[[ $output == *"another network namespace's interface"* ]]
	is "$(wgvia -j show)" "[]"
	by "$(pid container)" down wg8
}

@test "a container with the inode number of a removed one replaces the old instance by its own" {
	local old
	attach_type tcx
	orphan
	old=$(bpftool -j map show pinned "$PIN_DIR/wg8/meta" | jq .id)
	run -1 by "$(pid other)" route add wg8 from 10.9.0.0/16 via $FW4
	[[ $output == *"no longer exists"* ]]
	by "$(pid other)" up wg8 from 10.8.0.0/16 via $FW4
	[ "$(bpftool -j map show pinned "$PIN_DIR/wg8/meta" | jq .id)" != "$old" ]
	is "$(by "$(pid other)" -j show wg8 | jq -c '[.orphan, ([.attachments[].attached] | all)]')" '[false,true]'
	run -1 wgvia down wg8
	by "$(pid other)" down wg8
}
