#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Somebody else's programs on the gateway's devices, there before wgvia and come after it, by tcx and by clsact: they see
# what they should, and `down` leaves them, their order and their qdisc as they are.

# shellcheck disable=SC2086 # addresses are words

load ../lib/net.bash

setup_more() {
	export FOREIGN=/sys/fs/bpf/$TOPO_NAME-foreign
	clang -O2 -g -target bpf -idirafter "/usr/include/$(gcc -dumpmachine)" -c "$TREE/tests/net/foreign.bpf.c" \
		-o "$BATS_FILE_TMPDIR/foreign.o"
}

teardown() {
	local dev
	sweep "$NS_GW" wg6
	rm -rf "$FOREIGN"
	for dev in wg6 ens3; do
		in_ns "$NS_GW" tc qdisc delete dev $dev clsact 2>/dev/null || true
	done
}

# The places that wgvia shares with others.
places=("wg6 ingress" "ens3 ingress" "ens3 egress")

# foreign_add NAME tcx|clsact DEVICE DIRECTION: one more counting program there, behind those that are there.
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

# saw NAME: packets that it has counted.
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

	# Who stands before us sees all; who stands behind us, what is not ours: here the gateway's own address. clsact
	# stands behind tcx, whoever came first.
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

	# Ours again, and gone.
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

@test "clsact: a filter that came to the qdisc that we made outlives us" {
	attach_type clsact
	wgvia up wg6 "${WORDS[@]}"
	foreign_add later clsact wg6 ingress
	wgvia down wg6
	saw_more later pings 1 "$NS_C1" $WG4
	is "$(attached | grep -c 'direct-action')" 1
}

@test "clsact: an empty qdisc of somebody else stays" {
	local before
	in_ns "$NS_GW" tc qdisc add dev ens3 clsact
	before=$(attached)
	attach_type clsact
	wgvia up wg6 "${WORDS[@]}"
	wgvia down wg6
	is "$(attached)" "$before"
}

@test "clsact: a user with capabilities who is not root takes away the qdisc that they made" {
	local caps=+dac_override,+net_admin,+sys_admin,+sys_ptrace,+perfmon,+bpf
	local user=(setpriv --reuid 65534 --inh-caps "$caps" --ambient-caps "$caps"
		"$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW")
	attach_type clsact
	"${user[@]}" up wg6 "${WORDS[@]}"
	[ -n "$(attached)" ]
	"${user[@]}" down wg6
	is "$(attached)" ""
}

@test "clsact: our handle and priority, taken by somebody else, are not touched" {
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
