#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# JSON of every command, validated by docs/wgvia.schema.json, which lists every key: an unlisted one fails.

# shellcheck disable=SC2030,SC2031,SC2086,SC2153,SC2154,SC2034 # addresses are words; others set and read variables

load ../lib/net.bash
load ../lib/agent.bash

FW4B=192.0.2.9

setup() {
	AGENT_ENV=()
	export WGVIA_MONITOR=$BATS_TEST_TMPDIR/run/monitor # events of other tests are not for this one
}

teardown() {
	unspawn agent KILL
	unspawn notified KILL
	unspawn stream KILL
	WGVIA_ATTACH='' sweep "$NS_GW" wg6
	wgvia down wg7 2>/dev/null
}

# fits DEFINITION: validates stdin, a document per line.
fits() {
	/usr/bin/python3 "$TREE/tests/lib/schema.py" "$TREE/docs/wgvia.schema.json" "$1" || return
	echo "$1" >>"$BATS_FILE_TMPDIR/fitted"
}

# prints DEFINITION STATUS WORD...: this command prints one document with -j, which stays in $output.
prints() {
	echo "wgvia -j ${*:3}"
	run "-$2" --separate-stderr wgvia -j "${@:3}"
	is "${#lines[@]} line" "1 line"
	fits "$1" <<<"$output"
}

# values FILTER: from $output.
values() {
	jq -c "$1" <<<"$output"
}

@test "commands that change an instance print the changes, as objects" {
	local file=$BATS_TEST_TMPDIR/wg6.conf
	prints up 0 up wg6
	is "$(values '[.changes[] | select(.from) | .via] | sort')" "[\"$FW4\",\"$FW6\"]"
	prints up 0 up wg6 "${WORDS[@]}" bypass 198.18.0.0/15 mode stack on-fail pass return drop also 02:00:00:00:02:77
	is "$(values '[.changes[] | select(.mode // .on_fail // .return // .to) | [.action, .mode // .on_fail // .return // .to]]')" \
		'[["del","fast"],["add","stack"],["del","drop"],["add","pass"],["del","via"],["add","drop also 02:00:00:00:02:77"],["add","198.18.0.0/15"]]'
	prints route 0 route add wg6 from 10.99.0.0/16 via $FW4 or $FW4B
	is "$(values '.changes[] | [.action, .from, .via, .dev, (.gateways | map(.via))]')" \
		"[\"add\",\"10.99.0.0/16\",\"$FW4\",\"ens3\",[\"$FW4\",\"$FW4B\"]]"
	prints route 0 route replace wg6 from 10.99.0.0/16 via $FW4B
	is "$(values '[.changes[] | [.action, .via, (.gateways | length)]]')" "[[\"del\",\"$FW4\",2],[\"add\",\"$FW4B\",0]]"
	prints route 0 route replace wg6 from 10.99.0.0/16 via $FW4B
	is "$(values .changes)" "[]"
	prints route 0 route del wg6 from 10.99.0.0/16
	is "$(values '.changes[] | [.action, .statement]')" "[\"del\",\"from 10.99.0.0/16 via $FW4B dev ens3\"]"
	prints bypass 0 bypass add wg6 198.51.100.0/24
	is "$(values .changes)" '[{"action":"add","statement":"bypass 198.51.100.0/24","to":"198.51.100.0/24","verdict":"bypass"}]'
	prints bypass 0 bypass del wg6 198.51.100.0/24
	is "$(values '.changes[].action')" '"del"'
	prints save 0 save wg6
	values '.statements[]' | jq -r . >"$file"
	prints apply 0 apply -c wg6 "$file"
	is "$(values .changes)" "[]"
	echo "from $VPN4" >"$file"
	prints apply 0 apply wg6 "$file"
	prints down 0 down wg6
	is "$(values .removed)" true
	prints down 0 down wg6
	is "$(values .removed)" false
}

@test "stats --prefix: all prefixes, or those inside one" {
	wgvia up wg6 "${WORDS[@]}" counters prefix
	prints stats_prefix 0 stats wg6 --prefix
	is "$(values '[.counters, (.prefixes | map(.prefix)), (.other | type)]')" "[\"prefix\",[\"$VPN4\",\"$VPN6\"],\"object\"]"
	prints stats_prefix 0 stats wg6 --prefix $VPN4
	is "$(values '[(.prefixes | length), .other]')" "[1,null]"
	prints show 0 show wg6
	is "$(values .counters)" '"prefix"'
}

@test "without -j, route, bypass and down say nothing" {
	wgvia up wg6 "${WORDS[@]}"
	is "$(wgvia route replace wg6 from 10.99.0.0/16 via $FW4)" ""
	is "$(wgvia bypass add wg6 198.18.0.0/15)" ""
	is "$(wgvia down wg6)" ""
}

# all_that_look: the reading commands for wg6, which is up.
all_that_look() {
	prints show 0 show wg6
	prints show[] 0 list
	prints show 0 -4 show wg6
	prints show_brief 0 -br show wg6
	prints show_brief[] 0 -br show
	prints stats 0 stats wg6
	prints stats[] 0 stats
	prints stats_prefix[] 0 stats --prefix
	prints save "${1:-0}" save wg6
	prints explain 0 explain wg6 from $C1_4 to $SVC4
	prints explain 0 explain wg6 from $C1_6 to $SVC6 len 2000 hop-limit 1
	prints explain 0 explain wg6 from $SVC4 to $C1_4
	prints explain 0 explain wg6 from $WG4 to $INET4
	prints explain 0 explain wg6 from $C1_4 to 10.6.0.77
	prints explain 0 explain wg6 from $C1_4 to 192.0.2.200 dir out
	prints health "${1:-0}" health wg6
	run wgvia -j check wg6
	fits check <<<"$output"
}

@test "commands that read an instance: both modes, both kinds of attachment, lists of gateways" {
	wgvia up wg6 "${WORDS6[@]}" from $VPN4 via $FW4 or $FW4B bypass 198.18.0.0/15
	all_that_look
	export WGVIA_ATTACH=clsact
	wgvia up wg6 "${WORDS[@]}" mode stack return any
	wgvia up wg7 from 10.7.0.0/16 via $FW4
	all_that_look
	unset WGVIA_ATTACH
	prints check 1 check wg6 --probe
}

@test "commands that read an instance with unusable values" {
	wgvia up wg6 "${WORDS[@]}"
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key 16 0 0 0 10 6 0 0 \
		value hex 0f 27 00 00 02 00 00 00 c0 00 02 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
	bpftool map update pinned "$PIN_DIR/wg6/bypass4" key 32 0 0 0 198 51 100 7 value 77 0 0 0 1 0 0 0
	all_that_look 1
	prints show 0 show wg6
	is "$(values '[.prefixes[] | select(.usable | not) | .dev, (.problem | type)]')" '["if9999","string"]'
	is "$(values '[.bypass[] | select(.problem) | .to, .verdict]')" '["198.51.100.7/32","?"]'
	prints explain 0 explain wg6 from $C1_4 to $SVC4
	is "$(values '[.gateway.usable, (.gateway.problem | type), .tc_action]')" '[false,"string","drop"]'
}

@test "the same packet has the same keys in explain and in trace" {
	local keys='[.from, .to, .direction, .dev, .verdict, .gateway.via, .gateway.dev]'
	wgvia up wg6 "${WORDS[@]}"
	stream_of trace wg6 verdict redirected count 2
	pings 1 "$NS_C1" $SVC4
	pings 1 "$NS_C1" $SVC6
	poll 30 process_gone "$(<"$TOPO_DIR/stream.pid")"
	documents trace
	is "$(documents_of | head -n 1 | jq -c "$keys")" "$(wgvia -j explain wg6 from $C1_4 to $SVC4 | jq -c "$keys")"
	is "$(documents_of | jq -c '[.protocol, .icmp_type, .icmp_code]')" $'["icmp",8,0]\n["icmp6",128,0]'
}

# stream_of WORD...: wgvia -j in the background.
stream_of() {
	spawn "$NS_GW" stream "$WGVIA" --pin-dir "$PIN_DIR" -j "$@"
	[ "$1" != trace ] || poll 10 grep -q listening "$TOPO_DIR/stream.log"
}

# The standard output of a stream so far; its other lines are for people.
documents_of() {
	grep '^[[{]' "$TOPO_DIR/stream.log"
}

documents() { # DEFINITION
	documents_of | fits "$1"
}

@test "streams have a time in each object: trace, stats --watch, run, monitor" {
	local now
	wgvia up wg6 "${WORDS[@]}"
	now=$(date +%s)
	stream_of trace wg6 count 5
	answers "$NS_C1" $SVC4 service $C1_4
	poll 30 process_gone "$(<"$TOPO_DIR/stream.pid")"
	documents trace
	is "$(documents_of | jq "(.time - $now | fabs) < 60" | sort -u)" true
	stream_of stats wg6 --watch 0.1
	poll 30 [ -s "$TOPO_DIR/stream.log" ]
	unspawn stream INT
	documents stats_watch
	is "$(documents_of | jq "(.[].time - $now | fabs) < 60" | sort -u)" true
	stream_of run wg6 interval 0.2
	poll 30 grep -q 'is healthy' "$TOPO_DIR/stream.log"
	prints show 0 show wg6
	is "$(values '[.agent, (.prefixes | map(.health | type))]')" '[true,["object","object"]]'
	unspawn stream TERM
	documents run
	is "$(documents_of | wc -l)" "$(wc -l <"$TOPO_DIR/stream.log")"
	is "$(documents_of | jq "(.time - $now | fabs) < 60" | sort -u)" true
	is "$(documents_of | tail -n 1 | jq -c '[.interface, .priority, .text]')" '["wg6","notice","stopped: forwarding continues unchanged"]'
}

@test "monitor: one event per line" {
	local now
	now=$(date +%s)
	stream_of monitor wg6
	poll 30 grep -q listening "$TOPO_DIR/stream.log"
	wgvia up wg6 "${WORDS[@]}" mode stack mss auto bypass 198.18.0.0/15 from addresses
	wgvia up wg6 "${WORDS[@]}" from 10.9.0.0/16 via $FW4
	printf '%s\n' "from $VPN4 via $FW4" 'accept forward_rules reason it is known' >"$BATS_TEST_TMPDIR/file"
	wgvia apply wg6 "$BATS_TEST_TMPDIR/file"
	agent_start interval 0.2 hold 0
	says "is healthy"
	ip -n "$NS_GW" address add 172.20.8.1/32 dev lo
	says "172.20.8.1/32 (local): exempt"
	ip -n "$NS_GW" address delete 172.20.8.1/32 dev lo
	agent_stop TERM
	wgvia down wg6
	poll 30 grep -q '"state":"down"' "$TOPO_DIR/stream.log"
	unspawn stream TERM
	documents monitor
	is "$(documents_of | jq "(.time - $now | fabs) < 60" | sort -u)" true
	is "$(documents_of | jq -r .event | sort -u | xargs)" \
		"accept address agent attachment bypass gateway instance prefix setting source tunnel"
}

@test "run -j: the agent survives a reader that exits" {
	wgvia up wg6 "${WORDS[@]}"
	# shellcheck disable=SC2016 # the inner shell's
	spawn "$NS_GW" stream bash -c 'exec "$@" > >(head -n 1)' - "$WGVIA" --pin-dir "$PIN_DIR" -j run wg6 interval 0.2
	poll 30 grep -q '^{' "$TOPO_DIR/stream.log"
	ip -n "$NS_GW" address add 172.20.8.1/32 dev lo
	poll 30 left_alone_is 172.20.8.1/32 local
	ip -n "$NS_GW" address delete 172.20.8.1/32 dev lo
	poll 30 left_alone_is 172.20.8.1/32 none
	unspawn stream TERM
}

left_alone_is() { # PREFIX VERDICT
	[ "$(left_alone "$1")" = "$2" ]
}

@test "import and version" {
	local file=$BATS_TEST_TMPDIR/wg6.conf
	printf '%s\n' '[Interface]' "PostUp = ip rule add from $VPN4 table 7; ip route add default via $FW4 dev ens3 table 7" \
		'PostUp = ip rule add fwmark 5 table 77' >"$file"
	prints import 0 import "$file" wg7
	is "$(values '[.prefixes[] | [.from, .via, .dev]]')" "[[\"$VPN4\",\"$FW4\",\"ens3\"]]"
	is "$(values '.remarks | length')" 1
	prints version 0 version
	is "wgvia $(jq -r .version <<<"$output")" "$("$WGVIA" version)"
}

@test "an error is the same with -j: nothing on standard output, and the line on standard error" {
	local words expected
	while read -r words; do
		echo "$words"
		run --separate-stderr wgvia $words
		expected="$status $output $stderr"
		[ "$status" -ne 0 ]
		[[ $stderr == "wgvia: "* ]]
		run --separate-stderr wgvia -j $words
		is "$status $output $stderr" "$expected"
		is "$output" ""
	done <<-END
		up wg6 from $VPN4 via 203.0.113.77
		apply wg6 /nonexistent
		save wg6
		route add wg6 from $VPN4 via $FW4
		bypass add wg6 198.18.0.0/15
		show wg6
		stats wg6
		explain wg6 from $C1_4 to $SVC4
		trace wg6
		run wg6 sideways
		check
		down
		import /nonexistent
	END
}

@test "no command has been left out" {
	local command
	while read -r command; do
		grep -qx "$command.*" "$BATS_FILE_TMPDIR/fitted" || is "$command was not validated" "all were"
	done < <("$WGVIA" --help | sed -n '/^Commands:/,/^Options:/s/^  \([a-z]*\) .*/\1/p')
	is "$(jq -r '."$defs" | to_entries[] | select(.value | has("properties") or has("$ref")) | .key' \
		"$TREE/docs/wgvia.schema.json" | grep -vxE 'neighbour|gateway_health|gateway|entry' | sort)" \
		"$(sed 's/\[\]$//' "$BATS_FILE_TMPDIR/fitted" | grep -vx stats_watch | sort -u)"
}
