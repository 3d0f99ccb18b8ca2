#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Every example of README, docs/ and man pages, extracted and run as written: on the gateway of the topology, which has
# the documents' addresses, in a room with its own /sys/fs/bpf and /etc, so that default paths work. The output must
# match the document, apart from times, counts and the like; see lib/examples.py.

# shellcheck disable=SC2086,SC2153 # addresses are words

load ../lib/net.bash

setup_more() {
	export ETC=$BATS_FILE_TMPDIR/etc
	cp -a /etc "$ETC"
	# shellcheck disable=SC2016 # the inner shell's
	spawn "$NS_GW" room unshare --mount bash -c '
		mount -t bpf bpf /sys/fs/bpf && mount --bind "$0" /etc && touch /etc/.room && exec sleep infinity' "$ETC"
	poll 5 room [ -e /etc/.room ]
}

teardown() {
	unspawn clients KILL
	after_agent
	after_no_return
	room "$WGVIA" down wg6
}

room() {
	nsenter --target "$(<"$TOPO_DIR/room.pid")" --mount --net "$@"
}

wgvia() {
	room "$WGVIA" "$@"
}

# ---- initial states of examples ----

# Nothing runs.
before_fresh() { :; }

# As in the quick start, with connections.
before_running() {
	wgvia up wg6 "${WORDS4[@]}" "${WORDS6[@]}"
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
}

# The same, with more connections.
before_traffic() {
	before_running
	# shellcheck disable=SC2016 # the inner shell's
	spawn "$NS_C1" clients bash -c 'while :; do curl -gsS -m 3 "http://$0/" >/dev/null; done' $SVC4
}

# A new file, and a drop-in beside the one that it replaces.
before_dropins() {
	mkdir -p "$ETC/wgvia/wg6.conf.d"
	echo "from $VPN4" >"$ETC/wgvia/wg6.new"
	echo "from $VPN6" >"$ETC/wgvia/wg6.conf.d/10-branch.conf"
}

step_dropins() {
	grep -F "+ from $VPN4" "$BATS_TEST_TMPDIR/printed"
	grep -F "+ from $VPN6" "$BATS_TEST_TMPDIR/printed"
}

after_dropins() {
	rm -rf "$ETC/wgvia/wg6.conf.d"
}

# No gateway is usable, and packets arrive.
before_dropping() {
	wgvia up wg6 "${WORDS4[@]}" "${WORDS6[@]}"
	room bpftool map update pinned /sys/fs/bpf/wgvia/wg6/prefixes4 key 16 0 0 0 10 6 0 0 \
		value hex 0f 27 00 00 02 00 00 00 c0 00 02 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
	spawn "$NS_C1" clients ping -q -n -i 0.05 $SVC4
}

# The firewall has no return path to the IPv4 prefix.
before_no_return() {
	before_running
	in_ns "$NS_FW" ip route delete $VPN4
}

after_no_return() {
	in_ns "$NS_FW" ip route replace $VPN4 via $GW4
}

# A second firewall, which only answers neighbour requests.
before_agent() {
	ip -n "$NS_LAN" address replace 192.0.2.9/24 dev lan
}

# The first one dies and recovers, which is all that an agent shows; it does not end by itself.
meanwhile_agent() {
	local pid=$1 status=0
	poll 15 agent_speaks "$pid"
	! process_gone "$pid" || return 0 # another command of the example
	log_has 'gateway 192.0.2.9 dev ens3 is healthy' &&
		ip -n "$NS_LAN" link set fw down &&
		log_has ': via 192.0.2.9 dev ens3 now' &&
		ip -n "$NS_LAN" link set fw up &&
		log_has ': via 192.0.2.1 dev ens3 now' || status=1
	kill -TERM "$pid"
	return $status
}

agent_speaks() {
	process_gone "$1" || grep -q 'is watched' "$BATS_TEST_TMPDIR/printed"
}

log_has() {
	poll 30 grep -q -e "$1" "$BATS_TEST_TMPDIR/printed"
}

after_agent() {
	ip -n "$NS_LAN" address flush dev lan scope global
	ip -n "$NS_LAN" link set fw up
}

# Prefixes that no example names, so that a manually written one is noticed.
before_maps() {
	is "$(ip -n "$NS_GW" -j link show ens3 | jq ".[].ifindex")" 2
	wgvia up wg6 from 10.99.0.0/16 via $FW4 from 2001:db8:99::/48 via $FW6
}

step_maps() {
	case $1 in
	1) shown '.prefixes[] | select(.from == "10.6.0.0/16") | .via == "192.0.2.1" and .dev == "ens3" and .usable' ;;
	2) shown '.prefixes[] | select(.from == "2001:db8:1::/50") | .via == "2001:db8:2::1" and .usable' ;;
	3) shown '.bypass[] | select(.to == "192.0.2.9/32") | .verdict == "bypass" and .admin' ;;
	4) shown '[.bypass[] | select(.to == "192.0.2.9/32")] == []' ;;
	5) shown '[.prefixes[] | select(.from == "10.6.0.0/16")] == []' ;;
	6) shown '.return | endswith(" also 02:00:00:00:02:09")' ;;
	esac
}

shown() {
	wgvia -j show wg6 | jq -e "$1"
}

# ---- running them ----

# may_end_with STATUS SHOWN: a check with a fault ends with 1, an error line shows its own status.
may_end_with() {
	case $2 in
	wgvia:*) [ "$1" -eq 1 ] || [ "$1" -eq 2 ] ;;
	error:* | warning:*) [ "$1" -eq 1 ] ;;
	*) [ "$1" -eq 0 ] ;;
	esac
}

# run_example EXAMPLE: in JSON. A step runs with PATH as if wgvia were installed.
run_example() {
	local about count=0 step command shown status pid
	about=$(jq -r .about <<<"$1")
	declare -F "before_$about" >/dev/null || { echo "no such state: $about" && return 1; }
	"before_$about"
	while IFS= read -r step; do
		command=$(jq -r .command <<<"$step")
		shown=$(jq -r .output <<<"$step")
		count=$((count + 1))
		echo "\$ $command"
		status=0
		: >"$BATS_TEST_TMPDIR/printed"
		case $command in *'|'*) ;; *) command="exec $command" ;; esac # a shell itself would end by the signal
		# not in a function, which would be a separate process
		nsenter --target "$(<"$TOPO_DIR/room.pid")" --mount --net env PATH="$TREE/build:$PATH" \
			timeout 150 sh -c "$command" >"$BATS_TEST_TMPDIR/printed" 2>&1 3>&- &
		pid=$!
		! declare -F "meanwhile_$about" >/dev/null || "meanwhile_$about" $pid || status=1
		wait $pid || status=$?
		cat "$BATS_TEST_TMPDIR/printed"
		may_end_with $status "$shown" || { echo "ended with status $status" && return 1; }
		[ -z "$shown" ] || /usr/bin/python3 "$TOPO_LIB/examples.py" --same "$BATS_TEST_TMPDIR/printed" <<<"$shown" ||
			{ printf 'the document has:\n%s\n' "$shown" && return 1; }
		! declare -F "step_$about" >/dev/null || "step_$about" $count
	done < <(jq -c '.steps[]' <<<"$1")
	! declare -F "after_$about" >/dev/null || "after_$about"
	wgvia down wg6
}

# run_examples FILE: all of it, files first.
run_examples() {
	local example name count=0
	/usr/bin/python3 "$TOPO_LIB/examples.py" "$TREE/$1" >"$BATS_TEST_TMPDIR/examples"
	while IFS= read -r example; do
		name=$(jq -r .about <<<"$example")
		mkdir -p "$ETC$(dirname "${name#/etc}")"
		jq -j .text <<<"$example" >"$ETC${name#/etc}"
	done < <(jq -c '.[] | select(.kind == "file")' "$BATS_TEST_TMPDIR/examples")
	while IFS= read -r example; do
		echo "--- $1:$(jq .line <<<"$example")"
		run_example "$example"
		count=$((count + 1))
	done < <(jq -c '.[] | select(.kind == "examples")' "$BATS_TEST_TMPDIR/examples")
	[ $count -gt 0 ]
}

@test "wgvia(8): the examples work as described" {
	run_examples man/wgvia.8
}

@test "wgvia.conf(5): the examples work as described" {
	run_examples man/wgvia.conf.5
}

@test "wgvia-maps(7): the examples do what it says" {
	run_examples man/wgvia-maps.7
}

@test "README: the examples do what it says" {
	run_examples README.md
}

@test "docs/GUIDE.md: the examples work as described" {
	run_examples docs/GUIDE.md
}

@test "docs/AVAILABILITY.md: the examples work as described" {
	run_examples docs/AVAILABILITY.md
}

@test "no other document has examples" {
	is "$(cd "$TREE" && grep -lE "^<!-- (examples|hooks): " README.md docs/*.md | xargs)" \
		"README.md docs/AVAILABILITY.md docs/GUIDE.md"
}
