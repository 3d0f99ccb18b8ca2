#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What tools say of the sources: clang-format and clang-tidy (their exceptions and why: .clang-tidy), shellcheck, mandoc.
# Both clangs are version 19, on each Debian, since others format in other ways and look for other things.

TREE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
FORMAT=${CLANG_FORMAT:-clang-format-19}
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-900}

# sources PATTERN...: of the tree, without what is built or downloaded.
sources() {
	cd "$TREE" && find . \( -name 'build*' -o -name .git -o -name corpus \) -prune -o -type f "$@" -print |
		sed 's|^\./||' | sort
}

# What a shell reads, by its suffix or its first line.
shell_files() {
	sources \( -name '*.bash' -o -name '*.sh' -o -name '*.bats' \)
	sources ! -name '*.*' | while IFS= read -r file; do
		head -c 64 "$TREE/$file" | tr -d '\0' | grep -qE '^#!.*[/ ](ba)?sh' && echo "$file"
	done
}

@test "clang-format would change nothing" {
	cd "$TREE"
	sources -name '*.[ch]' | xargs "$FORMAT" --dry-run --Werror
}

@test "clang-tidy has nothing to say" {
	make -C "$TREE" -s tidy
}

@test "shellcheck has nothing to say" {
	cd "$TREE"
	shell_files | sort -u | xargs -P "$(nproc)" -n 6 shellcheck -x
}

@test "mandoc has nothing to say" {
	local page output
	for page in "$TREE"/man/*.[1-8]; do
		# what it says of manuals that are not installed here is about this machine
		output=$(mandoc -T lint -W all "$page" 2>/dev/null | grep -v 'referenced manual not found' || true)
		[ -z "$output" ] || { echo "$output" && return 1; }
		mandoc -T utf8 "$page" >/dev/null
	done
}

# too_long COLUMNS: of the files that standard input names. A tab is eight columns. What makes a line longer may be one
# string, an address, or a table of a document.
too_long() {
	local file
	while IFS= read -r file; do
		expand "$file" | grep -nHE --label="$file" "^.{$(($1 + 1))}" |
			grep -vE "\"[^\"]{40,}\"|'[^']{40,}'|:[0-9]+:(\||#.*https)" || true
	done
}

@test "lines have 120 columns at most, of scripts 140" {
	local long
	cd "$TREE"
	long=$({ sources -name '*.[ch]' && sources -name '*.md'; } | too_long 120)
	long+=${long:+$'\n'}$({ shell_files && sources -name '*.py'; } | too_long 140)
	[ -z "$long" ] || { echo "$long" && return 1; }
}
