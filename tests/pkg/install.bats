#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# `make dist`, and `make install` and `make uninstall` from its content, by an unprivileged user.

# shellcheck disable=SC2154 # `run` sets $status, $output

load ../lib/net.bash

setup_file() {
	export DIR STAGE
	DIR=$(mktemp -d)
	STAGE=$DIR/stage
	make -s -C "$TREE" dist
	tar -xzf "$TREE"/build/wgvia-*.tar.gz --strip-components=1 -C "$DIR"
	mkdir "$STAGE" "$DIR/build"
	# everything is newer than the sources, whatever this host's clock shows
	find "$DIR" -exec touch -d @0 {} +
	cp -a "$TREE"/build/{wgvia,bpf,user} "$TREE"/build/*.skel.h "$DIR/build"
	chown -R 65534:65534 "$DIR"
	chmod 755 "$DIR"
}

teardown_file() {
	rm -rf "$DIR"
}

teardown() { :; }

# as_nobody COMMAND...: with tools that cannot build anything.
as_nobody() {
	(cd "$DIR" && setpriv --reuid=65534 --regid=65534 --clear-groups env CC=false CLANG=false BPFTOOL=false "$@")
}

files() {
	(cd "$STAGE" && find . ! -type d -printf '%m %P\n' | sort -k 2)
}

# The files of the tree, at their places below $1.
expected() {
	local file
	{
		echo "755 $1/sbin/wgvia"
		echo "644 $1/share/bash-completion/completions/wgvia"
		echo "644 $1/share/doc/wgvia/wgvia.schema.json"
		echo "644 $1/share/fish/vendor_completions.d/wgvia.fish"
		echo "644 $1/share/wgvia/grafana/wgvia.json"
		echo "644 $1/share/wgvia/prometheus/wgvia.rules.yml"
		echo "644 $1/share/zsh/site-functions/_wgvia"
		for file in "$TREE"/packaging/systemd/*.{service,timer}; do
			[ ! -e "$file" ] || echo "644 $1/lib/systemd/system/${file##*/}"
		done
		for file in "$TREE"/man/*.[1-8]; do
			[ ! -e "$file" ] || echo "644 $1/share/man/man${file##*.}/${file##*/}"
		done
	} | sort -k 2
}

archived() {
	tar -tzf "$TREE"/build/wgvia-*.tar.gz | sed -n 's,^[^/]*/\(.*[^/]\)$,\1,p' | sort
}

@test "the archive contains what git tracks, and nothing that git ignores" {
	git -C "$TREE" rev-parse 2>/dev/null || skip "no git here, or no repository"
	git -C "$TREE" ls-files | sort >"$BATS_TEST_TMPDIR/tracked"
	git -C "$TREE" ls-files --cached --others --exclude-standard | sort >"$BATS_TEST_TMPDIR/all"
	is "$(archived | comm -13 - "$BATS_TEST_TMPDIR/tracked")" ""
	is "$(archived | comm -23 - "$BATS_TEST_TMPDIR/all")" ""
}

@test "the archive is identical from another folder" {
	as_nobody make -s dist
	cmp "$TREE"/build/wgvia-*.tar.gz "$DIR"/build/wgvia-*.tar.gz
}

@test "SYSTEMD=no installs everything except the units" {
	as_nobody make -s install SYSTEMD=no DESTDIR="$STAGE" PREFIX=/usr
	is "$(files)" "$(expected usr | grep -v systemd)"
	as_nobody make -s uninstall SYSTEMD=no DESTDIR="$STAGE" PREFIX=/usr
	is "$(files)" ""
}

@test "make install, with and without a prefix, and uninstall" {
	local prefix
	for prefix in /usr/local /opt/wgvia; do
		as_nobody make -s install DESTDIR="$STAGE" PREFIX=$prefix
		is "$(files)" "$(expected ${prefix#/})"
		cmp "$TREE/build/wgvia" "$STAGE$prefix/sbin/wgvia"
		# units call the program at its place
		is "$(grep -rhoE '/[a-z/]*/sbin/wgvia' "$STAGE" --include='*.service' | grep -vxc "$prefix/sbin/wgvia")" 0
		as_nobody make -s uninstall DESTDIR="$STAGE" PREFIX=$prefix
		is "$(files)" ""
		[ ! -e "$STAGE$prefix/share/wgvia" ]
	done
}

@test "fish completes as installed, with the file for bash" {
	as_nobody make -s install DESTDIR="$STAGE"
	is "$(PATH=$STAGE/usr/local/sbin:$PATH HOME=$BATS_TEST_TMPDIR XDG_DATA_DIRS=$STAGE/usr/local/share \
		fish -c "complete -C 'wgvia chec'")" "check"$'\t'"$("$WGVIA" check --help | sed -n '1s/^wgvia check: //p')"
	as_nobody make -s uninstall DESTDIR="$STAGE"
}

@test "make uninstall does not touch what is not wgvia's" {
	as_nobody make -s install DESTDIR="$STAGE"
	as_nobody touch "$STAGE/usr/local/share/wgvia/mine" "$STAGE/usr/local/sbin/other"
	as_nobody make -s uninstall DESTDIR="$STAGE"
	is "$(find "$STAGE" -type f -printf '%f\n' | sort | xargs)" "mine other"
}
