#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `make uninstall` on a host where wgvia still runs: it lists what runs, and prints commands that remove it without the
# program. tests/vm/systemd.bats covers the units.

# shellcheck disable=SC2154 # `run` sets $status, $output

load ../lib/net.bash

# uninstall: sets $output; runs the Makefile with a place where nothing is installed.
uninstall() {
	run -0 in_ns "$NS_GW" make -s -C "$TREE" uninstall PREFIX="$BATS_TEST_TMPDIR" PIN_DIR="$PIN_DIR"
	echo "$output"
}

# by_hand ATTACH: the printed commands remove a running instance.
by_hand() {
	attach_type "$1"
	wgvia up wg6 "${WORDS[@]}"
	uninstall
	grep -Fx "wgvia: the instance 'wg6' is still in the packet path; to remove it by hand:" <<<"$output"
	in_ns "$NS_GW" sh -ec "$(sed -n 's/^    //p' <<<"$output")"
	is "$(find "$PIN_DIR" -mindepth 1)" ""
	poll 5 nothing_attached # a link without a pin vanishes a little later
	uninstall
	is "$output" ""
}

nothing_attached() {
	! attached | grep -qv 'qdisc clsact'
}

@test "tcx: the pins" {
	by_hand tcx
}

@test "clsact: the filters and the pins" {
	by_hand clsact
	in_ns "$NS_GW" tc qdisc delete dev ens3 clsact
	in_ns "$NS_GW" tc qdisc delete dev wg6 clsact
}

@test "nothing is printed if nothing runs, nor for an installation into DESTDIR" {
	uninstall
	is "$output" ""
	wgvia up wg6 "${WORDS[@]}"
	run -0 in_ns "$NS_GW" make -s -C "$TREE" uninstall DESTDIR="$BATS_TEST_TMPDIR" PIN_DIR="$PIN_DIR"
	is "$output" ""
}
