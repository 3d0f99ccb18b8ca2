#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The order of the rooms of user/: the table in docs/ARCHITECTURE.md is complete, and no include goes up.

TREE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

# "ROOM INCLUDED ROOM..." of each row
rooms() {
	# shellcheck disable=SC2016 # the document's backquotes, not the shell's
	sed -n 's/^| `\([a-z]*\)\/` | .* |\([a-z ]*\)|$/\1 \1\2/p' "$TREE/docs/ARCHITECTURE.md"
}

# climbing ROOMS: "FILE: INCLUDED" for each include in user/ that ROOMS, from rooms(), does not allow.
climbing() {
	local file room included
	while IFS=: read -r file included; do
		room=${file#"$TREE/user/"}
		case $included in */*) ;; *) included=base/$included ;; esac
		grep -Eq "^${room%%/*} .*\b${included%%/*}\b" <<<"$1" || echo "$file: $included"
	done < <(cd "$TREE" && grep -rE '^#include "' --include='*.[ch]' "$TREE"/user/*/ |
		sed -E 's/#include "([^"]*)".*/\1/' | grep -vE ':(wgvia_abi\.h|bpf/.*|.*\.skel\.h)$')
}

@test "the table of rooms lists exactly the rooms of user/" {
	diff <(rooms | cut -d' ' -f1 | sort) <(cd "$TREE/user" && printf '%s\n' */ | tr -d / | sort)
}

@test "no include climbs to a room that its own does not know" {
	[ -z "$(climbing "$(rooms)" | tee /dev/stderr)" ]
	# and the test would detect one: one that import/ must not have, and one of config/ without base/
	[ -n "$(climbing "$(rooms | sed 's/^import import.*/import import base/')")" ]
}

@test "only datapath/ includes libbpf and bpf/" {
	cd "$TREE/user"
	run grep -rlE '^#include (<bpf/|"bpf/|".*\.skel\.h")' --include='*.[ch]' .
	[ "$status" -eq 0 ] # datapath/ does
	[ -z "$(grep -v '^\./datapath/' <<<"$output" | tee /dev/stderr)" ]
}
