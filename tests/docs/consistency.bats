#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Everything that a user can name (commands, options, verdicts, findings and so on) is the same, in the same words, in
# the program, its --help, the man pages and the completion. Needs no root.

load ../lib/docs.bash

@test "the syntax of each command is the same in --help and in wgvia(8)" {
	same "$(syntax_in_help)" "$(syntax_in_manual)" "wgvia(8)"
}

@test "every command of the code is in --help" {
	same "$(sed -n 's/^int cmd_\([a-z]*\)(.*/\1/p' "$TREE/user/commands/command.h" | sort)" \
		"$(syntax_in_help | awk '{ print $2 }' | sort -u)" --help
}

@test "the options that every command has are the same in the code, --help and wgvia(8)" {
	same "$(options_in_help)" "$(options_in_code)" user/commands/options.c
	same "$(options_in_help)" "$(options_in_manual)" "wgvia(8)"
}

@test "verdicts are the same, in the same order, in the ABI and in wgvia(8)" {
	same "$(verdicts_in_code)" "$(items_in_manual VERDICTS)" "wgvia(8)"
}

@test "the completion has the same commands, options and verdicts" {
	need_completion
	same "$(syntax_in_help | awk '{ print $2 }' | sort -u)" "$(completion_words commands | grep -vxE "help|list|version")" "$COMPLETION"
	same "$(options_in_help)" "$(completion_words options)" "$COMPLETION"
	same "$(verdicts_in_code | sort)" "$(completion_words verdicts)" "$COMPLETION"
}

@test "the completion has the same words for each command" {
	local command words
	need_completion
	for command in $(syntax_in_help | awk '{ print $2 }' | sort -u); do
		words=$(syntax_in_help | grep "^wgvia $command " | words_of_syntax)
		[ -z "$words" ] || same "$words" "$(completion_keywords "$command")" "$COMPLETION: $command"
	done
}

@test "verdicts have the numbers in wgvia-maps(7) that they have in the ABI" {
	local number word
	while read -r number word; do
		is_in "$number $word," "$(manual_text wgvia-maps.7)" || is_in "$number $word)" "$(manual_text wgvia-maps.7)" ||
			is_in "$number $word;" "$(manual_text wgvia-maps.7)" || { echo "wgvia-maps(7) has no '$number $word'" && return 1; }
	done < <(verdicts_in_code | awk '/^(local|scope|tunnel|bypass)$/ { print NR - 1, $1 }')
	is_in "index $(verdicts_in_code | wc -l) times direction" "$(manual_text wgvia-maps.7)"
}

@test "findings of check are the same in the code and in wgvia(8)" {
	same "$(findings_in_code)" "$(items_in_manual FINDINGS | sort)" "wgvia(8)"
}

@test "findings that a file may accept are those of the code" {
	same "$(findings_in_code)" "$(sed -n '/^const char \*const finding_names/,/^};/s/^\t"\([a-z_]*\)",$/\1/p' \
		"$TREE/user/config/accepted.c")" user/config/accepted.c
}

@test "maps are the same in the code and in wgvia-maps(7)" {
	same "$(maps_in_code)" "$(items_in_manual MAPS wgvia-maps.7 | sort)" "wgvia-maps(7)"
}

# "WORD , ID", the end of its MESSAGE_ID.
events_in_code() {
	sed -n 's/^\tX([A-Z]*, "\([a-z]*\)", "c1d7a6c4f0c94d6f9d2b6f5e3a8700\(..\)").*/\1 , \2/p' "$TREE/user/base/event.h"
}

@test "events have the same words and MESSAGE_IDs in the code, wgvia(8) and the schema" {
	[ "$(events_in_code | wc -l)" -ge 16 ]
	same "$(events_in_code)" "$(sed -n '/^\.Sh EVENTS/,/^\.Sh F/s/^\.It Li //p' "$TREE/man/wgvia.8")" "wgvia(8)"
	same "$(events_in_code | cut -d' ' -f1)" "$(jq -r '."$defs".event.enum[]' "$TREE/docs/wgvia.schema.json")" "the schema"
}

@test "environment variables that the code reads are in wgvia(8)" {
	same "$(environment_in_code)" "$(sed -n '/^\.Sh ENVIRONMENT/,/^\.Sh/s/^\.It Ev //p' "$TREE/man/wgvia.8" |
		tr -s ' ,' '\n' | sort)" "wgvia(8)"
}

@test "the version is the same in the program and at the head of the changelog" {
	same "$(sed -n '/^static int take_statement/,/^}/s/.*next_is(cursor, "\([a-z-]*\)").*/\1/p' "$TREE/user/config/parse.c" |
		sort)" \
		"$(sed -n '/^\.Sh STATEMENTS/,/^\.Sh/s/^\.It \(Xo \)\{0,1\}Cm \([a-z-]*\).*/\2/p' "$TREE/man/wgvia.conf.5" | sort)" \
		"wgvia.conf(5)"
	is_in "at most $(constant CONFIG_LINE_MAX) bytes, a word $(constant CONFIG_WORD_MAX) characters" \
		"$(manual_text wgvia.conf.5)"
}

@test "the version is the same in the program and at the head of the change log" {
	local version
	version=$("$WGVIA" --version)
	same "${version#wgvia }" "$(sed -n 's/^## \[\([0-9.]*\)\].*/\1/p' "$TREE/CHANGELOG.md" | head -n 1)" CHANGELOG.md
}
