#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Static checks of the sources: clang-format, clang-tidy (see .clang-tidy), shellcheck, mandoc, line length. The clang
# tools are version 19 on every Debian release, because results differ between versions.

TREE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
FORMAT=${CLANG_FORMAT:-clang-format-19}
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-900}

# sources TEST...: files of the tree that match find's TEST, without build folders.
sources() {
	cd "$TREE" && find . \( -name 'build*' -o -name .git -o -name corpus \) -prune -o -type f "$@" -print |
		sed 's|^\./||' | sort
}

# Shell scripts, by suffix, first line or shellcheck's directive.
shell_files() {
	sources ! -name '*.[ch]' ! -name '*.svg' | while IFS= read -r file; do
		case $file in
		*.bash | *.sh | *.bats) echo "$file" ;;
		*)
			head -c 200 "$TREE/$file" | tr -d '\0' |
				grep -qE '^#!.*[/ ](ba)?sh|^# shellcheck shell=' && echo "$file"
			;;
		esac
	done
}

@test "clang-format changes nothing" {
	cd "$TREE"
	sources -name '*.[ch]' | xargs "$FORMAT" --dry-run --Werror
}

@test "clang-tidy reports nothing, without its analyzer" {
	make -C "$TREE" -s tidy ANALYZER=no
}

# bats test_tags=long
@test "clang-tidy reports nothing" {
	make -C "$TREE" -s tidy
}

@test "the sources compile with musl's headers" {
	cd "$TREE"
	# shellcheck disable=SC2016 # for the inner shell
	sources -path './user/*.c' | xargs -P "$(nproc)" -n 8 sh -c 'for file; do
		# the headers of libraries are those of this host
		musl-gcc -fsyntax-only -std=gnu17 -D_GNU_SOURCE -DWGVIA_VERSION=\"\" -Iinclude -Iuser -iquote. -Ibuild \
			$(pkg-config --cflags json-c) -idirafter /usr/include -Wall -Wextra -Wshadow -Werror \
			-idirafter "/usr/include/$(gcc -dumpmachine)" "$file" || exit 255
	done' sh
}

@test "shellcheck reports nothing" {
	cd "$TREE"
	shell_files | xargs -P "$(nproc)" -n 6 shellcheck -x
}

@test "fish_indent changes nothing" {
	cd "$TREE"
	sources -name '*.fish' | xargs fish_indent --check
}

@test "mandoc reports nothing" {
	local page output
	for page in "$TREE"/man/*.[1-8]; do
		# whether other manuals are installed here does not matter, and EXAMPLES come early on purpose
		output=$(mandoc -T lint -W all "$page" 2>/dev/null |
			grep -vE 'referenced manual not found|sections out of conventional order' || true)
		[ -z "$output" ] || { echo "$output" && return 1; }
		mandoc -T utf8 "$page" >/dev/null
	done
}

# too_long COLUMNS: lines that are longer, in the files named on standard input. A tab is eight columns. Lines with a
# long string, links and tables are exempt.
too_long() {
	local file
	while IFS= read -r file; do
		expand "$file" | grep -nHE --label="$file" "^.{$(($1 + 1))}" |
			grep -vE "\"[^\"]{40,}\"|'[^']{40,}'|:[0-9]+:(\||#.*https)" || true
	done
}

@test "lines have at most 120 columns, in scripts 140" {
	local long
	cd "$TREE"
	long=$({ sources -name '*.[ch]' && sources -name '*.md'; } | too_long 120)
	long+=${long:+$'\n'}$({ shell_files && sources -name '*.py'; } | too_long 140)
	[ -z "$long" ] || { echo "$long" && return 1; }
}

@test "poll gets a command to repeat, not what a command printed before" {
	local found
	cd "$TREE"
	found=$(grep -rnE 'poll [0-9]+ (\[|test) .*"?\$\([^<]' tests scripts --include='*.ba[ts][sh]*' --include='*.sh') || true
	[ -z "$found" ] || { echo "$found" && return 1; }
}
