#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# A real Prometheus scrapes a running instance, and evaluates what packaging/ has for it: each expression of the Grafana
# dashboard has data, and each alert rule is loaded without an error. Also the counting of transitions.

# shellcheck disable=SC2016,SC2046,SC2086 # addresses are words; Grafana's variables
# shellcheck disable=SC2034,SC2153,SC2154 # others set and read variables

load ../lib/net.bash
load ../lib/agent.bash
load ../lib/second.bash
load ../lib/prometheus.bash

PORT=9090

setup_more() {
	second_up
}

setup() {
	AGENT_ENV=()
}

teardown() {
	unspawn prometheus KILL
	unspawn metrics KILL
	agent_stop KILL
	first_well
	second_well
	sweep "$NS_GW" wg6
	nothing_left
}

# ask PATH NAME=VALUE...: Prometheus' HTTP API.
ask() {
	local path=$1 words=()
	shift
	for word; do words+=(--data-urlencode "$word"); done
	in_ns "$NS_GW" curl -sS --fail-with-body -G "${words[@]}" "http://127.0.0.1:$PORT/api/v1/$path"
}

# series EXPRESSION: how many samples it has now.
series() {
	ask query "query=$1" | jq -e 'if .status == "success" then .data.result | length else error(.error) end'
}

has_series() {
	[ "$(series "$1")" -gt 0 ]
}

# value EXPRESSION NUMBER: waits for that value.
value() {
	poll 30 value_is "$1" "$2" && return
	is "$1: $(ask query "query=$1" | jq -c '[.data.result[].value[1]]')" "$2"
}

value_is() {
	[ "$(ask query "query=$1" | jq -r '.data.result[0].value[1] // "none"')" = "$2" ]
}

# prometheus_start: scrapes `wgvia stats --prometheus` once a second.
prometheus_start() {
	needs_prometheus
	spawn "$NS_GW" metrics /usr/bin/python3 "$TREE/tests/lib/metrics_server.py" 9091 \
		"$WGVIA" --pin-dir "$PIN_DIR" stats --prometheus
	cat >"$BATS_TEST_TMPDIR/prometheus.yml" <<-END
		global: {scrape_interval: 1s, evaluation_interval: 1s}
		rule_files: [$RULES]
		scrape_configs:
		  - {job_name: wgvia, static_configs: [{targets: ['127.0.0.1:9091']}]}
	END
	"$PROMTOOL" check config "$BATS_TEST_TMPDIR/prometheus.yml"
	spawn "$NS_GW" prometheus "$PROMETHEUS" --config.file="$BATS_TEST_TMPDIR/prometheus.yml" --log.level=warn \
		--storage.tsdb.path="$BATS_TEST_TMPDIR/data" --web.listen-address=127.0.0.1:$PORT
	poll 60 has_series wgvia_up || { cat "$TOPO_DIR/prometheus.log" && return 1; }
}

# instance: one with everything that is measured: an agent, gateways in use and on standby, an index, and counters of
# prefixes.
instance() {
	{
		echo "counters prefix"
		echo "from $VPN4 via $FW4 or $FW4B"
		echo "from $VPN6 via $FW6 or $FW6B"
		awk -v via=$FW4 'BEGIN { for (i = 0; i < 2000; i++) printf "from 10.%d.%d.0/24 via %s dev ens3\n", 16 + i / 256, i % 256, via }'
	} >"$BATS_TEST_TMPDIR/wg6.conf"
	agent_start "$BATS_TEST_TMPDIR/wg6.conf" interval 0.2 hold 0
	poll 10 are_healthy 4
}

are_healthy() {
	[ "$(grep -c 'is healthy' "$TOPO_DIR/agent.log")" -ge "$1" ]
}

# expressions: the dashboard's, for all hosts and interfaces; with rates over the available time.
expressions() {
	jq -r '.panels[].targets[].expr' "$DASHBOARD" | sed 's/\$instance/.+/g; s/\$interface/.+/g; s/\$__rate_interval/15s/g'
}

@test "each expression of the dashboard has data, and each of its variables" {
	local expression definition label
	instance
	prometheus_start
	[ "$(expressions | wc -l)" -ge 20 ]
	while read -r expression; do
		[[ $expression != *\$* ]]
		poll 30 has_series "$expression" || is "no data: $expression" data
	done < <(expressions)
	while read -r definition; do
		definition=${definition//\$instance/.+}
		[[ $definition =~ ^label_values\((.*),\ ([a-z]+)\)$ ]]
		label=${BASH_REMATCH[2]}
		ask "label/$label/values" "match[]=${BASH_REMATCH[1]}" | jq -e '.data | length == 1'
	done < <(jq -r '.templating.list[] | select(.type == "query") | .query.query' "$DASHBOARD")
	is "$(ask label/interface/values | jq -c .data)" '["wg6"]'
	value 'sum(wgvia_gateway_prefixes)' 2002
	value 'min({__name__=~"wgvia_(up|agent_up|attached|gateway_up)"})' 1
}

@test "each alert rule is evaluated without an error, and a dead gateway raises an alert" {
	instance
	prometheus_start
	poll 30 rules_are_evaluated || is "$(ask rules | jq -c '[.data.groups[].rules[] | [.name, .health, .lastError]]')" "all are ok"
	is "$(ask alerts | jq -c '[.data.alerts[] | select(.state == "firing")]')" '[]'
	first_dead
	poll 30 has_series 'ALERTS{alertname="WgviaGatewayDown",gateway="'$FW4'",interface="wg6",severity="warning"}' ||
		is "$(ask alerts)" "an alert"
	second_dead
	poll 30 has_series 'ALERTS{alertname="WgviaNoGateway",family="ipv4"}' || is "$(ask alerts)" "an alert"
	poll 30 has_series 'ALERTS{alertname="WgviaDown"}'
}

rules_are_evaluated() {
	[ "$(ask rules | jq '[.data.groups[].rules[] | select(.health == "ok" and .type == "alerting")] | length')" -eq \
		"$(grep -c -- '- alert:' "$RULES")" ]
}

# transitions GATEWAY TO: the metric.
transitions() {
	wgvia stats --prometheus | sed -n "s/^wgvia_gateway_transitions_total{.*gateway=\"$1\".*to=\"$2\"} //p"
}

have_died() {
	[ "$(transitions $FW4 dead) $(transitions $FW6 dead)" = "$1 $1" ]
}

have_recovered() {
	[ "$(transitions $FW4 alive) $(transitions $FW6 alive)" = "$1 $1" ]
}

@test "transitions are counted for each gateway, its first state does not count" {
	local times
	wgvia up wg6 "${LISTS[@]}"
	is "$(transitions $FW4 dead)" "" # no agent watches
	second_dead
	agent_start interval 0.2 hold 0
	says "gateway $FW4B dev ens3 is dead"
	says "gateway $FW6 dev ens3 is healthy"
	poll 10 have_died 0
	for times in 1 2; do
		first_dead
		poll 10 have_died $times
		first_well
		poll 10 have_recovered $times
	done
	is "$(transitions $FW4B dead) $(transitions $FW4B alive)" "0 0"
	second_well
	says "gateway $FW4B dev ens3 is healthy"
	poll 10 outputs 1 transitions $FW4B alive
	is "$(transitions $FW4B dead)" 0
	# `up` replaces the instance, and its gateways' counts continue
	wgvia up wg6 "${LISTS[@]}" mode stack
	is "$(transitions $FW4 dead)" 2
	agent_stop
	is "$(transitions $FW4 dead)" ""
}
