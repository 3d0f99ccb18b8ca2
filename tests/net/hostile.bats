#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Hostile maps: nonsense in every map while packets flow. Nothing crashes, every packet is counted under a verdict, show
# reports what is wrong, and `up` with the previous words repairs everything. WGVIA_SEED=N repeats a run, WGVIA_ROUNDS=N
# is the number of rounds [10].

# shellcheck disable=SC2046,SC2086 # addresses are words

load ../lib/net.bash
load ../lib/load.bash

setup_more() {
	load_up
	export SEED=${WGVIA_SEED:-$RANDOM}
}

setup() {
	kernel_log_begin hostile.bats
}

teardown() {
	unspawn load KILL
	service_heeds_redirects 1
	ip -n "$NS_SVC" route delete $C1_4 via $GW4 2>/dev/null
	ip -n "$NS_SVC" route delete $C1_6 via $GW6 2>/dev/null
	load_sweep
}

up() {
	wgvia up wg6 "${WORDS[@]}" bypass 198.18.0.0/15 "$@"
}

kernel_is_well() {
	is "$(kernel_warnings hostile.bats) warnings" "0 warnings"
}

# counted DIRECTION: packets since remember_counters, under all verdicts.
counted() {
	since ".directions.$1 | map(.packets) | add"
}

# all_counted DIRECTION: what has come out of the tunnel since remember_counters; some of it may still do.
all_counted() {
	poll 10 as_many "$1" || is "$(counted "$1") counted" "$(injected) counted"
}

as_many() {
	[ "$(counted "$1")" -eq "$(injected)" ]
}

# scribble SEED COUNT MAP...
scribble() {
	local seed=$1 count=$2
	shift 2
	"$TOOLS/scribble" "$seed" "$count" "$PIN_DIR/wg6" "$@"
}

# looks_on: every command that only reads ends in an expected way, with valid output; with sanitizers, if such a build
# exists.
looks_on() {
	local WGVIA=$WGVIA line status
	[ ! -x "$TREE/build-san/wgvia" ] || WGVIA=$TREE/build-san/wgvia
	for line in "show wg6" "show" "stats wg6" "-j show wg6" "-j stats wg6"; do
		status=0
		wgvia $line >"$BATS_TEST_TMPDIR/look" 2>"$BATS_TEST_TMPDIR/look.err" || status=$?
		[ $status -le 1 ] || is "wgvia $line: status $status $(<"$BATS_TEST_TMPDIR/look.err")" "status 0 or 1"
		[ $status -eq 0 ] || grep '^wgvia: ' "$BATS_TEST_TMPDIR/look.err" >/dev/null
		[ $status -ne 0 ] || [ "${line#-j}" = "$line" ] || jq . "$BATS_TEST_TMPDIR/look" >/dev/null
	done
}

works() {
	pings 3 "$NS_C1" $SVC4
	pings 3 "$NS_C1" $SVC6
	pings 3 "$NS_C1" $INET6
}

# scribbled MODE: the packet path meets nonsense in the lists.
scribbled() {
	local round rounds=${WGVIA_ROUNDS:-10} before problems=0
	up mode "$1"
	before=$(view)
	remember_counters
	load_start load "$NS_C1" 5000 $C1_4 $SVC4 $C1_6 $SVC6 $C1_4 $INET4 $C1_6 $WG6
	for ((round = 0; round < rounds; round++)); do
		scribble $((SEED + round)) 300 prefixes4 prefixes6 bypass4 bypass6
		looks_on
		problems=$((problems + $(wgvia show wg6 | grep -cE 'UNUSABLE|unknown verdict' || true)))
		up mode "$1"
		is "$(view)" "$before"
		works
	done
	scribble $SEED 300 prefixes4 prefixes6 bypass4 bypass6
	load_stop load >"$BATS_TEST_TMPDIR/load"
	figures "seed $SEED: $(injected) packets came, $(counted out) counted;" \
		"$problems problems named"
	[ "$1" != fast ] || all_counted out
	[ $problems -gt 0 ]
	up mode "$1"
	is "$(view)" "$before"
	works
	kernel_is_well
}

@test "mode fast: nonsense in the lists; every packet is counted, and up repairs" {
	scribbled fast
}

@test "mode stack: nonsense in the lists; up repairs" {
	scribbled stack
}

# From these maps the packet path takes nothing that matters to a packet with a usable gateway, except for packets that
# do not come from there.
@test "nonsense in counters and meta costs no packet, and up repairs" {
	local round rounds=${WGVIA_ROUNDS:-10} before result refused=0
	service_heeds_redirects 0
	up
	before=$(view)
	load_start load "$NS_C1" 5000 $C1_4 $SVC4 $C1_6 $SVC6
	for ((round = 0; round < rounds; round++)); do
		scribble $((SEED + round)) 50 counters meta trace
		looks_on
		if ! up 2>"$BATS_TEST_TMPDIR/up"; then
			# by its numbers it belongs to another version, or to another namespace
			grep -E "have ABI version|belong to another network namespace" "$BATS_TEST_TMPDIR/up"
			refused=$((refused + 1))
			clear_meta
			up
		fi
		is "$(view)" "$before"
	done
	result=$(load_stop load)
	figures "seed $SEED: $(load_figures "$result"); $refused of $rounds refused as somebody else's"
	load_lost_nothing "$result"
	kernel_is_well
}

# The service answers the gateway directly, so that its packets are bounced.
@test "nonsense in the maps of senders costs no packet without a counter, and up repairs" {
	local round rounds=${WGVIA_ROUNDS:-10} before result
	up
	before=$(view)
	ip -n "$NS_SVC" route add $C1_4 via $GW4
	ip -n "$NS_SVC" route add $C1_6 via $GW6
	load_both_ways 5000
	for ((round = 0; round < rounds; round++)); do
		scribble $((SEED + round)) 1000 senders learnt bounced
		looks_on
		bpftool map update pinned "$PIN_DIR/wg6/failover" key 0 0 0 0 value hex $(random_bytes 224)
		up
		is "$(view)" "$before"
		is "$(bpftool -j map dump pinned "$PIN_DIR/wg6/failover" | jq length)" 0
	done
	result=$(load_stop load)
	figures "seed $SEED: $(load_figures "$result"); $(counter bounced) bounced, $(counter refused) refused"
	[ "$(counter bounced)" -gt 0 ]
	is "$(jq .out.lost <<<"$result") lost, $(jq .back.lost <<<"$result") on the return path" \
		"0 lost, $(counter refused) on the return path"
	works
	kernel_is_well
}

# The first word of meta is the version; no version has 0.
clear_meta() {
	local size
	size=$(bpftool -j map show pinned "$PIN_DIR/wg6/meta" | jq .bytes_value)
	# shellcheck disable=SC2046 # words
	bpftool map update pinned "$PIN_DIR/wg6/meta" key hex 00 00 00 00 value hex $(yes 00 | head -n "$size")
}

# ---- by bpftool, one wrong word at a time ----

VPN6_KEY="32 00 00 00 20 01 0d b8 00 01 00 00 00 00 00 00 00 00 00 00"
VPN4_KEY="10 00 00 00 0a 06 00 00"

word() { # NUMBER: as bytes
	printf '%02x %02x %02x %02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255))
}

# set_gateway IFINDEX FAMILY ADDRESS FLAGS: of the IPv6 prefix.
set_gateway() {
	# shellcheck disable=SC2046 # words
	bpftool map update pinned "$PIN_DIR/wg6/prefixes6" key hex $VPN6_KEY \
		value hex $(word "$1") $(word "$2") $3 $(word "$4") 00 00 00 00
}

# unusable PROBLEM IFINDEX FAMILY ADDRESS FLAGS: show names it, packets are dropped and counted, `up` repairs.
unusable() {
	local problem=$1
	shift
	set_gateway "$@"
	wgvia show wg6 | grep "from $VPN6 .* UNUSABLE: .*$problem"
	remember_counters
	run ! ping_once "$NS_C1" $SVC6 -W 0.2
	grown no_gateway 1 104
	up
	works
}

@test "each wrong word of a gateway is reported, and its packets are counted" {
	local ens3 fw6="20 01 0d b8 00 02 00 00 00 00 00 00 00 00 00 01" zero="00 00 00 00 00 00 00 00 00 00 00 00"
	up
	ens3=$(ip -n "$NS_GW" -j link show ens3 | jq '.[].ifindex')
	set_gateway "$ens3" 10 "$fw6" 0
	works
	unusable "no device" 0 10 "$fw6" 0
	unusable "no longer exists" 99999 10 "$fw6" 0
	unusable "not attached" 1 10 "$fw6" 0
	unusable "family" "$ens3" 7 "$fw6" 0
	unusable "IPv4 next hop" "$ens3" 2 "c0 00 02 01 $zero" 0
	unusable "multicast" "$ens3" 10 "ff 02 00 00 $zero" 0
	unusable "not a gateway address" "$ens3" 10 "00 00 00 00 $zero" 0
	unusable "down" "$ens3" 10 "$fw6" 1
	unusable "flags" "$ens3" 10 "$fw6" 4
	bpftool map update pinned "$PIN_DIR/wg6/bypass4" key hex 20 00 00 00 c6 33 64 07 value hex 4d 00 00 00 00 00 00 00
	wgvia show wg6 | grep "bypass 198.51.100.7/32 .*unknown verdict 77"
	up
	run ! grep 198.51.100.7 <<<"$(wgvia show wg6)"
	kernel_is_well
}

random_bytes() { # COUNT
	local i
	for ((i = 0; i < $1; i++)); do
		printf '%02x ' $((RANDOM & 255))
	done
}

# In mode stack the egress program counts, and only packets with a source in a prefix.
@test "mode stack: random gateways by bpftool; every packet is counted" {
	local i
	up mode stack counters prefix
	RANDOM=$SEED
	remember_counters
	load_start load "$NS_C1" 3000 $C1_4 $SVC4 $C1_6 $SVC6 $C1_4 $INET4 $C1_6 $INET6
	for ((i = 0; i < 100; i++)); do
		# shellcheck disable=SC2046 # words
		bpftool map update pinned "$PIN_DIR/wg6/prefixes6" key hex $VPN6_KEY value hex $(random_bytes 32)
		# shellcheck disable=SC2046 # words
		bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key hex $VPN4_KEY value hex $(random_bytes 32)
		[ $((i % 10)) -ne 9 ] || up mode stack counters prefix
	done
	load_stop load >"$BATS_TEST_TMPDIR/load"
	figures "seed $SEED: $(injected) packets came, $(counted egress) counted"
	all_counted egress
	[ "$(counter no_gateway)" -gt 0 ]
	up mode stack counters prefix
	works
	kernel_is_well
}
