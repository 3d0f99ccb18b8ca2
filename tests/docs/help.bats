#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The help of each command, and how commands are found. Needs no root.

# shellcheck disable=SC2154 # `run` sets $status, $output, $stderr

load ../lib/docs.bash

commands() {
	syntax_in_help | awk '{ print $2 }'
}

# usage_of COMMAND: as a line of syntax_in_help().
usage_of() {
	"$WGVIA" "$1" --help | sed -n '/^Usage: /,/^$/p' | sed 's/^Usage: //' | xargs -0 | tr -s ' \n' ' ' | sed 's/ $//; s/ | /|/g'
}

@test "each command has help with its usage, all of its words and an example" {
	local command text word
	[ -n "$(commands)" ]
	for command in $(commands); do
		echo "$command"
		same "$(syntax_in_help | grep "^wgvia $command ")" "$(usage_of "$command")" "$command --help"
		text=$("$WGVIA" "$command" --help)
		for word in $(syntax_in_help | grep "^wgvia $command " | words_of_syntax); do
			sed '1,/^Usage:/d' <<<"$text" | grep -qE -- "^  ([^ ]+ |[^ ]*[|])*$word([ ,|]|$)|^  [^ ].*[ |]$word([ ,|]|$)" || {
				echo "$command --help does not explain '$word'"
				return 1
			}
		done
		grep -qE "^Example: .*wgvia $command " <<<"$text"
	done
}

@test "help is the same with --help, -h, help COMMAND, an abbreviation, and after other words" {
	local command text
	for command in $(commands); do
		text=$("$WGVIA" "$command" --help)
		same "$text" "$("$WGVIA" "$command" -h)" "$command -h"
		same "$text" "$("$WGVIA" help "$command")" "help $command"
		same "$text" "$("$WGVIA" -j "$command" wg6 sideways --help)" "$command wg6 sideways --help"
		same "$text" "$("$WGVIA" --help "$command")" "--help $command"
	done
	same "$("$WGVIA" help explain)" "$("$WGVIA" hel exp)" "hel exp"
	same "$("$WGVIA" --help)" "$("$WGVIA" help)" "help"
	run --separate-stderr "$WGVIA" help show
	[ "$status $stderr" = "0 " ]
}

@test "a command may be abbreviated if only one begins like that; otherwise the candidates are listed" {
	same "$("$WGVIA" help show)" "$("$WGVIA" help sh)" sh
	same "$("$WGVIA" help show)" "$("$WGVIA" help list)" list
	same "$("$WGVIA" help show)" "$("$WGVIA" help li)" li
	same "$("$WGVIA" -V)" "$("$WGVIA" version)" version
	run --separate-stderr "$WGVIA" s wg6
	[ "$status $stderr" = "2 wgvia: command 's' is ambiguous: save, show, stats
hint: 'wgvia --help' lists the commands" ]
	run --separate-stderr "$WGVIA" help r
	[ "$status $stderr" = "2 wgvia: command 'r' is ambiguous: route, run
hint: 'wgvia --help' lists the commands" ]
	run --separate-stderr "$WGVIA" shows
	[ "$status ${stderr%%$'\n'*}" = "2 wgvia: unknown command 'shows'" ]
	run --separate-stderr "$WGVIA" ""
	[ "$status ${stderr%%$'\n'*}" = "2 wgvia: unknown command ''" ]
}

@test "an unknown option is quoted as typed, with status 2" {
	local text words
	while IFS='|' read -r text words; do
		echo "$words"
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$WGVIA" $words
		[ "$status $output" = "2 " ]
		[ "${stderr%%$'\n'*}" = "wgvia: $text" ] || { echo "$stderr" && return 1; }
	done <<-END
		unknown option '-bx'|-bx show
		unknown option '-x'|show -x
		unknown option '-jx'|-jx show
		unknown option '--brie-f'|show --brie-f
		unknown option '--probe'|show --probe
		unknown option '-br=1'|show -br=1
		option '--p' is ambiguous|--p show
		option '-n' needs a value|show wg6 -n
		option '--pin-dir' needs a value|show wg6 --pin-dir
		option '--json=1' takes no value|show --json=1
		'blue' is not a value of --color: auto, always or never|--color=blue show
		'blue' is not a value of --color: auto, always or never|show -c=blue
		option '-4' works with 'show' only|-4 stats
		option '-6' works with 'show' only|up wg6 -6
		option '-br' works with 'show' only|check wg6 -br
	END
}
