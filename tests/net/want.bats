#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What the kernel refuses for lack of memory, of room or of buffers, and a read-only bpffs: one line that reports it,
# exit status 1, everything as before, packets via the firewall; and the same command works afterwards. Memory is
# limited by a cgroup, room by wgvia built with small maps; fault.c chooses where in a command the lack occurs.
# WGVIA_FAULTS=N tries every Nth call of a command [40]; 1 tries all of them. faults.bats covers failures in the middle
# of a visible change.

# shellcheck disable=SC2030,SC2031,SC2034,SC2086,SC2153,SC2154 # addresses are words; `run` sets $status

export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-$((900 + 2400 / ${WGVIA_FAULTS:-40}))}
load ../lib/net.bash
load ../lib/load.bash
load ../lib/agent.bash
load ../lib/fault.bash

ENOMEM=12 ENOBUFS=105

setup_more() {
	load_up
}

setup() {
	OWN_PIN_DIR=$PIN_DIR
	AGENT_ENV=()
	conf=$BATS_TEST_TMPDIR/wg6.conf
}

teardown() {
	unspawn load KILL
	agent_stop KILL
	ip -n "$NS_GW" link delete wg7 2>/dev/null || true
	if mountpoint -q "$TOPO_DIR/bpf"; then
		mount -o remount,rw "$TOPO_DIR/bpf"
		"$WGVIA" --pin-dir "$TOPO_DIR/bpf/wgvia" -n "$NS_GW" down wg6
		umount -l "$TOPO_DIR/bpf"
	fi
	PIN_DIR=$OWN_PIN_DIR
	cgroup_gone
	load_sweep
}

# works: packets of both families go out via the firewall and come back.
works() {
	pings 3 "$NS_C1" $SVC4
	pings 3 "$NS_C1" $SVC6
}

# ---- each call of a command ----

# wanting NUMBER ERRNO COMMAND...: that call gets this error. Fails like the command; $fault shows whether the call
# happened.
wanting() {
	local number=$1 errno=$2 file=$BATS_TEST_TMPDIR/fault status=0
	shift 2
	rm -f "$file"
	LD_PRELOAD=$FAULT_SO FAULT=want FAULT_AT=$number FAULT_ERRNO=$errno FAULT_FILE=$file \
		wgvia "$@" >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" || status=$?
	fault=no
	[ ! -e "$file" ] || fault=yes
	return $status
}

# said_once: the only line.
said_once() {
	is "$(grep -v '^hint: ' "$BATS_TEST_TMPDIR/stderr" | grep -vc '^wgvia: ')" 0
	is "$(grep -c '^wgvia: ' "$BATS_TEST_TMPDIR/stderr")" 1
	grep -q '^wgvia: .*cannot ' "$BATS_TEST_TMPDIR/stderr" || is "$(<"$BATS_TEST_TMPDIR/stderr")" "wgvia: cannot ..."
}

# each_call ERRNO COMMAND...: after a failure it runs the caller's `after_failure`, after a success, if the call was
# optional, `after_success`; both restore the initial state.
each_call() {
	local errno=$1 number status step=${WGVIA_FAULTS:-40}
	shift
	for ((number = 1 + RANDOM % step; number < 1000; number += step)); do
		status=0
		wanting $number $errno "$@" || status=$?
		[ $fault = yes ] || break
		total=$((total + 1))
		if [ $status -eq 0 ]; then
			after_success "$@" || is "after call $number of $*" "as wanted"
		else
			is "$status, call $number of $*" "1, call $number of $*"
			said_once
			failures=$((failures + 1))
			after_failure "$@" || is "after call $number of $* failed: $(<"$BATS_TEST_TMPDIR/stderr")" "as before"
		fi
	done
	is $fault no
}

# changed_and_back COMMAND...: the result equals that without a fault.
changed_and_back() {
	view | diff "$BATS_TEST_TMPDIR/new" - && back_again
}

# The only failure that comes after the rest of a change is in force says so.
unchanged_and_works() {
	grep "the rest of the change is complete" "$BATS_TEST_TMPDIR/stderr" || as_before || return
	wgvia "$@" >/dev/null 2>&1 && changed_and_back
}

back_again() {
	wgvia "${OLD[@]}" >/dev/null 2>&1 && state >"$BATS_TEST_TMPDIR/before"
}

# each_change COMMAND...
each_change() {
	after_failure() { unchanged_and_works "$@"; }
	after_success() { changed_and_back; }
	back_again
	wgvia "$@" >/dev/null 2>&1
	view >"$BATS_TEST_TMPDIR/new"
	back_again
	each_call $ENOMEM "$@"
}

# changes ATTACH
changes() {
	local result total=0 failures=0 fault OLD=(up wg6 "${WORDS[@]}" bypass 198.18.0.0/15)
	attach_type "$1"
	RANDOM=1
	wgvia "${OLD[@]}"
	wire_reset
	load_both_ways 1000
	each_change up wg6 "${WORDS_HALVES[@]}" mode stack on-fail pass
	each_change up wg6 "${WORDS[@]}" bypass 198.18.0.0/15 bypass 198.51.100.0/24
	each_change route replace wg6 from $VPN4 via $FW4B
	printf 'from %s via %s\n' $VPN4 $FW4 $VPN6 $FW6B >"$conf"
	each_change apply wg6 "$conf"
	result=$(load_stop load)
	figures "$failures of $total failed, $(load_figures "$result"), $(wire leaked) leaked"
	[ $failures -gt 0 ]
	load_lost_nothing "$result"
	is "$(wire leaked)" 0
}

@test "tcx: whichever call of a change finds no memory, nothing is lost" {
	changes tcx
}

# bats test_tags=long
@test "clsact: whichever call of a change finds no memory, nothing is lost" {
	changes clsact
}

# A first up that fails leaves nothing, except objects of others.
firsts() {
	local total=0 failures=0 fault others
	attach_type "$1"
	RANDOM=1
	[ "$1" = tcx ] || in_ns "$NS_GW" tc qdisc add dev ens3 clsact
	others=$(attached)
	others_alone() { is "$(attached)" "$others" && is "$(find "$PIN_DIR" -mindepth 1 2>/dev/null)" ""; }
	after_failure() { others_alone; }
	after_success() { wgvia down wg6 && others_alone; }
	each_call $ENOMEM up wg6 "${WORDS[@]}"
	wgvia down wg6
	others_alone
	figures "$failures of $total failed"
	[ $failures -gt 0 ]
}

@test "tcx: whichever call of a first up finds no memory, nothing is left" {
	firsts tcx
}

@test "clsact: whichever call of a first up finds no memory, nothing is left" {
	firsts clsact
}

# A down that fails can be repeated: the remaining pins represent what is left of the instance.
downs() {
	local total=0 failures=0 fault
	attach_type "$1"
	RANDOM=1
	up_again() { wgvia up wg6 "${WORDS[@]}" 2>/dev/null; }
	after_failure() { wgvia down wg6 && nothing_left && up_again; }
	after_success() { nothing_left && up_again; }
	up_again
	each_call $ENOBUFS down wg6
	figures "$failures of $total failed"
	[ $failures -gt 0 ]
	nothing_left
}

@test "tcx: whichever call of a down finds no buffers, the next down leaves nothing" {
	downs tcx
}

@test "clsact: whichever call of a down finds no buffers, the next down leaves nothing" {
	downs clsact
}

@test "reading commands report what they could not see, and nothing that is not true" {
	local total=0 failures=0 fault command
	RANDOM=1
	after_failure() { ! grep -E "damaged|another|no instance" "$BATS_TEST_TMPDIR/stderr"; }
	after_success() { [ -s "$BATS_TEST_TMPDIR/stdout" ]; }
	wgvia up wg6 "${WORDS[@]}"
	state >"$BATS_TEST_TMPDIR/before"
	for command in "show wg6" "-j stats wg6" "save wg6" "explain wg6 from $C1_4 to $SVC4" "-j show"; do
		each_call $ENOBUFS $command
	done
	figures "$failures of $total failed"
	[ $failures -gt 0 ]
	as_before
}

# ---- memory, in a cgroup ----

# cgroup_make: creates a memory cgroup, of either version, as $CGROUP; $CGROUP_LIMIT is the file of its limit.
cgroup_make() {
	local root
	CGROUP=
	for root in /sys/fs/cgroup/memory /sys/fs/cgroup /sys/fs/cgroup/unified; do
		if [ -e $root/memory.limit_in_bytes ]; then
			CGROUP=$root/$TOPO_NAME CGROUP_LIMIT=$CGROUP/memory.limit_in_bytes
		elif grep -qw memory $root/cgroup.controllers 2>/dev/null; then
			echo +memory >$root/cgroup.subtree_control || continue
			CGROUP=$root/$TOPO_NAME CGROUP_LIMIT=$CGROUP/memory.max
		else
			continue
		fi
		mkdir -p "$CGROUP"
		return
	done
	skip "no memory cgroups here"
}

cgroup_gone() {
	[ -z "${CGROUP:-}" ] || poll 10 rmdir "$CGROUP" || rmdir "$CGROUP"
}

# in_cgroup COMMAND...
in_cgroup() (
	echo $BASHPID >"$CGROUP/cgroup.procs"
	exec "$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" "$@"
)

cgroup_limit() {
	echo "$1" >"$CGROUP_LIMIT"
}

cgroup_usage() {
	cat "$CGROUP"/memory.{usage_in_bytes,current} 2>/dev/null || true
}

# up_in_cgroup: its maps belong to that cgroup as long as they live, from kernel 5.11 on; the ring of events alone has
# 256 KiB.
up_in_cgroup() {
	cgroup_make
	in_cgroup up wg6 "${WORDS[@]}"
	[ "$(cgroup_usage)" -ge $((256 * 1024)) ] || skip "kernel $(uname -r) puts maps in no cgroup"
}

@test "a running instance's maps find no memory for more: what was in force stays" {
	local result
	up_in_cgroup
	load_both_ways 1000
	wire_reset
	printf 'from %s via %s\n' $VPN4 $FW4 $VPN6 $FW6 >"$conf"
	seq 0 49999 | awk '{ printf "from 20.%d.%d.%d/28 via '$FW4'\n", $1 / 4096, $1 / 16 % 256, $1 % 16 * 16 }' >>"$conf"
	cgroup_limit $(($(cgroup_usage) + 1000000))
	refused "cannot write the maps of 'wg6': cannot allocate memory" apply wg6 "$conf"
	cgroup_limit 1G
	wgvia apply wg6 "$conf" # although the kernel's own stock of memory for entries is empty (bpf_mem_alloc)
	is "$(wgvia save wg6 | grep -c '^from 20[.]')" 50000
	result=$(load_stop load)
	figures "$(load_figures "$result")"
	load_lost_nothing "$result"
	is "$(wire leaked)" 0
}

@test "an agent whose maps find no memory reports it, and catches up when there is some" {
	local result
	up_in_cgroup
	agent_start
	load_both_ways 1000
	wire_reset
	cgroup_limit $(($(cgroup_usage) + 100000))
	printf 'address add 172.20.%s/32 dev lo\n' {1..40}.{1..250} | ip -n "$NS_GW" -batch -
	says "cannot write the maps of 'wg6': cannot allocate memory" 30
	cgroup_limit 1G
	poll 30 is_left_alone 172.20.40.250/32 local
	result=$(load_stop load)
	figures "$(load_figures "$result")"
	load_lost_nothing "$result"
	is "$(wire leaked)" 0
	ip -n "$NS_GW" address flush dev lo to 172.20.0.0/16
}

# From too little for the program itself to enough for everything.
@test "an up in a cgroup that is too small, for a series of sizes" {
	local limit status refusals=0 killed=0
	cgroup_make
	for ((limit = 1024; limit < 131072; limit += limit / 16)); do
		cgroup_limit ${limit}K
		status=0
		in_cgroup up wg6 "${WORDS[@]}" >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" || status=$?
		echo "$limit K: $status $(<"$BATS_TEST_TMPDIR/stderr")"
		case $status in
		0) break ;;
		1)
			said_once
			refusals=$((refusals + 1))
			;;
		137) # by the kernel
			wgvia down wg6
			killed=$((killed + 1))
			;;
		*) is $status "0, 1 or 137" ;;
		esac
		nothing_left
	done
	is $status 0
	figures "$limit KiB do, $refusals refused, $killed killed by the kernel"
	works
}

# ---- room ----

# The kernel's own error, with small maps; wgvia's maps have room for more than it uses.
@test "maps that are full: a change is refused as a whole" {
	local result
	variant small bpf/maps.h 's/^#define PREFIXES_MAX .*/#define PREFIXES_MAX 64/'
	export WGVIA=$BATS_FILE_TMPDIR/small/build/wgvia
	printf 'from %s via %s\n' $VPN4 $FW4 $VPN6 $FW6 >"$conf"
	wgvia apply wg6 "$conf"
	load_both_ways 1000
	wire_reset
	printf "from 20.6.%d.0/24 via $FW4\n" {1..100} >>"$conf"
	refused "cannot write the maps of 'wg6': no space left on device" apply wg6 "$conf"
	WGVIA_BATCH=no refused "cannot write the maps of 'wg6': no space left on device" apply wg6 "$conf"
	sed -i '20,$d' "$conf"
	is "$(wgvia apply wg6 "$conf" | grep -c '^+ from')" 17
	result=$(load_stop load)
	figures "$(load_figures "$result")"
	load_lost_nothing "$result"
	is "$(wire leaked)" 0
	wgvia down wg6
	# and a first one leaves nothing
	printf "from 20.6.%d.0/24 via $FW4\n" {1..100} >"$conf"
	run -1 wgvia apply wg6 "$conf"
	[[ "$output" == "wgvia: cannot write the maps of 'wg6': no space left on device"* ]]
	nothing_left
}

@test "more prefixes than wgvia supports are refused before anything changes" {
	wgvia up wg6 "${WORDS[@]}"
	seq 0 1000000 | awk '{ printf "from %d.%d.%d.%d/32 via '$FW4'\n", 20 + $1 / 16777216, $1 / 65536 % 256, $1 / 256 % 256, $1 % 256 }' >"$conf"
	refused "cannot hold more than 1000000 prefixes" apply wg6 "$conf"
	works
}

# ---- a read-only bpffs ----

# read_only COMMAND: a $WGVIA for which the pins are read-only after that command.
read_only() {
	READ_ONLY=$BATS_TEST_TMPDIR/wgvia
	printf '#!/bin/sh\n%s\n' "$1" >"$READ_ONLY"
	chmod +x "$READ_ONLY"
}

# pins_cannot_change: what would create or remove one is refused, and what is in force stays.
pins_cannot_change() {
	local WGVIA=$READ_ONLY text="read-only file system"
	ip -n "$NS_GW" tuntap add dev wg7 mode tun
	refused "$text" up wg6 "${WORDS_HALVES[@]}" mode stack
	refused "$text" down wg6
	refused "$text" run wg6
	refused "$text" up wg7 from 10.7.0.0/16 via $FW4
}

# The file system itself, which bpftool cannot read either then.
@test "a read-only bpffs: what is in force stays" {
	local result
	mkdir -p "$TOPO_DIR/bpf"
	mount -t bpf bpf "$TOPO_DIR/bpf"
	PIN_DIR=$TOPO_DIR/bpf/wgvia
	read_only "mount -o remount,ro $TOPO_DIR/bpf; $WGVIA \"\$@\"; status=\$?; mount -o remount,rw $TOPO_DIR/bpf; exit \$status"
	wgvia up wg6 "${WORDS[@]}"
	load_both_ways 1000
	wire_reset
	pins_cannot_change
	WGVIA=$READ_ONLY refused "read-only file system" route replace wg6 from $VPN4 via $FW4B
	WGVIA=$READ_ONLY refused "read-only file system" show wg6
	wgvia up wg6 "${WORDS_HALVES[@]}" mode stack
	result=$(load_stop load)
	figures "$(load_figures "$result")"
	load_lost_nothing "$result"
	is "$(wire leaked)" 0
	wgvia down wg6
	nothing_left
}

# Like systemd's ReadOnlyPaths=: the mount is read-only, the file system is not, so maps can be read and written.
@test "a bpffs that is mounted read-only for one process: pins stay, maps change" {
	local result
	read_only "exec unshare --mount sh -c 'mount --bind $PIN_DIR $PIN_DIR && mount -o remount,bind,ro $PIN_DIR && exec \"\$@\"' \
		sh $WGVIA \"\$@\""
	wgvia up wg6 "${WORDS[@]}"
	load_both_ways 1000
	wire_reset
	pins_cannot_change
	is "$(WGVIA=$READ_ONLY wgvia -j save wg6)" "$(wgvia -j save wg6)"
	WGVIA=$READ_ONLY wgvia route replace wg6 from $VPN4 via $FW4B
	wgvia up wg6 "${WORDS_HALVES[@]}" mode stack
	result=$(load_stop load)
	figures "$(load_figures "$result")"
	load_lost_nothing "$result"
	is "$(wire leaked)" 0
}
