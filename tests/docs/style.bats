#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks of the documents that need not run anything: man pages fit a terminal, links and named files exist, every
# example has a kind (see lib/examples.py). Needs no root.

# shellcheck disable=SC2016 # backquotes of Markdown

load ../lib/docs.bash

@test "man pages fit 80 columns" {
	local page long text=$BATS_TEST_TMPDIR/text
	for page in "$TREE"/man/*.[1-8]; do
		mandoc -T ascii -O width=80 "$page" >"$text.raw"
		col -bx <"$text.raw" >"$text"
		[ -s "$text" ]
		long=$(grep -E '^.{81}' "$text" || true)
		[ -z "$long" ] || { echo "$page: $long" && return 1; }
	done
}

@test "links lead to existing files and headings" {
	local document target file anchor
	for document in $(documents); do
		while IFS= read -r target; do
			case $target in https://* | http://*) continue ;; esac
			file=${target%%#*} anchor=
			case $target in *'#'*) anchor=${target#*#} ;; esac
			file=${file:+$(dirname "$document")/$file}
			file=$TREE/${file:-$document}
			[ -e "$file" ] || { echo "$document: no $target" && return 1; }
			[ -z "$anchor" ] || headings "$file" | grep -qxF "$anchor" ||
				{ echo "$document: no heading for $target" && return 1; }
		done < <(sed '/^```/,/^```/d' "$TREE/$document" | grep -oE '\]\([^)]+\)|src="[^"]+"|href="[^"]+"' |
			sed -E 's/^\]\((.*)\)$/\1/; s/^(src|href)="(.*)"$/\2/')
	done
}

# headings FILE: as anchors.
headings() {
	sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'
}

@test "files that documents name exist" {
	local document name
	for document in $(documents) man/wgvia.8 man/wgvia.conf.5 man/wgvia-maps.7; do
		while IFS= read -r name; do
			# shellcheck disable=SC2086 # a pattern, where it has a star
			ls -d "$TREE"/$name >/dev/null 2>&1 || { echo "$document: no $name" && return 1; }
		done < <(grep -oE '(^|[^A-Za-z0-9_./-])(bpf|docs|include|man|packaging|scripts|tests|user)/[A-Za-z0-9_./*@-]+' \
			"$TREE/$document" | sed -E 's/^[^a-z]//; s/[.,:]*$//; s/NAME/*/' | sort -u)
	done
}

@test "every example is run by a test, or has a reason why not" {
	local document
	for document in $(documents) man/wgvia.8 man/wgvia.conf.5 man/wgvia-maps.7; do
		/usr/bin/python3 "$TREE/tests/lib/examples.py" "$TREE/$document" >"$BATS_TEST_TMPDIR/examples"
		while IFS= read -r name; do
			[ -e "$TREE/$name" ] || { echo "$document: no $name" && return 1; }
		done < <(jq -r '.[] | select(.kind == "tested by") | .about' "$BATS_TEST_TMPDIR/examples")
	done
}

@test "the recording of the demo matches the present demo" {
	local text
	[ "$(stat -c %s "$TREE/docs/demo.svg")" -lt 100000 ]
	while IFS= read -r text; do
		grep -qF "$text" "$TREE/docs/demo.svg" || { echo "no '$text': scripts/record docs/demo.svg scripts/demo" && return 1; }
	done < <(sed -nE 's/^\t?(told|chapter) "([^"$]*)".*/\2/p' "$TREE/scripts/demo")
}

@test "every claim that names a test names an existing one" {
	local document claim file title count=0
	for document in $(documents); do
		while IFS= read -r claim; do
			file=${claim%% *}
			title=${claim#* }
			grep -qF -e "@test \"$title\"" -e "static void $title(" -e "{\"$title\"," "$TREE/$file" ||
				{ echo "$document: $file has no test '$title'" && return 1; }
			count=$((count + 1))
		done < <(claims "$TREE/$document")
	done
	[ $count -gt 0 ]
}

# claims FILE: "TEST-FILE TITLE", one per line, from [TEST-FILE: TITLE], which may span lines.
claims() {
	tr '\n' ' ' <"$1" | tr -s ' ' | grep -oE '\[tests/[a-z0-9_/.]+: [^]]+\]' | sed -E 's/^\[([^:]*): (.*)\]$/\1 \2/'
}
