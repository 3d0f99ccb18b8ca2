#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The units under a real systemd, which is process 1 of a guest whose host is the gateway itself:
#
#   scripts/vm --systemd 6.12 -- bats tests/vm/systemd.bats

# shellcheck disable=SC2030,SC2031,SC2086,SC2154 # addresses are words; `stream` sets $missing, a test its $began
load ../lib/net.bash
load ../lib/load.bash

setup_file() {
	[ -n "${WGVIA_IN_VM:-}" ] || skip "not in a guest of scripts/vm"
	[ -d /run/systemd/system ] || skip "systemd is not process 1: scripts/vm --systemd"
	export TOPO_GATEWAY_IS_HOST=1 PIN_DIR=/sys/fs/bpf/wgvia
	topology_up "wgvia$$"
	make -C "$TREE" -s install PREFIX=/usr/local
	mkdir -p /etc/wgvia /var/lib/prometheus/node-exporter
	printf '%s\n' "from $VPN6 via $FW6 dev ens3" "from $VPN4 via $FW4 dev ens3" >/etc/wgvia/wg6.conf
	systemctl daemon-reload
}

teardown() {
	unspawn client KILL
	[ -z "${MONITOR:-}" ] || kill -KILL "$MONITOR" 2>/dev/null || true
	in_ns "$NS_FW" nft delete table netdev dead 2>/dev/null || true
	systemctl stop wgvia@wg6 wgvia-metrics.timer
	systemctl reset-failed
	ip link delete second 2>/dev/null || true
	wgvia down wg6
}

teardown_file() {
	topology_down
}

wgvia() {
	/usr/local/sbin/wgvia "$@"
}

unit() {
	systemctl show --value -p "$1" wgvia@wg6
}

program_ids() {
	wgvia -j show wg6 | jq -c '[.attachments[].prog_id]'
}

connections_work() {
	answers "$NS_C1" "$SVC4" service "$C1_4" && answers "$NS_C2" "$SVC6" service "$C2_6"
}

# agent COMMAND: start, restart, stop; shows the journal on failure.
agent() {
	systemctl "$1" wgvia@wg6 && return
	journalctl -u wgvia@wg6 --no-pager | tail -n 20
	return 1
}

# statement LINE...: the agent's file.
statements() {
	printf '%s\n' "$@" >/etc/wgvia/wg6.conf
}

has_prefix() {
	wgvia -j show wg6 | jq -e ".prefixes[] | select(.from == \"$1\")"
}

main_pid_is_not() {
	[ "$(unit MainPID)" -ne 0 ] && [ "$(unit MainPID)" -ne "$1" ] && [ "$(unit ActiveState)" = active ]
}

# goes_on CLIENT ADDRESS COMMAND...: while the command runs repeatedly, requests reach the service, each of them via the
# firewall, and are answered. An emulated machine under load sometimes loses one, whoever forwards.
goes_on() {
	local redirected service
	redirected=$(counter redirected) service=$(echo_requests)
	stream 300 "$@"
	redirected=$(($(counter redirected) - redirected)) service=$(($(echo_requests) - service))
	echo "redirected $redirected, seen by the service $service, not answered $missing"
	[ "$service" -le "$redirected" ] && [ "$missing" -le 3 ]
}

echo_requests() {
	in_ns "$NS_SVC" nstat -asz IcmpInEchos Icmp6InEchos | awk '/^Icmp/ { sum += $2 } END { print sum }'
}

@test "the agent makes the instance match its file, inside its sandbox" {
	agent start
	is "$(unit ActiveState)" active
	is "$(ps -o ni= -p "$(unit MainPID)" | tr -d ' ')" -10
	[[ $(unit StatusText) == *"2 prefixes"* ]]
	connections_work
	# only its own two or three lines in the journal
	journalctl -u wgvia@wg6 --no-pager -p warning -q >"$BATS_TEST_TMPDIR/warnings"
	cat "$BATS_TEST_TMPDIR/warnings"
	[ ! -s "$BATS_TEST_TMPDIR/warnings" ]
}

@test "a restart, a crash and a stop of the agent interrupt no connection and remove nothing" {
	local ids
	agent start
	ids=$(program_ids)
	goes_on "$NS_C1" "$SVC4" systemctl restart wgvia@wg6
	goes_on "$NS_C2" "$SVC6" crash
	agent stop
	is "$(program_ids)" "$ids"
	connections_work
}

crash() {
	local pid
	pid=$(unit MainPID)
	systemctl reset-failed wgvia@wg6 # its count of starts, too
	kill -KILL "$pid"
	poll 10 main_pid_is_not "$pid"
}

# journal PRIORITY: the messages with it, since $began.
journal() {
	journalctl -u wgvia@wg6 --no-pager -q -o cat -p "$1..$1" --since "@$began"
}

has_errors() {
	[ -n "$(journal err)" ]
}

@test "an invalid file is an error in the journal, and not retried; once it is fixed, the unit starts" {
	local began
	began=$(date +%s)
	statements "from $VPN6 via $FW6 dev ens3" "frmo $VPN4"
	run ! systemctl start wgvia@wg6
	is "$(unit ActiveState) $(unit ExecMainStatus) $(unit NRestarts)" "failed 2 0"
	poll 10 has_errors
	journal err | grep "^/etc/wgvia/wg6.conf:2: unexpected word 'frmo'"
	statements "from $VPN6 via $FW6 dev ens3" "from $VPN4 via $FW4 dev ens3"
	agent start
	connections_work
	# a reload of an invalid file keeps it running
	statements "from $VPN6 via $FW6 dev ens3" "frmo $VPN4"
	systemctl reload wgvia@wg6
	is "$(unit ActiveState)" active
	statements "from $VPN6 via $FW6 dev ens3" "from $VPN4 via $FW4 dev ens3"
	agent stop
	poll 10 says_stopped
}

says_stopped() {
	journal notice | grep "wg6: stopped"
}

# entries FILTER: of the journal's entries that the agent has written since $began, one per line.
entries() {
	journalctl -u wgvia@wg6 --no-pager -q -o json --since "@$began" | jq -r "select(.SYSLOG_IDENTIFIER == \"wgvia\") | $1"
}

# entries_are FILTER N
entries_are() {
	[ "$(entries "select($1) | .MESSAGE" | wc -l)" -eq "$2" ]
}

# events FILTER: from the output of `monitor`.
events() {
	jq -r "$1" "$TOPO_DIR/monitor.log"
}

# listen: `monitor`, from before the agent starts; its events are in monitor.log.
listen() {
	began=$(date +%s)
	/usr/local/sbin/wgvia -j monitor >"$TOPO_DIR/monitor.log" 2>"$TOPO_DIR/listening" 3>&- &
	MONITOR=$!
	poll 10 grep -q listening "$TOPO_DIR/listening"
}

NO_ANSWER="it does not answer neighbour requests"

@test "the journal has the agent's events with their fields, each once, and so has monitor" {
	local began
	listen
	agent start
	poll 60 entries_are '.WGVIA_EVENT == "gateway" and .WGVIA_STATE == "alive"' 2
	in_ns "$NS_FW" nft 'table netdev dead { chain in { type filter hook ingress device lan priority -1; policy drop; }; }'
	poll 60 entries_are '.WGVIA_EVENT == "gateway" and .WGVIA_STATE == "dead"' 2
	agent stop
	poll 60 entries_are '.WGVIA_EVENT == "agent" and .WGVIA_STATE == "ended"' 1
	is "$(entries 'select(.WGVIA_STATE == "dead" and .WGVIA_GATEWAY == "'$FW4'") | [.MESSAGE_ID, .PRIORITY, .SYSLOG_IDENTIFIER,
		.WGVIA_INTERFACE, .WGVIA_DEV, .WGVIA_REASON, ._TRANSPORT, .MESSAGE] | join("|")')" "\
c1d7a6c4f0c94d6f9d2b6f5e3a870004|4|wgvia|wg6|ens3|$NO_ANSWER|journal|wg6: gateway $FW4 dev ens3 is dead: $NO_ANSWER"
	# nothing else comes by stderr, and monitor received the same events from the sandbox
	is "$(entries '._TRANSPORT' | sort -u)" journal
	poll 10 grep -q '"ended"' "$TOPO_DIR/monitor.log"
	kill "$MONITOR"
	is "$(entries .MESSAGE)" "$(events 'select(.command == "run") | "\(.interface): \(.text)"')"
	is "$(entries '[.WGVIA_EVENT, .WGVIA_STATE // "-"] | join(" ")')" "$(events 'select(.command == "run") | [.event, .state // "-"] | join(" ")')"
	[ "$(entries .MESSAGE | wc -l)" -ge 8 ]
}

# bats test_tags=long
@test "a monitor that does not read hears how many of the agent's events it has lost, out of its sandbox" {
	local began seen lost i limit
	limit=$(sysctl -n net.unix.max_dgram_qlen)
	sysctl -qw net.unix.max_dgram_qlen=2
	listen
	agent start
	poll 60 entries_are '.WGVIA_EVENT == "gateway" and .WGVIA_STATE == "alive"' 2
	kill -STOP "$MONITOR"
	for i in {1..8}; do
		ip address add 172.20.8.$i/32 dev lo
		poll 60 entries_are '.WGVIA_EVENT == "address"' "$i"
	done
	kill -CONT "$MONITOR"
	poll 60 grep -q '"lost"' "$TOPO_DIR/monitor.log"
	seen=$(events 'select(.event == "address") | .to' | wc -l)
	lost=$(events 'select(.event == "lost") | .events' | awk '{ sum += $1 } END { print sum }')
	for i in {1..8}; do ip address delete 172.20.8.$i/32 dev lo; done
	sysctl -qw net.unix.max_dgram_qlen="$limit"
	kill "$MONITOR"
	agent stop
	is $((seen + lost)) 8
}

# bats test_tags=long
@test "a file that does not exist yet is tried again" {
	mv /etc/wgvia/wg6.conf /etc/wgvia/wg6.later
	systemctl start --no-block wgvia@wg6
	poll 10 has_restarted
	mv /etc/wgvia/wg6.later /etc/wgvia/wg6.conf
	poll 10 systemctl -q is-active wgvia@wg6
	connections_work
}

has_restarted() {
	[ "$(unit NRestarts)" -ge 1 ]
}

# bats test_tags=long
@test "make uninstall names the unit that still runs" {
	agent start
	run -0 make -s -C "$TREE" uninstall PREFIX="$BATS_TEST_TMPDIR"
	grep -Fx "wgvia: the unit 'wgvia@wg6.service' is still loaded; to stop it:" <<<"$output"
	grep -Fx "    systemctl disable --now wgvia@wg6.service" <<<"$output"
	grep -Fx "    rm -r '/sys/fs/bpf/wgvia/wg6'" <<<"$output"
}

# bats test_tags=long
@test "an agent that hangs is killed by systemd's watchdog, and another starts" {
	local pid
	mkdir -p /run/systemd/system/wgvia@wg6.service.d
	printf '[Service]\nWatchdogSec=10\n' >/run/systemd/system/wgvia@wg6.service.d/test.conf
	systemctl daemon-reload
	agent start
	pid=$(unit MainPID)
	kill -STOP "$pid"
	poll 20 main_pid_is_not "$pid"
	[ "$(unit NRestarts)" -ge 1 ]
	connections_work
	rm -r /run/systemd/system/wgvia@wg6.service.d
	systemctl daemon-reload
}

# bats test_tags=long
@test "a reload reads the file again" {
	agent start
	statements "from $VPN6 via $FW6 dev ens3" "from $VPN4 via $FW4 dev ens3" "from 10.77.0.0/16 via $FW4 dev ens3"
	agent reload
	poll 5 has_prefix 10.77.0.0/16
	statements "from $VPN6 via $FW6 dev ens3" "from $VPN4 via $FW4 dev ens3"
}

# bats test_tags=long
@test "the sandbox lets the agent ask gateways of both families, and leave those that are dead" {
	statements "from $VPN6 via 2001:db8:2::99 dev ens3 or $FW6 dev ens3" "from $VPN4 via 192.0.2.99 dev ens3 or $FW4 dev ens3"
	agent start
	poll 10 connections_work
	connections_work
	agent stop
	wgvia down wg6
	statements "from $VPN6 via $FW6 dev ens3" "from $VPN4 via $FW4 dev ens3"
}

# bats test_tags=long
@test "the agent needs every capability in the unit, and nearly every address family" {
	# without AF_INET6 it runs as on a kernel without IPv6; the previous test shows what it is for
	local i less=("CapabilityBoundingSet=~CAP_"{BPF,NET_ADMIN,PERFMON,NET_RAW} "RestrictAddressFamilies=~AF_"{NETLINK,PACKET}
		SystemCallFilter=~bpf ReadOnlyPaths=/sys/fs/bpf)
	case $(uname -r) in 5.10.*) less+=(LimitMEMLOCK=64K) ;; esac
	for i in "${!less[@]}"; do
		{
			cat /usr/local/lib/systemd/system/wgvia@.service
			printf '%s\n' '[Service]' Restart=no TimeoutStartSec=45 "${less[i]}"
		} >"/run/systemd/system/less$i@.service"
	done
	systemctl daemon-reload
	for i in "${!less[@]}"; do
		# the agent ends, or creates no instance
		if systemctl start "less$i@wg6" && wgvia show wg6; then
			echo "works with ${less[i]}"
			return 1
		fi
		systemctl stop "less$i@wg6"
	done
}

# bats test_tags=long
@test "the metrics file is replaced atomically, and nothing else is left there" {
	local file=/var/lib/prometheus/node-exporter/wgvia.prom before
	wgvia up wg6 from "$VPN4" via "$FW4"
	systemctl start wgvia-metrics
	/usr/bin/python3 "$TREE/tests/lib/promcheck.py" <"$file"
	is "$(stat -c '%a %U' "$file")" "644 root"
	before=$(stat -c %i "$file")
	systemctl start wgvia-metrics
	[ "$(stat -c %i "$file")" != "$before" ]
	is "$(ls -A "${file%/*}")" wgvia.prom
}

# bats test_tags=long
@test "a metrics file that cannot be written again stays as it was" {
	local file=/var/lib/prometheus/node-exporter/wgvia.prom
	wgvia up wg6 from "$VPN4" via "$FW4"
	systemctl start wgvia-metrics
	cp "$file" "$BATS_TEST_TMPDIR/before"
	mkdir "$file.new" # in the way
	run ! systemctl start wgvia-metrics
	rmdir "$file.new"
	cmp "$file" "$BATS_TEST_TMPDIR/before"
}

# bats test_tags=long
@test "the timer writes it again and again" {
	local file=/var/lib/prometheus/node-exporter/wgvia.prom
	mkdir -p /run/systemd/system/wgvia-metrics.timer.d
	printf '[Timer]\nOnActiveSec=\nOnActiveSec=1\nOnUnitActiveSec=1\n' >/run/systemd/system/wgvia-metrics.timer.d/test.conf
	systemctl daemon-reload
	wgvia up wg6 from "$VPN4" via "$FW4"
	rm -f "$file"
	systemctl start wgvia-metrics.timer
	poll 10 grep -q '^wgvia_packets_total{interface="wg6"' "$file"
	rm "$file"
	poll 10 grep -q '^wgvia_packets_total{interface="wg6"' "$file"
}

# bats test_tags=long
@test "a restart of systemd-networkd deletes a rule that it has not made, and leaves wgvia alone" {
	local ids
	mkdir -p /run/systemd/network
	cat >/run/systemd/network/10-ens3.network <<-END
		[Match]
		Name=ens3
		[Network]
		Address=$GW4/24
		Address=$GW6/64
		Gateway=$FW4
		Gateway=$FW6
		IPv6AcceptRA=no
	END
	systemctl restart systemd-networkd
	poll 10 answers "$NS_GW" "$SVC4" service "$GW4"
	wgvia up wg6 from "$VPN6" via "$FW6" dev ens3 from "$VPN4" via "$FW4" dev ens3
	ids=$(program_ids)
	ip rule add from "$VPN4" table 100
	goes_on "$NS_C1" "$SVC4" restart_networkd
	[ "$(ip rule show table 100 | wc -l)" -eq 0 ]
	is "$(program_ids)" "$ids"
	connections_work
}

restart_networkd() {
	systemctl restart systemd-networkd
	poll 10 systemctl -q is-active systemd-networkd
}

# ---- wg-quick@, boot and shutdown, while a client sends all the time ----

# both_enabled: wg-quick has no hooks; nothing runs, and there is no tunnel. Two targets represent the machine's boot
# and shutdown: the first wants what multi-user.target would, the second is poweroff.target without the end.
both_enabled() {
	mkdir -p /etc/wireguard
	[ -e /etc/wireguard/wg6.conf ] || (umask 077 && {
		printf '%s\n' "[Interface]" "Address = $WG4/16, $WG6/50" "Table = off" &&
			wg showconf wg6 | sed -e 1d -e '/^AllowedIPs/a PersistentKeepalive = 25'
	} >/etc/wireguard/wg6.conf)
	systemctl enable wgvia@wg6 wg-quick@wg6
	printf '[Unit]\nWants=wgvia@wg6.service wg-quick@wg6.service\n' >/run/systemd/system/test-boot.target
	printf '[Unit]\nDefaultDependencies=no\nRequires=shutdown.target\nAfter=shutdown.target\n' >/run/systemd/system/test-shutdown.target
	systemctl daemon-reload
	systemctl stop wg-quick@wg6
	ip link delete wg6 2>/dev/null || true
	[ -n "$(in_ns "$NS_LAN" nft list tables)" ] || wire_up
	[ -e "$TOPO_DIR/echo.pid" ] || spawn "$NS_SVC" echo "$TOOLS/load" echo "$LOAD_PORT"
	wire_reset
	spawn "$NS_C1" client "$TOOLS/load" send 500 "$LOAD_PORT" "$C1_4" "$SVC4" "$C1_6" "$SVC6"
}

packets_come() { # COUNT: in total
	[ "$(($(wire to_firewall) + $(wire leaked)))" -ge "$1" ]
}

# The client's packets come through the tunnel again.
traffic_again() {
	poll 10 packets_come $(($(wire to_firewall) + $(wire leaked) + 50))
}

no_packet_bypassed() {
	figures "$(wire to_firewall) packets to the firewall, $(wire leaked) past it"
	unspawn client
	is "$(wire leaked) packets past the firewall" "0 packets past the firewall"
}

state_and_directions() {
	wgvia -j show wg6 | jq -c '[.state, ([.attachments[].direction] | unique)]'
}

@test "wg-quick@ starts the agent before the tunnel, and the agent outlives it: no packet bypasses the firewall" {
	local pid
	both_enabled
	systemctl start wg-quick@wg6
	pid=$(unit MainPID)
	[ "$pid" -ne 0 ]
	traffic_again
	systemctl restart wg-quick@wg6
	traffic_again
	systemctl stop wg-quick@wg6
	poll 10 outputs '["absent",["back","egress"]]' state_and_directions
	systemctl start wg-quick@wg6
	is "$(unit MainPID)" "$pid"
	traffic_again
	no_packet_bypassed
	connections_work
	systemctl stop wg-quick@wg6
}

@test "boot and shutdown: no packet bypasses the firewall" {
	local i
	both_enabled
	for ((i = 0; i < 3; i++)); do
		wgvia down wg6 # after a boot nothing is attached
		systemctl start test-boot.target
		traffic_again
		connections_work
		systemctl start --job-mode=replace-irreversibly test-shutdown.target
		is "$(unit ActiveState) $(systemctl show --value -p ActiveState wg-quick@wg6)" "inactive inactive"
		run ! ip link show wg6
	done
	no_packet_bypassed
}

@test "an agent whose file cannot be put into force yet is not ready, and the tunnel waits for it" {
	both_enabled
	statements "from $VPN6 via $FW6 dev ens3" "from $VPN4 via $FW4 dev ens3" "from 10.99.0.0/16 via 198.18.0.1 dev late"
	systemctl start --no-block wg-quick@wg6
	poll 10 status_is "cannot use 'late': no such device"
	is "$(unit ActiveState)" activating
	run ! ip link show wg6
	ip link add late type dummy
	ip address add 198.18.0.2/24 dev late
	ip link set late up
	poll 10 systemctl -q is-active wg-quick@wg6
	traffic_again
	no_packet_bypassed
	systemctl stop wg-quick@wg6
	ip link delete late
	statements "from $VPN6 via $FW6 dev ens3" "from $VPN4 via $FW4 dev ens3"
}

status_is() {
	[[ $(unit StatusText) == *"$1"* ]]
}

# attached_at DEVICE DIRECTION...
attached_at() {
	[ "$(wgvia -j show wg6 | jq -r --arg dev "$1" '[.attachments[] | select(.attached and .dev == $dev).direction] |
		sort | join(" ")')" = "${*:2}" ]
}

has_egress() { # DEVICE
	wgvia -j show wg6 | jq -e --arg dev "$1" '.attachments[] | select(.attached and .dev == $dev and .direction == "egress")'
}

# The unit's capabilities open no program by its id; the restarted agent itself has loaded none.
@test "an agent that was restarted attaches to a new tunnel and LAN device, and reloads another mode" {
	local began
	began=$(date +%s)
	agent start
	agent restart
	ip link add second type veth peer name second.peer
	ip link set second up
	poll 10 has_egress second
	agent restart
	tunnel_gone
	tunnels_again
	poll 10 attached_at wg6 out
	connections_work
	agent restart
	statements "mode stack" "from $VPN6 via $FW6 dev ens3" "from $VPN4 via $FW4 dev ens3"
	agent reload
	poll 10 attached_at wg6
	attached_at ens3 back egress
	connections_work
	statements "from $VPN6 via $FW6 dev ens3" "from $VPN4 via $FW4 dev ens3"
	agent reload
	poll 10 attached_at wg6 out
	connections_work
	ip link delete second
	run ! grep cannot <(journalctl -u wgvia@wg6 --no-pager -q --since "@$began")
}
