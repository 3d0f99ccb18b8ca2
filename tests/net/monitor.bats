#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `wgvia monitor`: every change of an instance, by any process, as one line, exactly once. Events of another instance,
# pin folder or namespace are not shown, a publisher does not wait, and lost events are counted.

# shellcheck disable=SC2012,SC2016,SC2046,SC2086 # addresses are words; inner shells; names of sockets
# shellcheck disable=SC2034,SC2153,SC2154 # others set and read variables

load ../lib/net.bash
load ../lib/agent.bash
load ../lib/second.bash

setup_more() {
	second_up
}

setup() {
	AGENT_ENV=()
	export WGVIA_MONITOR=$BATS_TEST_TMPDIR/run/monitor
}

teardown() {
	unspawn text KILL
	unspawn events KILL
	unspawn other KILL
	agent_stop KILL
	first_well
	second_well
	ip -n "$NS_GW" link delete wg7 2>/dev/null || true
	ip -n "$NS_GW" link delete third 2>/dev/null || true
	sweep "$NS_GW" wg6
	"$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" down wg7
	nothing_left
}

# listen NAME [WORD...]: `monitor WORD...`, into NAME.log.
listen() {
	spawn "$NS_GW" "$1" "$WGVIA" --pin-dir "${PINS_OF:-$PIN_DIR}" "${@:2}"
	poll 5 grep -q '^listening on' "$TOPO_DIR/$1.log" || { cat "$TOPO_DIR/$1.log" && return 1; }
}

both_listen() {
	listen text monitor
	listen events -j monitor wg6
}

# events FILTER: one line per event.
events() {
	sed 1d "$TOPO_DIR/events.log" | jq -r "$1"
}

# texts: the text form, without the time.
texts() {
	sed '1d; s/^[^ ]* //' "$TOPO_DIR/text.log"
}

texts_count() {
	texts | wc -l
}

# Both forms have the same events; one listener may be later than the other.
same_texts() {
	poll 10 outputs "$(events .text)" unnamed_texts || is "$(events .text)" "$(unnamed_texts)"
}

unnamed_texts() {
	texts | sed 's/^wg6 //'
}

# count_is FILTER N: the filter selects that many events.
count_is() {
	[ "$(events "select($1) | .event" | wc -l)" -eq "$2" ]
}

# told FILTER N: waits until there are that many.
told() {
	poll 10 count_is "$1" "$2" && return
	sed 1d "$TOPO_DIR/events.log"
	is "$(events "select($1) | .event" | wc -l) of '$1'" "$2"
}

# settled: publishes an event of its own, so that those before it have been printed.
settled() {
	MARK=$((${MARK:-0} + 1))
	wgvia bypass add wg6 198.51.100.$MARK
	wgvia bypass del wg6 198.51.100.$MARK
	told ".to == \"198.51.100.$MARK/32\"" 2
}

@test "commands: each change once, in order, as text and as JSON" {
	both_listen
	wgvia up wg6 "${WORDS[@]}"
	told '.event == "prefix"' 2
	is "$(events 'select(.event == "instance") | [.state, .prefixes, .command] | join(" ")')" "up 2 up"
	is "$(events 'select(.event == "attachment") | .state + " " + .dev + " " + .direction' | sort | xargs)" \
		"$(wgvia -j show wg6 | jq -r '.attachments[] | "attached " + .dev + " " + .direction' | sort | xargs)"
	wgvia up wg6 "${WORDS[@]}" # the same again
	wgvia route add wg6 from 10.6.3.0/24 via $FW4
	wgvia route replace wg6 from 10.6.3.0/24 via $FW4B
	wgvia route replace wg6 from 10.6.3.0/24 via $FW4B # no change
	wgvia route del wg6 from 10.6.3.0/24
	wgvia bypass add wg6 198.18.0.0/15
	run -1 wgvia bypass add wg6 198.18.0.0/15 # refused
	wgvia bypass del wg6 198.18.0.0/15
	wgvia up wg6 "${WORDS[@]}" mode stack
	wgvia save wg6 | wgvia apply wg6 -
	wgvia save wg6 | sed 's/^on-fail.*/on-fail pass/' | wgvia apply wg6 -
	wgvia save wg6 | sed 's/^on-fail.*/on-fail drop/' | wgvia apply -c wg6 -
	wgvia down wg6
	wgvia down wg6
	told '.state == "down"' 1
	is "$(events 'select(.event | IN("prefix", "bypass", "setting")) | [.command, .action, .from // .to // .setting, .via // .value // ""] |
		join(" ")' | tail -n +9)" "\
route add 10.6.3.0/24 $FW4
route del 10.6.3.0/24 $FW4
route add 10.6.3.0/24 $FW4B
route del 10.6.3.0/24 $FW4B
bypass add 198.18.0.0/15 
bypass del 198.18.0.0/15 
up del mode fast
up add mode stack
apply del on-fail drop
apply add on-fail pass"
	is "$(events 'select(.state == "detached") | .direction' | xargs)" out # what mode stack lacks
	same_texts
	is "$(events '.pid | type' | sort -u)" number
	is "$(events .text | grep -c 'the instance was removed')" 1
	grep -E '^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6} wg6 \+ mode stack$' "$TOPO_DIR/text.log"
}

# The maps are read without the lock, which a command holds until its change is in force.
@test "an event comes when the change is in force" {
	wgvia up wg6 "${WORDS[@]}"
	{ wgvia save wg6 && prefixes 100000; } >"$BATS_TEST_TMPDIR/file"
	spawn "$NS_GW" events bash -c '"$0" --pin-dir "$1" -j monitor 2>&1 | while read -r line; do
		echo "$line"
		case $line in
		*"\"prefix\""*) bpftool map lookup pinned "$1/wg6/prefixes4" key 32 0 0 0 10 17 134 159 && break ;;
		esac
	done' "$WGVIA" "$PIN_DIR"
	poll 5 grep -q '^listening on' "$TOPO_DIR/events.log"
	wgvia apply wg6 "$BATS_TEST_TMPDIR/file" >/dev/null
	poll 10 grep -q '"prefixlen"' "$TOPO_DIR/events.log"
	is "$(grep -c '"prefix"' "$TOPO_DIR/events.log")" 1 # the first event's reading was enough
	kill $(pgrep -P "$(<"$TOPO_DIR/events.pid")") 2>/dev/null || true
	wgvia down wg6
}

@test "an agent: gateways, failover, addresses, devices, files, start and end, once each" {
	local file=$BATS_TEST_TMPDIR/wg6.conf
	both_listen
	printf '%s\n' "from $VPN4 via $FW4 or $FW4B" "from $VPN6 via $FW6 or $FW6B" >"$file"
	agent_start "$file" interval 0.2 hold 0
	told '.event == "gateway" and .state == "alive"' 4
	is "$(events 'select(.event == "agent") | .state')" started
	is "$(events 'select(.event == "instance") | .state + " " + .command')" "up run"
	is "$(events 'select(.event == "reload") | .state')" "done"
	first_dead
	told '.event == "failover" and .state == "moved"' 2
	is "$(events 'select(.state == "dead") | [.priority, .via, .dev, .reason] | join(" ")' | sort)" \
		"warning $FW4 ens3 it does not answer neighbour requests
warning $FW6 ens3 it does not answer neighbour requests"
	is "$(events 'select(.event == "failover") | [.from, .prefixes, .via, .dev] | map(tostring) | join(" ")' | sort)" \
		"$VPN4 1 $FW4B ens3
$VPN6 1 $FW6B ens3"
	second_dead
	told '.state == "no-gateway" and .priority == "err"' 2
	second_well
	first_well
	told '.event == "failover" and .state == "moved" and .via == "'$FW4'"' 1
	told '.event == "failover" and .state == "moved" and .via == "'$FW6'"' 1
	# the command reports its own changes, and the agent adds nothing
	wgvia route add wg6 from 10.6.3.0/24 via $FW4
	settled
	told '.from == "10.6.3.0/24"' 1
	ip -n "$NS_GW" address add 172.20.8.1/32 dev lo
	told '.to == "172.20.8.1/32" and .event == "address" and .action == "add" and .verdict == "local"' 1
	ip -n "$NS_GW" address delete 172.20.8.1/32 dev lo
	told '.to == "172.20.8.1/32" and .action == "del"' 1
	# a device by which packets might leave, added and removed
	ip -n "$NS_GW" link add third type veth peer name third2
	ip -n "$NS_GW" link set third2 up
	ip -n "$NS_GW" link set third up
	ip -n "$NS_GW" address add 203.0.113.1/24 dev third
	told '.event == "attachment" and .dev == "third" and .state == "attached" and .direction == "egress"' 1
	ip -n "$NS_GW" link delete third
	told '.event == "attachment" and .state == "detached" and .dev == "third" and .direction == "egress"' 1
	echo nonsense >"$file"
	agent_signal HUP
	told '.event == "reload" and .state == "failed" and .priority == "err"' 1
	printf '%s\n' "from $VPN4 via $FW4" >"$file"
	agent_signal HUP
	told '.event == "reload" and .state == "done"' 2
	is "$(events "select(.event == \"prefix\" and .action == \"del\") | .from" | sort | xargs)" \
		"$(printf '%s\n' "$VPN4" 10.6.3.0/24 "$VPN6" | sort | xargs)"
	wgvia down wg6
	told '.event == "agent" and .state == "waiting"' 1
	told '.event == "instance" and .state == "down"' 1
	agent_stop TERM
	told '.event == "agent" and .state == "ended"' 1
	same_texts
	# the agent publishes what it logs
	is "$(events 'select(.command == "run") | .text')" "$(sed 's/^wgvia: wg6: //' "$TOPO_DIR/agent.log")"
}

attached_as_often_as_detached() {
	is "$(events 'select(.event == "attachment" and .state == "attached" and .dev == "brief") | .dev' | wc -l)" \
		"$(events 'select(.event == "attachment" and .state == "detached" and .dev == "brief") | .dev' | wc -l)"
}

# The agent attaches at once, and looks at the host some time later.
@test "a device that is removed right after an agent has attached to it has its name in both events" {
	local i j
	both_listen
	wgvia up wg6 from $VPN4 via $FW4 from $VPN6 via $FW6
	agent_start
	for ((i = 0; i < 30; i++)); do
		ip -n "$NS_GW" -batch - <<-END
			link add brief type veth peer name brief2
			link set brief2 up
			link set brief up
			address add 203.0.113.1/24 dev brief
		END
		for ((j = 0; j < i * 100; j++)); do :; done # another moment each time
		[ $i -lt 29 ] || poll 10 has_attached brief # at least once
		ip -n "$NS_GW" link delete brief
	done
	settled
	poll 10 attached_as_often_as_detached
	is "$(events 'select(.event == "attachment") | .dev' | grep -vxE 'ens3|wg6|brief|brief2')" ""
}

has_attached() {
	[ "$(events "select(.event == \"attachment\" and .state == \"attached\" and .dev == \"$1\") | .dev" | wc -l)" -gt 0 ]
}

@test "an agent with only its unit's capabilities is heard as well" {
	wgvia up wg6 "${WORDS[@]}"
	both_listen
	agent_start interval 0.2 # as_unit
	told '.event == "agent" and .command == "run"' 1
}

@test "only this instance, this pin folder and this network namespace" {
	ip -n "$NS_GW" tuntap add dev wg7 mode tun
	ip -n "$NS_GW" link set wg7 up
	both_listen
	PINS_OF=$PIN_DIR-other listen other monitor
	wgvia up wg6 "${WORDS[@]}"
	wgvia up wg7 from 10.7.0.0/16 via $FW4
	wgvia down wg7
	settled
	is "$(events .interface | sort -u)" wg6
	is "$(texts | cut -d' ' -f1 | sort -u | xargs)" "wg6 wg7"
	# with a different spelling of the path, and from another namespace
	"$WGVIA" --pin-dir "$PIN_DIR/../$(basename "$PIN_DIR")" -n "$NS_GW" route add wg6 from 10.6.3.0/24 via $FW4
	told '.from == "10.6.3.0/24"' 1
	unspawn text
	spawn "$NS_FW" text "$WGVIA" --pin-dir "$PIN_DIR" monitor
	poll 5 grep -q '^listening on' "$TOPO_DIR/text.log"
	settled
	unspawn text TERM
	is "$(texts)" ""
	is "$(sed 1d "$TOPO_DIR/other.log")" ""
}

@test "the last down is heard, with any spelling of the pin folder" {
	local spelled
	spelled=$PIN_DIR/../$(basename "$PIN_DIR")
	PINS_OF=$spelled listen events -j monitor wg6
	"$WGVIA" --pin-dir "$spelled" -n "$NS_GW" up wg6 "${WORDS[@]}"
	"$WGVIA" --pin-dir "$spelled" -n "$NS_GW" down wg6
	told '.event == "instance" and .state == "down"' 1
	wgvia up wg6 "${WORDS[@]}"
	wgvia down wg6
	told '.event == "instance" and .state == "down"' 2
}

# prefixes N: a file with that many, of /32.
prefixes() {
	awk -v n="$1" -v via=$FW4 'BEGIN { for (i = 0; i < n; i++)
		printf "from 10.%d.%d.%d/32 via %s dev ens3\n", 16 + i / 65536, i / 256 % 256, i % 256, via }'
}

@test "100,000 prefixes by one apply are a few lines and a number" {
	wgvia up wg6 "${WORDS[@]}"
	both_listen
	{ wgvia save wg6 && prefixes 100000; } >"$BATS_TEST_TMPDIR/file"
	wgvia apply wg6 "$BATS_TEST_TMPDIR/file" >/dev/null
	told '.event == "prefix" and .from' 16
	told '.more' 1
	is "$(events 'select(.more) | "\(.event) \(.more)"')" "prefix 99984"
	is "$(events .text | tail -n 1)" "and 99984 more changes (prefix)"
	wgvia down wg6
}

@test "a stopped listener delays nobody, and learns how many events it lost" {
	local i seen lost
	wgvia up wg6 "${WORDS[@]}"
	both_listen
	kill -STOP "$(<"$TOPO_DIR/events.pid")"
	for i in {1..20}; do
		wgvia bypass add wg6 198.18.$i.0/24
		wgvia bypass del wg6 198.18.$i.0/24
	done
	poll 10 outputs 40 texts_count
	kill -CONT "$(<"$TOPO_DIR/events.pid")"
	poll 10 count_is '.event == "lost"' 1
	settled
	lost=$(events 'select(.event == "lost") | .events' | awk '{ sum += $1 } END { print sum }')
	seen=$(events 'select(.to // "" | startswith("198.18.")) | .to' | wc -l)
	echo "seen $seen, lost $lost"
	[ "$lost" -gt 0 ]
	is $((seen + lost)) 40
	is "$(events 'select(.event == "lost") | [.text, .priority] | join(", ")')" "$lost events were lost, warning"
	poll 10 outputs 42 texts_count || is "$(texts_count)" 42 # the other one received everything
}

@test "a reader that does not read for a while gets everything" {
	local i
	wgvia up wg6 "${WORDS[@]}"
	listen text monitor
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec 7<>"$BATS_TEST_TMPDIR/pipe"
	spawn "$NS_GW" other bash -c 'exec "$0" --pin-dir "$1" -j monitor >"$2"' "$WGVIA" "$PIN_DIR" "$BATS_TEST_TMPDIR/pipe" 7>&-
	poll 5 grep -q '^listening on' "$TOPO_DIR/other.log"
	{ wgvia save wg6 && prefixes 16; } >"$BATS_TEST_TMPDIR/more"
	wgvia save wg6 >"$BATS_TEST_TMPDIR/less"
	# more than the pipe holds
	for i in {1..12}; do
		wgvia apply wg6 "$BATS_TEST_TMPDIR/more"
		wgvia apply wg6 "$BATS_TEST_TMPDIR/less"
	done
	poll 10 outputs 384 texts_count
	cat <&7 >"$BATS_TEST_TMPDIR/read" &
	poll 10 outputs "384 $BATS_TEST_TMPDIR/read" wc -l "$BATS_TEST_TMPDIR/read" || is "$(wc -l <"$BATS_TEST_TMPDIR/read")" 384
	kill $!
	exec 7>&-
	is "$(jq -r .text "$BATS_TEST_TMPDIR/read")" "$(unnamed_texts)"
	is "$(jq -r .event "$BATS_TEST_TMPDIR/read" | sort -u)" prefix
}

@test "sockets: only root's, removed at the end, and by the next publisher after a crash" {
	both_listen
	is "$(stat -c %a "$WGVIA_MONITOR")" 700
	is "$(ls "$WGVIA_MONITOR" | sed 's/.*\.//' | sort | xargs)" "lost lost socket socket"
	unspawn text TERM
	unspawn events INT
	is "$(ls "$WGVIA_MONITOR")" ""
	listen text monitor
	unspawn text KILL
	is "$(ls "$WGVIA_MONITOR" | wc -l)" 2
	wgvia up wg6 "${WORDS[@]}"
	is "$(ls "$WGVIA_MONITOR")" ""
}

@test "datagrams that are not an event of this version are skipped" {
	wgvia up wg6 "${WORDS[@]}"
	both_listen
	in_ns "$NS_GW" /usr/bin/python3 -c '
import json, os, socket, sys
folder, pins = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
netns = {"inode": os.stat("/proc/self/ns/net").st_ino, "cookie": 0}
good = {"version": 1, "command": "x", "pid": 1, "pin_dir": pins, "netns": netns, "events": [{"interface": "wg6", "text": "heard"}]}
for data in (b"", b"\xff\xfe", b"nonsense", b"[]", b"1", b"{}", b"{\"version\":1}", json.dumps(good | {"version": 2}).encode(),
             json.dumps(good | {"events": 7}).encode(), json.dumps(good | {"events": [1, None, "a", []]}).encode(),
             json.dumps(good | {"netns": 3}).encode(), json.dumps(good | {"pin_dir": 3}).encode(), json.dumps(good).encode()):
    for name in os.listdir(folder):
        if name.endswith(".socket"):
            s.sendto(data, folder + "/" + name)
' "$WGVIA_MONITOR" "$PIN_DIR"
	settled
	is "$(events .text | head -n 1)" heard
	is "$(events .text | wc -l)" 3
}

@test "it ends when its reader exits; wrong words are refused" {
	run -2 wgvia monitor wg6 wg7
	run -2 wgvia monitor wg6/
	spawn "$NS_GW" text bash -c '"$0" --pin-dir "$1" monitor > >(head -n 1)
		echo "status $?"' "$WGVIA" "$PIN_DIR"
	poll 5 grep -q '^listening on' "$TOPO_DIR/text.log"
	wgvia up wg6 "${WORDS[@]}"
	poll 10 grep -qx 'status 1' "$TOPO_DIR/text.log"
	grep -ix "wgvia: cannot write the output: broken pipe" "$TOPO_DIR/text.log"
	# without waiting for an event
	spawn "$NS_GW" other bash -c '"$0" --pin-dir "$1" monitor > >(true)
		echo "status $?"' "$WGVIA" "$PIN_DIR"
	poll 10 grep -qx 'status 1' "$TOPO_DIR/other.log"
}

@test "a change whose last step fails is told: all else of it is in force" {
	local pin
	wgvia up wg6 "${WORDS[@]}"
	pin=$(echo "$PIN_DIR"/wg6/*_out_*)
	both_listen
	mount --bind "$pin" "$pin" # it cannot be removed
	run wgvia up wg6 "${WORDS[@]}" mode stack
	umount "$pin"
	is "$status" 1
	[[ $output == *"the rest of the change is complete"* ]]
	is "$(wgvia -j show wg6 | jq -r .mode)" stack
	told '.event == "setting" and .value == "stack"' 1
	is "$(events 'select(.state == "detached") | .direction')" ""
	wgvia up wg6 "${WORDS[@]}" mode stack
	settled
	told '.event == "setting" and .value == "stack"' 1
	is "$(events 'select(.state == "detached") | .direction')" out
}

@test "an agent's change whose last step fails is told once, its gateways are watched, and the step is tried again" {
	local pin
	wgvia up wg6 "${WORDS[@]}"
	pin=$(echo "$PIN_DIR"/wg6/*_out_*)
	wgvia save wg6 >"$BATS_TEST_TMPDIR/wg6.conf"
	agent_start "$BATS_TEST_TMPDIR/wg6.conf" interval 0.2 hold 0
	both_listen
	mount --bind "$pin" "$pin" # it cannot be removed
	printf '%s\n' "from $VPN4 via $FW4B dev ens3" "mode stack" >"$BATS_TEST_TMPDIR/wg6.conf"
	agent_signal HUP
	poll 10 grep -q "the rest of the change is complete" "$TOPO_DIR/agent.log" || { umount "$pin" && return 1; }
	poll 10 grep -q "gateway $FW4B dev ens3 is healthy" "$TOPO_DIR/agent.log" || { umount "$pin" && return 1; }
	umount "$pin"
	poll 20 is_removed "$pin"
	told '.event == "setting" and .value == "stack"' 1
	told ".event == \"prefix\" and .from == \"$VPN6\" and .action == \"del\"" 1
	told '.event == "attachment" and .state == "detached" and .direction == "out"' 1
	is "$(grep -c "the rest of the change is complete" "$TOPO_DIR/agent.log")" 1
}

is_removed() {
	[ ! -e "$1" ]
}
