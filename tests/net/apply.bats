#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# A whole configuration as a file: apply reports the difference and puts it into force, does not touch what stays, and
# refuses a file with error and place; save prints what apply accepts without a change. tests/unit covers lines and
# differences; faults.bats covers failures in the middle.

# shellcheck disable=SC2030,SC2031,SC2046,SC2086,SC2153,SC2154 # addresses are words; bats and `stream` set variables

load ../lib/net.bash
load ../lib/fault.bash

NOBODY4=192.0.2.77 NOBODY6=2001:db8:2::77 # addresses on the LAN that are not in use

setup() {
	conf=$BATS_TEST_TMPDIR/wg6.conf
}

teardown() {
	ip -n "$NS_GW" link delete second 2>/dev/null || true
	sweep "$NS_GW" wg6
}

# conf LINE...: the file.
conf() {
	printf '%s\n' "$@" >"$conf"
}

# lines COMMAND...: its output, without notes.
lines() {
	"$@" | sed '/^wg6: /d'
}

good() {
	conf "from $VPN6 via $FW6 dev ens3" "from $VPN4 via $FW4 dev ens3"
}

# Numbers that change if something is loaded, attached or created again.
ids() {
	local map
	wgvia -j show wg6 | jq -c '.attachments[] | [.dev, .direction, .link_id, .prog_id]'
	for map in "$PIN_DIR"/wg6/{{prefixes,bypass}{4,6},counters,meta}; do
		bpftool -j map show pinned "$map" | jq '.id'
	done
}

# refused STATUS TEXT ARGUMENT...: one line that contains TEXT, at most a hint, and nothing has changed.
refused() {
	local status_wanted=$1 text=$2
	shift 2
	state >"$BATS_TEST_TMPDIR/before"
	run --separate-stderr wgvia "$@"
	is "$status" "$status_wanted"
	is "$output" ""
	is "$(grep -cv '^hint: ' <<<"$stderr")" 1
	[[ "$stderr" == "wgvia: "*"$text"* ]] || is "$stderr" "wgvia: ...$text..."
	state | diff "$BATS_TEST_TMPDIR/before" -
}

# changes_nothing COMMAND...: it succeeds, prints nothing, and does not change maps, pins and programs.
changes_nothing() {
	{ state && ids; } >"$BATS_TEST_TMPDIR/before"
	run --separate-stderr "$@"
	is "$status $stderr" "0 "
	is "$output" ""
	{ state && ids; } | diff "$BATS_TEST_TMPDIR/before" -
}

# ---- what it does ----

@test "a first apply is like up, and reports all of it" {
	conf "# the firewall's" "" "from $VPN4 via $FW4 dev ens3 # old" "from $VPN6 via $FW6 dev ens3" "bypass 198.18.0.0/15"
	is "$(lines wgvia apply wg6 "$conf")" "+ mode fast
+ on-fail drop
+ outside pass
+ mss off
+ counters off
+ return via
+ from $VPN4 via $FW4 dev ens3
+ from $VPN6 via $FW6 dev ens3
+ bypass 198.18.0.0/15"
	answers "$NS_C1" $SVC4 service $C1_4
	answers "$NS_C1" $SVC6 service $C1_6
	answers "$NS_C1" $INET6 internet $C1_6
	changes_nothing wgvia apply wg6 "$conf"
	wgvia up wg6 "${WORDS[@]}" bypass 198.18.0.0/15
	changes_nothing wgvia apply wg6 "$conf"
}

@test "a changed line: reported, in force at the next packet, and all else untouched" {
	local before
	conf "from $VPN4 via $NOBODY4 dev ens3" "from $VPN6 via $FW6 dev ens3" "bypass 198.18.0.0/15"
	wgvia apply wg6 "$conf"
	before=$(ids)
	times_out "$NS_C1" $SVC4
	answers "$NS_C1" $SVC6 service $C1_6
	conf "from $VPN4 via $FW4 dev ens3" "from $VPN6 via $NOBODY6 dev ens3" "bypass 198.18.0.0/15"
	is "$(wgvia apply wg6 "$conf")" "- from $VPN4 via $NOBODY4 dev ens3
+ from $VPN4 via $FW4 dev ens3
- from $VPN6 via $FW6 dev ens3
+ from $VPN6 via $NOBODY6 dev ens3"
	answers "$NS_C1" $SVC4 service $C1_4
	times_out "$NS_C1" $SVC6
	is "$(ids)" "$before"
}

@test "an additional line, a removed line" {
	local before
	conf "from $VPN4 via $FW4 dev ens3"
	wgvia apply wg6 "$conf"
	before=$(ids)
	times_out "$NS_C1" $SVC6
	good
	is "$(wgvia apply wg6 "$conf")" "+ from $VPN6 via $FW6 dev ens3"
	answers "$NS_C1" $SVC6 service $C1_6
	conf "from $VPN6 via $FW6 dev ens3" "bypass $SVC4"
	is "$(wgvia apply wg6 "$conf")" "- from $VPN4 via $FW4 dev ens3
+ bypass $SVC4/32"
	times_out "$NS_C1" $SVC4
	answers "$NS_C1" $SVC6 service $C1_6
	is "$(ids)" "$before"
}

@test "mode and on-fail are lines too" {
	good
	wgvia apply wg6 "$conf"
	printf '%s\n' "mode stack" "on-fail pass" >>"$conf"
	is "$(lines wgvia apply wg6 "$conf")" "- mode fast
+ mode stack
- on-fail drop
+ on-fail pass"
	is "$(wgvia -j show wg6 | jq -r '"\(.mode) \(.on_fail)"')" "stack pass"
	answers "$NS_C1" $SVC4 service $C1_4
	good # what a file omits has up's default
	is "$(lines wgvia apply wg6 "$conf")" "- mode stack
+ mode fast
- on-fail pass
+ on-fail drop"
	is "$(wgvia -j show wg6 | jq -r '"\(.mode) \(.on_fail)"')" "fast drop"
}

@test "what a line omits is taken from the host, as in up, and reported" {
	conf "from $VPN4" "from $VPN6 dev ens3" "from 10.7.0.0/16" "from 2001:db8:77::/48"
	run wgvia apply wg6 "$conf"
	is "$(grep '^+ from' <<<"$output")" "+ from $VPN4 via $FW4 dev ens3
+ from 10.7.0.0/16 via $FW4 dev ens3
+ from $VPN6 via $FW6 dev ens3
+ from 2001:db8:77::/48 via $FW6 dev ens3"
	changes_nothing wgvia apply wg6 "$conf"
	answers "$NS_C1" $SVC4 service $C1_4
	# up, which has no such lines, prints a summary
	is "$(wgvia up wg6 from $VPN4 from $VPN6 dev ens3 from 10.7.0.0/16 | grep '^wg6: ')" "wg6: from $VPN4 and 1 more via $FW4 dev ens3
wg6: from $VPN6 via $FW6 dev ens3"
}

@test "standard input, CR LF, tabs" {
	is "$(printf 'from %s\tvia %s\r\n# end\r\n' $VPN4 $FW4 | lines wgvia apply wg6 - | grep from)" \
		"+ from $VPN4 via $FW4 dev ens3"
	is "$(printf 'from %s\nform\n' $VPN4 | { wgvia apply wg6 - 2>&1 || true; })" \
		"wgvia: -:2: unexpected word 'form': from PREFIX|addresses|allowed-ips [via ADDRESS] [dev DEV] \
[or ADDRESS [dev DEV]]... [health KIND], bypass PREFIX, mode, on-fail, outside, mss, counters, return, accept FINDING reason TEXT"
	answers "$NS_C1" $SVC4 service $C1_4
}

# changes_in_json: ["wg6","ACTION STATEMENT",...] of the JSON on stdin.
changes_in_json() {
	jq -c '[.interface] + [.changes[] | "\(.action) \(.statement)"]'
}

@test "JSON: the lines as objects, none if nothing changes" {
	good
	is "$(wgvia -j apply wg6 "$conf" | changes_in_json)" \
		"$(printf '["wg6","add mode fast","add on-fail drop","add outside pass","add mss off","add counters off","add return via","add from %s","add from %s"]' \
			"$VPN4 via $FW4 dev ens3" "$VPN6 via $FW6 dev ens3")"
	is "$(wgvia -j apply wg6 "$conf")" '{"interface":"wg6","changes":[],"notes":[]}'
	is "$(wgvia -j apply -c wg6 - <<<"from $VPN4" | changes_in_json)" "[\"wg6\",\"del from $VPN6 via $FW6 dev ens3\"]"
	is "$(wgvia -j save wg6 | jq -c '.statements | (.[:6], .[6:])')" \
		"[\"mode fast\",\"on-fail drop\",\"outside pass\",\"mss off\",\"counters off\",\"return via\"]
[\"from $VPN4 via $FW4 dev ens3\",\"from $VPN6 via $FW6 dev ens3\"]"
}

# Between $conf and $conf.b everything changes except the clients' prefixes.
apply_others() {
	wgvia apply wg6 "$conf.b" >/dev/null
	wgvia apply wg6 "$conf" >/dev/null
}

# stays_whole ADDRESS
stays_whole() {
	local i
	for ((i = 0; i < 3000; i++)); do
		echo "from 172.$((16 + i / 1024)).$((i / 4 % 256)).$((i % 4 * 64))/26 via $FW4 dev ens3"
		echo "from 2001:db8:77:$(printf %x $i)::/64 via $FW6 dev ens3"
	done >"$BATS_TEST_TMPDIR/others"
	good
	sed 's,/26,/27,; s,/64,/65,' "$BATS_TEST_TMPDIR/others" | cat "$conf" - >"$conf.b"
	cat "$BATS_TEST_TMPDIR/others" >>"$conf"
	apply_others
	pings 1 "$NS_C1" "$1"
	remember_counters
	stream 300 "$NS_C1" "$1" apply_others
	is "$missing" 0
	is "$(($(counter redirected) - $(jq .counters.redirected.packets "$BATS_TEST_TMPDIR/before")))" 300
}

@test "what stays loses no packet while 6,000 other lines change, IPv4" {
	stays_whole $SVC4
}

# bats test_tags=long
@test "what stays loses no packet while 6,000 other lines change, entry by entry, IPv6" {
	export WGVIA_BATCH=no
	stays_whole $SVC6
}

# ---- dry runs ----

@test "a dry run prints the same and changes nothing" {
	local option told
	wgvia up wg6 "${WORDS[@]}" mode stack
	conf "from $VPN4 via $NOBODY4 dev ens3" "bypass 198.18.0.0/15"
	told="- mode stack
+ mode fast
- from $VPN4 via $FW4 dev ens3
+ from $VPN4 via $NOBODY4 dev ens3
- from $VPN6 via $FW6 dev ens3
+ bypass 198.18.0.0/15"
	{ state && ids; } >"$BATS_TEST_TMPDIR/before"
	for option in -c --dry-run; do
		is "$(lines wgvia apply $option wg6 "$conf")" "$told"
		is "$(lines wgvia apply wg6 "$conf" $option)" "$told"
	done
	{ state && ids; } | diff "$BATS_TEST_TMPDIR/before" -
	answers "$NS_C1" $SVC6 service $C1_6
	is "$(lines wgvia apply wg6 "$conf")" "$told"
	is "$(wgvia apply -c wg6 "$conf")" ""
}

@test "a dry run without an instance creates nothing" {
	good
	is "$(wgvia apply -c wg6 "$conf" | grep -c '^+ ')" 8
	[ ! -e "$PIN_DIR" ]
	nothing_left
}

@test "a dry run finds what this host refuses" {
	conf "" "from $VPN4 via 203.0.113.2"
	refused 1 "$conf:2: via '203.0.113.2' is not on-link" apply -c wg6 "$conf"
	[ ! -e "$PIN_DIR" ]
}

# ---- what it refuses ----

# refusals: words of the file, and this host's answers.
refusals() {
	local text
	conf "from $VPN4 via $FW4" "" "# three" "form $VPN6"
	refused 2 "$conf:4: unexpected word 'form'" apply wg6 "$conf"
	conf "from $VPN4 via $FW4" "from 10.7.0.1/16 via $FW4"
	refused 2 "$conf:2: '10.7.0.1/16' has host bits set: do you mean '10.7.0.0/16'" apply wg6 "$conf"
	conf "from $VPN4 via $FW4" "from 10.7.0.0/16 via $FW4" "from $VPN4 via $NOBODY4"
	refused 2 "$conf:3: from '$VPN4' is given twice, first in line 1" apply wg6 "$conf"
	conf "from $VPN4 via $FW4" "bypass $SVC4 bypass $SVC6"
	refused 2 "$conf:2: unexpected word 'bypass'" apply wg6 "$conf"
	conf "from $VPN4 via $FW4" "mode medium"
	refused 2 "$conf:2: 'medium' is not a valid mode" apply wg6 "$conf"
	conf "from $VPN4 dev wg6"
	refused 2 "$conf:1: dev 'wg6' is the tunnel itself" apply wg6 "$conf"
	conf "from $VPN4 via $FW4" "from 10.7.0.0/16 via $GW4"
	refused 1 "$conf:2: via '$GW4' is an address of this host" apply wg6 "$conf"
	conf "from $VPN4 via $FW4" "" "from 10.7.0.0/16 via $FW4 dev ens9"
	refused 1 "$conf:3: cannot use 'ens9': no such device" apply wg6 "$conf"
	conf "from $VPN4 via $FW4" "from 10.7.0.0/16 via $FW4" "from 10.8.0.0/16 via 203.0.113.2"
	refused 1 "$conf:3: via '203.0.113.2' is not on-link" apply wg6 "$conf"
	# broken input
	: >"$conf"
	refused 2 "$conf: the configuration has no 'from'" apply wg6 "$conf"
	conf "# nothing yet" "mode stack" "bypass $SVC4"
	refused 2 "$conf: the configuration has no 'from'" apply wg6 "$conf"
	refused 2 "-: the configuration has no 'from'" apply wg6 - </dev/null
	good
	text=$(<"$conf")
	printf '%s' "${text%?}" >"$conf"
	refused 2 "$conf:2: the last line does not end with a newline" apply wg6 "$conf"
	printf 'from %s via %s\n\0\n' $VPN4 $FW4 >"$conf"
	refused 2 "$conf:2: the file is not text: it has a NUL byte" apply wg6 "$conf"
	refused 2 "/dev/zero:1: the file is not text: it has a NUL byte" apply wg6 /dev/zero
	refused 1 "cannot read '$BATS_TEST_TMPDIR': is a directory" apply wg6 "$BATS_TEST_TMPDIR"
	refused 1 "cannot open '$conf.none': no such file" apply wg6 "$conf.none"
	# the command line
	good
	refused 2 "IFACE is missing" apply
	refused 2 "FILE" apply wg6
	refused 2 "unexpected word 'more'" apply wg6 "$conf" more
	refused 2 "unknown option '-x'" apply -x wg6 "$conf"
	refused 2 "'a/b' is not a valid interface name" apply a/b "$conf"
	refused 2 "IFACE is missing" save
	refused 2 "unexpected word 'wg7'" save wg6 wg7
}

@test "refused without an instance, nothing is created" {
	refusals
	refused 1 "no instance on 'wg6'" save wg6
	nothing_left
}

@test "refused beside a running instance, nothing is changed" {
	wgvia up wg6 "${WORDS[@]}" mode stack bypass 198.18.0.0/15
	refusals
	answers "$NS_C1" $SVC4 service $C1_4
}

# ---- save ----

# comes_back: what is saved is what runs; apply accepts it without a change, and it creates the instance again.
comes_back() {
	local saved
	changes_nothing eval 'wgvia save wg6 | wgvia apply wg6 -'
	changes_nothing eval 'wgvia save wg6 | wgvia apply -c wg6 -'
	saved=$(wgvia save wg6)
	is "$(head -n 1 <<<"$saved" | cut -c 1)" "#"
	wgvia down wg6
	wgvia apply wg6 - <<<"$saved" >/dev/null
	is "$(wgvia save wg6)" "$saved"
}

@test "save and apply: the result of up comes back, of all kinds" {
	wgvia up wg6
	comes_back
	wgvia up wg6 "${WORDS[@]}" mode stack on-fail pass return any
	comes_back
	wgvia up wg6 "${WORDS[@]}" return drop also 192.0.2.9 also fe80::9 dev ens3 also 02:00:00:00:02:09
	is "$(wgvia save wg6 | grep return)" "return drop also 192.0.2.9 dev ens3 also fe80::9 dev ens3 also 02:00:00:00:02:09"
	comes_back
	wgvia up wg6 from ::/0 via $FW6 from 0.0.0.0/0 via $FW4
	comes_back
	# gateways of every kind, and a destination that is on two lists
	wgvia up wg6 from $VPN6 via fe80::1 dev ens3 from $VPN4 via $FW6 from 10.6.3.0/24 via fe80::2 dev ens3 \
		bypass $GW4 bypass $SVC6 bypass 198.18.0.0/15 bypass ff02::/16
	is "$(wgvia save wg6 | sed 1d)" "mode fast
on-fail drop
outside pass
mss off
counters off
return via
from $VPN4 via $FW6 dev ens3
from 10.6.3.0/24 via fe80::2 dev ens3
from $VPN6 via fe80::1 dev ens3
bypass $GW4/32
bypass 198.18.0.0/15
bypass $SVC6/128
bypass ff02::/16"
	comes_back
	# by other commands
	wgvia route del wg6 from 10.6.3.0/24
	wgvia bypass del wg6 $GW4
	wgvia bypass add wg6 192.0.2.128/25
	comes_back
	# two devices
	ip -n "$NS_GW" link add second type veth peer name second netns "$NS_LAN"
	ip -n "$NS_GW" link set second up
	wgvia up wg6 "${WORDS4[@]}" from $VPN6 via fe80::7 dev second
	comes_back
}

u32() { # NUMBER: its bytes, on a little-endian host
	printf '%02x %02x %02x %02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24))
}

ten4="10 00 00 00 0a 07 00 00" # 10.7.0.0/16
zero12="00 00 00 00 00 00 00 00 00 00 00 00"

# write_ten4 IFINDEX FAMILY ADDRESS4 FLAGS: of 10.7.0.0/16, by bpftool.
write_ten4() {
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key hex $ten4 value hex $(u32 "$1") $(u32 "$2") $3 $zero12 \
		$(u32 "$4") 00 00 00 00
}

# kept_aloud COMMENT STATUS TEXT: save prints the line with that comment after it, and reports it; apply refuses with
# status and text.
kept_aloud() {
	run --separate-stderr wgvia save wg6
	is "$status" 1
	grep "^from 10.7.0.0/16 via .* dev .* # unusable: $1" <<<"$output"
	is "$stderr" "wgvia: 1 of the lines do not restore the running configuration: '# unusable' gives the reason"
	printf '%s\n' "$output" >"$conf"
	refused "$2" "$3" apply wg6 "$conf"
}

@test "save: a value that no file can express is not lost silently" {
	local ens3 fw="c0 00 02 01"
	ens3=$(ip -n "$NS_GW" -j link show ens3 | jq '.[].ifindex')
	wgvia up wg6 "${WORDS[@]}"
	write_ten4 0 2 "$fw" 0
	kept_aloud "no device" 2 ":9: 'ifindex:0' is not a valid interface name"
	write_ten4 4000 2 "$fw" 0
	kept_aloud "device no longer exists" 2 ":9: 'ifindex:4000' is not a valid interface name"
	write_ten4 "$ens3" 77 "$fw" 0
	kept_aloud "unknown address family" 2 ":9: '?' is not an IPv4 or IPv6 address"
	write_ten4 "$ens3" 2 "e0 00 00 01" 0
	kept_aloud "next hop is multicast" 2 ":9: via '224.0.0.1' is multicast"
	write_ten4 "$ens3" 2 "c0 00 02 02" 0
	kept_aloud "next hop is this host's own" 1 ":9: via '$GW4' is an address of this host"
	write_ten4 1 2 "7f 00 00 01" 0
	kept_aloud "next hop is not a gateway address" 2 ":9: via '127.0.0.1' is not a gateway address"
	# what apply can mend it mends, and tells
	write_ten4 "$ens3" 2 "$fw" 4
	run --separate-stderr wgvia save wg6
	is "$status" 1
	grep -F "from 10.7.0.0/16 via $FW4 dev ens3 # unusable: unknown flags" <<<"$output"
	is "$(wgvia apply wg6 - <<<"$output")" "- from 10.7.0.0/16 via $FW4 dev ens3 # flags 0x4
+ from 10.7.0.0/16 via $FW4 dev ens3"
	bpftool map update pinned "$PIN_DIR/wg6/bypass4" key hex 20 00 00 00 c6 33 64 07 value hex 4d 00 00 00 00 00 00 00
	run --separate-stderr wgvia save wg6
	is "$status" 1
	grep -Fx "bypass 198.51.100.7/32 # unusable: unknown verdict 77, treated as bypass" <<<"$output"
	is "$(wgvia apply wg6 - <<<"$output")" "- bypass 198.51.100.7/32 # verdict 77
+ bypass 198.51.100.7/32"
	changes_nothing eval 'wgvia save wg6 | wgvia apply wg6 -'
}

@test "save and apply: a gateway that is marked down stays so, and so does a bypass without the flag" {
	local ens3
	ens3=$(ip -n "$NS_GW" -j link show ens3 | jq '.[].ifindex')
	wgvia up wg6 "${WORDS[@]}" from 10.7.0.0/16 via $FW4 # which is reached through the tunnel then
	write_ten4 "$ens3" 2 "c0 00 02 01" 1
	bpftool map update pinned "$PIN_DIR/wg6/bypass4" key hex 20 00 00 00 c6 33 64 07 value hex 06 00 00 00 00 00 00 00
	wgvia save wg6 | grep -Fx "from 10.7.0.0/16 via $FW4 dev ens3 # marked down"
	changes_nothing eval 'wgvia save wg6 | wgvia apply wg6 -'
	# another gateway is not down as a result
	wgvia save wg6 | sed "s,^\(from 10.7.0.0/16 via\) $FW4,\1 $NOBODY4," >"$conf"
	is "$(wgvia apply wg6 "$conf")" "- from 10.7.0.0/16 via $FW4 dev ens3 # flags 0x1
+ from 10.7.0.0/16 via $NOBODY4 dev ens3"
}

@test "save: an instance without prefixes is reported, and its file is refused" {
	wgvia up wg6 "${WORDS4[@]}"
	wgvia route del wg6 from $VPN4
	run --separate-stderr wgvia save wg6
	is "$status" 1
	is "$stderr" "wgvia: cannot save 'wg6': it has no prefix, and a file needs one"
	printf '%s\n' "$output" >"$conf"
	refused 2 "no 'from'" apply wg6 "$conf"
}

# ---- many ----

# many COUNT GATEWAY4 GATEWAY6: half of each family, and the clients' own.
many() {
	good
	awk -v n="$(($1 / 2))" -v g4="$2" -v g6="$3" 'BEGIN {
		for (i = 0; i < n; i++) {
			printf "from 20.%d.%d.%d/28 via %s dev ens3\n", i / 4096, i / 16 % 256, i % 16 * 16, g4
			printf "from 2001:db8:77:%x::/64 via %s dev ens3\n", i + 1, g6
		}
	}' >>"$conf"
}

# entry MAP KEY: the next hop's first four bytes.
entry() {
	bpftool -j map lookup pinned "$PIN_DIR/wg6/$1" key hex $2 | jq -c '.formatted.value.addr[0:4]'
}

entries() { # MAP
	bpftool -j map dump pinned "$PIN_DIR/wg6/$1" | jq length
}

# a_hundred_thousand: all of them are applied, one is changed, all are saved and removed.
a_hundred_thousand() {
	many 100000 $FW4 $FW6
	is "$(wgvia apply wg6 "$conf" | grep -c '^+ from')" 100002
	is "$(entries prefixes4) $(entries prefixes6)" "50001 50001"
	is "$(entry prefixes4 '1c 00 00 00 14 00 00 00')" "[192,0,2,1]"
	is "$(entry prefixes4 '1c 00 00 00 14 0c 34 f0')" "[192,0,2,1]"
	is "$(entry prefixes6 '40 00 00 00 20 01 0d b8 00 77 c3 50 00 00 00 00 00 00 00 00')" "[32,1,13,184]"
	# as a destination none is exempt: no route leads there
	[ "$(entries bypass4)" -lt 30 ]
	sed -i "s,^\(from 20.6.0.0/28 via\) $FW4,\1 $NOBODY4," "$conf"
	is "$(wgvia apply wg6 "$conf")" "- from 20.6.0.0/28 via $FW4 dev ens3
+ from 20.6.0.0/28 via $NOBODY4 dev ens3"
	is "$(entry prefixes4 '1c 00 00 00 14 06 00 00')" "[192,0,2,77]"
	is "$(entry prefixes4 '1c 00 00 00 14 06 00 10')" "[192,0,2,1]"
	is "$(wgvia save wg6 | grep '^from' | sort | md5sum)" "$(sort "$conf" | md5sum)"
	is "$(wgvia save wg6 | wgvia apply wg6 -)" ""
	is "$(wgvia -j show wg6 | jq '[.prefixes[] | select(.usable)] | length')" 100002
	answers "$NS_C1" $SVC4 service $C1_4
	# half of them are removed, in batches
	many 50000 $FW4 $FW6
	is "$(wgvia apply wg6 "$conf" | grep -c '^- from')" 50001 # and the changed one
	is "$(entries prefixes4) $(entries prefixes6)" "25001 25001"
	answers "$NS_C1" $SVC6 service $C1_6
	wgvia down wg6
	nothing_left
}

@test "a dry run with a slow reader keeps nobody waiting" {
	local i status
	wgvia up wg6 from "$VPN4" via "$FW4"
	for ((i = 0; i < 4000; i++)); do
		echo "from 10.$((i / 250 + 16)).$((i % 250)).0/24 via $FW4"
	done >"$BATS_TEST_TMPDIR/file"
	wgvia apply -c wg6 "$BATS_TEST_TMPDIR/file" | {
		read -r _
		status=0
		in_ns "$NS_GW" timeout 20 "$WGVIA" --pin-dir "$PIN_DIR" bypass add wg6 203.0.113.0/24 || status=$?
		cat >/dev/null
		is "$status" 0
	}
}

@test "100,000 lines" {
	a_hundred_thousand
}

@test "a kernel without batches: it does not know the command, or does not support it for these maps" {
	local number
	export FAULT=old FAULT_AT
	for number in 22 524; do
		FAULT_AT=$number
		many 3000 $FW4 $FW6
		LD_PRELOAD=$FAULT_SO wgvia apply wg6 "$conf" >/dev/null
		is "$(entries prefixes4) $(entries prefixes6)" "1501 1501"
		is "$(LD_PRELOAD=$FAULT_SO wgvia save wg6 | grep -c '^from')" 3002
		good
		is "$(LD_PRELOAD=$FAULT_SO wgvia apply wg6 "$conf" | grep -c '^- from')" 3000
		is "$(entries prefixes4) $(entries prefixes6)" "1 1"
		wgvia down wg6
	done
}

# bats test_tags=long
@test "100,000 lines, entry by entry" {
	export WGVIA_BATCH=no
	a_hundred_thousand
}
