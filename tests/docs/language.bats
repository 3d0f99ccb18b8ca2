#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The language of documents, manual pages and messages: phrases that confused readers do not return (phrases.txt), and
# each term of the glossary in CONTRIBUTING.md is in use. Needs no root.

load ../lib/docs.bash

PHRASES=$BATS_TEST_DIRNAME/phrases.txt

# prose FILE: as one line.
prose() {
	tr -s ' \n' ' ' <"$TREE/$1"
}

# messages: the strings in the program's sources, one per line, adjacent literals joined.
messages() {
	(cd "$TREE" && find user -name '*.c' | sort | xargs gcc -fpreprocessed -E -P) | tr -s ' \t\n' ' ' |
		sed 's/\([^\\]\)" "/\1/g' | grep -oE '"([^"\\]|\\.)*"'
}

# free_of_phrases WHERE TEXT
free_of_phrases() {
	local phrase instead found bad=0
	# one search for all of them first
	LC_ALL=C grep -qiE "$(sed '/^#/d; /^$/d; s/\t.*//' "$PHRASES" | paste -sd '|')" <<<"$2" || return 0
	while IFS=$'\t' read -r phrase instead; do
		case $phrase in '' | '#'*) continue ;; esac
		LC_ALL=C grep -qiE "$phrase" <<<"$2" || continue
		found=$(LC_ALL=C grep -oiE ".{0,50}($phrase).{0,20}" <<<"$2")
		printf '%s: %s\n    write: %s\n' "$1" "$found" "$instead"
		bad=1
	done <"$PHRASES"
	[ $bad = 0 ]
}

@test "documents are free of phrases that must not return" {
	local document bad=0
	for document in $(documents); do
		# titles of tests are quoted as they are
		free_of_phrases "$document" "$(prose "$document" | sed 's/\[tests\/[^]]*\]//g')" || bad=1
	done
	[ $bad = 0 ]
}

@test "manual pages are free of them" {
	local page bad=0
	for page in "$TREE"/man/*.[1-8]; do
		free_of_phrases "${page##*/}" "$(manual_text "${page##*/}")" || bad=1
	done
	[ $bad = 0 ]
}

@test "messages are free of them" {
	[ "$(messages | wc -l)" -gt 1000 ]
	free_of_phrases "user/*.c" "$(messages)"
}

@test "pictures are free of them" {
	free_of_phrases docs/pictures "$(grep -hoE '>[^<>]+<' "$TREE"/docs/pictures/*.svg)"
}

@test "each phrase is found in a text that contains it" {
	local line=0 example
	while IFS= read -r example; do
		line=$((line + 1))
		if free_of_phrases example "one two $example three" >/dev/null; then
			echo "line $line: $example is not found"
			return 1
		fi
	done <<-END
		made anew
		The program stands at the device
		which has gone
		packets that slip past the firewall
		it goes around the kernel
		way around the stack
		which takes away what up made
		the way back to the prefix
		keeps it true
		programs and pins, leaves them alone
		the neighbour has failed to answer
		belongs into the tunnel
		the packages that it misses
		What it has not: counters
		the gateway is well
		it answers again
		you shall not
		What stays is not touched
		default stands behind
		unknown error
		successfully
		a gateway that stands by
		on-fail decides until one answers
		it tells which prefix
		a line says so
		what comes from the prefix
		hosts that heed it
		for want of memory
		it drops it, for it never saw the SYN
		by way of the firewall
		in the place of another
		the command that mends it
		somebody's filter has the handle
		a stop is no down
		the first is used, nobody watches
		it is there already
		this program was held up
		it goes another way
		the file may have been cut short
		its frames are let in
		forwarding goes on as it is
		it is not taken for a whole one
		the rule has no say any more
		it knows a packet by its source alone
		the answer died there
		it starts all the same
	END
	[ "$line" = "$(grep -vc '^#' "$PHRASES")" ]
}
