#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Every command once in each of its forms, and the agent through its life, for scripts/sanitize to observe. Other tests
# check the results; here each must end as it should, and none is missing.

# shellcheck disable=SC2086,SC2153,SC2154,SC2034 # addresses are words; others set and read variables

export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-300}
load ../lib/net.bash
load ../lib/agent.bash

FW4B=192.0.2.9

setup() {
	AGENT_ENV=()
}

teardown() {
	agent_stop KILL
	unspawn watch KILL
	unspawn trace KILL
	unspawn monitor KILL
	ip -n "$NS_GW" link delete second 2>/dev/null || true
	sweep "$NS_GW" wg6
}

# ends STATUS ARGUMENT...: its output is in $output and $stderr.
ends() {
	local wanted=$1
	shift
	run --separate-stderr wgvia "$@"
	# shellcheck disable=SC2154 # bats sets it
	[ "$status" = "$wanted" ] || is "wgvia $*: status $status, $output$stderr" "status $wanted"
	said "$@"
}

# said WORD...: for the last test; no other word is a command's name.
said() {
	printf '%s\n' "$@" >>"$BATS_FILE_TMPDIR/said"
}

# is_json ARGUMENT...
is_json() {
	ends "$1" -j "${@:2}"
	jq . <<<"$output" >/dev/null
}

@test "a configuration is created, changed and removed" {
	local file=$BATS_TEST_TMPDIR/wg6.conf
	ends 0 up nosuch from $VPN4 via $FW4
	ends 0 down nosuch
	ends 0 up wg6
	ends 0 up wg6 "${WORDS6[@]}" from $VPN4 via $FW4 dev ens3 or $FW4B bypass 198.18.0.0/15
	ends 0 -v -v up wg6 "${WORDS[@]}" mode stack on-fail pass
	ends 0 route add wg6 from 10.99.0.0/16 via $FW6
	ends 0 route replace wg6 from 10.99.0.0/16 via $FW4 or $FW4B
	ends 1 route add wg6 from 10.99.0.0/16 via $FW4
	ends 0 route del wg6 from 10.99.0.0/16
	ends 0 bypass add wg6 198.18.0.0/15
	ends 0 bypass del wg6 198.18.0.0/15
	ends 0 save wg6
	printf '%s\n' "$output" "from 10.98.0.0/16 via $FW4 or $FW4B # the second" "bypass 2001:db8:9::/48" >"$file"
	ends 0 apply -c wg6 "$file"
	is_json 0 apply wg6 "$file"
	is_json 0 save wg6
	printf 'from 10.98.0.0/16 via %s\n' $FW4 >"$file"
	printf "from 10.97.%d.0/24 via $FW4\n" {1..250} >>"$file"
	ends 0 apply wg6 "$file"
	WGVIA_BATCH=no ends 0 save wg6
	ends 0 down wg6
	WGVIA_ATTACH=clsact ends 0 up wg6 "${WORDS[@]}"
	ends 0 down wg6
	ends 0 down wg6
	nothing_left
}

@test "reading commands" {
	local file=$BATS_TEST_TMPDIR/wg6.conf
	ends 0 up wg6 "${WORDS6[@]}" from $VPN4 via $FW4 or $FW4B bypass 198.18.0.0/15
	ends 0 show
	is_json 0 show wg6
	ends 0 stats
	is_json 0 stats wg6
	ends 0 stats --prometheus
	ends 1 stats wg6 --prefix
	ends 0 up wg6 "${WORDS6[@]}" from $VPN4 via $FW4 or $FW4B bypass 198.18.0.0/15 counters prefix
	is_json 0 stats wg6 --prefix
	ends 0 stats --prefix $VPN4
	ends 0 stats --prometheus 1
	ends 0 explain wg6 from $C1_4 to $SVC4 len 2000
	is_json 0 explain wg6 from $SVC6 to $C1_6 dir in hop-limit 1
	ends 0 explain wg6 from $WG4 to $INET4
	ends 1 check wg6
	is_json 1 check wg6 --probe
	ends 0 health wg6
	is_json 0 health wg6
	said trace
	spawn "$NS_GW" watch "$WGVIA" --pin-dir "$PIN_DIR" -j stats wg6 --watch 1
	spawn "$NS_GW" trace "$WGVIA" --pin-dir "$PIN_DIR" -j trace wg6 from $VPN4 verdict redirected count 3
	poll 30 grep -q listening "$TOPO_DIR/trace.log"
	pings 3 "$NS_C1" $SVC4
	poll 30 process_gone "$(<"$TOPO_DIR/trace.pid")"
	grep -q redirected "$TOPO_DIR/trace.log"
	poll 30 [ -s "$TOPO_DIR/watch.log" ]
	unspawn watch INT
	printf '%s\n' '[Interface]' "PostUp = ip rule add from $VPN4 table 7; ip route add default via $FW4 table 7" \
		'PostUp = ip rule add fwmark 5 table 77' >"$file"
	ends 0 import "$file"
	is_json 0 import "$file" wg7
}

@test "refused commands" {
	local file=$BATS_TEST_TMPDIR/wg6.conf
	ends 2 up wg6 from $VPN4 via
	ends 2 frobnicate
	ends 1 show wg6
	ends 1 health wg6
	ends 1 up nosuch
	ends 1 up wg6 from $VPN4 via 203.0.113.2
	ends 1 route add wg6 from $VPN4 via $FW4
	ends 1 save wg6
	ends 1 explain wg6 from $C1_4 to $SVC4
	printf 'from %s via %s\nform\n' $VPN4 $FW4 >"$file"
	ends 2 apply wg6 "$file"
	ends 2 run wg6 "$file"
	ends 1 import /dev/null wg6
}

# An agent, from a file that it reads twice, through dead gateways, devices and routes that come and go, to its end.
@test "an agent's life" {
	local file=$BATS_TEST_TMPDIR/wg6.conf
	printf '%s\n' "from $VPN4 via $FW4 or $FW4B" "from $VPN6" >"$file"
	said run monitor
	spawn "$NS_GW" monitor "$WGVIA" --pin-dir "$PIN_DIR" -j monitor
	poll 60 grep -q listening "$TOPO_DIR/monitor.log"
	AGENT_ENV=(WGVIA_RCVBUF=4096)
	agent_start "$file" interval 0.2 hold 0
	says "is in force" 60
	says "gateway $FW4 dev ens3 is healthy" 60
	agent_signal STOP
	printf 'address add 172.20.8.%d/32 dev lo\n' {1..250} | ip -n "$NS_GW" -batch -
	printf 'address delete 172.20.8.%d/32 dev lo\n' {1..250} | ip -n "$NS_GW" -batch -
	agent_signal CONT
	says "kernel messages were lost" 60
	in_ns "$NS_FW" nft 'table netdev dead { chain in { type filter hook ingress device lan priority -1; policy drop; }; }'
	says "gateway $FW4 dev ens3 is dead" 60
	in_ns "$NS_FW" nft delete table netdev dead
	says "$VPN4: via $FW4 dev ens3 now" 60
	wgvia bypass add wg6 198.18.0.0/15
	ip -n "$NS_GW" link add second type veth peer name second2
	ip -n "$NS_GW" link delete second
	echo nonsense >"$file"
	agent_signal HUP
	says "the configuration stays as it was" 60
	printf '%s\n' "from $VPN4 via $FW4" >"$file"
	agent_signal HUP
	says "- from $VPN6" 60
	wgvia down wg6
	says "the instance was removed" 60
	agent_stop TERM
	grep -q "stopped: forwarding continues" "$TOPO_DIR/agent.log"
	poll 60 grep -q "stopped: forwarding continues" "$TOPO_DIR/monitor.log"
	unspawn monitor TERM
	is "$(grep -A 20 -E "Sanitizer|runtime error" "$TOPO_DIR/monitor.log")" ""
}

@test "no command was left out" {
	local command
	while IFS= read -r command; do
		grep -qx "$command" "$BATS_FILE_TMPDIR/said" || is "$command was not run" "all were"
	done < <(sed -n 's/^int cmd_\([a-z]*\)(.*/\1/p' "$TREE/user/commands/command.h")
}
