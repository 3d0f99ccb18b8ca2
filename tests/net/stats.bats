#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The other forms of `wgvia stats`: Prometheus' exposition format, checked against its grammar and, if available, by
# promtool; and live rates, on a pipe, as JSON and on a terminal. The Grafana dashboard in packaging/ uses exactly the
# existing metrics.

# shellcheck disable=SC2086 # addresses are words
# shellcheck disable=SC2153,SC2154 # the topology's variables, and what `run` sets

load ../lib/wire.bash

DASHBOARD=$TREE/packaging/grafana/wgvia.json
ODD='w"\{}=,#é' # all that the kernel takes and a format may trip over

setup() {
	wire_usual
}

teardown() {
	[ ! -e "$TOPO_DIR/watch.pid" ] || unspawn watch KILL
	wire_end
}

# second NAME [WORD...]: an instance with that name.
second() {
	local name=$1
	shift
	ip -n "$NS_GW" tuntap add dev "$name" mode tun
	ip -n "$NS_GW" link set "$name" up
	wgvia up "$name" from 10.7.0.0/16 via $FW4 dev ens3 "$@"
}

# every_verdict: packets that change most counters, each by a different number.
every_verdict() {
	wire tun '[pkt(4) for _ in range(3)]' '[pkt(6, 200) for _ in range(4)]' 'pkt(4, hops=1)' '[pkt(6, 1501)] * 2' \
		"[pkt(4, dst='$C2_4')] * 5" "[pkt(4, dst='$WG4')] * 6" "pkt(4, 1501)"
	wire lan "[pkt(4, src='$SVC4', dst='$C1_4')] * 7" "[pkt(6, src='$SVC6', dst='$C1_6', hops=1)] * 8" \
		"[Ether(src='$SVC_MAC', dst='$GW_MAC') / pkt(4, src='$SVC4', dst='$C1_4') for _ in range(10)]"
	wire own "[pkt(4, src='$WG4') for _ in range(9)]"
}

# exposed [IFACE]: writes the output to the file "metrics", and "gauges" and "samples" (the counters) as JSON; checks
# the format.
exposed() {
	wgvia stats "$@" --prometheus >"$BATS_TEST_TMPDIR/metrics"
	/usr/bin/python3 "$TREE/tests/lib/promcheck.py" --json <"$BATS_TEST_TMPDIR/metrics" >"$BATS_TEST_TMPDIR/all"
	jq '[.[] | select(.name | endswith("_total"))]' "$BATS_TEST_TMPDIR/all" >"$BATS_TEST_TMPDIR/samples"
	jq '[.[] | select(.name | endswith("_total") | not)]' "$BATS_TEST_TMPDIR/all" >"$BATS_TEST_TMPDIR/gauges"
	! command -v promtool >/dev/null || promtool check metrics <"$BATS_TEST_TMPDIR/metrics"
}

# The samples, and the output of `-j stats`, in one format; series that one of them omits are 0 in the other.
samples() {
	jq -r '.[] | select(.value > 0) |
		"\(.labels.interface) \(.labels.direction) \(.labels.verdict) \(.name) \(.value)"' "$BATS_TEST_TMPDIR/samples" | sort
}

counters() {
	wgvia -j stats "$@" | jq -r 'if type == "array" then .[] else . end | .interface as $interface | .directions |
		to_entries[] | .key as $direction | .value | to_entries[] | .key as $verdict | .value | to_entries[] |
		select(.value > 0) | "\($interface) \($direction) \($verdict) wgvia_\(.key)_total \(.value)"' | sort
}

# ---- Prometheus ----

@test "the checker finds what is wrong" {
	local text good=$'# HELP a_total A.\n# TYPE a_total counter\n'
	check() { printf '%s' "$1" | /usr/bin/python3 "$TREE/tests/lib/promcheck.py"; }
	check "$good"$'a_total{b="\\"\\\\\\n, }",c=""} 1\na_total 2\n\n# said so\n'
	check ""$'\n'
	for text in "${good}a_total 1" $'a_total 1\n' $'# TYPE a_total counter\na_total 1\n' $'# HELP a_total A.\na_total 1\n' \
		"$good"$'a_total 1\na_total 1\n' "$good$good"$'a_total 1\n' "$good"$'a_total{b="1" 1\n' \
		"$good"$'a_total{b="1"}1\n' "$good"$'a_total{b=1} 1\n' "$good"$'a_total{1b=""} 1\n' \
		"$good"$'a_total{b="\\x"} 1\n' "$good"$'a_total{b=""",c=""} 1\n' "$good"$'a_total{b="",b=""} 1\n' \
		"$good"$'a_total{b="1"} 1\na_total{b="1"} 2\n' "$good"$'a_total\n' "$good"$'a_total one\n' \
		"$good"$'a_total 1\n# TYPE b_total counter\n' $'# HELP a A.\n# TYPE a counter\na 1\n' "$good"$'a_total -1\n' \
		"$good"$'a_total 1 \n' "$good"$'a_total 1\n# HELP a_total B.\n' $'# HELP a_total A.\n# TYPE a_total count\na_total 1\n' \
		$'# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n' "$good"$'a_total{b="\xff"} 1\n'; do
		! check "$text" || is "taken: $text" refused
	done
}

@test "Prometheus: the format, and the figures of -j stats" {
	local mode
	for mode in fast stack; do
		wgvia up wg6 "${WORDS[@]}" mode $mode
		every_verdict
		exposed wg6
		is "$(samples)" "$(counters wg6)"
		[ "$(counters wg6 | wc -l)" -ge 4 ]
		exposed
		is "$(samples)" "$(counters wg6)"
	done
	is "$(jq -r '.[].name' "$BATS_TEST_TMPDIR/samples" | sort -u)" $'wgvia_bytes_total\nwgvia_packets_total'
	is "$(jq -r '.[].labels | keys | join(" ")' "$BATS_TEST_TMPDIR/samples" | sort -u)" "direction interface verdict"
}

@test "Prometheus: every verdict and direction has its series before its first packet, and keeps it" {
	wgvia up wg6 "${WORDS[@]}"
	exposed wg6
	is "$(jq -r '[.[].value] | add' "$BATS_TEST_TMPDIR/samples")" 0
	is "$(jq -r '.[].labels.verdict' "$BATS_TEST_TMPDIR/samples" | sort -u)" \
		"$(wgvia -j stats wg6 | jq -r '.counters | keys[]' | sort)"
	is "$(jq -r '.[].labels.direction' "$BATS_TEST_TMPDIR/samples" | sort -u)" $'back\negress\nout'
	jq -r '.[].labels | [.[]] | join(" ")' "$BATS_TEST_TMPDIR/samples" >"$BATS_TEST_TMPDIR/series"
	every_verdict
	exposed wg6
	is "$(jq -r '.[].labels | [.[]] | join(" ")' "$BATS_TEST_TMPDIR/samples")" "$(<"$BATS_TEST_TMPDIR/series")"
}

@test "Prometheus: two instances, HELP and TYPE once; no instance at all" {
	exposed
	is "$(jq length "$BATS_TEST_TMPDIR/all")" 0
	wgvia up wg6 "${WORDS[@]}"
	second wg7
	every_verdict
	exposed
	is "$(jq -r '.[].labels.interface' "$BATS_TEST_TMPDIR/samples" | sort -u)" $'wg6\nwg7'
	is "$(samples)" "$(counters)"
	exposed wg7
	is "$(jq -r '.[].labels.interface' "$BATS_TEST_TMPDIR/samples" | sort -u)" wg7
}

# gauge NAME [LABEL VALUE]...: its value, or the values one after the other.
gauge() {
	local filter=".[] | select(.name == \"wgvia_$1\"" name=$1
	shift
	while [ $# -gt 0 ]; do
		filter+=" and .labels.$1 == \"$2\""
		shift 2
	done
	jq -r "$filter) | .value" "$BATS_TEST_TMPDIR/gauges" | xargs || echo "no $name"
}

@test "Prometheus: gauges of programs, prefixes and gateways, without an agent" {
	wgvia up wg6 "${WORDS[@]}" from 10.6.3.0/24 via $FW4
	exposed wg6
	is "$(gauge info version "$("$WGVIA" --version | cut -d' ' -f2)" mode fast)" 1
	is "$(gauge up) $(gauge agent_up)" "1 0"
	is "$(gauge attached dev wg6 direction out) $(gauge attached dev ens3 direction back)" "1 1"
	is "$(jq -c '[.[] | select(.name == "wgvia_attached") | .labels | [.dev, .direction]] | sort' "$BATS_TEST_TMPDIR/gauges")" \
		"$(wgvia -j show wg6 | jq -c '[.attachments[] | [.dev, .direction]] | sort')"
	is "$(gauge prefixes family ipv4) $(gauge prefixes family ipv6)" "2 1"
	is "$(gauge gateway_up gateway $FW4 dev ens3) $(gauge gateway_prefixes gateway $FW4 dev ens3)" "1 2"
	is "$(gauge gateway_up gateway $FW6) $(gauge gateway_prefixes gateway $FW6)" "1 1"
	is "$(gauge gateway_state_seconds)" "" # no agent watches
	is "$(gauge index_up)" ""		# three prefixes need none
	# the metrics unit only has CAP_BPF
	is "$(in_ns "$NS_GW" setpriv --bounding-set=-all,+bpf --inh-caps=-all --no-new-privs "$WGVIA" --pin-dir "$PIN_DIR" \
		stats wg6 --prometheus)" "$(<"$BATS_TEST_TMPDIR/metrics")"
	# what `wgvia health` reports, this does too
	ip -n "$NS_GW" link set wg6 down
	exposed wg6
	is "$(gauge up)" 0
	ip -n "$NS_GW" link set wg6 up
}

@test "interface names with quotes, backslashes and other characters that the kernel accepts" {
	second "$ODD"
	exposed "$ODD"
	is "$(jq -r '.[].labels.interface' "$BATS_TEST_TMPDIR/samples" | sort -u)" "$ODD"
	grep -F 'interface="w\"\\{}=,#é"' "$BATS_TEST_TMPDIR/metrics" >/dev/null
	is "$(wgvia -j stats "$ODD" | jq -r .interface)" "$ODD"
	is "$(wgvia -j stats | jq -r .[].interface)" "$ODD"
	spawn "$NS_GW" watch "$WGVIA" --pin-dir "$PIN_DIR" -j -v stats --watch 0.1
	poll 5 grep -q . "$TOPO_DIR/watch.log"
	is "$(head -n 1 "$TOPO_DIR/watch.log" | jq -r .[0].interface)" "$ODD"
}

# ---- the dashboard ----

# unit_writes: what wgvia-metrics.service runs, with its file in the test's folder.
unit_writes() {
	local line
	line=$(sed -n 's/^ExecStart=//p' "$TREE/packaging/systemd/wgvia-metrics.service")
	line=${line//\$\$/\$}
	export WGVIA_METRICS=$BATS_TEST_TMPDIR/wgvia.prom
	in_ns "$NS_GW" bash -c "${line//\/usr\/local\/sbin\/wgvia/$1}"
}

@test "one damaged instance is down, and does not hide the others; the unit's file has all of them" {
	local wgvia="$WGVIA --pin-dir $PIN_DIR"
	wgvia up wg6 "${WORDS[@]}"
	second wg7
	second wg8
	rm "$PIN_DIR/wg7/counters"
	run -1 --separate-stderr wgvia stats --prometheus
	[[ $stderr == "wgvia: the pins of 'wg7' are damaged: "* ]]
	is "${lines[-1]}" "# EOF"
	/usr/bin/python3 "$TREE/tests/lib/promcheck.py" <<<"$output"
	is "$(grep '^wgvia_up' <<<"$output" | sort)" 'wgvia_up{interface="wg6"} 1
wgvia_up{interface="wg7"} 0
wgvia_up{interface="wg8"} 1'
	is "$(grep 'interface="wg7"' <<<"$output")" 'wgvia_up{interface="wg7"} 0'
	unit_writes "$wgvia"
	grep -q '^wgvia_packets_total{interface="wg6"' "$BATS_TEST_TMPDIR/wgvia.prom"
	is "$(grep -c '^wgvia_up' "$BATS_TEST_TMPDIR/wgvia.prom")" 3
	# what is cut short, or not there, is not put into the file's place
	cp "$BATS_TEST_TMPDIR/wgvia.prom" "$BATS_TEST_TMPDIR/before"
	run ! unit_writes "$wgvia -n nowhere"
	printf '#!/bin/sh\n%s "$@" | head -n 20\n' "$wgvia" >"$BATS_TEST_TMPDIR/cut"
	chmod +x "$BATS_TEST_TMPDIR/cut"
	run ! unit_writes "$BATS_TEST_TMPDIR/cut"
	cmp "$BATS_TEST_TMPDIR/wgvia.prom" "$BATS_TEST_TMPDIR/before"
	run -1 --separate-stderr wgvia stats wg7 --prometheus
	is "$output" ""
	# another one that is damaged
	rm "$PIN_DIR/wg6/counters"
	run -1 wgvia stats --prometheus
	is "$(grep -c '^wgvia_up{.*} 0$' <<<"$output")" 2
	# where neither tunnel exists, they may belong to another namespace
	run -1 "$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_FW" stats --prometheus
	is "$(grep -c '^wgvia_up' <<<"$output")" 0
	ip -n "$NS_GW" link delete wg7
	ip -n "$NS_GW" link delete wg8
	wgvia down wg7
	wgvia down wg8
}

@test "the Grafana dashboard uses exactly the metrics, labels and verdicts that there are" {
	local expressions=$BATS_TEST_TMPDIR/expressions
	wgvia up wg6 "${WORDS[@]}"
	exposed wg6
	jq -r '.panels[].targets[].expr, .templating.list[].definition // empty' "$DASHBOARD" >"$expressions"
	sed -n 's/^	{"\(wgvia_[a-z_]*\)".*/\1/p' "$TREE"/user/commands/stats_{prometheus,gauges,prefix}.c | sort >"$BATS_TEST_TMPDIR/metrics"
	is "$(grep -oE '\bwgvia_[a-z_]+' "$expressions" | sort -u)" "$(<"$BATS_TEST_TMPDIR/metrics")"
	is "$(jq -r '.. | strings' "$DASHBOARD" | grep -oE '\bwgvia_[a-z_]+' | sort -u)" "$(<"$BATS_TEST_TMPDIR/metrics")"
	is "$(jq -r '.[].name' "$BATS_TEST_TMPDIR/all" | sort -u | comm -23 - "$BATS_TEST_TMPDIR/metrics")" ""
	# Every label in selectors, sums and legends is one of ours, or `instance`, which Prometheus adds.
	is "$({
		grep -oE '[a-z_]+=~?"' "$expressions" | tr -d '=~"'
		grep -oE 'by \([^)]*\)' "$expressions" | sed 's/by (//; s/)//' | tr -s ', ' '\n'
		jq -r '.. | strings' "$DASHBOARD" | grep -oE '\{\{[a-z_]+\}\}' | tr -d '{}'
	} | sort -u)" "$({
		printf '%s\n' instance to family reason prefix # of something that this instance lacks
		jq -r '.[].labels | keys[]' "$BATS_TEST_TMPDIR/all"
	} | sort -u)"
	is "$(grep -oE 'verdict="[a-z_]+"' "$expressions" | sort -u | tr -d '\n')" \
		'verdict="bounced"verdict="direct"verdict="hop_limit"verdict="no_gateway"verdict="refused"verdict="too_big"'
	for verdict in bounced direct hop_limit no_gateway refused too_big; do
		jq -e --arg verdict $verdict 'any(.[]; .labels.verdict == $verdict)' "$BATS_TEST_TMPDIR/samples"
	done
}

@test "the Grafana dashboard: a data source and an interface to choose, units, no overlapping panels" {
	jq -e '.schemaVersion >= 41 and .uid == "wgvia" and (.id == null)' "$DASHBOARD"
	jq -e '[.templating.list[] | .name + " " + .type] | contains(["datasource datasource", "interface query"])' "$DASHBOARD"
	# shellcheck disable=SC2016 # Grafana's variables
	jq -e 'all(.panels[]; .datasource.uid == "${datasource}" and all(.targets[]; .datasource.uid == "${datasource}" and
		(.expr | contains("interface=~\"$interface\"")) and
		(.expr | (contains("rate(") or contains("increase(")) == contains("[$__rate_interval]"))))' "$DASHBOARD"
	# Bits are eight times the bytes, and nothing else is.
	jq -e 'all(.panels[]; .fieldConfig.defaults.unit as $unit | all(.targets[].expr; if test("wgvia_((lost|prefix)_)?bytes_total")
		then $unit == "bps" and startswith("8 *") elif test("wgvia_((lost|prefix)_)?packets_total")
		then $unit == "pps" and (contains("8 *") | not)
		else $unit | IN("pps", "bps") | not end))' "$DASHBOARD"
	jq -e '[.panels[].id] | length == (unique | length)' "$DASHBOARD"
	jq -e '[.panels[].gridPos as $p | range($p.x; $p.x + $p.w) as $x | range($p.y; $p.y + $p.h) as $y | [$x, $y]] |
		length == (unique | length) and all(.[]; .[0] < 24)' "$DASHBOARD"
}

# shellcheck disable=SC2016 # Grafana's variables
# Requirements of Grafana 11 and 12: "graph", "singlestat", "table-old" and the other AngularJS panels no longer exist,
# a data source is an object, `refresh` is a string.
@test "the Grafana dashboard uses nothing that current Grafana has removed" {
	jq -e 'all(.panels[]; .type | IN("timeseries", "stat", "row", "table", "state-timeline", "bargauge", "gauge"))' "$DASHBOARD"
	jq -e 'all(.. | objects | select(has("datasource")) | .datasource; type == "object" and .type == "prometheus")' "$DASHBOARD"
	jq -e '(.refresh | type) == "string" and (has("rows") or has("__inputs") or has("timepicker") | not)' "$DASHBOARD"
	jq -e 'all(.panels[]; has("id") and has("title") and has("gridPos") and has("fieldConfig") and has("options") and
		([.targets[].refId] | length == (unique | length)) and
		(has("yaxes") or has("alert") or has("thresholds") or has("seriesOverrides") | not))' "$DASHBOARD"
	jq -e 'all(.templating.list[]; .type | IN("datasource", "query"))' "$DASHBOARD"
	# every variable in use is one of the dashboard's, or Grafana's own
	is "$(jq -r '.. | strings' "$DASHBOARD" | grep -oE '\$\{?[a-z_]+' | tr -d '${' | sort -u | xargs)" \
		"__all __rate_interval datasource instance interface"
}

# ---- live ----

# watch [OPTION...] -- [WORD...]: the live rates, into $TOPO_DIR/watch.log.
watch() {
	local options
	options_of "$@"
	spawn "$NS_GW" watch "$WGVIA" --pin-dir "$PIN_DIR" "${options[@]}" stats "${@:${#options[@]} + 2}"
}

# watched COUNT: that many lines exist.
watched() {
	[ "$(wc -l <"$TOPO_DIR/watch.log")" -ge "$1" ]
}

# flow COUNT: that many times 20 packets of 1000 bytes, spread over the time that the requests take.
flow() {
	local n
	for ((n = 0; n < $1; n++)); do
		wire tun '[pkt(4, 1000) for _ in range(20)]' >/dev/null
	done
}

# ended SIGNAL: the watch ended due to it, with status 0 and without an error message.
ended() {
	local pid
	pid=$(<"$TOPO_DIR/watch.pid")
	kill "-$1" "$pid"
	wait "$pid"
	rm "$TOPO_DIR/watch.pid"
}

# near WHAT NUMBER WANTED: within a third.
near() {
	awk -v is="$2" -v wanted="$3" 'BEGIN { exit !(is > wanted * 0.67 && is < wanted * 1.33) }' ||
		is "$1 $2" "$1 about $3"
}

@test "watch on a pipe: a line with the time for each verdict that changes, and the rates add up to what was sent" {
	local log=$TOPO_DIR/watch.log before
	wgvia up wg6 "${WORDS[@]}"
	before=$(counter redirected)
	watch -- wg6 --watch 0.5
	flow 40
	is "$(($(counter redirected) - before))" 800
	poll 5 last_is_quiet
	is "$(grep -vE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8} wg6 +[a-z_]+ +[0-9.]+ [ kMGTP]?packets/s +[0-9.]+ [ kMGTP]?bit/s$' $log)" ""
	is "$(awk '{ print $3 }' $log | sort -u)" $'outside\nredirected'
	near packets "$(figures_of redirected 4 | awk '{ sum += $1 * 0.5 } END { print sum }')" 800
	near bits "$(figures_of redirected 5 | awk '{ sum += $1 * 0.5 } END { print sum }')" 6400000
	ended INT
}

# figures_of VERDICT 4|5: the packets or bits of each line, as plain numbers.
figures_of() {
	sed -nE "s/^[^ ]+ +[^ ]+ +$1 +([0-9.]+) ([kMGTP]?)packets\/s +([0-9.]+) ([kMGTP]?)bit\/s\$/x x x \1\2 \3\4/p" \
		"$TOPO_DIR/watch.log" | awk -v at="$2" '{ print $at }' | tr k K | numfmt --from=si
}

# last_is_quiet: the last line's interval is over.
last_is_quiet() {
	[ "$(date +%s)" -gt $(($(date +%s -d "$(tail -n 1 "$TOPO_DIR/watch.log" | cut -d' ' -f1)") + 1)) ]
}

@test "watch as JSON: an array per line, every verdict of every instance, and the rates add up" {
	local log=$TOPO_DIR/watch.log
	wgvia up wg6 "${WORDS[@]}"
	second wg7
	watch -j -- --watch 0.5
	flow 40
	poll 5 watched $(($(wc -l <$log) + 2))
	head -n -1 $log | jq -es 'length > 0 and all(.[]; length == 32 and (map(.interface) | unique) == ["wg6", "wg7"] and
		all(.[]; keys == ["bits_per_second", "interface", "packets_per_second", "time", "verdict"]))'
	is "$(head -n 1 $log | jq -r '[.[].verdict] | unique[]')" "$(wgvia -j stats wg6 | jq -r '.counters | keys[]' | sort)"
	near packets "$(jq -s '[.[][] | select(.verdict == "redirected") | .packets_per_second * 0.5] | add' $log)" 800
	near bits "$(jq -s '[.[][] | select(.verdict == "redirected") | .bits_per_second * 0.5] | add' $log)" 6400000
	is "$(jq -s '[.[][] | select(.interface == "wg7") | .packets_per_second] | add' $log)" 0
	ended TERM
}

@test "watch: an instance that is removed and re-created starts from 0; a requested one that is removed ends it" {
	local log=$TOPO_DIR/watch.log
	wgvia up wg6 "${WORDS[@]}"
	every_verdict
	second wg7
	watch -j -- --watch 0.1
	poll 5 watched 2
	wgvia down wg6
	poll 5 last_has '["wg7"]'
	wgvia up wg6 "${WORDS[@]}"
	poll 5 last_has '["wg6","wg7"]'
	wgvia down wg6
	wgvia down wg7
	poll 5 last_has '[]'
	ended INT
	wgvia up wg6 "${WORDS[@]}"
	every_verdict
	watch -j -- --watch 1
	poll 5 watched 1
	wgvia down wg6 # and up, between two samples
	wgvia up wg6 "${WORDS[@]}"
	poll 5 watched 2
	jq -es 'all(.[][]; .packets_per_second >= 0 and .packets_per_second < 1e6 and .bits_per_second < 1e9)' $log
	ended INT
	watch -v -- wg6 --watch 0.1
	poll 5 watched 16
	wgvia down wg6
	poll 5 process_gone "$(<"$TOPO_DIR/watch.pid")"
	run -1 wait "$(<"$TOPO_DIR/watch.pid")"
	grep "^wgvia: .*wg6" $log
}

last_has() {
	[ "$(tail -n 1 "$TOPO_DIR/watch.log" | jq -c '[.[].interface] | unique')" = "$1" ]
}

# Stopped, for example by ^Z: it continues with the present, and does not catch up on missed intervals.
@test "watch: stopped for a while and continued, it skips intervals and does not print them all at once" {
	local log=$TOPO_DIR/watch.log pid until=$((EPOCHSECONDS + 3))
	wgvia up wg6 "${WORDS[@]}"
	watch -v -- wg6 --watch 0.1
	pid=$(<"$TOPO_DIR/watch.pid")
	poll 5 watched 16
	kill -STOP "$pid"
	poll 5 eval "[ \$EPOCHSECONDS -gt $until ]"
	kill -CONT "$pid"
	poll 5 eval "[ \$EPOCHSECONDS -gt $((until + 3)) ]"
	ended INT
	cut -d' ' -f1 $log | uniq -c
	[ "$(cut -d' ' -f1 $log | sort | uniq -c | awk '{ print $1 }' | sort -n | tail -n 1)" -le $((16 * 12)) ]
}

# terminal WORD... : wgvia on a terminal; ^C is typed once it has drawn three times. Its output is in the file "screen".
terminal() {
	local screen=$BATS_TEST_TMPDIR/screen command
	: >$screen
	command=$(printf '%q ' nsenter --net="/run/netns/$NS_GW" "$WGVIA" --pin-dir "$PIN_DIR" "$@")
	{
		poll 10 drawn_again 2 $screen
		printf '\003'
		poll 5 grep -q 'COMMAND_EXIT_CODE' $screen # ends the terminal's input, but not earlier
	} | timeout 60 script -qefc "exec $command" $screen >/dev/null 3>&-
}

drawn_again() { # COUNT FILE
	[ "$(grep -oP '\x1b\[\d+A\x1b\[J' "$2" | wc -l)" -ge "$1" ]
}

# Each time, the cursor moves up by exactly the lines written before.
redrawn_in_place() {
	/usr/bin/python3 -c 'import re, sys
parts = re.split(rb"\x1b\[(\d+)A\x1b\[J", open(sys.argv[1], "rb").read().split(b"\n", 1)[1])
for text, up in zip(parts[::2], parts[1::2]):
    assert text.count(b"\n") == int(up), (text, up)
    assert b"\x1b" not in text, text' "$BATS_TEST_TMPDIR/screen"
}

@test "watch on a terminal: redrawn in place, a heading, no times; ^C ends it with status 0" {
	local options
	wgvia up wg6 "${WORDS[@]}"
	for option in "" -v; do
		spawn "$NS_GW" ping ping -n -i 0.05 -I $WG4 $SVC4
		terminal $option stats wg6 --watch 0.3
		unspawn ping
		cat -v "$BATS_TEST_TMPDIR/screen"
		redrawn_in_place
		grep -E '^.*interface +verdict +packets +bits' "$BATS_TEST_TMPDIR/screen"
		grep -E 'wg6 +retargeted +[0-9.]+ +packets/s +[0-9.]+ [ k]?bit/s' "$BATS_TEST_TMPDIR/screen"
		run ! grep -E '^[0-9]{4}-[0-9]{2}-[0-9]{2}T' "$BATS_TEST_TMPDIR/screen"
	done
	grep -E 'wg6 +not_ip +0\.0 +packets/s +0\.0 +bit/s' "$BATS_TEST_TMPDIR/screen"
}

# on_terminal COLUMNS OPTION... -- WORD...: see lib/terminal.py.
on_terminal() {
	local options
	options_of "$@"
	shift $((${#options[@]} + 1))
	env -u COLUMNS TERM=xterm /usr/bin/python3 "$TREE/tests/lib/terminal.py" "${options[@]}" \
		nsenter --net="/run/netns/$NS_GW" "$WGVIA" --pin-dir "$PIN_DIR" "$@"
}

@test "watch on a terminal says when there is nothing to show" {
	local idle='idle: no packets in the last 0\.1 s'
	run -0 on_terminal 80 --until 'no instance is running' -- stats --watch 0.1
	wgvia up wg6 "${WORDS[@]}"
	# twice, in the same place
	run -0 on_terminal 80 --until "$idle\\s+\x1b\\[2A\x1b\\[J[^\x1b]*$idle" -- stats wg6 --watch 0.1
	[[ $output != *packets/s* ]]
}

@test "watch clears a terminal whose size has changed, and counts the lines that long ones take" {
	wgvia up wg6 "${WORDS[@]}"
	run -0 on_terminal 80 --resize 'idle:.*' 40 --until '\x1b\[3A\x1b\[J' -- stats wg6 --watch 0.1
	# the heading takes two lines there
	is "$(grep -aoP '\e\[[H23][JA]?(\e\[2?J)?' <<<"$output" | grep -v '^.\[2A' | cut -c2- | head -n 2 | xargs)" \
		"$(printf '[H\e[2J [3A\e[J')"
}

@test "watch as JSON on a terminal: lines, no escape codes" {
	local screen=$BATS_TEST_TMPDIR/screen
	wgvia up wg6 "${WORDS[@]}"
	: >$screen
	{
		poll 10 eval "[ \$(grep -c '^\\[' $screen) -ge 2 ]"
		printf '\003'
		poll 5 grep -q 'COMMAND_EXIT_CODE' $screen
	} | timeout 60 script -qefc "exec $(printf '%q ' nsenter --net="/run/netns/$NS_GW" "$WGVIA" --pin-dir "$PIN_DIR" \
		-j stats wg6 --watch 0.1)" $screen >/dev/null 3>&-
	run ! grep -P '\x1b' $screen
	grep -m 1 '^\[' $screen | jq -e 'length == 16'
}

@test "watch ends when its reader exits" {
	wgvia up wg6 "${WORDS[@]}"
	# shellcheck disable=SC2016 # the inner shell's
	run timeout 60 bash -c '"$0" "$@" | head -n 1' "$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" -j stats wg6 --watch 0.1
	is "$status" 0
}

# ---- words ----

@test "bad arguments: refused with a reason" {
	local expected text words
	wgvia up wg6 "${WORDS[@]}"
	while IFS='|' read -r expected text words; do
		echo "$words"
		run --separate-stderr "-$expected" timeout 60 "$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" $words
		is "$output" ""
		is "${stderr_lines[0]:0:7}" "wgvia: "
		[[ ${stderr_lines[1]:-hint: } == "hint: "* ]]
		[[ $stderr == *"$text"* ]] || is "$stderr" "$text"
	done <<-END
		2|0.1 to 86400|stats wg6 --watch 0
		2|0.1 to 86400|stats wg6 --watch -1
		2|0.1 to 86400|stats wg6 --watch 0.05
		2|0.1 to 86400|stats wg6 --watch 86401
		2|'nan'|stats wg6 --watch nan
		2|'inf'|stats wg6 --watch inf
		2|'soon'|stats wg6 --watch soon
		2|'1s'|stats --watch 1s
		2|'2'|stats wg6 --watch 1 2
		2|'--prometheus'|stats wg6 --watch --prometheus
		2|'--watch'|stats wg6 --prometheus --watch
		2|'wg6'|stats --prometheus wg6
		2|cannot be combined with -j|-j stats wg6 --prometheus
		2|'--often'|stats wg6 --often
		2|'--often'|stats --often
		2|'wg7'|stats wg6 wg7
		1|wg9|stats wg9
		1|wg9|stats wg9 --watch
		1|wg9|stats wg9 --prometheus
	END
}
