#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The pictures of docs/: each is well-formed, has a text alternative, and is readable on light and dark pages; those of
# the packet paths show the topology of the README. Needs no root.

load ../lib/docs.bash

PICTURES=$TREE/docs/pictures

# topology FILE: the first elements of each picture of a packet path.
topology() {
	sed -n '/<!-- the topology/,/<!-- what happens/p' "$1"
}

# coloured CSS: the classes to which it assigns a colour.
coloured() {
	tr '}' '\n' <<<"$1" | grep -E '#[0-9a-f]{3,6}' | sed 's/{.*//' | sort -u
}

@test "pictures are well-formed SVG" {
	xmllint --noout "$TREE"/docs/*.svg "$PICTURES"/*.svg
}

@test "the packet paths have a title, a description, and words as text" {
	local file part
	for file in "$PICTURES"/{before,fast,stack}.svg; do
		for part in title desc; do
			[ -n "$(xmllint --xpath "string(/*/*[local-name()='$part'])" "$file")" ] || { echo "$file: no $part" && return 1; }
		done
		[ "$(xmllint --xpath "count(//*[local-name()='text'])" "$file")" -gt 10 ]
		[ "$(xmllint --xpath "count(//*[local-name()='image' or local-name()='script'])" "$file")" = 0 ]
	done
}

@test "what has a colour on a light page has one on a dark page" {
	local file css light
	for file in "$PICTURES"/{before,fast,stack}.svg; do
		css=$(sed -n '/^<style>/,/^<\/style>/p' "$file" | sed '1d;$d')
		light=${css%%@media*}
		css=${css#*"@media (prefers-color-scheme:dark){"}
		same "$(coloured "$light")" "$(coloured "$css")" "$file, dark"
	done
}

@test "the packet paths show one topology, the README's" {
	local file word
	for file in "$PICTURES"/{fast,stack}.svg; do
		same "$(topology "$PICTURES/before.svg")" "$(topology "$file")" "$file"
	done
	for word in $(topology "$PICTURES/before.svg" | grep -oE '2001:db8:[0-9a-f:]+|wg6|ens3|WireGuard|Internet'); do
		is_in "$word" "$(<"$TREE/README.md")"
	done
}

@test "programs in the packet paths are those of the source" {
	local name names
	names=$(grep -ohE 'wgvia_[a-z]+' "$PICTURES"/*.svg | sort -u)
	[ -n "$names" ]
	for name in $names; do
		grep -qE "^(int )?$name\(|^int $name" "$TREE/bpf/wgvia.bpf.c" || { echo "no program $name" && return 1; }
	done
}
