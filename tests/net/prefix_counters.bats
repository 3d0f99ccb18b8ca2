#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `counters prefix`: packets and bytes of each prefix are those that were sent, on the wire, in both modes, both ways;
# which prefix has them is right whatever happens to prefixes; off there is nothing. `stats --prefix`, the metrics.

# shellcheck disable=SC2046,SC2086 # addresses are words
# shellcheck disable=SC2153,SC2154 # the topology's variables; `run` sets $output

load ../lib/wire.bash
load ../lib/agent.bash

# A prefix in a prefix, a host route in both.
IN4=10.6.5.0/24 HOST4=10.6.5.5/32 IN6=2001:db8:1:5::/64
BY4=(from "$VPN4" via "$FW4" from "$IN4" via "$FW4" from "$HOST4" via "$FW4")
BY6=(from "$VPN6" via "$FW6" from "$IN6" via "$FW6")
# the sentinel has its own
ALL=("${BY4[@]}" "${BY6[@]}" from 198.18.0.1 via "$FW4")

setup() {
	wire_usual
	ip -n "$NS_GW" link set wg6 mtu 1420
}

teardown() {
	agent_stop 2>/dev/null || true
	wire_end
}

# counted [PREFIX]: what is counted, a line for each prefix that has anything, but for the sentinel's.
counted() {
	local figures
	figures=$(wgvia -j stats wg6 --prefix "$@") || { echo "stats failed" && return; }
	jq -r '(.prefixes[], (.other // empty | .prefix = "other")) |
		select(.prefix != "198.18.0.1/32" and .out.packets + .back.packets > 0) |
		"\(.prefix) out \(.out.packets) \(.out.bytes) back \(.back.packets) \(.back.bytes)"' <<<"$figures"
}

pins() {
	(cd "$PIN_DIR/wg6" && echo prefix_counters*)
}

# From tunnel and LAN, so that each prefix has packets of its own sizes, the larger ones in segments.
traffic() {
	wire tun "pkt(4, 100, src='10.6.0.9')" "pkt(4, 200, src='10.6.5.1')" "pkt(4, 300, src='10.6.5.5')" \
		"pkt(4, 301, src='10.6.5.5')" "pkt(6, 400, src='2001:db8:1::9')" "pkt(6, 500, src='2001:db8:1:5::9')" \
		"tcp(4, 5040, 1000, src='10.6.5.1')" "tcp(6, 5060, 1000, src='2001:db8:1:5::9')" >/dev/null
	wire lan "pkt(4, 110, src='$SVC4', dst='10.6.0.9')" "pkt(4, 210, src='$SVC4', dst='10.6.5.1')" \
		"pkt(4, 310, src='$SVC4', dst='10.6.5.5')" "pkt(6, 410, src='$SVC6', dst='2001:db8:1::9')" \
		"pkt(6, 510, src='$SVC6', dst='2001:db8:1:5::9')" \
		"tcp(4, 3040, 1000, src='$SVC4', dst='10.6.5.1')" \
		"tcp(6, 3060, 1000, src='$SVC6', dst='2001:db8:1:5::9')" >/dev/null
}

# traffic_is TIMES: so often, by now.
traffic_is() {
	local n=$1
	is "$(counted)" "$VPN4 out $n $((n * 100)) back $n $((n * 110))
$IN4 out $((n * 6)) $((n * 5400)) back $((n * 4)) $((n * 3330))
$HOST4 out $((n * 2)) $((n * 601)) back $n $((n * 310))
$VPN6 out $n $((n * 400)) back $n $((n * 410))
$IN6 out $((n * 6)) $((n * 5800)) back $((n * 4)) $((n * 3690))"
}

both_modes() {
	local mode
	for mode in fast stack; do
		echo "mode $mode"
		wgvia up wg6 "${ALL[@]}" mode $mode counters prefix
		is "$(counted)" ""
		traffic
		traffic_is 1
		# what is known of senders and sources by now changes nothing
		traffic
		traffic
		traffic_is 3
		wgvia down wg6
	done
}

@test "what is counted for each prefix is what was sent, both ways, both modes: tcx" {
	attach_type tcx
	both_modes
}

@test "what is counted for each prefix is what was sent, both ways, both modes: clsact" {
	attach_type clsact
	both_modes
}

@test "only what goes to a gateway or comes from one is counted" {
	local mode
	for mode in fast stack; do
		echo "mode $mode"
		wgvia up wg6 "${ALL[@]}" bypass 198.18.5.0/24 mode $mode counters prefix
		ip -n "$NS_GW" route replace 198.18.5.0/24 via "$FW4" dev ens3
		# exempt, for this host, with no hop left, in no prefix; exempt on the return path, in both orders
		wire tun "pkt(4, 100, src='10.6.0.9', dst='198.18.5.5')" "pkt(4, 100, src='10.6.0.9', dst='$GW4')" \
			"pkt(4, 100, src='10.6.0.9', hops=1)" "pkt(4, 100, src='10.9.0.9')" >/dev/null
		wire lan "pkt(4, 100, src='198.18.5.5', dst='10.6.0.9')" "pkt(4, 100, src='$SVC4', dst='$WG4')" \
			"pkt(4, 100, src='$SVC4', dst='10.6.0.9', hops=1)" \
			"pkt(4, 120, src='$SVC4', dst='10.6.0.9')" "pkt(4, 121, src='$SVC4', dst='10.6.0.9')" \
			"pkt(4, 100, src='198.18.5.5', dst='10.6.0.9')" \
			"pkt(4, 122, src='$SVC4', dst='10.6.0.9')" >/dev/null
		# this host's answer to what came for its address in the prefix is from there
		is "$(counted)" "$VPN4 out 1 128 back 3 363"
		wgvia down wg6
	done
}

@test "a frame that is sent to the firewall first is counted when it comes from there" {
	local mode
	for mode in fast stack; do
		echo "mode $mode"
		wgvia up wg6 "${ALL[@]}" mode $mode counters prefix
		wire lan "Ether(src='$SVC_MAC', dst='$GW_MAC') / pkt(4, 130, src='$SVC4', dst='10.6.0.9')" >/dev/null
		is "$(counted)" ""
		wire lan "Ether(src='$FW_MAC', dst='$GW_MAC') / pkt(4, 130, src='$SVC4', dst='10.6.0.9', hops=62)" >/dev/null
		is "$(counted)" "$VPN4 out 0 0 back 1 130"
		wgvia up wg6 "${ALL[@]}" mode $mode counters prefix return any
		wire lan "Ether(src='$SVC_MAC', dst='$GW_MAC') / pkt(4, 130, src='$SVC4', dst='10.6.0.9')" \
			"Ether(src='$SVC_MAC', dst='$GW_MAC') / pkt(4, 131, src='$SVC4', dst='10.6.0.9')" >/dev/null
		is "$(counted)" "$VPN4 out 0 0 back 3 391"
		wgvia down wg6
	done
}

@test "counters stay with their prefix: route replace, up, apply, another mode" {
	wgvia up wg6 "${ALL[@]}" counters prefix
	traffic
	is "$(wgvia -j up wg6 "${ALL[@]}" counters prefix | jq -c .changes)" "[]"
	wgvia route replace wg6 from "$IN4" via 192.0.2.77 dev ens3
	traffic_is 1
	wgvia route replace wg6 from "$IN4" via "$FW4" dev ens3
	wgvia route add wg6 from 10.6.9.0/24 via "$FW4"
	wgvia route add wg6 from 10.6.4.0/24 via "$FW4"
	traffic
	traffic_is 2
	wgvia up wg6 "${ALL[@]}" counters prefix mode stack
	traffic
	traffic_is 3
	wgvia save wg6 >"$BATS_TEST_TMPDIR/conf"
	grep -qx "counters prefix" "$BATS_TEST_TMPDIR/conf"
	wgvia up wg6 "${ALL[@]}" counters prefix mode fast
	wgvia apply wg6 "$BATS_TEST_TMPDIR/conf"
	traffic
	traffic_is 4
}

@test "a prefix that is removed takes its counters along, and no other prefix gets them" {
	wgvia up wg6 "${ALL[@]}" counters prefix
	traffic
	wgvia route del wg6 from "$HOST4"
	wgvia route add wg6 from 10.6.7.0/24 via "$FW4"
	is "$(counted 10.6.7.0/24 2>&1)" ""
	wire tun "pkt(4, 100, src='10.6.7.1')" "pkt(4, 300, src='10.6.5.5')" >/dev/null
	is "$(counted "$VPN4")" "$VPN4 out 1 100 back 1 110
$IN4 out 7 5700 back 4 3330
10.6.7.0/24 out 1 100 back 0 0"
	wgvia route add wg6 from "$HOST4" via "$FW4"
	is "$(counted "$HOST4")" ""
	wire lan "pkt(4, 310, src='$SVC4', dst='10.6.5.5')" >/dev/null
	is "$(counted "$HOST4")" "$HOST4 out 0 0 back 1 310"
	# all of them exchanged at once
	wgvia up wg6 from 10.6.8.0/24 via "$FW4" from 10.6.5.0/24 via "$FW4" from 198.18.0.1 via "$FW4" counters prefix
	wire tun "pkt(4, 100, src='10.6.8.1')" >/dev/null
	is "$(counted)" "$IN4 out 7 5700 back 4 3330
10.6.8.0/24 out 1 100 back 0 0"
}

@test "off, on, off: off there is nothing, and on begins at 0" {
	wgvia up wg6 "${ALL[@]}"
	is "$(pins)" prefix_counters
	traffic
	run --separate-stderr wgvia stats wg6 --prefix
	is "$status $stderr" "1 wgvia: 'wg6' does not count by prefix
hint: the words 'counters prefix' of 'up' switch it on"
	is "$(wgvia -j stats --prefix | jq -c '.[0]')" '{"interface":"wg6","counters":"off","prefixes":[]}'
	is "$(wgvia stats --prefix)" "wg6: counters off"
	run -0 wgvia stats wg6 --prometheus
	is "$(grep -c ^wgvia_up <<<"$output") $(grep -c wgvia_prefix_ <<<"$output")" "1 0"
	is "$(wgvia up wg6 "${ALL[@]}" counters prefix | grep '^[+-]')" "- counters off
+ counters prefix"
	is "$(pins)" "prefix_counters prefix_counters_0"
	traffic
	traffic_is 1
	wgvia show wg6 | grep -q " counters prefix "
	is "$(wgvia -j show wg6 | jq -r .counters)" prefix
	wgvia up wg6 "${ALL[@]}" counters off
	is "$(pins)" prefix_counters
	is "$(bpftool -j map dump pinned "$PIN_DIR/wg6/prefixes4" | jq '[.[].formatted.value.counter] | add')" 0
	wgvia up wg6 "${ALL[@]}" counters prefix
	is "$(counted)" ""
	traffic
	traffic_is 1
}

# An entry's bytes as bpftool takes them, but for the last four, which are the counter's number.
value_of() {
	bpftool -j map lookup pinned "$PIN_DIR/wg6/prefixes4" key hex $1 | jq -r '.value[:28][]' | sed 's/0x//' | paste -sd ' '
}

@test "what somebody else writes into the map is counted with the others, or not at all" {
	local key="18 00 00 00 0a 06 05 00" value packets="pkt(4, 200, src='10.6.5.1')"
	wgvia up wg6 "${ALL[@]}" counters prefix
	wire tun "$packets" >/dev/null
	value=$(value_of "$key")
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key hex $key value hex $value 00 00 00 00
	wire tun "$packets" >/dev/null
	is "$(counted)" "other out 1 200 back 0 0"
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key hex $key value hex $value ff ff ff ff
	is "$(wire tun "$packets")" "lan gw>fw #1 hops 63"
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key hex $key value hex $value 00 10 00 00
	is "$(wire tun "$packets")" "lan gw>fw #1 hops 63"
	is "$(counted)" "other out 1 200 back 0 0"
	# the same number as another prefix: each packet is counted once, and the next command gives it one of its own
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key hex $key value hex $value \
		$(bpftool -j map lookup pinned "$PIN_DIR/wg6/prefixes4" key hex 20 00 00 00 0a 06 05 05 |
			jq -r '.value[28:][]' | sed 's/0x//')
	wire tun "$packets" >/dev/null
	is "$(counted | grep -v other | grep -c 'out 1 200 back 0 0')" 1
	wgvia up wg6 "${ALL[@]}" counters prefix
	is "$(bpftool -j map dump pinned "$PIN_DIR/wg6/prefixes4" | jq -c '[.[].formatted.value.counter] | sort == unique and .[0] > 0')" true
	wire tun "$packets" >/dev/null
	is "$(counted "$IN4" | grep -c "^$IN4")" 1
}

@test "a map that was emptied costs no packet, and the next command repairs it" {
	wgvia up wg6 "${ALL[@]}" counters prefix
	bpftool map delete pinned "$PIN_DIR/wg6/prefix_counters" key 0 0 0 0
	is "$(wire tun "pkt(4, 200, src='10.6.5.1')")" "lan gw>fw #1 hops 63"
	is "$(counted)" ""
	wgvia up wg6 "${ALL[@]}" counters prefix
	traffic
	traffic_is 1
}

@test "a removed pin of a part: the metrics have everything else, and the next change repairs it" {
	local metrics
	wgvia up wg6 "${ALL[@]}" counters prefix
	traffic
	rm "$PIN_DIR/wg6/prefix_counters_0"
	metrics=$(as_unit stats --prometheus)
	grep -q '^wgvia_packets_total{interface="wg6",direction="out",verdict="redirected"} [1-9]' <<<"$metrics"
	is "$(grep '^wgvia_prefix_packets_total' <<<"$metrics")" ""
	wgvia route add wg6 from 10.6.9.0/24 via $FW4
	is "$(pins)" "prefix_counters prefix_counters_0"
}

@test "metrics have a limited number of prefixes, and the sums are right" {
	local metrics
	wgvia up wg6 "${ALL[@]}" counters prefix
	traffic
	metrics=$(wgvia stats wg6 --prometheus)
	/usr/bin/python3 "$TREE/tests/lib/promcheck.py" <<<"$metrics"
	grep -qxF "wgvia_prefix_packets_total{interface=\"wg6\",prefix=\"$IN4\",direction=\"out\"} 6" <<<"$metrics"
	grep -qxF "wgvia_prefix_bytes_total{interface=\"wg6\",prefix=\"$IN6\",direction=\"back\"} 3690" <<<"$metrics"
	is "$(grep -c ^wgvia_prefix_packets_total <<<"$metrics")" 12 # six prefixes, two ways
	for limit in 0 1 3 6; do
		wgvia stats wg6 --prometheus $limit >"$BATS_TEST_TMPDIR/metrics"
		/usr/bin/python3 "$TREE/tests/lib/promcheck.py" <"$BATS_TEST_TMPDIR/metrics"
		is "$(grep -c ^wgvia_prefix_bytes_total "$BATS_TEST_TMPDIR/metrics")" $((limit * 2))
		is "$(grep -c ^wgvia_prefix_other_bytes "$BATS_TEST_TMPDIR/metrics")" 2
		is "$(sum "$limit" bytes)" "$(sum 1000 bytes)"
		is "$(sum "$limit" packets)" "$(sum 1000 packets)"
	done
	# the sums are those of the verdicts
	is "$(wgvia -j stats wg6 --prefix | jq -c '[.prefixes[], .other] | [(map(.out.packets) | add), (map(.back.packets) | add)]')" \
		"$(wgvia -j stats wg6 | jq -c '[.counters.redirected.packets + .counters.retargeted.packets, .counters.returned.packets]')"
	run wgvia stats wg6 --prometheus many
	is "$status" 2
	run wgvia stats wg6 --prometheus 1000001
	is "$status" 2
}

# sum LIMIT packets|bytes: of the prefixes with series of their own, and of the others.
sum() {
	wgvia stats wg6 --prometheus "$1" | awk -v unit="$2" 'index($0, "wgvia_prefix_" unit "_total{") == 1 ||
		index($0, "wgvia_prefix_other_" unit "{") == 1 { sum += $2 } END { print sum }'
}

# falling LIMIT: those of its metrics that have decreased since it was called last, by type.
falling() {
	wgvia stats wg6 --prometheus "$1" | awk '$2 == "TYPE" { type[$3] = $4; next }
		/^wgvia_prefix_/ { name = $1; sub(/[{].*/, "", name); print $1, $2, type[name] }' | sort >"$BATS_TEST_TMPDIR/now"
	touch "$BATS_TEST_TMPDIR/before"
	join "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/now" | awk '$4 < $2 { print $5 }' | sort -u
	mv "$BATS_TEST_TMPDIR/now" "$BATS_TEST_TMPDIR/before"
}

@test "no counter falls when a prefix is removed: neither one with its own series nor one of the others" {
	local limit
	for limit in 0 1 3; do
		echo "limit $limit"
		wgvia up wg6 "${ALL[@]}" counters prefix
		traffic
		is "$(falling $limit)" ""
		wgvia route del wg6 from "$VPN4" # the first
		is "$(falling $limit)" gauge
		wgvia route del wg6 from "$IN6" # the last but one
		is "$(falling $limit)" gauge
		wgvia down wg6
		rm "$BATS_TEST_TMPDIR/before"
	done
}

# With an index, where the kernel can tell of changes.
@test "thousands of prefixes, in more than one part of the map" {
	local i
	{
		echo "counters prefix"
		echo "from 198.18.0.1 via $FW4"
		for i in {0..4999}; do echo "from 10.7.$((i / 200)).$((i % 200)) via $FW4"; done
	} >"$BATS_TEST_TMPDIR/conf"
	ip -n "$NS_GW" route add 10.7.0.0/16 dev wg6
	wgvia apply wg6 "$BATS_TEST_TMPDIR/conf"
	is "$(pins)" "prefix_counters prefix_counters_0 prefix_counters_1"
	for i in 1 2; do
		wire tun "pkt(4, 100, src='10.7.0.0')" "pkt(4, 101, src='10.7.12.99')" "pkt(4, 102, src='10.7.24.199')" >/dev/null
		wire lan "pkt(4, 110, src='$SVC4', dst='10.7.24.199')" "pkt(4, 111, src='$SVC4', dst='10.7.24.199')" >/dev/null
		is "$(counted)" "10.7.0.0/32 out $i $((i * 100)) back 0 0
10.7.12.99/32 out $i $((i * 101)) back 0 0
10.7.24.199/32 out $i $((i * 102)) back $((i * 2)) $((i * 221))"
	done
	is "$(wgvia stats wg6 --prometheus | grep -c ^wgvia_prefix_packets_total)" 2000
	sed -i '/10\.7\.24\.199/!{/10\.7\./d}' "$BATS_TEST_TMPDIR/conf"
	wgvia apply wg6 "$BATS_TEST_TMPDIR/conf"
	is "$(counted)" "10.7.24.199/32 out 2 204 back 4 442"
	is "$(pins)" "prefix_counters prefix_counters_0 prefix_counters_1"
	wgvia route add wg6 from 10.6.8.0/24 via "$FW4"
	wgvia route del wg6 from 10.7.24.199
	wgvia route del wg6 from 198.18.0.1
	is "$(pins)" "prefix_counters prefix_counters_0"
}

@test "an agent with the unit's capabilities keeps counters, and gives new prefixes theirs" {
	wire_answers "$FW4"
	printf '%s\n' "counters prefix" "from $VPN4 via $FW4" "from $IN4 via $FW4" "from 198.18.0.1 via $FW4" >"$BATS_TEST_TMPDIR/conf"
	agent_start "$BATS_TEST_TMPDIR/conf"
	wire tun "pkt(4, 200, src='10.6.5.1')" >/dev/null
	is "$(counted)" "$IN4 out 1 200 back 0 0"
	printf '%s\n' "from 10.6.7.0/24 via $FW4" >>"$BATS_TEST_TMPDIR/conf"
	agent_signal HUP
	in_force 10.6.7.0/24 "$FW4"
	wire tun "pkt(4, 200, src='10.6.5.1')" "pkt(4, 300, src='10.6.7.1')" >/dev/null
	is "$(counted)" "$IN4 out 2 400 back 0 0
10.6.7.0/24 out 1 300 back 0 0"
	agent_stop
	is "$(counted "$IN4")" "$IN4 out 2 400 back 0 0"
	# off and on again, by the agent
	agent_start "$BATS_TEST_TMPDIR/conf"
	sed -i 's/counters prefix/counters off/' "$BATS_TEST_TMPDIR/conf"
	agent_signal HUP
	poll 10 outputs off counting
	is "$(pins)" prefix_counters
	sed -i 's/counters off/counters prefix/' "$BATS_TEST_TMPDIR/conf"
	agent_signal HUP
	poll 10 outputs prefix counting
	wire tun "pkt(4, 200, src='10.6.5.1')" >/dev/null
	is "$(counted)" "$IN4 out 1 200 back 0 0"
}

# The word of `counters`; show waits until a change is complete.
counting() {
	wgvia -j show wg6 | jq -r .counters
}

@test "the words, and what stats --prefix shows" {
	run --separate-stderr wgvia up wg6 "${ALL[@]}" counters on
	is "$status $stderr" "2 wgvia: 'on' is not valid for counters: prefix or off"
	run wgvia up wg6 "${ALL[@]}" counters off counters prefix
	is "$status" 2
	wgvia up wg6 "${ALL[@]}" counters prefix
	traffic
	is "$(wgvia stats wg6 --prefix "$HOST4")" "wg6:
    10.6.5.5/32          out            2 packets              601 bytes  back            1 packets              310 bytes"
	is "$(wgvia -v stats wg6 --prefix | wc -l)" 8
	run --separate-stderr wgvia stats wg6 --prefix 192.0.2.0/24
	is "$status $stderr" "1 wgvia: 'wg6' has no prefix inside '192.0.2.0/24'"
	run wgvia stats wg6 --prefix 10.6.5.5/16
	is "$status" 2
	run wgvia stats wg6 --prefix "$VPN4" more
	is "$status" 2
	wgvia down wg6
	is "$(ls -A "$PIN_DIR" 2>/dev/null)" ""
}
