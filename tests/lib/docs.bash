# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What tests/docs/*.bats share: the content of the program's help and of each document, as lists with one item per line.

bats_require_minimum_version 1.5.0

TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export WGVIA=${WGVIA:-$TREE/build/wgvia}
COMPLETION=packaging/completion/wgvia

# same LIST OTHER WHERE: shows what is missing in the other, and what is only there.
same() {
	[ -n "$1" ] || { echo "nothing to compare with $3" && return 1; }
	[ "$1" != "$2" ] || return 0
	diff <(echo "$1") <(echo "$2") | sed -n "s|^< |$3 lacks: |p; s|^> |only $3 has: |p"
	return 1
}

# is_in TEXT WHOLE
is_in() {
	case $2 in
	*"$1"*) ;;
	*)
		echo "not found: $1"
		return 1
		;;
	esac
}

# ---- the program ----

# "wgvia COMMAND WORDS", one per line, without spaces around "|".
syntax_in_help() {
	"$WGVIA" --help | sed -n '/^Commands:/,/^Options:/p' | sed -E -e '/^[A-Z]/d' -e '/^           ?[a-z-]/d' -e '/^$/d' |
		awk '/^  [a-z]/ { if (line) print line; line = "wgvia" } { $1 = $1; line = line " " $0 } END { print line }' |
		sed 's/ | /|/g'
}

options_in_help() {
	"$WGVIA" --help | sed -n '/^Options:/,/^$/p' | grep -oE '^ +(-[a-zA-Z0-9]+(, )?)?(--[a-z-]+)?' | tr -s ' ,' '\n' | sort -u |
		sed '/^$/d'
}

options_in_code() {
	sed -nE 's/^\t\{OPTION_[A-Z0-9_]+, (NULL|"([a-zA-Z0-9]+)"), (NULL|"([a-z-]+)"),.*/-\2\n--\4/p' \
		"$TREE/user/commands/options.c" | grep -vxE -- '--?' | sort -u
}

verdicts_in_code() {
	sed -n 's/^\tX([A-Z_]*, "\([a-z_]*\)").*/\1/p' "$TREE/include/wgvia_abi.h"
}

# The program's sources as one text.
code_text() {
	find "$TREE/user" -name '*.c' -exec cat {} +
}

findings_in_code() {
	code_text | tr -d '\n' | grep -oE 'finding_add\([^"]*"[a-z_]+"|[{]"[a-z]+_rules"' | sed 's/.*"\(.*\)"/\1/' | sort -u
}

maps_in_code() {
	sed -n '/^const char \*const map_names/,/^};/p; /^#define MAP_NAME /p' "$TREE"/user/datapath/{instance,gateway_map,lost}.c |
		grep -oE '"[a-z0-9_]+"' | tr -d '"' | sort
}

environment_in_code() {
	code_text | grep -oE '(getenv|read_number)\("[A-Z_]+"' | sed 's/.*"\(.*\)"/\1/' | sort -u
}

constant() {
	sed -n "s/^#define $1 \([0-9]*\).*/\1/p" "$TREE"/user/*/*.h
}

# The literal words of a syntax, without the placeholders for values.
words_of_syntax() {
	sed 's/^wgvia [a-z]*//' | grep -oE '(^|[^A-Za-z-])-{0,2}[a-z][a-z-]*' | sed -E 's/^[^a-z-]//' | sort -u
}

# ---- the documents ----

# The documents of the tree, without those of Debian's packaging.
documents() {
	(cd "$TREE" && ls ./*.md docs/*.md .github/*.md .github/*/*.md) | sed 's|^\./||'
}

# manual_text [PAGE]: as one line.
manual_text() {
	mandoc -T ascii -O width=1000 "$TREE/man/${1:-wgvia.8}" | col -b | tr -s ' \n' ' '
}

syntax_in_manual() {
	mandoc -T ascii -O width=1000 "$TREE/man/wgvia.8" | col -bx | sed -n '/^COMMANDS/,/^OPTIONS/s/^ *\(wgvia [a-z]*.*\)/\1/p' |
		sed -e '/^wgvia help/d' -e '/^wgvia version/d' -e 's/ | /|/g' -e 's/\] \.\.\./].../g'
}

options_in_manual() {
	sed -n '/^\.Sh OPTIONS/,/^\.Sh VERDICTS/s/^\.It Fl \(.*\)/\1/p' "$TREE/man/wgvia.8" | sed -E 's/ (Ar|Ns) .*//' |
		tr -s ' ,' '\n' | sed 's/^/-/' | sort -u
}

# items_in_manual SECTION [PAGE]: the literal words that head its list.
items_in_manual() {
	sed -n "/^\.Sh $1/,/^\.Sh/s/^\.It Li //p" "$TREE/man/${2:-wgvia.8}" | tr -s ' ,' '\n'
}

# ---- the completion ----

need_completion() {
	[ -e "$TREE/$COMPLETION" ] || skip "there is no $COMPLETION"
}

# completion_words commands|options|verdicts
completion_words() {
	# shellcheck disable=SC1090,SC2016 # the inner shell's variables
	bash -c '. "$0"; name=_wgvia_$1; printf "%s\n" ${!name}' "$TREE/$COMPLETION" "$1" | sort
}

# The words that are proposed after a command, without the kinds of values, which are internal names of the completion.
completion_keywords() {
	# shellcheck disable=SC1090,SC2016,SC2154 # the inner shell's variables
	bash -c '. "$0"
		_wgvia_grammar "$1"
		for word in $places; do
			case $word in *"|"*) echo "$word" ;; esac
		done
		for word in $keywords; do
			echo "${word%%[*=]*}"
			case $word in *=*"|"*) word=${word#*=} && echo "${word%|@*}" ;; esac
		done' "$TREE/$COMPLETION" "$1" | tr '|' '\n' | sort -u
}
