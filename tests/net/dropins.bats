#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# FILE.d/*.conf beside a configuration: apply and the agent put all of it into force or nothing.
# tests/unit/test_dropins.c covers which files are read, and how an error is reported.

# shellcheck disable=SC2030,SC2031,SC2086,SC2154,SC2034 # addresses are words; bats sets variables, others read them

load ../lib/net.bash
load ../lib/agent.bash

setup() {
	AGENT_ENV=()
	FILE=$BATS_TEST_TMPDIR/wg6.conf
	mkdir -p "$FILE.d"
	printf '%s\n' "mode stack" "from $VPN4 via $FW4 dev ens3" >"$FILE"
}

teardown() {
	agent_stop KILL
	chmod 0755 "$FILE.d"
	sweep "$NS_GW" wg6
	nothing_left
}

# dropin NAME STATEMENT...
dropin() {
	printf '%s\n' "${@:2}" >"$FILE.d/$1.conf"
}

prefixes() {
	wgvia -j show wg6 | jq -r '[.prefixes[].from] | join(" ")'
}

prefixes_are() {
	[ "$(prefixes)" = "$*" ]
}

# refused STATUS TEXT COMMAND...: one line, and nothing has changed.
refused() {
	local status_wanted=$1 text=$2
	shift 2
	state >"$BATS_TEST_TMPDIR/before"
	run --separate-stderr wgvia "$@"
	is "$status $output" "$status_wanted "
	is "$(grep -v '^hint: ' <<<"$stderr")" "wgvia: $text"
	state | diff "$BATS_TEST_TMPDIR/before" -
}

@test "a drop-in adds its prefixes, and they are removed with it" {
	wgvia apply wg6 "$FILE"
	dropin 10-branch "from $VPN6 via $FW6 dev ens3" "bypass 198.18.0.0/15"
	is "$(wgvia apply -c wg6 "$FILE")" "+ from $VPN6 via $FW6 dev ens3
+ bypass 198.18.0.0/15"
	prefixes_are $VPN4
	is "$(wgvia apply wg6 "$FILE")" "+ from $VPN6 via $FW6 dev ens3
+ bypass 198.18.0.0/15"
	answers "$NS_C1" $SVC6 service $C1_6
	is "$(wgvia apply wg6 "$FILE")" ""
	rm "$FILE.d/10-branch.conf"
	is "$(wgvia apply wg6 "$FILE")" "- from $VPN6 via $FW6 dev ens3
- bypass 198.18.0.0/15"
	prefixes_are $VPN4
}

@test "all prefixes may come from drop-ins, with or without gateways" {
	printf 'mode stack\n' >"$FILE"
	dropin a "from $VPN4"
	dropin b "from $VPN6 via $FW6"
	wgvia apply wg6 "$FILE"
	prefixes_are $VPN4 $VPN6
	answers "$NS_C1" $SVC4 service $C1_4
	is "$(wgvia -j show wg6 | jq -r .mode)" stack
}

@test "an error in a drop-in is reported with its place, and nothing is applied" {
	wgvia apply wg6 "$FILE"
	dropin a "from 10.7.0.0/16 via $FW4"
	dropin b "# nothing" "from 10.8.0.1/16 via $FW4"
	refused 2 "$FILE.d/b.conf:2: '10.8.0.1/16' has host bits set: do you mean '10.8.0.0/16'?" apply wg6 "$FILE"
	dropin b "from $VPN4 via $FW4"
	refused 2 "$FILE.d/b.conf:1: from '$VPN4' is given twice, first in $FILE:2" apply wg6 "$FILE"
	dropin b "from 10.7.0.0/16 via 192.0.2.9"
	refused 2 "$FILE.d/b.conf:1: from '10.7.0.0/16' is given twice, first in $FILE.d/a.conf:1" apply wg6 "$FILE"
	# a refusal by this host, also in a dry run
	dropin b "" "from 10.8.0.0/16 via 203.0.113.2"
	run --separate-stderr wgvia apply wg6 "$FILE"
	is "$status" 1
	[[ $stderr == "wgvia: $FILE.d/b.conf:2: via '203.0.113.2' is not on-link"* ]]
	run --separate-stderr wgvia apply -c wg6 "$FILE"
	[[ $stderr == "wgvia: $FILE.d/b.conf:2: via '203.0.113.2' is not on-link"* ]]
	dropin b "from addresses via 203.0.113.2"
	run --separate-stderr wgvia apply wg6 "$FILE"
	[[ $stderr == "wgvia: $FILE.d/b.conf:1: via '203.0.113.2' is not on-link"* ]]
	prefixes_are $VPN4
	rm "$FILE.d/b.conf"
	ln -s nowhere "$FILE.d/c.conf"
	refused 1 "cannot read '$FILE.d/c.conf': no such file or directory" apply wg6 "$FILE"
}

@test "a folder that cannot be read is an error, not an empty one" {
	wgvia apply wg6 "$FILE"
	dropin a "from $VPN6 via $FW6"
	chown nobody "$FILE.d"
	chmod 0700 "$FILE.d"
	run --separate-stderr as_unit apply wg6 "$FILE"
	chown root "$FILE.d"
	is "$status $output" "1 "
	is "$stderr" "wgvia: cannot read '$FILE.d': permission denied
hint: check the file's permissions: ls -l '$FILE.d'"
	prefixes_are $VPN4
}

@test "without the file there is no instance, even with drop-ins" {
	dropin a "from $VPN4"
	rm "$FILE"
	run --separate-stderr wgvia apply wg6 "$FILE"
	is "$status $output" "1 "
	is "$stderr" "wgvia: cannot open '$FILE': no such file or directory
hint: the files in '$FILE.d' are read together with this one only; it may be empty"
	nothing_left
}

@test "standard input has no drop-ins, and the output of save is complete" {
	dropin a "from $VPN6 via $FW6 dev ens3"
	wgvia apply wg6 "$FILE"
	wgvia save wg6 >"$FILE.saved"
	is "$(grep -c '^from' "$FILE.saved")" 2
	cd "$BATS_TEST_TMPDIR"
	mkdir -- -.d
	cp "$FILE.d/a.conf" -- -.d/
	is "$(wgvia apply wg6 - <"$FILE.saved")" ""
	is "$(wgvia apply wg6 "$FILE.saved")" ""
	# instead of the file, it would contain everything twice
	cp "$FILE.saved" "$FILE"
	run wgvia apply wg6 "$FILE"
	is "$status" 2
	[[ $output == *"$FILE.d/a.conf:1: from '$VPN6' is given twice, first in $FILE:"* ]]
}

@test "an agent starts with the drop-ins, and reads them again at SIGHUP; a bad one changes nothing" {
	dropin a "from 10.7.0.0/16 via $FW4"
	agent_start "$FILE"
	prefixes_are $VPN4 10.7.0.0/16
	dropin b "from $VPN6 via $FW6"
	agent_signal HUP
	poll 10 prefixes_are $VPN4 10.7.0.0/16 $VPN6
	dropin c "from 10.8.0.0/16 via $FW4" "form"
	agent_signal HUP
	says "$FILE.d/c.conf:2: unexpected word 'form'"
	says "the configuration stays as it was"
	prefixes_are $VPN4 10.7.0.0/16 $VPN6
	dropin c "from 10.7.0.0/16 via $FW4"
	agent_signal HUP
	says "$FILE.d/c.conf:1: from '10.7.0.0/16' is given twice, first in $FILE.d/a.conf:1"
	# what this host refuses is retried
	dropin c "from 10.8.0.0/16 via 203.0.113.129 dev second"
	agent_signal HUP
	says "$FILE.d/c.conf:1: cannot use 'second': no such device"
	prefixes_are $VPN4 10.7.0.0/16 $VPN6
	rm "$FILE.d/"[bc].conf
	agent_signal HUP
	poll 10 prefixes_are $VPN4 10.7.0.0/16
}

@test "an agent with an invalid drop-in does not start" {
	dropin a "form"
	run as_unit run wg6 "$FILE"
	is "$status" 2
	[[ $output == *"$FILE.d/a.conf:1: unexpected word 'form'"* ]]
	nothing_left
}
