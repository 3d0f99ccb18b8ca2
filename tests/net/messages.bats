#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Messages that lead to the cause: for each mistake here an earlier version reported a wrong cause, or none.

# shellcheck disable=SC2016,SC2153,SC2154 # the inner shell's variables; `run` sets $status, $output, $stderr_lines

load ../lib/net.bash

NO_CAPABILITY="CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are missing: run it as root"

# as_nobody WORD...: wgvia, without any capability.
as_nobody() {
	if [ ! -e "$BATS_TEST_TMPDIR/wgvia" ]; then
		cp "$WGVIA" "$BATS_TEST_TMPDIR/wgvia" # in a place where anybody may run it
		chmod -R a+rX "$BATS_RUN_TMPDIR"
	fi
	run --separate-stderr in_ns "$NS_GW" setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$BATS_TEST_TMPDIR/wgvia" --pin-dir "$PIN_DIR" "$@"
}

# said STATUS LINE [HINT]: the complete standard error.
said() {
	is "$status" "$1"
	is "${stderr_lines[0]}" "wgvia: $2"
	is "${stderr_lines[1]:-}" "${3:+hint: $3}"
}

@test "up of the LAN device says that the default route leads to it" {
	run --separate-stderr wgvia up ens3
	said 1 "no gateway for '192.0.2.0/24': the IPv4 default route leads to 'ens3' itself" \
		"IFACE is the tunnel, not the LAN device; if 'ens3' is it: from 192.0.2.0/24 via ADDRESS"
	nothing_left
}

@test "without permission to read the pins every command reports that, not that there is no instance" {
	local words
	wgvia up wg6 "${WORDS[@]}"
	for words in "explain wg6 from $C1_4 to $SVC4" "trace wg6" "show wg6" show "health wg6" "stats wg6" stats \
		"save wg6" "down wg6"; do
		echo "$words"
		# shellcheck disable=SC2086 # words
		as_nobody $words
		said 1 "cannot read '$PIN_DIR': permission denied" "$NO_CAPABILITY"
	done
}

@test "without permission to listen to events monitor reports that" {
	as_nobody monitor wg6
	said 1 "cannot listen in '/run/wgvia/monitor': permission denied" "only root can use this folder: run it as root"
}

@test "an unreadable file: the message is about its permissions, not about BPF's capabilities" {
	local file=$BATS_TEST_TMPDIR/wg6.conf
	echo "from $VPN4 via $FW4" >"$file"
	as_nobody --version # makes the folder accessible
	chmod 600 "$file"
	as_nobody apply wg6 "$file"
	said 1 "cannot open '$file': permission denied" "check the file's permissions: ls -l '$file'"
	as_nobody import "$file"
	said 1 "cannot open '$file': permission denied" "check the file's permissions: ls -l '$file'"
}

@test "a UTF-8 byte order mark at the beginning of a file is skipped" {
	local file=$BATS_TEST_TMPDIR/wg6.conf
	printf '\xef\xbb\xbffrom %s via %s\n' "$VPN4" "$FW4" >"$file"
	wgvia apply wg6 "$file"
	is "$(wgvia -j show wg6 | jq -r '.prefixes[].from')" "$VPN4"
	# and only there
	printf 'mode fast\n\xef\xbb\xbffrom %s via %s\n' "$VPN4" "$FW4" >"$file"
	run --separate-stderr wgvia apply wg6 "$file"
	is "$status" 2
	cat >"$file" <<-END
		[Interface]
		Table = off
		PostUp = ip route add default via $FW4 dev ens3 table 6
		PostUp = ip rule add from $VPN4 table 6
	END
	wgvia import "$file" >"$BATS_TEST_TMPDIR/expected"
	sed -i $'1s/^/\xef\xbb\xbf/' "$file"
	wgvia import "$file" | diff "$BATS_TEST_TMPDIR/expected" -
}

@test "bypass del of this host's own entries says why they stay, and how to remove them" {
	local entry
	wgvia up wg6 "${WORDS[@]}"
	while IFS='|' read -r entry cause hint; do
		wgvia -j show wg6 | jq -e --arg p "$entry" 'any(.bypass[]; .to == $p)'
		run --separate-stderr wgvia bypass del wg6 "$entry"
		said 1 "cannot delete '$entry': the entry is this host's own: $cause" "$hint"
	done <<-END
		$GW4/32|an address of this host|remove the address or route from this host, then run 'wgvia up wg6 ...' again
		$VPN4|the kernel routes it into the tunnel|remove the address or route from this host, then run 'wgvia up wg6 ...' again
		224.0.0.0/4|the kernel does not forward to it|it is always there, and such packets never reach the firewall
	END
	run --separate-stderr wgvia bypass del wg6 198.18.0.0/15
	said 1 "'198.18.0.0/15' is not on the bypass list of 'wg6'"
}

@test "a network address is refused as gateway" {
	run --separate-stderr wgvia up wg6 from "$VPN4" via 192.0.2.0
	said 1 "via '192.0.2.0' is the network address of '192.0.2.0/24', not the firewall's address"
	run --separate-stderr wgvia up wg6 from "$VPN6" via 2001:db8:2:: dev ens3
	said 1 "via '2001:db8:2::' is the network address of '2001:db8:2::/64', not the firewall's address"
	wgvia up wg6 "${WORDS[@]}"
	run --separate-stderr wgvia route add wg6 from 10.7.0.0/16 via 192.0.2.0
	said 1 "via '192.0.2.0' is the network address of '192.0.2.0/24', not the firewall's address"
}

@test "down of something that is neither an instance nor an interface succeeds, and reports it" {
	run --separate-stderr wgvia down wg66
	said 0 "nothing to remove: no instance on 'wg66', and no such interface" "'wgvia show' lists the instances"
	# an interface without an instance, and an instance without its interface, are as before
	run --separate-stderr in_ns "$NS_GW" "$WGVIA" down wg6
	is "$status$stderr" 0
	wgvia up wg66 "${WORDS4[@]}"
	run --separate-stderr wgvia down wg66
	is "$status$stderr" 0
}

@test "commands that find nothing report that the folder of --pin-dir does not exist" {
	local words
	for words in show stats "stats --prefix" "stats --prometheus"; do
		echo "$words"
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$WGVIA" -n "$NS_GW" --pin-dir "${PIN_DIR}x" $words
		said 0 "no instance in '${PIN_DIR}x': there is no such folder"
	done
	wgvia up wg6 "${WORDS[@]}"
	run --separate-stderr wgvia show
	is "$status$stderr" 0
}

# removed: what the package's removal does and prints, with a private bpffs.
removed() {
	in_ns "$NS_GW" unshare --mount bash -ec '
		mount -t bpf bpf /sys/fs/bpf
		PATH=${WGVIA%/*}:$PATH
		wgvia up wg6 from "$VPN4" via "$FW4"
		mkdir -p /sys/fs/bpf/wgvia/wg6%agent /sys/fs/bpf/wgvia/wg7%agent
		sed "/systemd/d" "$0" | sh -s remove 2>&1
		ls /sys/fs/bpf/wgvia 2>/dev/null || true' "$TREE/packaging/debian/wgvia.prerm"
}

@test "removal of the package lists instances, not the folders of their agents' locks" {
	run -0 removed
	[[ $output == *"wgvia: 'wg6' is down: "* ]]
	[[ $output != *%* ]] || is "$output" "... no %agent ..."
}

@test "to the journal each line begins with its priority, and not with the program's name" {
	local file=$BATS_TEST_TMPDIR/journal
	: >"$file"
	run -1 env JOURNAL_STREAM="$(stat -c %d:%i "$file")" bash -c '"$0" --pin-dir "$1" show wg9 2>>"$2"' "$WGVIA" "$PIN_DIR" "$file"
	is "$(<"$file")" "<3>no instance on 'wg9'
<3>hint: start one with 'wgvia up wg9'"
	# a redirected one
	run -1 --separate-stderr env JOURNAL_STREAM="$(stat -c %d:%i "$file")" "$WGVIA" --pin-dir "$PIN_DIR" show wg9
	is "${stderr_lines[0]}" "wgvia: no instance on 'wg9'"
}
