#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# How commands and the agent read the host: each of the kernel's tables once, with any result.

# shellcheck disable=SC2030,SC2031 # `run` sets $status and $output

load ../lib/net.bash
load ../lib/agent.bash

teardown() {
	unspawn agent
	unspawn notified
	sweep "$NS_GW" wg6
}

# dumps FILE: how often each table was requested in a trace, "TABLE FAMILY COUNT" per line. Requests about qdiscs and
# filters of single devices do not count.
dumps() {
	grep -oE 'nlmsg_type=RTM_GET[A-Z]+, nlmsg_flags=[A-Z_|]*NLM_F_DUMP[^}]*}, \{[a-z_]*family=[A-Z_0-9]+' "$1" |
		grep -v RTM_GETTFILTER | grep -v RTM_GETQDISC |
		sed -E 's/nlmsg_type=RTM_GET([A-Z]+),.*family=(AF_)?([A-Z_0-9]+)/\1 \3/' | sort | uniq -c |
		sed -E 's/ *([0-9]+) (.*)/\2 \1/'
}

# traced WORD...: runs a command of wgvia, and sets $output to its dumps.
traced() {
	in_ns "$NS_GW" strace -f -o "$TOPO_DIR/trace" -e trace=sendto -s 200 "$WGVIA" --pin-dir "$PIN_DIR" "$@" >/dev/null
	output=$(dumps "$TOPO_DIR/trace")
}

all_once='ADDR UNSPEC 1
LINK UNSPEC 1
ROUTE INET 1
ROUTE INET6 1
RULE INET 1
RULE INET6 1'

@test "each command that plans reads links, addresses, rules and routes once" {
	wgvia up wg6 from "$VPN4" via "$FW4"
	for words in "up wg6 from $VPN4 via $FW4" "route add wg6 from $VPN6 via $FW6" "route del wg6 from $VPN6" \
		"bypass add wg6 203.0.113.0/24" "check wg6"; do
		# shellcheck disable=SC2086 # words
		traced $words || [ "$words" = "check wg6" ]
		is "$output" "$all_once"
	done
	wgvia save wg6 >"$TOPO_DIR/file"
	traced apply wg6 "$TOPO_DIR/file"
	is "$output" "$all_once"
	traced apply --dry-run wg6 "$TOPO_DIR/file"
	is "$output" "$all_once"
}

# xfrm_sockets WORD...: how many sockets to IPsec a command opens; each may make the kernel load a module.
xfrm_sockets() {
	in_ns "$NS_GW" strace -f -o "$TOPO_DIR/trace" -e trace=socket "$WGVIA" --pin-dir "$PIN_DIR" "$@" >/dev/null || true
	grep -c NETLINK_XFRM "$TOPO_DIR/trace" || true
}

@test "only commands that report IPsec policies read them" {
	wgvia up wg6 from "$VPN4" via "$FW4"
	wgvia save wg6 >"$TOPO_DIR/file"
	for words in "up wg6 from $VPN4 via $FW4" "apply wg6 $TOPO_DIR/file" "check wg6"; do
		# shellcheck disable=SC2086 # words
		is "$words: $(xfrm_sockets $words)" "$words: 1"
	done
	for words in "route add wg6 from $VPN6 via $FW6" "bypass add wg6 203.0.113.0/24" "show wg6"; do
		# shellcheck disable=SC2086 # words
		is "$words: $(xfrm_sockets $words)" "$words: 0"
	done
}

@test "commands that only read an instance request links and this host's own addresses" {
	wgvia up wg6 from "$VPN4" via "$FW4"
	for words in "show wg6" "save wg6" "explain wg6 from $C1_4 to $SVC4"; do
		# shellcheck disable=SC2086 # words
		traced $words
		is "$output" 'LINK UNSPEC 1
ROUTE INET 1
ROUTE INET6 1'
	done
}

@test "an agent's step reads each table once, even one that puts a file into force" {
	echo "from $VPN4 via $FW4" >"$TOPO_DIR/file"
	wgvia up wg6 from "$VPN4" via "$FW4"
	agent_listen
	spawn "$NS_GW" agent env "NOTIFY_SOCKET=$TOPO_DIR/notify" strace -D -f -o "$TOPO_DIR/trace" \
		-e trace=sendto -s 200 \
		"$WGVIA" --pin-dir "$PIN_DIR" run wg6 "$TOPO_DIR/file"
	agent_says_ready
	is "$(dumps "$TOPO_DIR/trace")" "$all_once"
	# a later step, because the host has changed: all tables are requested equally often
	ip -n "$NS_GW" address add 203.0.113.77/32 dev ens3
	poll 10 asked_again
	ip -n "$NS_GW" address delete 203.0.113.77/32 dev ens3
}

asked_again() {
	local counts
	counts=$(dumps "$TOPO_DIR/trace" | sed 's/.* //' | sort -u)
	[ "$(wc -l <<<"$counts")" -eq 1 ] && [ "$counts" -gt 1 ]
}

# unread WHEN: `check` while the kernel refuses the request with that number, for a table or something else.
unread() {
	run in_ns "$NS_GW" strace -f -o "$TOPO_DIR/trace" -e trace=sendto -e "inject=sendto:error=ENOBUFS:when=$1" \
		"$WGVIA" --pin-dir "$PIN_DIR" check wg6
	[ "$status" -le 1 ] || { echo "question $1: status $status: $output" && return 1; }
}

@test "check reports what it can if one of the kernel's tables cannot be read" {
	local when
	wgvia up wg6 from "$VPN4" via "$FW4"
	for when in 1 2 3 4 5 6 7 8; do
		unread "$when"
	done
	unread 3 # links and addresses are available, rules are not
	grep "error: plan: cannot read this host's devices, addresses and routes" <<<"$output"
}
