#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds with other flags and compilers, and without a library.

# shellcheck disable=SC2154 # `run` sets $status, $output

load ../lib/net.bash

export BATS_TEST_TIMEOUT=600

setup() {
	B=$BATS_TEST_TMPDIR/build
}

teardown() { :; }

# built VARIABLE=VALUE...: the program runs, and there are no warnings.
built() {
	run -0 make -C "$TREE" -s -j"$(nproc)" B="$B" "$@" "$B/wgvia"
	is "$output" ""
	run -0 "$B/wgvia" --version
	rm -rf "$B"
}

hardened() {
	DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --get "$1"
}

# bats test_tags=long
@test "it builds with -Os and with -O0" {
	built CFLAGS=-Os
	built CFLAGS=-O0
}

# bats test_tags=long
@test "it builds with link time optimization" {
	built CFLAGS="-flto=auto -ffat-lto-objects" LDFLAGS=-flto=auto
}

# bats test_tags=long
@test "it builds with Debian's hardening flags" {
	built CFLAGS="$(hardened CFLAGS)" CPPFLAGS="$(hardened CPPFLAGS)" LDFLAGS="$(hardened LDFLAGS)"
}

# bats test_tags=long
@test "it builds with Fedora's hardening flags" {
	built LDFLAGS="-Wl,-z,relro -Wl,--as-needed -Wl,-z,now" \
		CFLAGS="-O2 -fexceptions -grecord-gcc-switches -pipe -Wall -Werror=format-security \
		-Wp,-U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=3 -Wp,-D_GLIBCXX_ASSERTIONS -fstack-protector-strong \
		-fasynchronous-unwind-tables -fstack-clash-protection -fno-omit-frame-pointer"
}

# bats test_tags=long
@test "it builds with clang as the C compiler" {
	built CC=clang
	! command -v clang-19 >/dev/null || built CC=clang-19 CLANG=clang-19
}

@test "a missing library is reported, with the command that installs it" {
	run make -C "$TREE" -s B="$B" PKG_CONFIG_LIBDIR=/nonexistent "$B/libraries"
	[ "$status" -ne 0 ]
	grep -F "Package libbpf was not found" <<<"$output"
	grep -F "wgvia needs: libbpf libelf zlib libmnl json-c (scripts/deps build)" <<<"$output"
}
