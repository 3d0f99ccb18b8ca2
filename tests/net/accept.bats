#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Findings of `check` that a configuration accepts, and the severity that makes its exit status 1.

# shellcheck disable=SC2046,SC2086,SC2153,SC2154,SC2206 # words; the topology's variables; bats sets $output
load ../lib/check.bash

CONF=

# conf LINE...: a configuration with the usual prefixes, into $CONF.
conf() {
	CONF=$BATS_TEST_TMPDIR/wg6.conf
	printf '%s\n' "${WORDS6[*]}" "${WORDS4[*]}" "$@" >"$CONF"
}

# A warning (mtu) and an information (reach).
two_faults() {
	ip -n "$NS_GW" link set wg6 mtu 1501
	network docker0 172.17.0.1/16
}

# judged: names, severities and reasons of the last look, in its order.
judged() {
	jq -r '[.findings[] | "\(.name) \(.severity) \(.accepted) \(.reason // "")"] | join("; ")' <<<"$output"
}

@test "a finding that the file accepts is listed last, with its reason, and does not count" {
	two_faults
	conf
	wgvia apply wg6 "$CONF" >/dev/null
	look
	is "$status $(judged)" "1 mtu warning false ; reach info false "
	conf "accept mtu reason jumbo frames come with   ticket 4711 # and not before"
	run -0 wgvia apply -c wg6 "$CONF"
	is "${lines[0]}" "+ accept mtu reason jumbo frames come with ticket 4711"
	look
	is "$status" 1
	wgvia apply wg6 "$CONF" >/dev/null
	look
	is "$status $(judged)" "0 reach info false ; mtu warning true jumbo frames come with ticket 4711"
	run -0 wgvia check wg6
	[[ ${lines[-2]} == "accepted warning: mtu: "* ]]
	is "${lines[-1]}" "    reason: jumbo frames come with ticket 4711"
	# what is new counts
	ip -n "$NS_GW" address add 198.51.100.2/24 dev ens3
	look
	is "$status $(judged | cut -c1-22)" "1 bypass warning false ;"
	conf
	wgvia apply wg6 "$CONF" >/dev/null
	look
	is "$status" 1
}

@test "--severity is the lowest severity that makes the exit status 1; accepted findings do not count" {
	local words wanted
	two_faults
	conf
	wgvia apply wg6 "$CONF" >/dev/null
	while IFS='|' read -r words wanted; do
		run wgvia -j check $words
		is "$words: $status" "$words: $wanted"
	done <<-END
		wg6|1
		wg6 --severity warning|1
		wg6 --severity=error|0
		--severity error wg6|0
		wg6 --severity info --probe|1
	END
	conf "accept mtu reason x"
	wgvia apply wg6 "$CONF" >/dev/null
	run -0 wgvia check wg6 --severity warning
	run -1 wgvia check wg6 --severity info
	conf "accept mtu reason x" "accept reach reason y"
	wgvia apply wg6 "$CONF" >/dev/null
	run -0 wgvia check wg6 --severity info
	wgvia down wg6
	rm -f "$CONF"
	# an error counts in each case
	run -1 wgvia check wg7 --severity error
	run -1 wgvia check wg7
}

@test "what is accepted and no longer occurs is information, and can be accepted itself" {
	conf "accept mtu reason jumbo frames" "accept probe_duplicate reason it cannot"
	ip -n "$NS_GW" link set wg6 mtu 1501
	wgvia apply wg6 "$CONF" >/dev/null
	look
	is "$status $(judged)" "0 mtu warning true jumbo frames"
	ip -n "$NS_GW" link set wg6 mtu 1420
	look
	is "$status $(judged)" "0 unused_acceptance info false "
	tells unused_acceptance "finding 'mtu' is accepted and does not occur now; reason: jumbo frames"
	run wgvia -j check wg6 --probe
	tells unused_acceptance "finding 'probe_duplicate' is accepted"
	conf "accept mtu reason jumbo frames" "accept unused_acceptance reason they come and go"
	wgvia apply wg6 "$CONF" >/dev/null
	look
	is "$status $(judged)" "0 unused_acceptance info true they come and go"
}

@test "bad values of --severity are refused" {
	local words expected
	while IFS='|' read -r words expected; do
		run --separate-stderr wgvia check $words
		is "$status $output" "2 "
		is "$stderr" "wgvia: $expected"
	done <<-END
		wg6 --severity|option '--severity' needs a value: error, warning or info
		wg6 --severity=|'' is not a value of --severity: error, warning or info
		wg6 --severity all|'all' is not a value of --severity: error, warning or info
		wg6 --severity info --severity=info|option '--severity' is given twice
		--severity info|which interface? IFACE is missing
	END
}

@test "what is accepted stays with the instance: save, up, route and a killed map entry" {
	local before
	two_faults
	conf "accept reach reason b" "accept mtu reason a"
	wgvia apply wg6 "$CONF" >/dev/null
	is "$(wgvia save wg6 | grep accept)" "accept mtu reason a
accept reach reason b"
	wgvia save wg6 >"$BATS_TEST_TMPDIR/saved"
	run -0 wgvia apply wg6 "$BATS_TEST_TMPDIR/saved"
	is "$output" ""
	# `up` has no word for it, and leaves it
	up mode stack
	up mode fast
	wgvia route add wg6 from 10.99.0.0/16 via $FW4
	wgvia bypass add wg6 198.18.0.0/15
	is "$(wgvia save wg6 | grep -c accept)" 2
	run -2 --separate-stderr wgvia up wg6 "${WORDS[@]}" accept mtu reason a
	[[ $stderr == "wgvia: unexpected word 'accept': "* ]]
	# an entry that no file can hold says nothing
	bpftool map update pinned "$PIN_DIR/wg6/accepted" key hex 6e 61 74 $(printf '00 %.0s' {1..21}) \
		value hex $(printf 'ff %.0s' {1..200})
	is "$(wgvia save wg6 | grep -c accept)" 2
	run -0 wgvia apply wg6 "$CONF"
	is "$(wgvia save wg6 | grep -c accept)" 2
	wgvia down wg6
	up
	is "$(wgvia save wg6 | grep -c accept)" 0
}

@test "a file with an unknown finding, or without a reason, changes nothing" {
	local before
	up
	before=$(state)
	conf "accept rpfilter reason x"
	run -2 --separate-stderr wgvia apply wg6 "$CONF"
	is "$stderr" "wgvia: $CONF:3: 'rpfilter' is not a finding of 'check': do you mean 'rp_filter'?"
	conf "accept rp_filter"
	run -2 --separate-stderr wgvia apply wg6 "$CONF"
	is "$stderr" "wgvia: $CONF:3: 'accept rp_filter' needs a reason: accept rp_filter reason TEXT"
	is "$(state)" "$before"
}

@test "an agent with the file keeps what it accepts, also after a change of the host" {
	conf "accept mtu reason a"
	ip -n "$NS_GW" link set wg6 mtu 1501
	spawn "$NS_GW" agent "$WGVIA" --pin-dir "$PIN_DIR" run wg6 "$CONF"
	poll 20 accepts mtu
	ip -n "$NS_GW" address add 198.51.100.2/24 dev ens3
	poll 20 knows 198.51.100.2
	accepts mtu
	conf "accept reach reason b"
	kill -HUP "$(<"$TOPO_DIR/agent.pid")"
	poll 20 accepts reach
	run ! accepts mtu
	unspawn agent
}

accepts() {
	wgvia save wg6 | grep -q "^accept $1 "
}

knows() {
	wgvia -j show wg6 | jq -e --arg to "$1/32" '.bypass[] | select(.to == $to)'
}
