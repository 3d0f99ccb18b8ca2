#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Options: anywhere in the line, their effect, and the output on a terminal. docs/help.bats covers messages about wrong
# options.

# shellcheck disable=SC2016,SC2153,SC2154 # the inner shell's variables; `run` sets $status, $output

load ../lib/net.bash

@test "options before and after the command and among its words mean the same" {
	local expected words
	wgvia up wg6 "${WORDS[@]}"
	expected=$("$WGVIA" --pin-dir "$PIN_DIR" -n "$NS_GW" -j -v show wg6 | jq 'del(.prefixes[].neighbour)')
	while IFS= read -r words; do
		echo "$words"
		# shellcheck disable=SC2086 # words
		is "$("$WGVIA" $words | jq 'del(.prefixes[].neighbour)')" "$expected"
	done <<-END
		show wg6 -j --pin-dir $PIN_DIR -n $NS_GW
		show -j wg6 --pin-dir=$PIN_DIR --netns=$NS_GW
		sh -jv --pin $PIN_DIR wg6 -n$NS_GW
		-jn $NS_GW --pin-dir $PIN_DIR list -- wg6
		show --net $NS_GW --js --pin-dir $PIN_DIR wg6 -p
	END
	"$WGVIA" route add wg6 from 10.7.0.0/16 -n "$NS_GW" via "$FW4" --pin-dir "$PIN_DIR" dev ens3
	wgvia -j show wg6 | jq -e 'any(.prefixes[]; .from == "10.7.0.0/16")'
}

@test "options of one command keep their meaning: apply -c changes nothing, also combined with other letters" {
	local file=$BATS_TEST_TMPDIR/file words before
	wgvia up wg6 "${WORDS[@]}"
	echo "from $VPN4 via $SVC4" >"$file"
	before=$(state)
	for words in "apply -c wg6" "apply wg6 -c" "apply -jc wg6" "apply -cj wg6" "-j apply --dry-run wg6" "-c apply -vc wg6"; do
		echo "$words"
		# shellcheck disable=SC2086 # words
		wgvia $words "$file" | grep -F "$SVC4"
		is "$(state)" "$before"
	done
	wgvia -c apply wg6 "$file" # that is --color
	[ "$(state)" != "$before" ]
	run -0 wgvia -j stats wg6 --prometheus -h
	[[ $output == "wgvia stats: "* ]]
	wgvia stats --prometheus -n "$NS_GW" | grep '^# TYPE wgvia_up gauge'
	run wgvia check wg6 -j --probe
	jq -e 'any(.findings[]; .name | startswith("probe"))' <<<"$output"
}

@test "show -4 and -6 list one family, and everything else" {
	local text
	wgvia up wg6 "${WORDS[@]}" bypass 198.18.0.0/15 bypass 2001:db8:99::/48
	is "$(wgvia -j -4 show wg6 | jq -r '[.prefixes[].from, .bypass[].to] | map(select( contains(":"))) | length')" 0
	is "$(wgvia -j -4 show wg6 | jq -r '.prefixes[].from')" "$VPN4"
	is "$(wgvia -j show wg6 -6 | jq -r '[.prefixes[].from, .bypass[].to] | map(select( contains(":") | not)) | length')" 0
	is "$(wgvia -j show wg6 -6 | jq -r '.prefixes[].from')" "$VPN6"
	is "$(wgvia -j show wg6 -6 | jq -r '.bypass[] | select(.admin) | .to')" 2001:db8:99::/48
	is "$(wgvia -j show wg6 -6 | jq '.attachments | length')" 3
	text=$(wgvia -4 show wg6)
	[[ $text == *"from $VPN4 "* && $text != *"from $VPN6 "* ]]
}

@test "show -br prints one line per instance" {
	local other=wg7
	wgvia up wg6 "${WORDS[@]}" from 10.7.0.0/16 via "$FW4" mode stack
	wgvia up $other from 10.8.0.0/16 via "$SVC4"
	run -0 wgvia -br show
	is "${#lines[@]}" 2
	[[ ${lines[0]} =~ ^wg6\ +up\ +stack\ +prefixes\ 3\ via\ .*$FW4\ [A-Z]+ ]] || is "${lines[0]}" "wg6 ..."
	[[ ${lines[1]} =~ ^wg7\ +absent\ +fast\ +prefixes\ 1\ via\ $SVC4\ [A-Za-z]+$ ]] || is "${lines[1]}" "wg7 ..."
	is "$(wgvia -br show | wc -l) $(wgvia show --brief wg6 | wc -l)" "2 1"
	is "$(wgvia -j -br show wg6 | jq -c '[.interface, .mode, .prefix_count, .unusable_count, (.gateways | map(.via) | sort)]')" \
		"[\"wg6\",\"stack\",3,0,[\"$FW4\",\"$FW6\"]]"
	is "$(wgvia -br -6 show wg6 | grep -c "prefixes 1 via $FW6 ")" 1
	wgvia down $other
	# an unusable value
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key 16 0 0 0 10 7 0 0 value 99 0 0 0 2 0 0 0 192 0 2 9 \
		0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
	run -0 wgvia -br show
	[[ $output == *" prefixes 3 UNUSABLE 1 via "*"192.0.2.9 UNUSABLE"* ]] || is "$output" "... UNUSABLE 1 ..."
}

@test "JSON is one line, and with -p what another program's indentation would be" {
	local file=$BATS_TEST_TMPDIR/pretty
	wgvia up wg6 "${WORDS[@]}"
	is "$(wgvia -j show wg6 | wc -l) $(wgvia -j show | wc -l)" "1 1"
	wgvia -j -p show wg6 >"$file"
	# json-c prints an empty array on two lines
	sed -z 's/\[\n *\]/[]/g' "$file" | diff - <(jq . "$file")
	wgvia -jp show | sed -z 's/\[\n *\]/[]/g' >"$file"
	diff "$file" <(jq . "$file")
	# -p alone does not imply -j
	[[ "$(wgvia -p show wg6)" == "wg6: "* ]]
}

# on_terminal WORD...: the output of wgvia on a terminal, without carriage returns.
on_terminal() {
	script -qec "$(printf '%q ' env TERM=xterm nsenter --net="/run/netns/$NS_GW" "$WGVIA" --pin-dir "$PIN_DIR" "$@")" \
		/dev/null </dev/null | tr -d '\r'
}

@test "faults are red on a terminal, unless NO_COLOR or --color says otherwise" {
	local red=$'\e[31m' plain=$'\e[0m'
	wgvia up wg6 "${WORDS[@]}"
	rm "$PIN_DIR"/wg6/*egress_2* # detaches the link
	bpftool map update pinned "$PIN_DIR/wg6/prefixes4" key 16 0 0 0 10 7 0 0 value 99 0 0 0 2 0 0 0 192 0 2 9 \
		0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
	[[ "$(on_terminal show wg6)" == *"${red}UNUSABLE: device no longer exists$plain"* ]]
	[[ "$(on_terminal -br show wg6)" == *" ${red}UNUSABLE 3$plain via "*"${red}UNUSABLE$plain"* ]]
	[[ "$(on_terminal check wg6)" == *"${red}error$plain: "* ]]
	is "$(on_terminal frobnicate | head -n 1)" "${red}wgvia: unknown command 'frobnicate'$plain"
	[[ "$(NO_COLOR=1 on_terminal show wg6)" != *$'\e'* ]]
	[[ "$(on_terminal show wg6 --color=never)" != *$'\e'* ]]
	[[ "$(on_terminal show wg6 -j)" != *$'\e'* ]]
	[[ "$(wgvia show wg6)" != *$'\e'* ]]
	[[ "$(wgvia show wg6 -c=auto)" != *$'\e'* ]]
	[[ "$(wgvia show wg6 -c)" == *"${red}UNUSABLE"* ]]
	[[ "$(NO_COLOR=1 wgvia show wg6 -c=always)" == *"${red}UNUSABLE"* ]]
	[[ "$(wgvia show wg6 -jc)" != *$'\e'* ]]
}

# columns COUNT WORD...: the output of wgvia on a terminal of that width.
columns() {
	local count=$1
	shift
	env -u COLUMNS TERM=dumb /usr/bin/python3 "$TREE/tests/lib/terminal.py" "$count" \
		nsenter --net="/run/netns/$NS_GW" "$WGVIA" --pin-dir "$PIN_DIR" "$@"
}

# breaks_at_words COUNT WORD...: on such a terminal every line fits, and the text equals that in a pipe.
breaks_at_words() {
	local count=$1 text
	shift
	text=$(columns "$count" "$@" || true)
	echo "$text"
	is "$(grep -cE "^.{$((count + 1))}" <<<"$text")" 0
	[ "$(wc -l <<<"$text")" -gt "$({ wgvia "$@" 2>&1 || true; } | wc -l)" ]
	is "$(tr -s ' \n' ' ' <<<"$text")" "$({ wgvia "$@" 2>&1 || true; } | tr -s ' \n' ' ')"
}

@test "long lines are wrapped at words on a terminal, but not in a pipe" {
	wgvia up wg6 "${WORDS[@]}"
	breaks_at_words 60 --help
	breaks_at_words 50 up --help
	breaks_at_words 50 bypass del wg6 "$GW4"
	wgvia up wg6 via "$FW4"
	breaks_at_words 50 up wg6 via "$FW4" # again, which changes nothing
	# an error without a hint, and COLUMNS before the terminal's own width
	breaks_at_words 50 up wg6 from "$VPN4" via "$FW4" via "$SVC4"
	is "$(COLUMNS=50 script -qec "$WGVIA --help" /dev/null </dev/null | tr -d '\r')" "$(columns 50 --help)"
	is "$(columns 500 --help)" "$(COLUMNS=50 wgvia --help)"
}

@test "findings are wrapped at words on a terminal, but not the commands that fix them" {
	local text
	wgvia up wg6 "${WORDS[@]}"
	run columns 60 check wg6
	grep -xF "    wgvia up wg6 from $VPN4 via $FW4 dev ens3 from $VPN6 via $FW6 dev ens3 mode stack" <<<"$output"
	is "$(grep -v '^    ' <<<"$output" | grep -cE '^.{61}')" 0
	grep -E '^  [^ ]' <<<"$output"
}

@test "a gateway that does not answer is red" {
	wgvia up wg6 from "$VPN4" via 192.0.2.99 dev ens3
	run pings 1 "$NS_C1" "$SVC4"
	poll 5 eval 'wgvia -c show wg6 | grep -F $'"'\\e[31mFAILED\\e[0m'"
	wgvia -c -br show wg6 | grep -F $'\e[31mFAILED\e[0m'
}

@test "the example of each command runs" {
	local command example
	PATH=${WGVIA%/*}:$PATH
	ping_once "$NS_GW" "$FW4"
	for command in up save apply show stats route bypass explain check down import; do
		example=$("$WGVIA" "$command" --help | sed -n 's/^Example: //p')
		example=${example//\/etc\/wireguard/$BATS_TEST_TMPDIR}
		printf '[Interface]\nTable = off\nPostUp = ip route add default via %s dev ens3 table 6
PostUp = ip rule add from %s table 6\n' "$FW4" "$VPN4" >"$BATS_TEST_TMPDIR/wg6.conf"
		echo "$example"
		run in_ns "$NS_GW" bash -o pipefail -c "wgvia() { command wgvia --pin-dir $PIN_DIR \"\$@\"; }; $example"
		echo "$output"
		[ "$status" = 0 ] || [ "$command $status" = "check 1" ]
		[[ $output != *"wgvia: "* ]]
	done
}
