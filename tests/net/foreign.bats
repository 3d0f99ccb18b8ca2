#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs of others on the gateway's devices, attached before and after wgvia, by tcx and by clsact: they see what they
# should, and `down` does not touch them, their order and their qdisc.

# shellcheck disable=SC2086,SC2030,SC2031,SC2154 # addresses are words; `run` sets the variables

load ../lib/net.bash

setup_more() {
	export FOREIGN=/sys/fs/bpf/$TOPO_NAME-foreign
	bpf_build foreign
}

teardown() {
	local dev
	ip netns delete "$TOPO_NAME-gone" 2>/dev/null || true
	sweep "$NS_GW" wg6
	rm -rf "$FOREIGN" "${PIN_DIR:?}"/wg6* # leftovers of `down`, because they belong to others
	for dev in wg6 ens3; do
		in_ns "$NS_GW" tc qdisc delete dev $dev clsact 2>/dev/null || true
	done
}

# The attach points that wgvia shares with others.
places=("wg6 ingress" "ens3 ingress" "ens3 egress")

# foreign_add NAME tcx|clsact DEVICE DIRECTION: adds a counting program there, after the existing ones.
foreign_add() {
	local pins=$FOREIGN/$1 priority
	priority=$((100 + $(find "$FOREIGN" -maxdepth 1 2>/dev/null | wc -l)))
	mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
	mkdir -p "$pins"
	bpftool prog load "$BATS_FILE_TMPDIR/foreign.o" "$pins/prog" type classifier pinmaps "$pins" 2>&1
	if [ "$2" = tcx ]; then
		in_ns "$NS_GW" "$TREE/build/tests/lib/tcx" attach "$3" "$4" "$pins/prog" "$pins/link"
	else
		in_ns "$NS_GW" tc qdisc show dev "$3" | grep -q clsact || in_ns "$NS_GW" tc qdisc add dev "$3" clsact
		in_ns "$NS_GW" tc filter add dev "$3" "$4" prio $priority bpf da object-pinned "$pins/prog"
	fi
}

# foreign_add_everywhere NAME tcx|clsact
foreign_add_everywhere() {
	local place
	for place in "${places[@]}"; do
		foreign_add "$1-${place/ /-}" "$2" $place
	done
}

# saw NAME: number of packets that it counted.
saw() {
	bpftool -j map dump pinned "$FOREIGN/$1/seen" | jq '.[0].formatted.value'
}

# saw_more NAME COMMAND...: it counts at least one packet while the command runs.
saw_more() {
	local name=$1 before
	shift
	before=$(saw "$name")
	"$@" && [ "$(saw "$name")" -gt "$before" ]
}

attached_is() {
	[ "$(attached)" = "$1" ]
}

# keeps_working THEIRS OURS: their programs attached as THEIRS before and after ours, attached as OURS.
keeps_working() {
	local theirs=$1 before place
	"$TREE/build/tests/lib/tcx" probe || skip "kernel $(uname -r) has no tcx"
	foreign_add_everywhere before "$theirs"
	before=$(attached)
	[ -n "$before" ]
	attach_type "$2"
	wgvia up wg6 "${WORDS[@]}"
	foreign_add_everywhere after "$theirs"

	# A program before ours sees everything; one after ours sees what is not ours, here the gateway's own address.
	# clsact comes after tcx, regardless of the order of attaching.
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	for place in before-ens3-egress after-ens3-egress; do
		saw_more $place pings 3 "$NS_C1" $SVC4
	done
	[ "$theirs-$2" = clsact-tcx ] || for place in before-wg6-ingress before-ens3-ingress; do
		saw_more $place pings 3 "$NS_C1" $SVC4
	done
	for place in before-wg6-ingress after-wg6-ingress; do
		saw_more $place pings 3 "$NS_C1" $WG4
	done
	for place in before-ens3-ingress after-ens3-ingress after-ens3-egress; do
		saw_more $place pings 3 "$NS_SVC" $GW4
	done

	# Ours again, and removed.
	wgvia up wg6 "${WORDS[@]}" on-fail pass
	answers "$NS_C1" $SVC6 service $C1_6
	wgvia down wg6
	times_out "$NS_C1" $SVC6
	for place in {before,after}-{wg6-ingress,ens3-ingress,ens3-egress}; do
		saw_more $place pings 3 "$NS_C1" $SVC4
	done
	if [ "$theirs" = tcx ]; then
		rm -rf "$FOREIGN"/after-*
		poll 5 attached_is "$before" || is "$(attached)" "$before"
	else
		is "$(attached | grep -c 'direct-action')" 6
	fi
}

@test "theirs tcx, ours tcx" {
	keeps_working tcx tcx
}

@test "theirs clsact, ours clsact" {
	keeps_working clsact clsact
}

@test "theirs clsact, ours tcx" {
	keeps_working clsact tcx
}

@test "theirs tcx, ours clsact" {
	keeps_working tcx clsact
}

@test "clsact: a filter that was added to our qdisc outlives us" {
	attach_type clsact
	wgvia up wg6 "${WORDS[@]}"
	foreign_add later clsact wg6 ingress
	wgvia down wg6
	saw_more later pings 1 "$NS_C1" $WG4
	is "$(attached | grep -c 'direct-action')" 1
}

@test "clsact: another program's empty qdisc stays" {
	local before
	in_ns "$NS_GW" tc qdisc add dev ens3 clsact
	before=$(attached)
	attach_type clsact
	wgvia up wg6 "${WORDS[@]}"
	wgvia down wg6
	is "$(attached)" "$before"
}

@test "clsact: another program's empty qdisc stays, if its device has the ifindex of one in a removed namespace" {
	local ns=$TOPO_NAME-gone index
	attach_type clsact
	for command in "down wg6" "up wg6 from $VPN4 via $FW4 dev lan"; do
		ip netns add "$ns"
		ip -n "$ns" link add wg6 type bridge
		ip -n "$ns" link add lan type bridge
		ip -n "$ns" address add $GW4/24 dev lan
		ip -n "$ns" link set lan up
		NS_GW=$ns wgvia up wg6 from $VPN4 via $FW4 dev lan
		index=$(ip -n "$ns" -j link show lan | jq '.[].ifindex')
		# its interface first, so that the namespace's removal is noticed
		ip -n "$ns" link delete lan
		ip -n "$ns" link delete wg6
		ip netns delete "$ns"
		poll 5 [ ! -e "/run/netns/$ns" ]
		ip netns add "$ns"
		ip -n "$ns" link add lan index "$index" type bridge
		ip -n "$ns" link add wg6 type bridge
		ip -n "$ns" address add $GW4/24 dev lan
		ip -n "$ns" link set lan up
		in_ns "$ns" tc qdisc add dev lan clsact
		NS_GW=$ns wgvia $command
		NS_GW=$ns wgvia down wg6
		is "$(in_ns "$ns" tc qdisc show dev lan clsact | cut -d ' ' -f 2)" clsact
		is "$(find "$PIN_DIR" -mindepth 1)" ""
		ip netns delete "$ns"
	done
}

@test "clsact: a user with capabilities who is not root removes the qdisc that they created" {
	local caps=+dac_override,+net_admin,+sys_admin,+sys_ptrace,+perfmon,+bpf
	local user=(setpriv --reuid 65534 --inh-caps "$caps" --ambient-caps "$caps"
		"$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW")
	attach_type clsact
	"${user[@]}" up wg6 "${WORDS[@]}"
	[ -n "$(attached)" ]
	"${user[@]}" down wg6
	is "$(attached)" ""
}

@test "clsact: another program's filter at our handle and priority is not touched" {
	local ours before
	attach_type clsact
	wgvia up wg6 "${WORDS[@]}"
	ours=$(in_ns "$NS_GW" tc -j filter show dev wg6 ingress | jq -r '.[] | select(.options.handle) | .pref')
	wgvia down wg6
	foreign_add taken clsact wg6 ingress
	in_ns "$NS_GW" tc filter delete dev wg6 ingress
	in_ns "$NS_GW" tc filter add dev wg6 ingress prio "$ours" handle 1 bpf da object-pinned "$FOREIGN/taken/prog"
	before=$(attached)
	# either another place is found, or `up` refuses; theirs stays in any case
	wgvia up wg6 "${WORDS[@]}" || true
	saw_more taken pings 1 "$NS_C1" $WG4
	wgvia down wg6
	is "$(attached)" "$before"
}

# names PATH STATUS WORD...: one line with the path, and a hint with a command that removes it.
names() {
	local path=$1 expected=$2
	shift 2
	run --separate-stderr wgvia "$@"
	is "$status ${#stderr_lines[@]} lines" "$expected 2 lines" || { echo "$stderr" && return 1; }
	[[ ${stderr_lines[0]} == "wgvia: "*"'$path'"* ]] || is "${stderr_lines[0]}" "wgvia: ... '$path' ..."
	[[ ${stderr_lines[1]} == "hint: "*"rm "*"'$path'" ]] || is "${stderr_lines[1]}" "hint: ... rm ... '$path'"
}

refuses() {
	names "$1" 1 "${@:2}"
}

# leaves PATH: `down` succeeds, and names what does not belong to wgvia.
leaves() {
	names "$1" 0 down wg6
}

@test "a folder with content in a pin's place: commands name it, and work when it is removed" {
	local egress name path
	egress=$(ip -n "$NS_GW" -j link show ens3 | jq '.[].ifindex')
	attach_type tcx
	for name in counters meta wgvia_out wgvia_egress%new "tcx_egress_$egress" clsact_out_99_1 before_update; do
		path=$PIN_DIR/wg6/$name
		wgvia up wg6 "${WORDS[@]}"
		rm -f "$path"
		mkdir -p "$path/theirs"
		refuses "$path" up wg6 "${WORDS[@]}" on-fail pass
		refuses "$path" route add wg6 from 198.18.0.0/24 via $FW4 dev ens3
		rm -r "$path"
		wgvia up wg6 "${WORDS[@]}"
		answers "$NS_C1" $SVC4 service $C1_4

		rm -f "$path"
		mkdir -p "$path/theirs"
		leaves "$path"
		is "$(attached)" ""
		is "$(find "$PIN_DIR" -mindepth 2)" "$path"$'\n'"$path/theirs"
		leaves "$PIN_DIR/wg6"
		[ -e "$path/theirs" ]
		rm -r "$path"
		wgvia down wg6
		nothing_left
	done
}

@test "an empty folder in a pin's place is removed" {
	local egress name
	egress=$(ip -n "$NS_GW" -j link show ens3 | jq '.[].ifindex')
	attach_type tcx
	for name in counters meta wgvia_out wgvia_egress%new "tcx_egress_$egress" clsact_out_99_1 before_update; do
		wgvia up wg6 "${WORDS[@]}"
		rm -f "$PIN_DIR/wg6/$name"
		mkdir "$PIN_DIR/wg6/$name"
		wgvia up wg6 "${WORDS[@]}" on-fail pass
		answers "$NS_C1" $SVC4 service $C1_4
		rm -f "$PIN_DIR/wg6/$name"
		mkdir -p "$PIN_DIR/wg6/$name"
		wgvia down wg6
		nothing_left
	done
}

@test "something else in the place of an instance's folder: commands name it, down removes the rest" {
	local theirs=$BATS_TEST_TMPDIR/theirs kind path suffix
	mkdir "$theirs"
	touch "$theirs/precious"
	for suffix in %new %old %agent; do
		for kind in link pin full; do
			[ $suffix-$kind != %old-full ] || continue # what replaces an instance
			path=$PIN_DIR/wg6$suffix
			wgvia up wg6 "${WORDS[@]}"
			case $kind in
			link) ln -s "$theirs" "$path" ;;
			pin) bpftool map create "$path" type array key 4 value 4 entries 1 name theirs ;;
			full) mkdir -p "$path/theirs/theirs" && path=$path/theirs ;;
			esac
			[ $suffix-$kind = %agent-full ] || refuses "$path" up wg6 "${WORDS[@]}" on-fail pass
			leaves "$path"
			is "$(attached)" ""
			[ -e "$path" ]
			[ ! -e "$PIN_DIR/wg6" ]
			rm -r "$PIN_DIR/wg6$suffix"
		done
	done
	[ -e "$theirs/precious" ]
	ln -s "$theirs" "$PIN_DIR/wg6"
	for command in "up wg6" "show wg6" "down wg6"; do
		refuses "$PIN_DIR/wg6" $command
	done
	rm "$PIN_DIR/wg6"
	[ -e "$theirs/precious" ]
}

@test "a link in the place of the agent's folder is not followed: no agent is seen there" {
	local theirs=$BATS_TEST_TMPDIR/theirs
	mkdir "$theirs"
	wgvia up wg6 "${WORDS[@]}"
	ln -s "$theirs" "$PIN_DIR/wg6%agent"
	exec {lock}<"$theirs"
	flock "$lock"
	is "$(wgvia -j show wg6 | jq .agent)" false
	exec {lock}<&-
	rm "$PIN_DIR/wg6%agent"
	wgvia down wg6
	nothing_left
}

@test "other pins beside those of an instance stay, and down reports them" {
	wgvia up wg6 "${WORDS[@]}"
	bpftool map create "$PIN_DIR/wg6/theirs" type array key 4 value 4 entries 1 name theirs
	mkdir "$PIN_DIR/wg6/folder"
	rm "$PIN_DIR/wg6/counters" # so that the instance is created again
	wgvia up wg6 "${WORDS[@]}"
	[ -e "$PIN_DIR/wg6/theirs" ] && [ -e "$PIN_DIR/wg6/folder" ]
	run -0 --separate-stderr wgvia down wg6
	[[ ${stderr_lines[0]} == *" and 1 more"* ]] || is "${stderr_lines[0]}" "... and 1 more ..."
	is "$(attached)" ""
	is "$(find "$PIN_DIR" -mindepth 2 | sort)" "$PIN_DIR/wg6/folder"$'\n'"$PIN_DIR/wg6/theirs"
	wgvia up wg6 "${WORDS[@]}"
	answers "$NS_C1" $SVC4 service $C1_4
	rm -r "$PIN_DIR/wg6/theirs" "$PIN_DIR/wg6/folder"
	wgvia down wg6
	nothing_left
}
